import assert from "node:assert/strict";
import type { AccountId } from "../../src/base/mod.ts";
import type { ClientKey } from "../../src/store/mod.ts";
import { MAX_APP_PASSWORDS, MAX_CLIENT_KEYS } from "../../src/store/limits.ts";
import type { StoreTest } from "./conformance.ts";
import { refuses } from "./fixture.ts";

const NOBODY = 999_999 as AccountId;

function key(accountId: AccountId, fingerprint = "f".repeat(43)): Omit<ClientKey, "created"> {
  return {
    fingerprint,
    accountId,
    address: "ann@example.org",
    name: "phone",
    keyType: "Ed25519",
    allowsPreauth: false,
    certificate: Uint8Array.of(0x30, 0, 255),
  };
}

function isRecent(seconds: number | undefined): boolean {
  return Math.abs((seconds ?? 0) - Date.now() / 1000) < 60;
}

/** Keys of TLS clients and app passwords. */
export const credentialTests: readonly StoreTest[] = [
  [
    "a client's key has what it was added with, and is found until it is removed",
    async (fixture) => {
      const { accountId } = fixture;
      await fixture.store.directory.credentials.addClientKey(key(accountId));
      await fixture.reopen();
      const { credentials } = fixture.store.directory;
      const found = await credentials.findClientKey("f".repeat(43));
      assert.ok(found && isRecent(found.created));
      assert.deepEqual({ ...found, created: 0 }, { ...key(accountId), created: 0 });
      assert.deepEqual(await credentials.listClientKeys(), [found]);
      assert.deepEqual(await credentials.listClientKeys(accountId), [found]);
      assert.deepEqual(await credentials.listClientKeys(NOBODY), []);
      assert.deepEqual(await credentials.removeClientKey(found.fingerprint), found);
      assert.equal(await credentials.findClientKey(found.fingerprint), undefined);
      await refuses("not-found", credentials.removeClientKey(found.fingerprint));
    },
  ],

  ["a client's key changes its name and whether it logs in at once", async (fixture) => {
    const { accountId } = fixture;
    const { credentials } = fixture.store.directory;
    await credentials.addClientKey(key(accountId));
    await credentials.addClientKey(key(accountId, "another"));
    const change = { name: "old phone", allowsPreauth: true };
    await credentials.changeClientKey("f".repeat(43), change);
    await refuses("not-found", credentials.changeClientKey("none", change));
    await fixture.reopen();
    const found = await fixture.store.directory.credentials.listClientKeys(accountId);
    assert.deepEqual(
      found.map(({ fingerprint, name, allowsPreauth }) => [fingerprint, name, allowsPreauth])
        .sort(),
      [["another", "phone", false], ["f".repeat(43), "old phone", true]],
    );
  }],

  ["a client's key belongs to one account that exists", async ({ store, accountId }) => {
    const { credentials } = store.directory;
    const bob = await store.directory.addAccount("bob@example.org", "");
    await refuses("not-found", credentials.addClientKey(key(NOBODY)));
    await credentials.addClientKey(key(accountId));
    await refuses("already-exists", credentials.addClientKey(key(accountId)));
    await refuses("already-exists", credentials.addClientKey(key(bob.id)));
    for (let i = 1; i < MAX_CLIENT_KEYS; i++) {
      await credentials.addClientKey(key(accountId, `key${i}`));
    }
    await refuses("limit", credentials.addClientKey(key(accountId, "one more")));
    await credentials.addClientKey(key(bob.id, "bob's"));
  }],

  ["an app password has what it was added with, under a name of its own", async (fixture) => {
    const { accountId } = fixture;
    const phone = { accountId, name: "phone", scopes: ["imap"], verifier: "{1}" };
    await fixture.store.directory.credentials.addAppPassword(phone);
    await fixture.reopen();
    const { directory } = fixture.store;
    const { credentials } = directory;
    await refuses("already-exists", credentials.addAppPassword({ ...phone, verifier: "{2}" }));
    await refuses("not-found", credentials.addAppPassword({ ...phone, accountId: NOBODY }));
    await credentials.addAppPassword({ accountId, name: "tablet", scopes: [], verifier: "{3}" });
    const bob = await directory.addAccount("bob@example.org", "");
    await credentials.addAppPassword({ ...phone, accountId: bob.id });
    const [first, second] = await credentials.listAppPasswords(accountId);
    assert.ok(first && second && isRecent(first.created));
    assert.deepEqual(first, {
      ...phone,
      id: first.id,
      created: first.created,
      lastUsed: undefined,
    });
    assert.deepEqual(second.scopes, []);
    await credentials.removeAppPassword(accountId, "phone");
    assert.deepEqual(await credentials.listAppPasswords(accountId), [second]);
    await refuses("not-found", credentials.removeAppPassword(accountId, "phone"));
    assert.equal((await credentials.listAppPasswords(bob.id)).length, 1);
  }],

  ["the number of an app password is not used again", async ({ store, accountId }) => {
    const { credentials } = store.directory;
    const phone = { accountId, name: "phone", scopes: [], verifier: "{}" };
    const add = async () => {
      await credentials.addAppPassword(phone);
      return (await credentials.listAppPasswords(accountId))[0]?.id;
    };
    const before = await add();
    await credentials.removeAppPassword(accountId, "phone");
    assert.notEqual(await add(), before);
  }],

  ["an account has so many app passwords and no more", async ({ store, accountId }) => {
    const { credentials } = store.directory;
    const add = (name: string) =>
      credentials.addAppPassword({ accountId, name, scopes: [], verifier: "{}" });
    for (let i = 0; i < MAX_APP_PASSWORDS; i++) await add(`${i}`);
    await refuses("limit", add("one more"));
  }],

  ["the use of an app password is noted", async ({ store, accountId }) => {
    const { credentials } = store.directory;
    await credentials.addAppPassword({ accountId, name: "phone", scopes: [], verifier: "{}" });
    const [password] = await credentials.listAppPasswords(accountId);
    assert.ok(password);
    await credentials.touchAppPassword(password.id);
    await credentials.touchAppPassword(password.id + 1);
    assert.ok(isRecent((await credentials.listAppPasswords(accountId))[0]?.lastUsed));
  }],

  ["keys and app passwords go with their account", async ({ store, accountId }) => {
    const { credentials } = store.directory;
    await credentials.addClientKey(key(accountId));
    await credentials.addAppPassword({ accountId, name: "phone", scopes: [], verifier: "{}" });
    await store.directory.removeAccount(accountId);
    assert.deepEqual(await credentials.listClientKeys(), []);
    assert.deepEqual(await credentials.listAppPasswords(accountId), []);
  }],
];
