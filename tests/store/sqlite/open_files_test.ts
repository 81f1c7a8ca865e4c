import assert from "node:assert/strict";
import { join } from "node:path";
import type { AccountStore } from "../../../src/store/mod.ts";
import { Database } from "../../../src/store/sqlite/database.ts";
import { openSqliteStore } from "../../../src/store/sqlite/engine.ts";
import { box, breaches, put, refuses } from "../fixture.ts";
import { withFolder, withStore } from "./account_fixture.ts";

Deno.test("with more accounts than may be open, handles stay valid", () =>
  withStore({ maxOpenAccounts: 3 }, async (store) => {
    const accounts: AccountStore[] = [];
    for (let i = 0; i < 8; i++) {
      const { id } = await store.directory.addAccount(`u${i}@example.org`, "{}");
      accounts.push(await store.openAccount(id));
    }
    for (let round = 1; round <= 3; round++) {
      for (const account of accounts) await put(account, "INBOX");
      assert.ok(store.openAccounts <= 3);
    }
    // All at once, in one turn.
    await Promise.all(accounts.map((account) => account.createMailbox("new")));
    for (const account of accounts) {
      assert.equal((await box(account, "INBOX")).counts.messages, 3);
      assert.ok(await account.findMailbox("new"));
      assert.deepEqual(await breaches(account), []);
    }
    assert.equal(store.openAccounts, 3);
  }));

Deno.test("a fetch goes on after its account's file was closed in between", () =>
  withStore({ maxOpenAccounts: 1 }, async (store, account) => {
    await put(account, "INBOX", ...Array.from({ length: 1200 }, () => ({})));
    const inbox = await box(account, "INBOX");
    const { id } = await store.directory.addAccount("bob@example.org", "{}");
    const other = await store.openAccount(id);
    let seen = 0;
    const { uids } = await account.selectMailbox("INBOX", { claimRecent: false });
    for await (const page of account.fetchMessages(inbox.id, uids)) {
      seen += page.length;
      await other.listMailboxes();
    }
    assert.equal(seen, 1200);
  }));

Deno.test("idle accounts are closed, and what was claimed as recent is kept", () =>
  withStore({ idleCloseMs: 20 }, async (store, account) => {
    await put(account, "INBOX", {}, {});
    await account.selectMailbox("INBOX", { claimRecent: true });
    for (let i = 0; i < 100 && store.openAccounts > 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(store.openAccounts, 0);
    assert.equal((await box(account, "INBOX")).counts.recent, 0);
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("a new account has the mailboxes that clients expect, subscribed and with their uses", () =>
  withStore({}, async (_store, account) => {
    const mailboxes = await account.listMailboxes();
    assert.deepEqual(
      mailboxes.map(({ name, specialUse, subscribed }) => [name, specialUse.join(), subscribed]),
      [
        ["Archive", "Archive", true],
        ["Drafts", "Drafts", true],
        ["INBOX", "", true],
        ["Junk", "Junk", true],
        ["Sent", "Sent", true],
        ["Trash", "Trash", true],
      ],
    );
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("a removed account takes its files with it, and is not found", () =>
  withStore({}, async (store, account, dataDir) => {
    await put(account, "INBOX");
    const [{ id } = { id: 0 as never }] = await store.directory.listAccounts();
    await store.directory.removeAccount(id);
    assert.deepEqual([...Deno.readDirSync(join(dataDir, "accounts"))], []);
    await refuses("not-found", account.listMailboxes());
    await refuses("not-found", account.createMailbox("a"));
    await refuses("not-found", store.openAccount(id));
    const again = await store.directory.addAccount("ann@example.org", "{}");
    assert.notEqual(again.id, id, "the number is not used again");
  }));

Deno.test("files that a removed account left behind are cleared away at the next start", () =>
  withFolder(async (dataDir) => {
    await Deno.mkdir(join(dataDir, "accounts", "7"), { recursive: true });
    await Deno.writeTextFile(join(dataDir, "accounts", "7", "mail.db"), "");
    const store = await openSqliteStore({ dataDir });
    assert.deepEqual([...Deno.readDirSync(join(dataDir, "accounts"))], []);
    await store.close();
  }));

Deno.test("an account whose mail was not made before a crash gets it when it is opened", () =>
  withFolder(async (dataDir) => {
    let store = await openSqliteStore({ dataDir });
    await store.directory.addDomain("example.org");
    const { id } = await store.directory.addAccount("ann@example.org", "{}");
    await store.close();
    const directory = Database.open(join(dataDir, "directory.db"));
    directory.exec("UPDATE account SET has_mail = 0");
    directory.close();
    await Deno.remove(join(dataDir, "accounts", String(id)), { recursive: true });

    store = await openSqliteStore({ dataDir });
    const account = await store.openAccount(id);
    assert.equal((await account.listMailboxes()).length, 6);
    await store.close();

    // But mail that was there and is missing is a loss, not a new account.
    await Deno.remove(join(dataDir, "accounts", String(id), "mail.db"));
    store = await openSqliteStore({ dataDir });
    await refuses("corrupt", store.openAccount(id));
    await store.close();
  }));

Deno.test("closing leaves no write-ahead log behind", () =>
  withFolder(async (dataDir) => {
    const store = await openSqliteStore({ dataDir });
    await store.directory.addDomain("example.org");
    const { id } = await store.directory.addAccount("ann@example.org", "{}");
    await put(await store.openAccount(id), "INBOX");
    await store.close();
    const files = [
      ...Deno.readDirSync(dataDir),
      ...Deno.readDirSync(join(dataDir, "accounts", "1")),
    ]
      .filter(({ isFile }) => isFile).map(({ name }) => name);
    assert.deepEqual(files.filter((name) => /-(wal|shm)$/.test(name)), []);
  }));

Deno.test("an account whose mail cannot be made is not kept, and may be asked for again", () =>
  withStore({}, async (store, _account, dataDir) => {
    const accounts = join(dataDir, "accounts");
    await Deno.rename(accounts, accounts + ".away");
    await Deno.writeTextFile(accounts, "");
    await refuses("unavailable", store.directory.addAccount("bob@example.org", "{}"));
    assert.equal((await store.directory.listAccounts()).length, 1);
    await Deno.remove(accounts);
    await Deno.rename(accounts + ".away", accounts);
    const { id } = await store.directory.addAccount("bob@example.org", "{}");
    assert.equal((await (await store.openAccount(id)).listMailboxes()).length, 6);
  }));

Deno.test("nobody else may read the files", () =>
  withStore({}, async (_store, account, dataDir) => {
    await put(account, "INBOX");
    for (const path of ["directory.db", "accounts/1/mail.db", "accounts/1/mail.db-wal"]) {
      const { mode } = await Deno.stat(join(dataDir, path));
      assert.equal((mode ?? 0) & 0o777, 0o600, path);
    }
    assert.equal(((await Deno.stat(join(dataDir, "accounts/1"))).mode ?? 0) & 0o777, 0o700);
  }));
