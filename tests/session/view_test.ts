import assert from "node:assert/strict";
import fc from "fast-check";
import { type MailboxId, type ModSeq, RangeSet, type Uid } from "../../src/base/mod.ts";
import { View } from "../../src/session/view.ts";
import type { FlagRow, Mailbox } from "../../src/store/mod.ts";
import { LARGEST, type SequenceRange, WireError } from "../../src/wire/mod.ts";

function viewOf(uids: readonly number[], keywords: readonly string[] = []): View {
  const mailbox = {
    id: 1 as MailboxId,
    name: "INBOX",
    modSeq: 5 as ModSeq,
    keywords,
  } as unknown as Mailbox;
  return new View({
    mailbox,
    uids: RangeSet.from(uids),
    firstUnseen: undefined,
    recent: RangeSet.from(uids.slice(-1)),
    cursor: { modSeq: 5 as ModSeq, uid: 0 },
  }, false);
}

const row = (uid: number, modSeq: number): FlagRow => ({
  uid: uid as Uid,
  modSeq: modSeq as ModSeq,
  flags: 0,
  keywords: "",
});

const ascending = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 25 })
  .map((uids) => uids.sort((a, b) => a - b));
const bound = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant(LARGEST));
const sets = fc.array(fc.record({ first: bound, last: bound }), { minLength: 1, maxLength: 5 });

/** Whether `n` is named by the set, when `largest` is the largest number in use. */
function names(set: readonly SequenceRange[], n: number, largest: number): boolean {
  return set.some(({ first, last }) => {
    if (largest === 0 && (first === LARGEST || last === LARGEST)) return false;
    const a = first === LARGEST ? largest : first;
    const b = last === LARGEST ? largest : last;
    return n >= Math.min(a, b) && n <= Math.max(a, b);
  });
}

Deno.test("a set of UIDs names those of them that are known", () => {
  fc.assert(fc.property(ascending, sets, (uids, set) => {
    const expected = uids.filter((uid) => names(set, uid, uids.at(-1) ?? 0));
    assert.deepEqual(viewOf(uids).resolve(set, "uid").toArray(), expected);
  }));
});

Deno.test("a set of numbers names messages by their place, and BAD above the last", () => {
  fc.assert(fc.property(ascending, sets, (uids, set) => {
    const largest = uids.length;
    const isTooHigh = set.some(({ first, last }) =>
      [first, last].some((n) => n === LARGEST ? largest === 0 : n > largest)
    );
    const view = viewOf(uids);
    if (isTooHigh) return assert.throws(() => view.resolve(set, "seq"), WireError);
    const expected = uids.filter((_, index) => names(set, index + 1, largest));
    assert.deepEqual(view.resolve(set, "seq").toArray(), expected);
  }));
});

Deno.test("numbers are places from 1; a UID that is not known has none", () => {
  fc.assert(fc.property(ascending, fc.integer({ min: 1, max: 60 }), (uids, uid) => {
    const view = viewOf(uids);
    if (uids.includes(uid)) assert.equal(view.seqNum(uid), uids.indexOf(uid) + 1);
    else assert.throws(() => view.seqNum(uid), /not in the view/);
  }));
});

Deno.test("$ is the saved result without what is gone", () => {
  const view = viewOf([1, 2, 3]);
  assert.equal(view.resolve("$", "seq").toString(), "");
  view.savedResult = RangeSet.of(2, 3, 9);
  assert.equal(view.resolve("$", "uid").toString(), "2:3");
  view.forget(RangeSet.of(3));
  assert.equal(view.resolve("$", "seq").toString(), "2");
});

Deno.test("what is forgotten is gone from everything, and new UIDs go on from the highest ever", () => {
  const view = viewOf([1, 2, 3]);
  view.pendingExpunges = RangeSet.of(2, 3);
  view.forget(RangeSet.of(3));
  assert.equal(view.uids.toString(), "1:2");
  assert.equal(view.recent.toString(), "");
  assert.equal(view.pendingExpunges.toString(), "2");
  assert.equal(view.highestUid, 3);
  view.add([7, 8] as Uid[], RangeSet.of(8));
  assert.equal(view.uids.toString(), "1:2,7:8");
  assert.equal(view.recent.toString(), "8");
  assert.equal(view.highestUid, 8);
});

Deno.test("the client knows what it was told until the log has been read that far", () => {
  const view = viewOf([1, 2]);
  view.told([row(1, 8), row(2, 5)]);
  assert.ok(view.knows(row(1, 8)));
  assert.ok(view.knows(row(1, 7)));
  assert.ok(!view.knows(row(1, 9)));
  assert.ok(!view.knows(row(2, 5)), "what the log says up to its cursor is no news anyway");
  view.advance({ modSeq: 7 as ModSeq, uid: 1 }, false);
  assert.ok(view.knows(row(1, 8)));
  view.advance({ modSeq: 9 as ModSeq, uid: 0 }, true);
  assert.ok(!view.knows(row(1, 8)));
});

Deno.test("the own change moves the cursor only when nothing else lies before it", () => {
  const view = viewOf([1]);
  view.toldChange(undefined);
  view.toldChange(7 as ModSeq);
  assert.deepEqual(view.cursor, { modSeq: 5, uid: 0 });
  view.toldChange(6 as ModSeq);
  assert.deepEqual(view.cursor, { modSeq: 6, uid: 0 });
  view.advance({ modSeq: 7 as ModSeq, uid: 3 }, false);
  view.toldChange(8 as ModSeq);
  assert.deepEqual(view.cursor, { modSeq: 7, uid: 3 }, "not in the middle of a page");
});

Deno.test("keywords are known by their lower case, in the spelling of the mailbox", () => {
  assert.deepEqual([...viewOf([], ["Alpha", "$x"]).keywords], [["alpha", "Alpha"], ["$x", "$x"]]);
});
