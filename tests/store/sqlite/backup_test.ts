import assert from "node:assert/strict";
import { RangeSet } from "../../../src/base/mod.ts";
import {
  backupStore,
  openSqliteLoginLog,
  openSqliteStore,
  restoreAccount,
  restoreStore,
  type SqliteStore,
} from "../../../src/store/sqlite/engine.ts";
import type { AccountStore } from "../../../src/store/mod.ts";
import { contentsOf } from "../../transfer/contents.ts";
import { box, breaches, mail, put, refuses } from "../fixture.ts";
import { withFolder } from "./account_fixture.ts";

const [ANN, BOB] = ["ann@example.org", "bob@example.org"];

interface Place {
  readonly store: SqliteStore;
  readonly dataDir: string;
  readonly folder: string;
  readonly ann: AccountStore;
  readonly bob: AccountStore;
  backup(host?: string): ReturnType<typeof backupStore>;
}

async function withPlace(body: (place: Place) => Promise<void>): Promise<void> {
  await withFolder(async (root) => {
    const dataDir = `${root}/data`;
    const folder = `${root}/backup`;
    const store = await openSqliteStore({ dataDir });
    try {
      await store.directory.addDomain("example.org");
      const ann = await store.directory.addAccount(ANN, "verifier of ann");
      const bob = await store.directory.addAccount(BOB, "{}");
      await store.directory.addAddress("sales@example.org", ann.id);
      await body({
        ...{ store, dataDir, folder },
        ann: await store.openAccount(ann.id),
        bob: await store.openAccount(bob.id),
        backup: (host = "host") =>
          backupStore({ dataDir, folder, host, now: 1, onProgress: () => {} }),
      });
    } finally {
      await store.close();
    }
  });
}

async function withRestored(
  folder: string,
  body: (store: SqliteStore, dataDir: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (root) => {
    const dataDir = `${root}/elsewhere`;
    restoreStore(folder, dataDir);
    const store = await openSqliteStore({ dataDir });
    try {
      for (const { id } of await store.directory.listAccounts()) {
        assert.deepEqual(await breaches(await store.openAccount(id)), []);
      }
      await body(store, dataDir);
    } finally {
      await store.close();
    }
  });
}

async function accountOf(store: SqliteStore, address: string): Promise<AccountStore> {
  const account = await store.directory.resolveAddress(address);
  assert.ok(account, address);
  return await store.openAccount(account.id);
}

async function files(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

Deno.test("a backup restored elsewhere has everything, and a second run copies what changed", () =>
  withPlace(async ({ ann, bob, dataDir, folder, backup }) => {
    await Deno.mkdir(`${dataDir}/acme`);
    await Deno.writeTextFile(`${dataDir}/acme/key.pem`, "secret");
    const ban = { reason: "many", sinceMs: 5, untilMs: 6 };
    const network = { network: "192.0.2.0/26", minuteStartMs: 1, minuteFailures: 2, ban };
    const logins = openSqliteLoginLog({ dataDir });
    await logins.add([], [{ ...network, dayStartMs: 3, dayFailures: 4 }]);
    await put(ann, "INBOX", { bytes: mail("large", 700_000), keywords: ["x"], flags: 5 }, {});
    await ann.setAnnotations("INBOX", [
      { entry: "/private/comment", value: new Uint8Array([1]), isBinary: true },
    ]);
    assert.deepEqual(await backup(), { accounts: 2, copied: 2 });
    const [first] = await files(folder);
    await put(bob, "INBOX", {});
    assert.deepEqual(await backup(), { accounts: 2, copied: 1 });
    assert.deepEqual(await backup(), { accounts: 2, copied: 0 });
    const now = await files(folder);
    assert.ok(first !== undefined && now.includes(first), "ann's is as it was");
    assert.equal(now.length, 5, String(now));
    for (const name of now) {
      const { mode, isFile } = await Deno.stat(`${folder}/${name}`);
      if (isFile) assert.equal((mode ?? 0) & 0o077, 0, name);
    }
    await withRestored(folder, async (store, elsewhere) => {
      for (const [address, account] of [[ANN, ann], [BOB, bob]] as const) {
        const restored = await accountOf(store, address ?? "");
        assert.deepEqual(await contentsOf(restored), await contentsOf(account));
        assert.deepEqual(
          (await restored.listMailboxes()).map(({ uidValidity, objectId }) => [
            ...[uidValidity, objectId],
          ]),
          (await account.listMailboxes()).map(({ uidValidity, objectId }) => [
            ...[uidValidity, objectId],
          ]),
        );
      }
      const restored = await accountOf(store, ANN);
      assert.equal((await restored.listAnnotations("INBOX")).length, 1);
      const { id } = await store.directory.resolveAddress("sales@example.org") ?? {};
      assert.ok(id);
      assert.equal(await store.directory.passwordVerifier(id), "verifier of ann");
      assert.equal(await Deno.readTextFile(`${elsewhere}/acme/key.pem`), "secret");
      const restoredLogins = openSqliteLoginLog({ dataDir: elsewhere });
      assert.deepEqual(await restoredLogins.listNetworks(), await logins.listNetworks());
      assert.equal((await restoredLogins.listNetworks())[0]?.ban?.reason, "many");
      await restoredLogins.close();
    });
    await logins.close();
  }));

Deno.test("clients that saw what came after the backup are told the truth", () =>
  withPlace(async ({ ann, folder, backup }) => {
    await put(ann, "INBOX", {}, {}, {});
    const { id } = await box(ann, "INBOX");
    await backup();
    // Seen by a client and then lost.
    await put(ann, "INBOX", { bytes: mail("lost") });
    await ann.changeFlags(id, RangeSet.of(1), { mode: "add", flags: 1, keywords: [] });
    const seen = await ann.latestModSeq();
    await withRestored(folder, async (store) => {
      const restored = await accountOf(store, ANN);
      const mailbox = await box(restored, "INBOX");
      assert.ok(mailbox.modSeq > seen);
      assert.equal(await restored.expungedSince(mailbox.id, seen, RangeSet.of(4)), "resync");
      const changed = await Array.fromAsync(
        restored.fetchMessages(mailbox.id, RangeSet.range(1, 9), [], { changedSince: seen }),
      );
      assert.deepEqual(changed.flat().map(({ uid, flags }) => [uid, flags]), [[1, 0], [2, 0], [
        3,
        0,
      ]]);
      const uid = await put(restored, "INBOX", {});
      assert.ok(uid > 1000, "the UID of what was lost is not given to another message");
      const [made] = await restored.createMailbox("new");
      assert.ok(made && made.uidValidity > mailbox.uidValidity + 1000);
      assert.deepEqual(await breaches(restored), []);
    });
  }));

Deno.test("one account comes back while the others go on, and replaces only when told to", () =>
  withPlace(async ({ store, ann, bob, dataDir, folder, backup }) => {
    await put(ann, "INBOX", { bytes: mail("kept") });
    await put(bob, "INBOX", {});
    await backup();
    const before = await contentsOf(ann);
    await put(ann, "INBOX", { bytes: mail("later") });
    await put(bob, "INBOX", {});
    await refuses(
      "already-exists",
      (async () => restoreAccount(folder, dataDir, ANN, { replace: false }))(),
    );
    await refuses(
      "not-found",
      (async () => restoreAccount(folder, dataDir, "eve@example.org", { replace: true }))(),
    );
    assert.equal((await box(ann, "INBOX")).counts.messages, 2);
    const old = await store.directory.resolveAddress(ANN);
    const { id, replaced } = restoreAccount(folder, dataDir, ANN, { replace: true });
    assert.equal(replaced, old?.id);
    assert.notEqual(id, old?.id);
    const restored = await accountOf(store, "sales@example.org");
    assert.deepEqual(await contentsOf(restored), before);
    assert.deepEqual(await breaches(restored), []);
    assert.equal((await box(bob, "INBOX")).counts.messages, 2);
    await refuses("not-found", ann.listMailboxes());

    // And after it was removed, with its alias given to somebody else meanwhile.
    await store.directory.removeAccount(id);
    const { id: bobId } = await store.directory.resolveAddress(BOB) ?? {};
    assert.ok(bobId);
    await store.directory.addAddress("sales@example.org", bobId);
    restoreAccount(folder, dataDir, ANN, { replace: false });
    assert.deepEqual(await contentsOf(await accountOf(store, ANN)), before);
    assert.equal((await store.directory.resolveAddress("sales@example.org"))?.id, bobId);
    assert.deepEqual((await files(`${dataDir}/accounts`)).length, 2);
  }));

Deno.test("a backup overwrites nothing that is not its own, and a restore nothing at all", () =>
  withPlace(async ({ dataDir, folder, backup }) => {
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/letter.txt`, "dear");
    await refuses("already-exists", backup());
    await Deno.remove(`${folder}/letter.txt`);
    await backup();
    await refuses("already-exists", backup("another host"));
    await refuses("already-exists", (async () => restoreStore(folder, dataDir))());
    await refuses("not-found", (async () => restoreStore(dataDir, `${dataDir}/x`))());
    await refuses(
      "already-exists",
      (async () =>
        backupStore({
          ...{ dataDir, folder: `${dataDir}/backup`, host: "host", now: 1 },
          onProgress: () => {},
        }))(),
    );
  }));

Deno.test("what became of a backup on its disk is seen before anything is restored", () =>
  withPlace(async ({ ann, folder, backup }) => {
    await put(ann, "INBOX", {});
    await backup();
    const name = (await files(folder)).find((each) => each.startsWith("account-1-"));
    const path = `${folder}/${name}`;
    const bytes = await Deno.readFile(path);
    const at = bytes.length - 100;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await Deno.writeFile(path, bytes);
    await withFolder(async (root) => {
      await refuses("corrupt", (async () => restoreStore(folder, `${root}/x`))());
      assert.deepEqual(await files(root), []);
    });
    await Deno.remove(path);
    // The next run sees that it is missing.
    assert.deepEqual(await backup(), { accounts: 2, copied: 1 });
    await withRestored(folder, async () => {});
  }));

Deno.test("a run that was cut off leaves the backup of the run before", () =>
  withPlace(async ({ ann, folder, backup, dataDir }) => {
    await put(ann, "INBOX", {});
    await backup();
    await put(ann, "INBOX", {});
    await assert.rejects(() =>
      backupStore({
        ...{ dataDir, folder, host: "host", now: 1 },
        onProgress: () => {
          throw new Error("cut off");
        },
      })
    );
    await withRestored(folder, async (store) => {
      assert.equal((await box(await accountOf(store, ANN), "INBOX")).counts.messages, 1);
    });
    assert.deepEqual(await backup(), { accounts: 2, copied: 1 });
    assert.equal((await files(folder)).length, 4);
  }));
