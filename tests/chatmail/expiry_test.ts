import assert from "node:assert/strict";
import type { AccountId } from "../../src/base/mod.ts";
import { disableUntilRemoval, Expiry, type ExpiryPolicy } from "../../src/chatmail/mod.ts";
import type { Store } from "../../src/store/mod.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { box, liveUids, mail, put } from "../store/fixture.ts";
import { withServer } from "../support/server.ts";

const DAY_MS = 86_400_000;
const CHATMAIL: NonNullable<ExpiryPolicy["chatmail"]> = {
  domain: "chat.example",
  deleteMailsAfterMs: 20 * DAY_MS,
  deleteLargeAfterMs: 7 * DAY_MS,
  deleteInactiveAfterMs: 90 * DAY_MS,
};

interface House {
  readonly store: Store;
  readonly expiry: Expiry;
  readonly removed: AccountId[];
  readonly inUse: Set<AccountId>;
  add(address: string): Promise<AccountId>;
  wait(days: number): void;
}

/** A store with a clock that can be turned on, and a chatmail domain beside an ordinary one. */
async function withHouse(run: (house: House) => Promise<void>, quota?: number): Promise<void> {
  const dataDir = await Deno.makeTempDir();
  const clock = { time: Date.UTC(2026, 0, 1), now: () => clock.time };
  const store = await openSqliteStore({
    dataDir,
    clock,
    ...(quota === undefined ? {} : { defaultQuotaBytes: quota }),
  });
  const removed: AccountId[] = [];
  const inUse = new Set<AccountId>();
  const expiry = new Expiry({ trashAfterMs: 30 * DAY_MS, chatmail: CHATMAIL }, {
    store,
    clock,
    isInUse: (id) => inUse.has(id),
    removed: (id) => removed.push(id),
  });
  await store.directory.addDomain("chat.example");
  await store.directory.addDomain("example.org");
  try {
    await run({
      store,
      expiry,
      removed,
      inUse,
      add: async (address) => (await store.directory.addAccount(address, "{}")).id,
      wait: (days) => clock.time += days * DAY_MS,
    });
  } finally {
    await expiry.stop();
    await store.close();
    await Deno.remove(dataDir, { recursive: true });
  }
}

Deno.test("messages of the domain go after 20 days, large ones that were noticed after 7", () =>
  withHouse(async ({ store, expiry, add, wait }) => {
    const a = await store.openAccount(await add("a@chat.example"));
    const inbox = await box(a, "INBOX");
    await put(a, "INBOX", { bytes: mail("x", 200_000) }, { bytes: mail("y", 200_001) });
    await a.selectMailbox("INBOX", { claimRecent: true });
    await put(a, "INBOX", { bytes: mail("nobody was told", 200_001) });
    wait(7);
    await expiry.run();
    assert.equal(await liveUids(a, inbox.id), "1:3", "seven days are not over");
    wait(1 / 86_400);
    await expiry.run();
    assert.equal(await liveUids(a, inbox.id), "1,3");
    wait(12);
    await put(a, "INBOX");
    wait(1);
    await expiry.run();
    assert.equal(await liveUids(a, inbox.id), "4");
  }));

Deno.test("elsewhere messages go from the Trash alone, 30 days after they were put there", () =>
  withHouse(async ({ store, expiry, add, wait }) => {
    const a = await store.openAccount(await add("a@example.org"));
    const [inbox, trash] = [await box(a, "INBOX"), await box(a, "Trash")];
    await put(a, "INBOX", {}, { bytes: mail("large", 300_000) }, {});
    await put(a, "Trash", {});
    wait(29);
    await expiry.run();
    const { uids } = await a.selectMailbox("INBOX", { claimRecent: true });
    await a.move(inbox.id, uids, "Trash");
    await put(a, "INBOX", {});
    wait(2);
    await expiry.run();
    assert.equal(await liveUids(a, trash.id), "2:4");
    wait(400);
    await expiry.run();
    assert.equal(await liveUids(a, trash.id), "");
    assert.equal(await liveUids(a, inbox.id), "4");
  }));

Deno.test("an account whose time of grace is over is removed, unless it was enabled before", () =>
  withHouse(async ({ store, expiry, removed, add, wait }) => {
    const [gone, kept] = [await add("gone@example.org"), await add("kept@example.org")];
    const removeAt = Date.UTC(2026, 0, 8);
    for (const id of [gone, kept]) await disableUntilRemoval(store.directory, id, removeAt);
    assert.equal(
      (await store.directory.getAccount(gone))?.disabledMessage,
      "This account will be removed on 2026-01-08.",
    );
    wait(6);
    await expiry.run();
    assert.deepEqual(removed, []);
    await store.directory.setAccountDisabled(kept, undefined);
    wait(1);
    await expiry.run();
    assert.deepEqual(removed, [gone]);
    assert.equal(await store.directory.getAccount(gone), undefined);
    assert.notEqual(await store.directory.getAccount(kept), undefined);
  }));

Deno.test("accounts of the domain that nobody used for 90 days go, and no others", () =>
  withHouse(async ({ store, expiry, removed, inUse, add, wait }) => {
    const [unused, connected, fresh] = [
      await add("unused@chat.example"),
      await add("connected@chat.example"),
      await add("fresh@chat.example"),
    ];
    await add("ordinary@example.org");
    inUse.add(connected);
    wait(90);
    await expiry.run();
    assert.deepEqual(removed, []);
    await store.directory.noteLogin(fresh);
    wait(1);
    await expiry.run();
    assert.deepEqual(removed, [unused]);
    assert.equal(await store.directory.getAccount(unused), undefined);
    inUse.clear();
    wait(90);
    await expiry.run();
    assert.deepEqual(removed, [unused, fresh]);
    wait(1);
    await expiry.run();
    assert.deepEqual(removed, [unused, fresh, connected]);
    assert.deepEqual(
      (await store.directory.listAccounts()).map(({ address }) => address),
      ["ordinary@example.org"],
    );
  }));

Deno.test("above 75 % of the quota the oldest go until 70 % are left, but none of today's", () =>
  withHouse(async ({ store, expiry, add, wait }) => {
    const a = await store.openAccount(await add("a@chat.example"));
    const other = await store.openAccount(await add("a@example.org"));
    const inbox = await box(a, "INBOX");
    const percent = (n: number) => ({ bytes: mail("x", n * 1000) });
    expiry.start();
    await put(other, "INBOX", percent(90));
    await put(a, "INBOX", percent(25), percent(25), percent(25));
    await expiry.purgeChanged();
    wait(1.1);
    await expiry.purgeChanged();
    assert.equal(await liveUids(a, inbox.id), "1:3", "75 % are not too much");
    await put(a, "INBOX", percent(1));
    await expiry.purgeChanged();
    assert.equal(await liveUids(a, inbox.id), "2:4");
    await put(a, "INBOX", percent(40));
    wait(0.9);
    await put(a, "INBOX", percent(1));
    await expiry.purgeChanged();
    // Both old ones went; the rest is of today, however much it is.
    assert.equal(await liveUids(a, inbox.id), "3:6");
    await put(a, "INBOX", percent(30));
    await expiry.purgeChanged();
    assert.equal(await liveUids(a, inbox.id), "4:7");
    await put(a, "INBOX", percent(25));
    await expiry.purgeChanged();
    assert.equal(await liveUids(a, inbox.id), "4:8");
    assert.equal((await other.quota()).usedMessages, 1);
  }, 100_000));

Deno.test("a client in IDLE sees what expires as ordinary expunges", () =>
  withServer(async (server) => {
    const account = await server.mail();
    await put(account, "INBOX", {}, {}, {});
    const client = await server.login("INBOX");
    const idle = await client.idle();
    // A clock 21 days ahead, of the expiry alone.
    const expiry = new Expiry(
      { trashAfterMs: undefined, chatmail: { ...CHATMAIL, domain: "example.org" } },
      {
        store: server.store,
        clock: { now: () => Date.now() + 21 * DAY_MS },
        isInUse: () => true,
        removed: () => {},
      },
    );
    await expiry.run();
    const lines = [await idle.next(), await idle.next(), await idle.next()];
    assert.deepEqual(lines.sort(), ["1 EXPUNGE", "2 EXPUNGE", "3 EXPUNGE"]);
    await idle.done();
  }));

Deno.test("an account that is enabled while others are removed is kept", () =>
  withHouse(async ({ store: { directory }, expiry, removed, add, wait }) => {
    const [first, second] = [await add("a@example.org"), await add("b@example.org")];
    for (const id of [first, second]) await directory.setAccountDisabled(id, "", 1);
    wait(1);
    const removeAccount = directory.removeAccount.bind(directory);
    directory.removeAccount = async (id) => {
      await removeAccount(id);
      if (id === first) await directory.setAccountDisabled(second, undefined);
    };
    await expiry.run();
    assert.deepEqual(removed, [first]);
    assert.notEqual(await directory.getAccount(second), undefined);
  }));
