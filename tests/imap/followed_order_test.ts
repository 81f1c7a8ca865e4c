import assert from "node:assert/strict";
import fc from "fast-check";
import { RangeSet } from "../../src/base/mod.ts";
import { follow, type FollowedQuery, type FollowedSearch } from "../../src/imap/followed_search.ts";
import { SortedOrder } from "../../src/imap/followed_order.ts";
import { MAX_FOLLOWED_RESULTS } from "../../src/imap/limits.ts";
import { searchDecoder } from "../../src/imap/search_text.ts";
import { SearchContext } from "../../src/imap/search_keys.ts";
import type { Session } from "../../src/imap/session.ts";
import { compareRows, sortRows } from "../../src/imap/sort_order.ts";
import type { OrderRow } from "../../src/store/mod.ts";

const CRITERIA = [{ key: "SUBJECT", isReverse: false }, { key: "SIZE", isReverse: true }] as const;

function row(uid: number, subject: string, size: number): OrderRow {
  const keys = { from: "", to: "", cc: "", displayFrom: "", displayTo: "" };
  return {
    uid: uid as OrderRow["uid"],
    internalSeconds: 0,
    sentMs: 0,
    size,
    baseSubject: subject,
    isReply: false,
    keys,
    messageId: undefined,
    ancestors: [],
  };
}

/** What a client makes of ` REMOVEFROM (…) ADDTO (…)`. */
function apply(results: number[], told: string): number[] {
  for (const [, kind, list = ""] of told.matchAll(/ (ADDTO|REMOVEFROM) \(([^)]*)\)/g)) {
    const words = list.split(" ");
    for (let i = 0; i < words.length; i += 2) {
      const position = Number(words[i]) - 1;
      const set = (words[i + 1] ?? "").split(",").flatMap((range) => {
        const [first = 0, last = first] = range.split(":").map(Number);
        return Array.from({ length: last - first + 1 }, (_, j) => first + j);
      });
      if (kind === "ADDTO") results.splice(position, 0, ...set);
      else assert.deepEqual(results.splice(position, set.length), set);
    }
  }
  return results;
}

Deno.test("a sorted result takes what comes at its place, also when results vanish meanwhile", async () => {
  const rows = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat({ max: 3 })), {
    maxLength: 30,
  });
  const arbitrary = fc.tuple(rows, fc.nat(), fc.nat());
  await fc.assert(fc.asyncProperty(arbitrary, async ([given, goneMask, freshMask]) => {
    const all = given.map(([subject, size], i) => row(i + 1, subject, size));
    const isFresh = ({ uid }: OrderRow) => (freshMask >> (uid % 30)) % 2 === 1;
    // Expunged, which the client has not been told.
    const isGone = ({ uid }: OrderRow) => (goneMask >> (uid % 30)) % 2 === 1;
    const before = sortRows(all.filter((it) => !isFresh(it)), CRITERIA);
    const order = new SortedOrder(before, compareRows(CRITERIA));
    const fresh = RangeSet.from(all.filter(isFresh).map(({ uid }) => uid));
    const reads: number[] = [];
    const told = await order.add(fresh, (uid) => uid, (uids) => {
      reads.push(uids.size);
      return Promise.resolve(all.filter((it) => uids.has(it.uid) && !isGone(it)));
    });
    const after = apply([...before], told);
    // Results that were not compared with anything may be left, though their messages are gone.
    const isThere = (uid: number) => !isGone(all[uid - 1]!);
    const expected = sortRows(all.filter((it) => !isGone(it)), CRITERIA);
    assert.deepEqual(after.filter(isThere), expected);
    for (const uid of after) assert.ok(isThere(uid) || before.includes(uid));
    // And once they are removed too, nothing else is left.
    const gone = RangeSet.from(all.filter(isGone).map(({ uid }) => uid));
    assert.deepEqual(apply(after, order.remove(gone, (uid) => uid)), expected);
  }));
});

Deno.test("a new result is found its place with few reads", async () => {
  const all = Array.from({ length: 5000 }, (_, i) => row(i + 1, String(i % 1000), i % 7));
  const before = sortRows(all.slice(0, 4999), CRITERIA);
  const order = new SortedOrder(before, compareRows(CRITERIA));
  let asked = 0;
  const told = await order.add(RangeSet.of(5000), (uid) => uid, (uids) => {
    asked += uids.size;
    return Promise.resolve(all.filter(({ uid }) => uids.has(uid)));
  });
  assert.ok(asked <= 1 + 13, `${asked} rows read`);
  assert.deepEqual(apply([...before], told), sortRows(all, CRITERIA));
});

Deno.test("an order of too many results is not kept", () => {
  const said: string[] = [];
  const followed = new Map<string, FollowedSearch>();
  const selected = { followed, uids: new RangeSet(), recent: new RangeSet() };
  const session = {
    tag: "t",
    selected,
    out: { untagged: (text: string) => said.push(text) },
    now: () => 0,
  } as unknown as Session;
  const query = {
    context: new SearchContext(session, searchDecoder("UTF-8")),
    predicate: { op: "all" },
    byUid: true,
    since: { modSeq: 1, uid: 0 },
  } as FollowedQuery;
  const results = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
  follow(session, query, results(MAX_FOLLOWED_RESULTS), CRITERIA);
  assert.equal(followed.size, 1);
  followed.clear();
  follow(session, query, results(MAX_FOLLOWED_RESULTS + 1), CRITERIA);
  assert.equal(followed.size, 0);
  assert.match(said.join(), /^NO \[NOUPDATE "t"\] /);
});
