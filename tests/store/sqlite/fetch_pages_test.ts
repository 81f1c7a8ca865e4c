import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { encodeUtf8, RangeSet } from "../../../src/base/mod.ts";
import type { ContentColumn, MessageRow } from "../../../src/store/mod.ts";
import { box, put } from "../fixture.ts";
import { withAccountFile } from "./account_fixture.ts";

const MIB = 1024 * 1024;

/** A message with a subject of this many octets, and a body of others. */
function message(number: number, subjectSize: number, bodySize: number): Uint8Array {
  const text = "abcdefghi ".repeat(Math.ceil(Math.max(subjectSize, bodySize) / 10));
  return encodeUtf8(
    `Subject: ${number} ${text.slice(0, subjectSize)}\r\n\r\n${text.slice(0, bodySize)}\r\n`,
  );
}

const octetsOf = (row: MessageRow) =>
  (row.envelope?.length ?? 0) + (row.raw ?? row.header ?? []).length;

function assertSame(found: Uint8Array | undefined, expected: Uint8Array | undefined): void {
  assert.equal(found?.length, expected?.length);
  assert.ok(!found || !expected || Buffer.compare(found, expected) === 0);
}

Deno.test("pages with content have all messages once, and no more octets of each kind than they may", () =>
  withAccountFile(async ({ account }) => {
    // Small ones around large headers, large bodies, and one that is too large to be given inline.
    const sizes: [subject: number, body: number][] = [];
    for (let i = 0; i < 30; i++) sizes.push([20, 10]);
    for (let i = 0; i < 20; i++) sizes.push([120_000, 10]);
    for (let i = 0; i < 20; i++) sizes.push([20, 100_000]);
    sizes.push([20, 300_000]);
    for (let i = 0; i < 230; i++) sizes.push([20, 10]);
    const stored: Uint8Array[] = [];
    for (const [number, [subject, body]] of sizes.entries()) {
      stored.push(message(number, subject, body));
      await put(account, "INBOX", { bytes: stored[number]! });
    }
    const { id } = await box(account, "INBOX");
    const all = Array.from(sizes.keys(), (i) => i + 1);
    // With few messages in the range it is the octets alone that end a page.
    const sets = [RangeSet.from([5, ...all.slice(10)]), RangeSet.from(all.slice(45, 75))];
    const columns: ContentColumn[][] = [["envelope"], ["header"], ["raw"], ["envelope", "raw"]];
    for (
      const [wanted, uids] of columns.flatMap((each) => sets.map((set) => [each, set] as const))
    ) {
      const found: number[] = [];
      for await (const page of account.fetchMessages(id, uids, wanted)) {
        const octets = page.map(octetsOf);
        const most = Math.max(...octets);
        assert.ok(
          octets.reduce((sum, each) => sum + each) <= wanted.length * MIB + most,
          `${wanted}`,
        );
        assert.ok(page.length <= 200);
        for (const row of page) {
          found.push(row.uid);
          const bytes = stored[row.uid - 1]!;
          const isInline = bytes.length <= 256 * 1024;
          if (wanted.includes("raw")) assertSame(row.raw, isInline ? bytes : undefined);
          if (wanted.includes("header")) {
            assertSame(row.header, bytes.subarray(0, bytes.indexOf(10) + 3));
          }
          assert.equal(row.envelope !== undefined, wanted.includes("envelope"));
        }
      }
      assert.deepEqual(found, [...uids.toArray()], `${wanted}`);
    }
  }));
