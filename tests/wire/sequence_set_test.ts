import assert from "node:assert/strict";
import fc from "fast-check";
import {
  mentionsLargest,
  parseSequenceNumber,
  Reader,
  resolveSequenceSet,
  type SequenceRange,
} from "../../src/wire/mod.ts";
import { frameOf, writeSequenceSet } from "./framing.ts";

function ranges(text: string): readonly SequenceRange[] {
  const set = new Reader(frameOf(text), "utf7").sequenceSet();
  assert.ok(set !== "$");
  return set;
}

const resolved = (text: string, largest: number) =>
  resolveSequenceSet(ranges(text), largest).toString();

Deno.test("a set names numbers in any order, and * is the largest in use", () => {
  assert.equal(resolved("1", 9), "1");
  assert.equal(resolved("3:1,2,5", 9), "1:3,5");
  assert.equal(resolved("*", 9), "9");
  assert.equal(resolved("4:*", 9), "4:9");
  assert.equal(resolved("*:4", 9), "4:9");
  // RFC 9051 9, `seq-range`: n:* includes the largest even when n is above it.
  assert.equal(resolved("12:*", 9), "9:12");
  assert.equal(resolved("*:12", 9), "9:12");
  assert.equal(resolved("12", 9), "12");
  assert.equal(resolved("1:4294967295", 9), "1:4294967295");
});

Deno.test("in an empty mailbox * names nothing, and numbers name themselves", () => {
  for (const text of ["*", "4:*", "*:4", "1:*", "*:*"]) assert.equal(resolved(text, 0), "", text);
  assert.equal(resolved("3,4:*", 0), "3");
});

Deno.test("mentionsLargest says whether * occurs", () => {
  for (const text of ["*", "1,2:*", "*:3"]) assert.ok(mentionsLargest(ranges(text)));
  assert.ok(!mentionsLargest(ranges("1:2,3")));
});

Deno.test("sequence numbers are 1 to 2^32 - 1 without zeros in front, or *", () => {
  for (const [text, value] of [["1", 1], ["4294967295", 4294967295], ["*", "*"]] as const) {
    assert.equal(parseSequenceNumber(text), value);
  }
  for (const text of ["", "0", "01", "4294967296", "99999999999", "-1", "1e3", " 1", "١"]) {
    assert.equal(parseSequenceNumber(text), undefined, text);
  }
});

const bound = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant("*" as const));
const anySet = fc.array(fc.record({ first: bound, last: bound }), { minLength: 1, maxLength: 8 });

Deno.test("a set names exactly what its elements name, one by one", () => {
  fc.assert(
    fc.property(anySet, fc.integer({ min: 0, max: 40 }), (set, largest) => {
      const numbers = new Set<number>();
      for (const { first, last } of set) {
        if (largest === 0 && (first === "*" || last === "*")) continue;
        const a = first === "*" ? largest : first;
        const b = last === "*" ? largest : last;
        for (let n = Math.min(a, b); n <= Math.max(a, b); n++) numbers.add(n);
      }
      const expected = [...numbers].sort((x, y) => x - y);
      assert.deepEqual(resolveSequenceSet(set, largest).toArray(), expected);
    }),
  );
});

Deno.test("a written set is read back", () => {
  assert.equal(writeSequenceSet("$"), "$");
  fc.assert(fc.property(anySet, (set) => {
    assert.deepEqual(ranges(writeSequenceSet(set)), set.map((range) => ({ ...range })));
  }));
});
