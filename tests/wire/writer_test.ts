import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeUtf8, encodeLatin1, RangeSet } from "../../src/base/mod.ts";
import { Framer, type NameMode, Reader, Writer } from "../../src/wire/mod.ts";

const MODES: readonly NameMode[] = ["utf7", "utf8"];

/** What a reader makes of what `write` wrote, both in the mode `nameMode`. */
function roundTrip<T>(
  nameMode: NameMode,
  write: (writer: Writer) => unknown,
  read: (reader: Reader) => T,
): T {
  const writer = new Writer();
  writer.nameMode = nameMode;
  write(writer);
  const framer = new Framer();
  framer.push(writer.crlf().take());
  for (;;) {
    const event = framer.next();
    assert.ok(event, "not a whole line");
    if (event.kind === "literal") {
      framer.holdLiteral();
      continue;
    }
    assert.equal(framer.pending, 0);
    const reader = new Reader(event.frame, nameMode);
    const value = read(reader);
    reader.end();
    return value;
  }
}

const written = (write: (writer: Writer) => unknown, nameMode: NameMode = "utf7") => {
  const writer = new Writer();
  writer.nameMode = nameMode;
  write(writer);
  return decodeUtf8(writer.take());
};

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(...'aé&"\\{}*%()]\r\n\t\0\u001a\x7f €𝄞\ud800\udc00'),
    maxLength: 20,
  }),
  fc.constantFrom("", "NIL", "nil", "x".repeat(1000), "x".repeat(1001)),
);

/** NUL and half pairs are what no string can hold. */
const asWritten = (text: string) => text.toWellFormed().replaceAll("\0", "\ufffd");

Deno.test("what the writer writes as a string the reader reads back, in both modes", () => {
  fc.assert(
    fc.property(anyText, fc.constantFrom(...MODES), (text, mode) => {
      const expected = asWritten(text);
      assert.equal(roundTrip(mode, (w) => w.string(text), (r) => r.string()), expected);
      assert.equal(roundTrip(mode, (w) => w.astring(text), (r) => r.astring()), expected);
      assert.equal(roundTrip(mode, (w) => w.nstring(text), (r) => r.nstring()), expected);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("NIL is nothing, and never the word", () => {
  for (const mode of MODES) {
    assert.equal(roundTrip(mode, (w) => w.nstring(undefined), (r) => r.nstring()), undefined);
    assert.equal(roundTrip(mode, (w) => w.astring("NiL"), (r) => r.nstring()), "NiL");
  }
});

Deno.test("a well-formed name comes back in both modes", () => {
  fc.assert(
    fc.property(anyText, fc.constantFrom(...MODES), (text, mode) => {
      const name = text.toWellFormed();
      const expected = mode === "utf7" ? name : asWritten(name);
      assert.equal(roundTrip(mode, (w) => w.mailbox(name), (r) => r.mailbox()), expected);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("octets come back from literals, NUL too from literal8", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
    const plain = bytes.filter((byte) => byte !== 0);
    const read = (r: Reader) => Uint8Array.from(r.stringBytes());
    assert.deepEqual(roundTrip("utf7", (w) => w.literal(plain), read), Uint8Array.from(plain));
    const any = (r: Reader) => Uint8Array.from(r.tryLiteral()!.bytes);
    assert.deepEqual(roundTrip("utf7", (w) => w.literal8(bytes), any), Uint8Array.from(bytes));
  }));
});

Deno.test("a string is quoted where it can be, and a literal where it cannot", () => {
  assert.equal(written((w) => w.string('a"b\\c')), '"a\\"b\\\\c"');
  assert.equal(written((w) => w.string("é")), "{2}\r\né");
  assert.equal(written((w) => w.string("é"), "utf8"), '"é"');
  assert.equal(written((w) => w.string("a\nb")), "{3}\r\na\nb");
  assert.equal(written((w) => w.string("a\nb"), "utf8"), "{3}\r\na\nb");
  assert.equal(written((w) => w.string("x".repeat(1000))).length, 1002);
  assert.equal(written((w) => w.string("x".repeat(1001))).slice(0, 6), "{1001}");
  assert.equal(written((w) => w.string("a\0b")), "{5}\r\na\ufffdb");
  assert.equal(written((w) => w.astring("a]b")), "a]b");
  assert.equal(written((w) => w.astring("")), '""');
  assert.equal(written((w) => w.astring("a b")), '"a b"');
  assert.equal(written((w) => w.mailbox("é&")), "&AOk-&-");
  assert.equal(written((w) => w.mailbox("é&"), "utf8"), '"é&"');
});

Deno.test("lists and sets are written as they are read", () => {
  const set = RangeSet.fromRanges([{ first: 1, last: 3 }, { first: 7, last: 7 }]);
  assert.equal(written((w) => w.set(set)), "1:3,7");
  const list = (items: readonly string[]) => (w: Writer) => w.list(items, (item) => w.string(item));
  assert.equal(written(list([])), "()");
  fc.assert(fc.property(fc.array(anyText, { maxLength: 5 }), (items) => {
    const read = (r: Reader) => r.list(() => r.string(), 0);
    assert.deepEqual(roundTrip("utf7", list(items), read), items.map(asWritten));
  }));
});

Deno.test("take gives everything in order once, and length says how much there is", () => {
  const writer = new Writer();
  writer.raw("a").bytes(encodeLatin1("\xff")).raw("b").raw("c").bytes(encodeLatin1("d"));
  assert.equal(writer.length, 5);
  assert.deepEqual([...writer.take()], [0x61, 0xff, 0x62, 0x63, 0x64]);
  assert.equal(writer.length, 0);
  assert.equal(writer.take().length, 0);
});
