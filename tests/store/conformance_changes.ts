import assert from "node:assert/strict";
import { RangeSet } from "../../src/base/mod.ts";
import { SystemFlag } from "../../src/store/mod.ts";
import { ALL, box, mail, newMessage, put, refuses, rows, Viewer } from "./fixture.ts";
import type { StoreTest } from "./conformance.ts";

const { seen, deleted, flagged } = SystemFlag;

/** What sessions learn of changes: selecting, the change log, \Recent, expunge history. */
export const changeTests: readonly StoreTest[] = [
  ["what is in order is not repaired", async ({ a, b }) => {
    await put(a, "INBOX", { flags: seen }, {}, {});
    const { id, modSeq } = await box(a, "INBOX");
    await a.expunge(id, RangeSet.of(2), { onlyDeleted: false });
    assert.deepEqual(await Array.fromAsync(b.repair()), []);
    assert.equal((await box(a, "INBOX")).modSeq, modSeq + 1);
    assert.deepEqual((await rows(b, id)).map(({ uid, expunged }) => [uid, expunged]), [
      [1, false],
      [2, true],
      [3, false],
    ]);
  }],

  ["selecting gives a snapshot", async ({ a, b }) => {
    await put(a, "INBOX", { flags: seen }, {}, { flags: seen }, {});
    const { id } = await box(a, "INBOX");
    await a.expunge(id, RangeSet.of(3), { onlyDeleted: false });
    const selected = await b.selectMailbox("INBOX", { claimRecent: false });
    assert.deepEqual(selected.mailbox, await box(a, "INBOX"));
    assert.equal(selected.uids.toString(), "1:2,4");
    assert.equal(selected.firstUnseen, 2);
    assert.ok(selected.cursor.modSeq >= selected.mailbox.modSeq);
    await a.changeFlags(id, ALL, { mode: "add", flags: seen, keywords: [] });
    const again = await b.selectMailbox("INBOX", { claimRecent: false });
    assert.equal(again.firstUnseen, undefined);
    await refuses("mailbox-not-found", b.selectMailbox("nowhere", { claimRecent: false }));
  }],

  ["nothing new is told when nothing changed", async ({ a }) => {
    await put(a, "INBOX", {}, {});
    const { mailbox, cursor } = await a.selectMailbox("INBOX", { claimRecent: false });
    const changes = await a.messageChanges({
      mailbox: mailbox.id,
      since: cursor,
      afterUid: 2,
      claimRecent: true,
    });
    assert.deepEqual(changes.mailbox, mailbox);
    assert.deepEqual([changes.appended, changes.changed, changes.more], [[], [], false]);
    assert.ok(changes.expunged.isEmpty && changes.recent.isEmpty);
  }],

  ["a viewer learns of appends, flags and expunges from the log alone", async ({ a, b }) => {
    await put(a, "INBOX", {}, {}, {});
    const viewer = await Viewer.select(b, "INBOX");
    const { id } = await box(a, "INBOX");
    await put(a, "INBOX", { keywords: ["new"] });
    await a.changeFlags(id, RangeSet.of(2), { mode: "add", flags: seen, keywords: ["k"] });
    await a.expunge(id, RangeSet.of(1), { onlyDeleted: false });
    await viewer.catchUp();
    assert.equal(viewer.uids.toString(), "2:4");
    await viewer.assertCurrent();
    await a.changeFlags(id, ALL, { mode: "replace", flags: deleted, keywords: [] });
    await a.expunge(id, ALL, { onlyDeleted: true });
    await viewer.catchUp();
    assert.ok(viewer.uids.isEmpty);
    await viewer.assertCurrent();
  }],

  ["a message that came and went between two looks was never there", async ({ a, b }) => {
    await put(a, "INBOX");
    const viewer = await Viewer.select(b, "INBOX");
    const { id } = await box(a, "INBOX");
    await put(a, "INBOX", {}, {});
    await a.expunge(id, RangeSet.of(2), { onlyDeleted: false });
    await viewer.catchUp();
    await viewer.assertCurrent();
    assert.equal(viewer.uids.toString(), "1,3");
  }],

  ["several flag changes between two looks are told as the flags are now", async ({ a, b }) => {
    await put(a, "INBOX", {}, {});
    const { mailbox, cursor } = await b.selectMailbox("INBOX", { claimRecent: false });
    await a.changeFlags(mailbox.id, RangeSet.of(1), { mode: "add", flags: seen, keywords: [] });
    await a.changeFlags(mailbox.id, RangeSet.of(2), { mode: "add", flags: flagged, keywords: [] });
    const last = await a.changeFlags(mailbox.id, RangeSet.of(1), {
      mode: "remove",
      flags: seen,
      keywords: [],
    });
    const { changed } = await b.messageChanges({
      mailbox: mailbox.id,
      since: cursor,
      afterUid: 2,
      claimRecent: false,
    });
    assert.deepEqual(changed.map((row) => [row.uid, row.flags]), [[2, flagged], [1, 0]]);
    assert.equal(changed[1]?.modSeq, last.modSeq, "by rising mod-sequence");
  }],

  [
    "one change of many messages is read in pages without losing or doubling any",
    async ({ a, b }) => {
      await put(a, "INBOX", ...Array.from({ length: 2500 }, () => ({})));
      const viewer = await Viewer.select(b, "INBOX");
      const { id } = await box(a, "INBOX");
      await a.changeFlags(id, ALL, { mode: "add", flags: seen, keywords: [] });
      await viewer.catchUp();
      await viewer.assertCurrent();
      assert.ok(viewer.pages >= 3, `${viewer.pages} pages for 2,500 rows`);
      await a.expunge(id, RangeSet.range(200, 2400), { onlyDeleted: false });
      await a.changeFlags(id, ALL, { mode: "add", flags: flagged, keywords: [] });
      await viewer.catchUp();
      await viewer.assertCurrent();
      assert.equal(viewer.uids.toString(), "1:199,2401:2500");
    },
  ],

  ["a log read in pages stays right while the mailbox goes on changing", async ({ a, b }) => {
    await put(a, "INBOX", ...Array.from({ length: 1500 }, () => ({})));
    const { mailbox, cursor } = await b.selectMailbox("INBOX", { claimRecent: false });
    const { id } = mailbox;
    await a.changeFlags(id, ALL, { mode: "add", flags: seen, keywords: [] });
    const flags = new Map<number, number>();
    let uids = RangeSet.range(1, 1500);
    let since = cursor;
    for (let page = 0, more = true; more; page++) {
      assert.ok(page < 20);
      const changes = await b.messageChanges({
        mailbox: id,
        since,
        afterUid: 1500,
        claimRecent: false,
      });
      for (const row of changes.changed) flags.set(row.uid, row.flags);
      uids = uids.difference(changes.expunged);
      since = changes.cursor;
      more = changes.more;
      if (page === 0) {
        await a.changeFlags(id, RangeSet.of(1, 1400), {
          mode: "add",
          flags: flagged,
          keywords: [],
        });
        await a.expunge(id, RangeSet.of(2, 1450), { onlyDeleted: false });
      }
    }
    assert.equal(uids.toString(), "1,3:1449,1451:1500");
    for (const row of await rows(a, id, uids)) assert.equal(flags.get(row.uid), row.flags);
  }],

  ["many appended messages are told in pages", async ({ a, b }) => {
    await put(a, "INBOX");
    const viewer = await Viewer.select(b, "INBOX");
    await put(a, "INBOX", ...Array.from({ length: 2300 }, () => ({})));
    const { id } = await box(a, "INBOX");
    await a.changeFlags(id, RangeSet.range(5, 2290), { mode: "add", flags: seen, keywords: [] });
    await a.changeFlags(id, RangeSet.range(1, 7), { mode: "add", flags: flagged, keywords: [] });
    await viewer.catchUp();
    await viewer.assertCurrent();
    assert.equal(viewer.uids.toString(), "1:2301");
  }],

  ["a moved message is gone here and new there", async ({ a, b }) => {
    await a.createMailbox("x");
    await put(a, "INBOX", {}, {});
    const here = await Viewer.select(b, "INBOX");
    const there = await Viewer.select(b, "x", true);
    await a.move(here.mailbox.id, RangeSet.of(2), "x");
    await here.catchUp();
    await there.catchUp();
    await here.assertCurrent();
    await there.assertCurrent();
    assert.equal(here.uids.toString(), "1");
    assert.equal(there.uids.toString(), "1");
    assert.equal(there.recent.toString(), "1");
  }],

  ["a viewer of a deleted mailbox is told that it is gone", async ({ a, b }) => {
    await a.createMailbox("x");
    await put(a, "x");
    const viewer = await Viewer.select(b, "x");
    await a.deleteMailbox("x");
    await a.createMailbox("x");
    await put(a, "x");
    await viewer.catchUp();
    assert.equal(viewer.isGone, true);
  }],

  ["a viewer keeps its place when the mailbox is renamed", async ({ a, b }) => {
    await a.createMailbox("x");
    await put(a, "x");
    const viewer = await Viewer.select(b, "x");
    await a.renameMailbox("x", "y");
    await put(a, "y");
    await viewer.catchUp();
    assert.equal(viewer.isGone, false);
    assert.equal(viewer.uids.toString(), "1:2");
    await viewer.assertCurrent();
  }],

  ["each message is recent for exactly one of the sessions that claim", async ({ a, b }) => {
    await put(a, "INBOX", {}, {});
    assert.equal((await box(a, "INBOX")).counts.recent, 2);
    const examined = await b.selectMailbox("INBOX", { claimRecent: false });
    assert.equal(examined.recent.toString(), "1:2");
    assert.equal((await box(a, "INBOX")).counts.recent, 2, "looking claims nothing");
    const first = await Viewer.select(a, "INBOX", true);
    assert.equal(first.recent.toString(), "1:2");
    assert.equal((await box(a, "INBOX")).counts.recent, 0);
    const second = await Viewer.select(b, "INBOX", true);
    assert.ok(second.recent.isEmpty);
    await put(a, "INBOX", {}, {});
    await second.catchUp();
    await first.catchUp();
    assert.equal(second.recent.toString(), "3:4");
    assert.equal(first.recent.toString(), "1:2");
    assert.equal(first.uids.toString(), "1:4");
    assert.equal((await box(a, "INBOX")).counts.recent, 0);
  }],

  ["claiming recent messages at the same time gives each to one", async ({ a, b }) => {
    await put(a, "INBOX", ...Array.from({ length: 20 }, () => ({})));
    const [one, two] = await Promise.all([
      a.selectMailbox("INBOX", { claimRecent: true }),
      b.selectMailbox("INBOX", { claimRecent: true }),
    ]);
    assert.ok(one.recent.intersect(two.recent).isEmpty);
    assert.equal(one.recent.union(two.recent).toString(), "1:20");
  }],

  ["claiming recent messages is no change", async ({ a, store }) => {
    await put(a, "INBOX");
    const before = await box(a, "INBOX");
    let commits = 0;
    store.onCommit(() => commits++);
    await a.selectMailbox("INBOX", { claimRecent: true });
    assert.equal((await box(a, "INBOX")).modSeq, before.modSeq);
    assert.equal(commits, 0);
  }],

  [
    "a viewer that does not claim is told of new messages but not that they are recent",
    async ({ a, b }) => {
      const viewer = await Viewer.select(b, "INBOX");
      await put(a, "INBOX");
      await viewer.catchUp();
      assert.ok(viewer.recent.isEmpty);
      assert.equal((await box(a, "INBOX")).counts.recent, 1);
    },
  ],

  ["an expunged message is no longer counted as recent", async ({ a }) => {
    await put(a, "INBOX", {}, {});
    const { id } = await box(a, "INBOX");
    await a.expunge(id, RangeSet.of(1), { onlyDeleted: false });
    assert.equal((await box(a, "INBOX")).counts.recent, 1);
    const { recent } = await a.selectMailbox("INBOX", { claimRecent: true });
    assert.equal(recent.toString(), "2");
  }],

  ["expunge history answers for just the messages asked about", async ({ a, b }) => {
    await put(a, "INBOX", ...Array.from({ length: 10 }, () => ({})));
    const { id } = await box(a, "INBOX");
    const first = await a.expunge(id, RangeSet.of(1, 2, 5), { onlyDeleted: false });
    const second = await a.expunge(id, RangeSet.of(7, 8), { onlyDeleted: false });
    const since = async (modSeq: number, within = ALL) =>
      (await b.expungedSince(id, modSeq, within)).toString();
    assert.equal(await since(0), "1:2,5,7:8");
    assert.equal(await since(first.modSeq ?? 0), "7:8");
    assert.equal(await since(second.modSeq ?? 0), "");
    assert.equal(await since(0, RangeSet.fromRanges([{ first: 2, last: 7 }])), "2,5,7");
    assert.equal(await since(0, new RangeSet()), "");
    assert.equal(await since(0, RangeSet.of(3, 100)), "");
  }],

  ["mod-sequences never go down, also after reopening", async (fixture) => {
    let last = 0;
    const step = async () => {
      const { modSeq } = await fixture.a.append("INBOX", [await newMessage(fixture.a)]);
      assert.ok(modSeq > last);
      last = modSeq;
    };
    await step();
    const { id } = await box(fixture.a, "INBOX");
    const { modSeq } = await fixture.a.expunge(id, ALL, { onlyDeleted: false });
    last = modSeq ?? 0;
    await fixture.reopen();
    await step();
    const [made] = await fixture.a.createMailbox("x");
    assert.ok((made?.modSeq ?? 0) > last);
    await fixture.a.deleteMailbox("x");
    await fixture.reopen();
    const [again] = await fixture.a.createMailbox("x");
    assert.ok((again?.modSeq ?? 0) > (made?.modSeq ?? 0) + 1, "the deletion took one too");
  }],

  ["a handle hears of its own changes and of no other's", async ({ a, store, accountId }) => {
    const own: number[] = [];
    const mine = await store.openAccount(accountId, { onOwnChange: (modSeq) => own.push(modSeq) });
    await a.createMailbox("theirs");
    const [made] = await mine.createMailbox("mine");
    assert.deepEqual(own, [made?.modSeq]);
    assert.equal(own[0], await a.latestModSeq());
    await refuses("already-exists", mine.createMailbox("mine"));
    await mine.setSubscribed("mine", true);
    await a.setSubscribed("mine", false);
    assert.equal(own.length, 1);
    await mine.setSubscribed("mine", true);
    assert.equal(own[1], await a.latestModSeq());
  }],

  ["mailboxes that changed since are listed, and those alone", async ({ a, b }) => {
    await a.createMailbox("x");
    await a.createMailbox("y");
    const before = await b.latestModSeq();
    const names = async (changedSince: number) =>
      (await b.listMailboxes({ changedSince })).map(({ name }) => name);
    assert.deepEqual(await names(before), []);
    await put(a, "x", {});
    assert.deepEqual(await names(before), ["x"]);
    await a.renameMailbox("y", "z");
    assert.deepEqual(await names(before), ["x", "z"]);
    assert.deepEqual(await names(await b.latestModSeq()), []);
  }],

  ["a mailbox's mod-sequences tell which kind of change was last", async ({ a }) => {
    const appended = await a.append("INBOX", [await newMessage(a, { bytes: mail("x") })]);
    const { id } = appended.mailbox;
    const changed = await a.changeFlags(id, ALL, { mode: "add", flags: seen, keywords: [] });
    const expunged = await a.expunge(id, ALL, { onlyDeleted: false });
    const inbox = await box(a, "INBOX");
    assert.deepEqual(
      [inbox.appendSeq, inbox.flagSeq, inbox.expungeSeq, inbox.modSeq],
      [appended.modSeq, changed.modSeq, expunged.modSeq, expunged.modSeq],
    );
  }],
];
