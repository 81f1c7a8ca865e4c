import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  decodeLatin1,
  encodeLatin1,
  MAX_UINT32,
  type ModSeq,
  RangeSet,
} from "../../../src/base/mod.ts";
import type { AccountStore } from "../../../src/store/mod.ts";
import { Database } from "../../../src/store/sqlite/database.ts";
import { openSqliteStore } from "../../../src/store/sqlite/engine.ts";
import { trimAccount, type TrimPolicy } from "../../../src/store/sqlite/trim.ts";
import { ALL, box, breaches, mail, put, raw, refuses, rows, Viewer } from "../fixture.ts";
import { type AccountFixture, withAccountFile, withStore } from "./account_fixture.ts";

const POLICY: TrimPolicy = { contentSeconds: 100, historySeconds: 10_000, maxHistoryRows: 50 };

async function trim(
  fixture: AccountFixture,
  policy: Partial<TrimPolicy> = {},
): Promise<number | undefined> {
  const now = Math.floor(fixture.now / 1000);
  return await trimAccount(fixture.file, now, { ...POLICY, ...policy }, async () => true);
}

function count({ db }: AccountFixture, table: string): number {
  return db.number(`SELECT count(*) FROM ${table}`);
}

async function expungeAll(account: AccountStore, name: string): Promise<void> {
  await account.expunge((await box(account, name)).id, ALL, { onlyDeleted: false });
}

Deno.test("expunged messages are readable for their time and then gone with all they had", () =>
  withAccountFile(async (fixture) => {
    const { account } = fixture;
    await put(account, "INBOX", {}, { bytes: new Uint8Array(600_000).fill(65) });
    const inbox = await box(account, "INBOX");
    await expungeAll(account, "INBOX");
    const due = Math.floor(fixture.now / 1000) + 100;

    fixture.now += 99_000;
    assert.equal(await trim(fixture), due);
    assert.equal((await rows(account, inbox.id)).length, 2);
    assert.equal((await raw(account, inbox.id, 2)).length, 600_000);

    fixture.now += 1000;
    assert.equal(await trim(fixture), undefined);
    assert.deepEqual(await rows(account, inbox.id), []);
    await refuses("message-not-found", raw(account, inbox.id, 2));
    for (const table of ["content", "chunk", "search_text", "thread_ref", "expunged"]) {
      assert.equal(count(fixture, table), 0, table);
    }
    assert.equal(count(fixture, "tombstone"), 1);
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("content stays as long as one of its copies does", () =>
  withAccountFile(async (fixture) => {
    const { account } = fixture;
    await put(account, "INBOX", { bytes: mail("shared") });
    const inbox = await box(account, "INBOX");
    await account.createMailbox("kept");
    await account.copy(inbox.id, ALL, "kept");
    await expungeAll(account, "INBOX");
    fixture.now += 200_000;
    await trim(fixture);
    const kept = await raw(account, (await box(account, "kept")).id, 1);
    assert.equal(decodeLatin1(kept), decodeLatin1(mail("shared")));
    assert.equal(count(fixture, "content"), 1);
    assert.deepEqual(await breaches(account), []);
    await account.deleteMailbox("kept");
    await trim(fixture);
    assert.equal(count(fixture, "content"), 0);
  }));

Deno.test("a deleted mailbox costs one step to delete, and is cleared away later", () =>
  withAccountFile(async (fixture) => {
    const { account } = fixture;
    await account.createMailbox("a");
    await put(account, "a", ...Array.from({ length: 450 }, () => ({})));
    await account.expunge((await box(account, "a")).id, RangeSet.range(1, 10), {
      onlyDeleted: false,
    });
    await account.deleteMailbox("a");
    assert.equal((await account.quota()).usedBytes, 0);
    assert.equal(count(fixture, "message"), 440);
    assert.deepEqual(await breaches(account), []);
    await trim(fixture);
    for (const table of ["message", "expunged", "content", "tombstone", "doomed_mailbox"]) {
      assert.equal(count(fixture, table), 0, table);
    }
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("history that was forgotten by age is not answered from", () =>
  withAccountFile(async (fixture) => {
    const { account } = fixture;
    await account.createMailbox("other");
    await put(account, "other");
    const other = await box(account, "other");
    await put(account, "INBOX", {}, {}, {});
    const inbox = await box(account, "INBOX");
    await account.expunge(inbox.id, RangeSet.of(1), { onlyDeleted: false });
    const first = (await box(account, "INBOX")).modSeq;
    fixture.now += 6_000_000;
    await account.expunge(inbox.id, RangeSet.of(3), { onlyDeleted: false });
    fixture.now += 6_000_000;
    await trim(fixture);

    assert.equal(await account.expungedSince(inbox.id, first - 1, ALL), "resync");
    assert.equal(String(await account.expungedSince(inbox.id, first, ALL)), "3");
    // Nothing was forgotten of a mailbox where nothing was expunged.
    assert.equal(String(await account.expungedSince(other.id, 1, ALL)), "");
    assert.equal(await account.mailboxEvents(1 as ModSeq), "resync");
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("history is bounded in number, the newest stays", () =>
  withAccountFile(async (fixture) => {
    const { account } = fixture;
    await put(account, "INBOX", ...Array.from({ length: 70 }, () => ({})));
    const inbox = await box(account, "INBOX");
    for (let uid = 1; uid <= 60; uid++) {
      await account.expunge(inbox.id, RangeSet.of(uid), { onlyDeleted: false });
      await account.setSubscribed(`s${uid}`, true);
    }
    await trim(fixture);
    assert.equal(count(fixture, "tombstone"), 50);
    assert.equal(count(fixture, "event"), 50);
    const { modSeq } = await box(account, "INBOX");
    assert.equal(String(await account.expungedSince(inbox.id, modSeq - 3, ALL)), "59:60");
    const events = await account.mailboxEvents(modSeq - 1 as ModSeq);
    assert.ok(events !== "resync");
    assert.deepEqual(events.events.map(({ name }) => name), ["s60"]);
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("a session that slept past the history still learns what is gone", () =>
  withAccountFile(async (fixture) => {
    const { account } = fixture;
    await put(account, "INBOX", ...Array.from({ length: 10 }, () => ({})));
    const viewer = await Viewer.select(account, "INBOX");
    const inbox = await box(account, "INBOX");
    for (const uid of [2, 5, 9]) {
      await account.expunge(inbox.id, RangeSet.of(uid), { onlyDeleted: false });
    }
    await account.changeFlags(inbox.id, RangeSet.of(7), { mode: "add", flags: 1, keywords: [] });
    await put(account, "INBOX");
    fixture.now += 20_000_000;
    await trim(fixture);
    assert.equal(count(fixture, "tombstone"), 0);
    await viewer.catchUp();
    await viewer.assertCurrent();
    assert.equal(viewer.uids.toString(), "1,3:4,6:8,10:11");
  }));

Deno.test("the file shrinks after a mass deletion", () =>
  withAccountFile(async (fixture) => {
    const { account, db } = fixture;
    const bytes = crypto.getRandomValues(new Uint8Array(50_000));
    for (let i = 0; i < 8; i++) {
      await put(account, "INBOX", ...Array.from({ length: 10 }, () => ({ bytes })));
    }
    const before = db.number("PRAGMA page_count");
    await expungeAll(account, "INBOX");
    fixture.now += 200_000;
    await trim(fixture);
    assert.ok(db.number("PRAGMA page_count") < before / 2);
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("the store trims by itself what has become due, closed accounts too", async () => {
  let now = 1_700_000_000_000;
  await withStore(
    { clock: { now: () => now }, trim: { contentSeconds: 60 } },
    async (store, account) => {
      await put(account, "INBOX");
      const inbox = await box(account, "INBOX");
      await store.trim();
      await expungeAll(account, "INBOX");
      now += 59_000;
      await store.trim();
      assert.equal((await rows(account, inbox.id, RangeSet.range(1, MAX_UINT32))).length, 1);
      now += 2000;
      await store.trim();
      assert.deepEqual(await rows(account, inbox.id), []);
    },
  );
});

Deno.test("the files on disk shrink after a mass deletion, the index for search too", async () => {
  let now = 1_700_000_000_000;
  await withStore(
    { clock: { now: () => now }, idleCloseMs: 1e9 },
    async (store, account, dataDir) => {
      const folder = join(dataDir, "accounts", "1");
      const size = (name: string) =>
        [name, `${name}-wal`].map((it) => join(folder, it)).filter((path) => existsSync(path))
          .reduce((sum, path) => sum + Deno.statSync(path).size, 0);
      const words = (i: number) => encodeLatin1(`Subject: s${i}\r\n\r\n${randomWords(300)}\r\n`);
      for (let i = 0; i < 12; i++) {
        await put(
          account,
          "INBOX",
          ...Array.from({ length: 100 }, (_, j) => ({ bytes: words(i * 100 + j) })),
        );
      }
      await until(() => indexed(join(folder, "search.db")) === 1200);
      const before = [size("mail.db"), size("search.db")] as const;
      const inbox = await box(account, "INBOX");
      await account.expunge(inbox.id, RangeSet.range(20, 1200), { onlyDeleted: false });
      now += 2 * 3600 * 1000;
      await store.trim();
      await store.close();
      assert.ok(size("mail.db") < before[0] / 3, `mail.db: ${before[0]}, now ${size("mail.db")}`);
      const index = size("search.db");
      assert.ok(index < before[1] / 3, `search.db: ${before[1]}, now ${index}`);
    },
  );
});

Deno.test("accounts that nobody uses have their turn", async () => {
  let now = 1_700_000_000_000;
  await withStore({ clock: { now: () => now } }, async (first, _account, dataDir) => {
    const { id } = await first.directory.addAccount("bob@example.org", "{}");
    const bob = await first.openAccount(id);
    await put(bob, "INBOX");
    await expungeAll(bob, "INBOX");
    await first.close();
    now += 2 * 3600 * 1000;
    const second = await openSqliteStore({ dataDir, clock: { now: () => now } });
    // As many turns as there are accounts.
    await second.trim();
    await second.trim();
    await second.close();
    const db = Database.open(join(dataDir, "accounts", String(id), "mail.db"));
    assert.equal(db.number("SELECT count(*) FROM expunged"), 0);
    assert.equal(db.number("SELECT count(*) FROM content"), 0);
    db.close();
  });
});

/** Contents in an index for search; 0 while there is none. */
function indexed(path: string): number {
  try {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      return Number(db.prepare("SELECT contents FROM progress").get()?.contents);
    } finally {
      db.close();
    }
  } catch {
    return 0;
  }
}

/** Words that hardly compress. */
function randomWords(count: number): string {
  return Array.from({ length: count }, () => Math.random().toString(36).slice(2, 9)).join(" ");
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.ok(condition());
}
