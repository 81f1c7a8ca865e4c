import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { concatBytes, encodeUtf8 } from "../../../src/base/mod.ts";
import { StoreError } from "../../../src/store/mod.ts";
import {
  decodeBytes,
  decodeTail,
  encodeBytes,
  encodePair,
  TAIL,
} from "../../../src/store/sqlite/compression.ts";

/** Bytes that repeat themselves more or less, of all lengths about the bounds. */
const bytes = fc.tuple(
  fc.uint8Array({ maxLength: 60 }),
  fc.constantFrom(0, 1, 40, 300, 5000),
  fc.uint8Array({ maxLength: 3000 }),
).map(([piece, times, rest]) => concatBytes([...Array(times).fill(piece), rest]));

function same(a: Uint8Array, b: Uint8Array): void {
  assert.ok(Buffer.compare(a, b) === 0);
}

Deno.test("what is compressed comes back", () =>
  fc.assert(
    fc.property(bytes, (original) => {
      const { coding, data } = encodeBytes(original);
      same(decodeBytes(coding, data, original.length), original);
      same(decodeBytes(coding, data), original);
    }),
    { numRuns: 200 },
  ));

Deno.test("bytes come back without their text, and the text with them", async () => {
  let tails = 0;
  await fc.assert(
    fc.asyncProperty(bytes, bytes, async (original, text) => {
      const pair = await encodePair(original, text);
      same(decodeBytes(pair.bytes.coding, pair.bytes.data, original.length), original);
      if (pair.text.coding === TAIL) {
        tails++;
        same(decodeTail(pair.bytes.data, original.length, pair.text.data), text);
      } else same(decodeBytes(pair.text.coding, pair.text.data), text);
    }),
    { numRuns: 200 },
  );
  assert.ok(tails > 20);
});

Deno.test("a text like its bytes takes little room beside them, up to a whole chunk", async () => {
  for (const length of [3000, 30_000, 262_144]) {
    let text = "";
    for (let i = 0; text.length < length; i++) {
      text += `${(i * 7919 % 1e9).toString(36)} Word and ${i} `;
    }
    const original = encodeUtf8(text.slice(0, length));
    const folded = encodeUtf8(text.slice(0, length).toLowerCase());
    const pair = await encodePair(original, folded);
    assert.equal(pair.text.coding, TAIL);
    const alone = encodeBytes(folded).data.length;
    assert.ok(pair.text.data.length < alone * 0.6, `${pair.text.data.length} of ${alone}`);
    assert.ok(pair.bytes.data.length < encodeBytes(original).data.length * 1.1);
  }
});

Deno.test("what was damaged is told, never taken for mail", async () => {
  const original = encodeUtf8("Mail and more mail. ".repeat(300));
  const pair = await encodePair(original, original);
  const { data } = pair.bytes;
  for (const broken of [data.subarray(1), Uint8Array.of(), Uint8Array.of(0)]) {
    assert.throws(() => {
      const bytes = decodeBytes(pair.bytes.coding, broken, original.length);
      if (bytes.length !== original.length) throw new StoreError("corrupt", "of another size");
    }, StoreError);
    assert.throws(() => decodeTail(broken, original.length, pair.text.data), StoreError);
  }
  assert.throws(() => decodeBytes(9, data), StoreError);
});
