import assert from "node:assert/strict";
import fc from "fast-check";
import { RangeSet } from "../../src/base/mod.ts";

const members = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 40 });
const sorted = (values: Iterable<number>) => [...new Set(values)].sort((a, b) => a - b);

Deno.test("a range set agrees with a plain set about members, order and positions", () => {
  fc.assert(fc.property(members, (values) => {
    const set = RangeSet.from(values);
    const model = sorted(values);
    assert.deepEqual([...set], model);
    assert.deepEqual(set.toArray(), model);
    assert.equal(set.size, model.length);
    assert.equal(set.first, model[0]);
    assert.equal(set.last, model.at(-1));
    for (let value = 0; value <= 62; value++) {
      assert.equal(set.has(value), model.includes(value));
      assert.equal(set.indexOf(value), model.indexOf(value));
      assert.equal(set.at(value), model[value]);
      assert.deepEqual(set.slice(2, value).toArray(), model.slice(2, value));
      assert.equal(set.countTo(value), model.filter((member) => member <= value).length);
    }
  }));
});

Deno.test("union, intersection and difference are those of plain sets", () => {
  fc.assert(fc.property(members, members, (left, right) => {
    const a = RangeSet.from(left);
    const b = RangeSet.from(right);
    assert.deepEqual([...a.union(b)], sorted([...left, ...right]));
    assert.deepEqual([...a.intersect(b)], sorted(left.filter((value) => right.includes(value))));
    assert.deepEqual([...a.difference(b)], sorted(left.filter((value) => !right.includes(value))));
    const selected = sorted(right).map((position) => sorted(left)[position - 1]);
    assert.deepEqual([...a.select(b)], selected.filter((member) => member !== undefined));
    assert.ok(a.union(b).equals(b.union(a)));
  }));
});

Deno.test("deleting members and adding ranges leaves the ranges sorted and apart", () => {
  const step = fc.tuple(
    fc.boolean(),
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 0, max: 8 }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const set = new RangeSet();
    const model = new Set<number>();
    for (const [add, first, length] of steps) {
      if (add) {
        set.addRange(first, first + length);
        for (let value = first; value <= first + length; value++) model.add(value);
      } else {
        assert.equal(set.delete(first), model.delete(first));
      }
    }
    assert.deepEqual([...set], sorted(model));
    let previous = -1;
    for (const range of set.ranges()) {
      assert.ok(range.first > previous + 1 && range.first <= range.last);
      previous = range.last;
    }
  }));
});

Deno.test("a range set prints as an IMAP sequence set and refuses what is not a 32-bit range", () => {
  assert.equal(RangeSet.of(5, 1, 2, 3, 9).toString(), "1:3,5,9");
  assert.equal(new RangeSet().toString(), "");
  for (const [first, last] of [[0, 1], [2, 1], [1, 2 ** 32]] as const) {
    assert.throws(() => new RangeSet().addRange(first, last), RangeError);
  }
  assert.equal(RangeSet.range(1, 2 ** 32 - 1).size, 2 ** 32 - 1);
});
