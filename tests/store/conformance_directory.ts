import assert from "node:assert/strict";
import type { AccountId } from "../../src/base/mod.ts";
import { put, refuses } from "./fixture.ts";
import type { StoreTest } from "./conformance.ts";

/** Domains, accounts, addresses, credentials. */
export const directoryTests: readonly StoreTest[] = [
  ["domains are added, disabled, listed and removed", async ({ store: { directory } }) => {
    await directory.addDomain("b.example", { disabled: true });
    await directory.addDomain("A.Example");
    assert.deepEqual(await directory.listDomains(), [
      { name: "a.example", isDisabled: false },
      { name: "b.example", isDisabled: true },
      { name: "example.org", isDisabled: false },
    ]);
    assert.deepEqual(await directory.count(), { accounts: 1, domains: 3 });
    await directory.setDomainDisabled("b.example", false);
    assert.deepEqual(await directory.findDomain("B.example"), {
      name: "b.example",
      isDisabled: false,
    });
    await refuses("already-exists", directory.addDomain("a.example"));
    await refuses("not-found", directory.setDomainDisabled("c.example", true));
    await refuses("not-found", directory.removeDomain("c.example"));
    await directory.removeDomain("b.example");
    assert.equal(await directory.findDomain("b.example"), undefined);
  }],

  ["the admin's verifier is the last one set, and there is none at first", async (fixture) => {
    assert.equal(await fixture.store.directory.adminVerifier(), undefined);
    await fixture.store.directory.setAdminVerifier("first");
    await fixture.store.directory.setAdminVerifier("second");
    assert.equal(await fixture.store.directory.adminVerifier(), "second");
    await fixture.reopen();
    assert.equal(await fixture.store.directory.adminVerifier(), "second");
  }],

  ["a domain in use is not removed", async ({ store: { directory }, accountId }) => {
    await refuses("already-exists", directory.removeDomain("example.org"));
    await directory.addDomain("alias.example");
    await directory.addAddress("info@alias.example", accountId);
    await refuses("already-exists", directory.removeDomain("alias.example"));
    await directory.removeAddress("info@alias.example");
    await directory.removeDomain("alias.example");
    await directory.removeAccount(accountId);
    await directory.removeDomain("example.org");
  }],

  ["an account has what it was made with", async (fixture) => {
    const now = Date.now() / 1000;
    const made = await fixture.store.directory.addAccount("Bob@EXAMPLE.org", '{"v":1}');
    assert.ok(made.created > now - 5 && made.created < now + 60);
    assert.deepEqual(made, {
      id: made.id,
      address: "Bob@example.org",
      disabledMessage: undefined,
      removeAt: undefined,
      quotaBytes: undefined,
      disabledCapabilities: [],
      created: made.created,
      securityVersion: made.securityVersion,
      passwordVersion: made.passwordVersion,
    });
    await fixture.reopen();
    const { directory } = fixture.store;
    assert.deepEqual(await directory.getAccount(made.id), made);
    assert.equal(await directory.passwordVerifier(made.id), '{"v":1}');
    assert.equal((await directory.listAccounts()).length, 2);
    assert.notEqual(made.id, fixture.accountId);
  }],

  [
    "an account needs an address that is valid, free and of a known domain",
    async ({ store: { directory } }) => {
      await refuses("not-found", directory.addAccount("bob@elsewhere.example", ""));
      for (const address of ["bob", "@example.org", "bob@", "b ob@example.org"]) {
        await refuses("invalid-name", directory.addAccount(address, ""));
      }
      await refuses("already-exists", directory.addAccount("ann@Example.ORG", ""));
    },
  ],

  [
    "settings of an account are kept, and what sessions rely on raises the version of it alone",
    async ({ store: { directory }, accountId }) => {
      const versions = async () => {
        const account = await directory.getAccount(accountId);
        return [account?.securityVersion ?? 0, account?.passwordVersion ?? 0];
      };
      const [security = 0, password = 0] = await versions();
      await directory.setPasswordVerifier(accountId, "new");
      assert.equal(await directory.passwordVerifier(accountId), "new");
      assert.deepEqual(await versions(), [security, password + 1]);
      await directory.setAccountDisabled(accountId, "moved away");
      assert.deepEqual(await versions(), [security + 1, password + 1]);
      await directory.setAccountQuota(accountId, 12345);
      await directory.setDisabledCapabilities(accountId, ["UIDONLY"]);
      const account = await directory.getAccount(accountId);
      assert.equal(account?.disabledMessage, "moved away");
      assert.equal(account?.quotaBytes, 12345);
      assert.deepEqual(account?.disabledCapabilities, ["UIDONLY"]);
      await directory.setAccountDisabled(accountId, undefined);
      await directory.setAccountQuota(accountId, null);
      assert.equal((await directory.getAccount(accountId))?.disabledMessage, undefined);
      assert.equal((await directory.getAccount(accountId))?.quotaBytes, null);
      await directory.setAccountQuota(accountId, undefined);
      assert.equal((await directory.getAccount(accountId))?.quotaBytes, undefined);
    },
  ],

  [
    "a disabled account is removed when it is due, and kept when it is enabled before",
    async ({ store: { directory }, accountId }) => {
      const due = async (now: number) =>
        (await directory.listDueForRemoval(now)).map(({ id, removeAt }) => [id, removeAt]);
      await directory.setAccountDisabled(accountId, "Goodbye.", 1000);
      assert.equal((await directory.getAccount(accountId))?.removeAt, 1000);
      assert.deepEqual(await due(999), []);
      assert.deepEqual(await due(1000), [[accountId, 1000]]);
      await directory.setAccountDisabled(accountId, undefined);
      assert.deepEqual(await due(2000), []);
      await directory.setAccountDisabled(accountId, "Goodbye.", 1000);
      await directory.setAccountDisabled(accountId, "Only disabled.");
      assert.deepEqual(await due(2000), []);
    },
  ],

  ["what is asked of an unknown account is refused or has no answer", async ({ store }) => {
    const nobody = 999_999 as AccountId;
    const { directory } = store;
    assert.equal(await directory.getAccount(nobody), undefined);
    assert.equal(await directory.passwordVerifier(nobody), undefined);
    await refuses("not-found", directory.removeAccount(nobody));
    await refuses("not-found", directory.setPasswordVerifier(nobody, ""));
    await refuses("not-found", directory.setAccountDisabled(nobody, "x"));
    await refuses("not-found", directory.setAccountQuota(nobody, 1));
    await refuses("not-found", directory.setDisabledCapabilities(nobody, []));
    await refuses("not-found", directory.addAddress("x@example.org", nobody));
    await refuses("not-found", store.openAccount(nobody));
  }],

  [
    "an address leads to its own account, an alias, the one without detail, or the catch-all",
    async ({ store: { directory }, accountId }) => {
      const bob = await directory.addAccount("bob@example.org", "");
      const who = async (address: string) => (await directory.resolveAddress(address))?.id;
      assert.equal(await who("ann@example.org"), accountId);
      assert.equal(await who("ann@EXAMPLE.ORG"), accountId);
      assert.equal(await who("ann+lists@example.org"), accountId);
      assert.equal(await who("info@example.org"), undefined);
      assert.equal(await who("ann@elsewhere.example"), undefined);
      await directory.addAddress("ann+bob@example.org", bob.id);
      assert.equal(await who("ann+bob@example.org"), bob.id);
      assert.equal(await who("ann+bobby@example.org"), accountId);
      await directory.addAddress("info@example.org", bob.id);
      assert.equal(await who("info+x@example.org"), bob.id);
      await directory.addAddress("@example.org", accountId);
      assert.equal(await who("anyone+x@example.org"), accountId);
      assert.equal(await who("info@example.org"), bob.id);
      await refuses("already-exists", directory.addAddress("@example.org", bob.id));
      await refuses("already-exists", directory.addAddress("ann@example.org", bob.id));
      await refuses("already-exists", directory.addAccount("info@example.org", ""));
      await refuses("not-found", directory.addAddress("x@elsewhere.example", bob.id));
      assert.deepEqual([...await directory.listAddresses(bob.id)].sort(), [
        "ann+bob@example.org",
        "info@example.org",
      ]);
      await directory.removeAddress("info@example.org");
      assert.equal(await who("info@example.org"), accountId);
      await refuses("not-found", directory.removeAddress("info@example.org"));
    },
  ],

  [
    "a removed account is gone with its addresses and mail, and its id is not used again",
    async ({ store, accountId, a }) => {
      await put(a, "INBOX");
      const { directory } = store;
      await directory.addAddress("info@example.org", accountId);
      await directory.removeAccount(accountId);
      assert.equal(await directory.getAccount(accountId), undefined);
      assert.equal(await directory.resolveAddress("info@example.org"), undefined);
      await refuses("not-found", store.openAccount(accountId));
      await refuses("not-found", a.listMailboxes());
      const again = await directory.addAccount("ann@example.org", "");
      assert.notEqual(again.id, accountId);
      const mail = await store.openAccount(again.id);
      assert.equal((await mail.quota()).usedMessages, 0);
    },
  ],

  ["accounts do not see each other's mail", async ({ store, a }) => {
    const bob = await store.directory.addAccount("bob@example.org", "");
    const other = await store.openAccount(bob.id);
    await put(a, "INBOX");
    await other.createMailbox("bobs");
    assert.equal((await other.quota()).usedMessages, 0);
    assert.equal(await a.findMailbox("bobs"), undefined);
  }],

  ["accounts and aliases are found a page at a time", async ({ store, accountId }) => {
    const { directory } = store;
    await directory.addDomain("b.example");
    await directory.addDomain("none.example");
    const bob = await directory.addAccount("Bob_1@b.example", "");
    await directory.addAccount("bob2@b.example", "");
    const accounts = async (search: string, offset = 0, limit = 10) => {
      const found = await directory.findAccounts({ search, offset, limit });
      return [found.total, ...found.accounts.map(({ address }) => address)];
    };
    const all = (await directory.listAccounts()).map(({ address }) => address)
      .sort((a, b) => a.toLowerCase() < b.toLowerCase() ? -1 : 1);
    assert.deepEqual(await accounts(""), [3, ...all]);
    assert.deepEqual(await accounts("", 1, 1), [3, all[1]]);
    assert.deepEqual(await accounts("B_"), [1, "Bob_1@b.example"]);
    assert.deepEqual(await accounts("@B.EXAMPLE", 1), [2, "Bob_1@b.example"]);
    assert.deepEqual(await accounts("%"), [0]);
    assert.deepEqual(
      await directory.countByDomain(),
      new Map([["b.example", 2], ["example.org", 1]]),
    );

    await directory.addAddress("sales@example.org", bob.id);
    await directory.addAddress("@b.example", accountId);
    const aliases = async (search: string, offset = 0, limit = 10) => {
      const found = await directory.findAliases({ search, offset, limit });
      return [found.total, ...found.aliases.map(({ address }) => address)];
    };
    assert.deepEqual(await aliases(""), [2, "@b.example", "sales@example.org"]);
    assert.deepEqual(await aliases("", 1), [2, "sales@example.org"]);
    assert.deepEqual(await aliases("Sales"), [1, "sales@example.org"]);
    assert.deepEqual(await aliases("bob_1"), [1, "sales@example.org"]);
    const { aliases: [first] } = await directory.findAliases({ search: "", offset: 1, limit: 1 });
    assert.deepEqual(first?.account, { id: bob.id, address: "Bob_1@b.example" });
  }],

  ["disabling a domain leaves its accounts as they are", async ({ store, accountId }) => {
    const before = await store.directory.getAccount(accountId);
    await store.directory.setDomainDisabled("example.org", true);
    assert.deepEqual(await store.directory.getAccount(accountId), before);
  }],

  ["networks on the allow list stay there until they are removed", async (fixture) => {
    const { directory } = fixture.store;
    await directory.addAllowedNetwork("2001:db8::/32");
    await directory.addAllowedNetwork("192.0.2.0/24");
    await directory.addAllowedNetwork("192.0.2.0/24");
    await fixture.reopen();
    const again = fixture.store.directory;
    assert.deepEqual(await again.listAllowedNetworks(), ["192.0.2.0/24", "2001:db8::/32"]);
    await again.removeAllowedNetwork("192.0.2.0/24");
    assert.deepEqual(await again.listAllowedNetworks(), ["2001:db8::/32"]);
    await refuses("not-found", again.removeAllowedNetwork("192.0.2.0/24"));
  }],

  ["a secret of the host is made once and stays", async (fixture) => {
    const { directory } = fixture.store;
    const [one, two] = await Promise.all([
      directory.hostSecret("scram"),
      directory.hostSecret("scram"),
    ]);
    assert.ok(one.length >= 16);
    assert.deepEqual(one, two);
    assert.notDeepEqual(one, await directory.hostSecret("other"));
    await fixture.reopen();
    assert.deepEqual(await fixture.store.directory.hostSecret("scram"), one);
  }],
];
