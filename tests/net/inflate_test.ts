import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import fc from "fast-check";
import { Inflate, InflateError } from "../../src/net/inflate.ts";

const { Z_SYNC_FLUSH, Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE } = zlib.constants;

/** Everything that comes out of pieces of `limit` octets. */
function inflateAll(inflate: Inflate, pieces: Iterable<Uint8Array>, limit = 16_384): Buffer {
  const made: Uint8Array[] = [];
  for (const piece of pieces) {
    inflate.feed(piece);
    while (inflate.mayHaveOutput) {
      const bytes = inflate.read(limit);
      assert.ok(bytes.length <= limit);
      made.push(bytes);
    }
  }
  return Buffer.concat(made);
}

function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Text with matches near and far, and octets that do not compress. */
const SAMPLE = Buffer.concat([
  Buffer.from(
    Array.from({ length: 4000 }, (_, i) => `* ${i} FETCH (UID ${i * 7 % 997})\r\n`).join(""),
  ),
  Buffer.from(Uint8Array.from({ length: 40_000 }, (_, i) => (i * i * 31 >> 5) ^ (i >> 3))),
  Buffer.alloc(100_000),
]);

for (const level of [0, 1, 6, 9]) {
  for (const strategy of [Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE]) {
    Deno.test(`what zlib deflated is inflated in any pieces: level ${level}, strategy ${strategy}`, () => {
      const deflated = zlib.deflateRawSync(SAMPLE, { level, strategy });
      for (const [size, limit] of [[1e6, 16_384], [1000, 2000], [777, 65_536]] as const) {
        const inflate = new Inflate();
        const made = inflateAll(inflate, cut(deflated, size), limit);
        assert.ok(made.equals(SAMPLE), `pieces of ${size}`);
        assert.ok(inflate.isEnded);
      }
      // Octet by octet, as far as patience goes.
      const short = zlib.deflateRawSync(SAMPLE.subarray(0, 5000), { level, strategy });
      const made = inflateAll(new Inflate(), cut(short, 1));
      assert.ok(made.equals(SAMPLE.subarray(0, 5000)));
    });
  }
}

Deno.test("whatever comes, it gives what zlib gives, or fails where zlib fails", () => {
  const byZlib = (bytes: Uint8Array) => {
    try {
      return zlib.inflateRawSync(bytes, { finishFlush: Z_SYNC_FLUSH }).toString("latin1");
    } catch {
      return "not deflate";
    }
  };
  const byUs = (bytes: Uint8Array, size: number) => {
    try {
      return inflateAll(new Inflate(), cut(bytes, size)).toString("latin1");
    } catch (error) {
      assert.ok(error instanceof InflateError);
      return "not deflate";
    }
  };
  const garbage = fc.uint8Array({ minLength: 1, maxLength: 80 });
  const broken = fc.record({
    text: fc.string({ minLength: 1, maxLength: 300 }),
    at: fc.nat(),
    bit: fc.nat(7),
    end: fc.nat(),
  }).map(({ text, at, bit, end }) => {
    const bytes = Uint8Array.from(zlib.deflateRawSync(text));
    bytes[at % bytes.length]! ^= 1 << bit;
    return bytes.subarray(0, 1 + end % bytes.length);
  });
  fc.assert(
    fc.property(fc.oneof(garbage, broken), fc.integer({ min: 1, max: 90 }), (bytes, size) => {
      assert.equal(byUs(bytes, size), byZlib(bytes));
    }),
    { numRuns: 5000 },
  );
});

Deno.test("a match reaches 32 KiB back, across reads, and not before the stream", () => {
  const far = Buffer.alloc(32_768 + 100);
  for (let i = 0; i < 32_768; i++) far[i] = (i * 7919 >> 4) & 0xff;
  far.copy(far, 32_768, 0, 100);
  const deflated = zlib.deflateRawSync(far, { level: 9 });
  assert.ok(inflateAll(new Inflate(), cut(deflated, 5000), 300).equals(far));
  // Fixed codes: the literal "a", then a match of 3 that lies 2 back.
  const before = Uint8Array.of(0x4b, 0x04, 0x42);
  assert.throws(() => inflateAll(new Inflate(), [before]), InflateError);
});

Deno.test("blocks without output are not read all at once", () => {
  const inflate = new Inflate();
  // Empty stored blocks.
  inflate.feed(Uint8Array.from({ length: 5000 }, (_, i) => i % 5 < 3 ? 0 : 0xff));
  assert.equal(inflate.read(1000).length, 0);
  assert.ok(inflate.mayHaveOutput);
  let reads = 1;
  for (; inflate.mayHaveOutput; reads++) inflate.read(1000);
  assert.ok(reads > 50, `${reads} reads`);
});
