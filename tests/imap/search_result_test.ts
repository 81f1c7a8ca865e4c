import assert from "node:assert/strict";
import { decodeLatin1, type ModSeq, RangeSet } from "../../src/base/mod.ts";
import { sequenceNumbers, writeSearch } from "../../src/imap/search_result.ts";
import type { Session } from "../../src/imap/session.ts";
import { Writer } from "../../src/wire/mod.ts";

function lines(matches: RangeSet, modSeq?: ModSeq): string[] {
  const writer = new Writer();
  writeSearch({ out: { writer } } as Session, matches, modSeq);
  return decodeLatin1(writer.take()).split("\r\n").slice(0, -1);
}

Deno.test("a SEARCH response is one line, as some clients read no more than that", () => {
  const [line, ...more] = lines(RangeSet.range(1, 100_000));
  assert.deepEqual(more, []);
  assert.equal(line?.length, "* SEARCH".length + 588_895);
});

Deno.test("only a line that clients would refuse is split, each number told once", () => {
  const numbers = RangeSet.range(1_000_001, 1_250_000);
  const split = lines(numbers, 7 as ModSeq);
  assert.equal(split.length, 3);
  for (const line of split) {
    assert.ok(line.length < 1_000_000 - 2, `${line.length}`);
    assert.match(line, /^\* SEARCH( \d+)+ \(MODSEQ 7\)$/);
  }
  const told = split.flatMap((line) =>
    line.replace("* SEARCH ", "").replace(" (MODSEQ 7)", "").split(" ").map(Number)
  );
  assert.equal(told.length, 250_000);
  assert.ok(RangeSet.from(told).equals(numbers));
});

Deno.test("sequence numbers are positions, also where UIDs have gaps", () => {
  const view = RangeSet.of(3, 4, 7, 10, 11, 12, 20);
  assert.equal(sequenceNumbers(RangeSet.of(4, 7, 11, 12, 20), view).toString(), "2:3,5:7");
  assert.equal(sequenceNumbers(new RangeSet(), view).toString(), "");
});
