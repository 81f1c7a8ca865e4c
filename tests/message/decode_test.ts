import assert from "node:assert/strict";
import fc from "fast-check";
import iconv from "iconv-lite";
import { Buffer } from "node:buffer";
import { concatBytes, encodeUtf8 } from "../../src/base/mod.ts";
import {
  createTransferDecoder,
  decodeCharset,
  decodeTransfer,
  decodeWords,
  MAX_HELD_SPACE,
} from "../../src/message/mod.ts";
import { raw, text } from "./raw.ts";

const base64 = (value: string) => text(decodeTransfer(raw(value), "base64"));
const quoted = (value: string) => text(decodeTransfer(raw(value), "quoted-printable"));

Deno.test("base64 decodes, whatever stands between its characters", () => {
  assert.equal(base64("aGVsbG8gd29ybGQ="), "hello world");
  assert.equal(base64("aGVs\r\nbG8g*d2 9y!bGQ"), "hello world");
  assert.equal(base64("YQ==YmM=ZGVm"), "abcdef");
  assert.equal(base64("===YQ"), "a");
  assert.equal(base64("Y"), "");
  assert.equal(base64(""), "");
});

Deno.test("quoted-printable decodes as RFC 2045 6.7 says", () => {
  assert.equal(
    quoted("Now's the time =\r\nfor all folk to come=\r\n to the aid of their country."),
    "Now's the time for all folk to come to the aid of their country.",
  );
  assert.equal(quoted("=C3=A9=c3=a9"), "\xc3\xa9\xc3\xa9");
  assert.equal(quoted("trailing \t \r\nnext  "), "trailing\r\nnext");
  assert.equal(quoted("soft= \t\r\nbreak=\nagain="), "softbreakagain");
  assert.equal(quoted("a=zz b= c =4 =3"), "a=zz b= c =4 =3");
  assert.equal(quoted("x==41"), "x=A");
  assert.equal(quoted("a=\r \nb"), "a=\r\nb");
});

Deno.test("an encoding nobody knows has no decoder", () => {
  assert.equal(createTransferDecoder("x-uuencode"), undefined);
  for (const name of ["7bit", "8bit", "binary", "base64", "quoted-printable", ""]) {
    assert.notEqual(createTransferDecoder(name), undefined);
  }
});

Deno.test("lines of text end in CRLF when that is asked for", () => {
  const decoder = createTransferDecoder("quoted-printable", { crlfLines: true });
  assert.ok(decoder);
  const pieces = ["a=0A", "b=0D", "=0Ac=0D", "d\r", "\ne=0A=0A=0D"].map((piece) =>
    text(decoder.write(raw(piece)).slice())
  );
  assert.equal(pieces.join("") + text(decoder.end()), "a\r\nb\r\nc\r\nd\r\ne\r\n\r\n\r\n");
});

Deno.test("white space before a line's end is held back up to the limit", () => {
  assert.equal(quoted(`${" ".repeat(MAX_HELD_SPACE)}\r\nx`), "\r\nx");
  assert.equal(quoted(`${" ".repeat(MAX_HELD_SPACE + 1)}\r\nx`).length, MAX_HELD_SPACE + 3);
});

Deno.test("decoding does not depend on how the bytes are split", () => {
  const char = fc.constantFrom(..."=AF09afzZ+/ \t\r\n-".split(""));
  fc.assert(fc.property(
    fc.array(fc.string({ unit: char, maxLength: 12 }), { maxLength: 8 }),
    fc.constantFrom("base64", "quoted-printable", "binary"),
    fc.boolean(),
    (pieces, encoding, crlfLines) => {
      const inPieces = createTransferDecoder(encoding, { crlfLines });
      const atOnce = createTransferDecoder(encoding, { crlfLines });
      assert.ok(inPieces && atOnce);
      const parts = pieces.map((piece) => inPieces.write(raw(piece)).slice());
      const whole = atOnce.write(raw(pieces.join(""))).slice();
      assert.equal(
        text(concatBytes([...parts, inPieces.end()])),
        text(concatBytes([whole, atOnce.end()])),
      );
    },
  ));
});

Deno.test("base64 gives back any bytes", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    const encoded = raw(Buffer.from(bytes).toString("base64").replace(/.{76}/g, "$&\r\n"));
    assert.deepEqual(Uint8Array.from(decodeTransfer(encoded, "base64")), bytes);
  }));
});

Deno.test("charsets of real mail decode", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  // "日本語" in ISO-2022-JP and Shift_JIS.
  assert.equal(decodeCharset(raw("\x1b$BF|K\\8l\x1b(B"), "ISO-2022-JP"), "日本語");
  assert.equal(decodeCharset(bytes(0x93, 0xfa, 0x96, 0x7b, 0x8c, 0xea), "Shift_JIS"), "日本語");
  assert.equal(decodeCharset(bytes(0xd6, 0xd0, 0xce, 0xc4), "gb18030"), "中文");
  assert.equal(decodeCharset(bytes(0xd6, 0xd0, 0xce, 0xc4), "GB2312"), "中文");
  assert.equal(decodeCharset(bytes(0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4), "koi8-r"), "Привет");
  assert.equal(decodeCharset(bytes(0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2), "windows-1251"), "Привет");
  assert.equal(decodeCharset(raw("Hi Mom -+Jjo--!"), "utf-7"), "Hi Mom -☺-!");
  assert.equal(decodeCharset(bytes(0xa4), "iso-8859-15"), "€");
  assert.equal(decodeCharset(bytes(0x82), "cp850"), "é");
});

Deno.test("a charset nobody knows is UTF-8 when it can be, else windows-1252", () => {
  for (const charset of ["x-klingon", "", "us-ascii", "iso-2022-kr", "base64", "hex"]) {
    assert.equal(decodeCharset(encodeUtf8("é“"), charset), "é“", charset);
    assert.equal(decodeCharset(Uint8Array.of(0xe9, 0x93), charset), "é“", charset);
  }
});

Deno.test("the examples of RFC 2047 8 decode as printed", () => {
  const examples = [
    ["(=?ISO-8859-1?Q?a?=)", "(a)"],
    ["(=?ISO-8859-1?Q?a?= b)", "(a b)"],
    ["(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"],
    ["(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"],
    ["(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)"],
    ["(=?ISO-8859-1?Q?a_b?=)", "(a b)"],
    ["(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"],
    ["=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld Jørn Simonsen"],
    [
      "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= " +
      "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
      "If you can read this you understand the example.",
    ],
  ];
  for (const [encoded = "", decoded] of examples) assert.equal(decodeWords(encoded), decoded);
});

Deno.test("characters split across encoded-words are put together", () => {
  assert.equal(decodeWords("=?UTF-8?B?w6nD?=\r\n =?utf-8?B?qQ==?= x"), "éé x");
  assert.equal(decodeWords("=?utf-8?q?=E2=82?= =?utf-8?q?=AC?="), "€");
});

Deno.test("encoded-words are read loosely, and nothing else is touched", () => {
  assert.equal(decodeWords("=?utf-8*en?q?a?="), "a");
  assert.equal(decodeWords("=?utf-8?q?with space?="), "with space");
  assert.equal(decodeWords('"=?utf-8?q?=C3=A9?=" <a@b>'), '"é" <a@b>');
  assert.equal(decodeWords("=?utf-8?x?a?= =?utf-8?q?a"), "=?utf-8?x?a?= =?utf-8?q?a");
  assert.equal(decodeWords("caf\xc3\xa9 caf\xc3\xa9"), "café café");
  assert.equal(decodeWords("caf\xe9 =?koi8-r?q?=F0?="), "café П");
  assert.equal(decodeWords("=?utf-8?q??="), "");
});

Deno.test("text survives being written as encoded-words in any charset that has it", () => {
  fc.assert(fc.property(
    fc.string({ unit: fc.constantFrom(..."Привет, мир? =_é".split("")), minLength: 1 }),
    fc.constantFrom("utf-8", "utf-16be", "gb18030"),
    fc.constantFrom("q", "b"),
    fc.integer({ min: 1, max: 5 }),
    (value, charset, encoding, step) => {
      const bytes = iconv.encode(value, charset);
      const words: string[] = [];
      for (let at = 0; at < bytes.length; at += step) {
        const piece = bytes.subarray(at, at + step);
        const content = encoding === "b"
          ? piece.toString("base64")
          : piece.toString("hex").replace(/../g, (hex) => `=${hex}`);
        words.push(`=?${charset}?${encoding}?${content}?=`);
      }
      assert.equal(decodeWords(words.join(" ")), value);
    },
  ));
});
