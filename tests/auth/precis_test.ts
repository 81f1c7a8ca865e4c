import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_PASSWORD_BYTES, normaliseUsername, preparePassword } from "../../src/auth/mod.ts";

Deno.test("the legal passwords of RFC 8265 4.3 are prepared as its table says", () => {
  const examples = [
    ["correct horse battery staple", "correct horse battery staple"],
    ["Correct Horse Battery Staple", "Correct Horse Battery Staple"],
    ["πßå", "πßå"],
    ["Jack of ♦s", "Jack of ♦s"],
    ["foo\u1680bar", "foo bar"],
  ] as const;
  for (const [given, prepared] of examples) assert.equal(preparePassword(given), prepared);
});

Deno.test("the illegal passwords of RFC 8265 4.3 are refused", () => {
  assert.equal(preparePassword(""), undefined);
  assert.equal(preparePassword("my cat is a \u0009by"), undefined);
});

Deno.test("spaces of every kind become U+0020 and letters are composed, without folding width or case", () => {
  assert.equal(preparePassword("a\u00a0b\u3000c\u2003d"), "a b c d");
  assert.equal(preparePassword("Cafe\u0301"), "Caf\u00e9");
  assert.equal(preparePassword("ＡＢＣ"), "ＡＢＣ");
});

Deno.test("decomposed Hangul is composed, and jamo that cannot be composed are refused", () => {
  assert.equal(preparePassword("\u1112\u1161\u11ab"), "한");
  assert.equal(preparePassword("\u1112x"), undefined);
});

Deno.test("code points that FreeformClass disallows are refused", () => {
  const refused = ["\u0000", "\u007f", "\u0085", "\u00ad", "\u2028", "\u2029", "\ue000", "\ufdd0"];
  refused.push("\ufe0f", "\u{e0001}", "\u0640", "\u200b", "\u{10ffff}", "\ud800", "\u0600");
  for (const character of refused) {
    assert.equal(preparePassword(`pass${character}word`), undefined, escape(character));
  }
});

Deno.test("contextual code points are allowed in their context only", () => {
  assert.equal(preparePassword("col·lega"), "col·lega");
  assert.equal(preparePassword("a·b"), undefined);
  assert.equal(preparePassword("क्\u200dष"), "क्\u200dष");
  assert.equal(preparePassword("a\u200db"), undefined);
  assert.equal(preparePassword("می\u200cخواهم"), "می\u200cخواهم");
  assert.equal(preparePassword("a\u200cb"), undefined);
  assert.equal(preparePassword("\u0375α"), "\u0375α");
  assert.equal(preparePassword("\u0375a"), undefined);
  assert.equal(preparePassword("א\u05f3"), "א\u05f3");
  assert.equal(preparePassword("a\u05f3"), undefined);
  assert.equal(preparePassword("カ・カ"), "カ・カ");
  assert.equal(preparePassword("a・b"), undefined);
  assert.equal(preparePassword("\u0661\u0662"), "\u0661\u0662");
  assert.equal(preparePassword("\u0661\u06f2"), undefined);
});

Deno.test("the longest password is accepted and one octet more is not", () => {
  assert.equal(preparePassword("é".repeat(MAX_PASSWORD_BYTES / 2))?.length, MAX_PASSWORD_BYTES / 2);
  assert.equal(preparePassword("é".repeat(MAX_PASSWORD_BYTES / 2) + "a"), undefined);
});

Deno.test("preparing twice is preparing once", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 20 }), (text) => {
    const prepared = preparePassword(text);
    if (prepared !== undefined) assert.equal(preparePassword(prepared), prepared);
  }));
});

Deno.test("usernames are composed, and refused when empty, too long or with control characters", () => {
  assert.equal(normaliseUsername("jose\u0301@example.org"), "jos\u00e9@example.org");
  assert.equal(normaliseUsername("a".repeat(512))?.length, 512);
  for (const refused of ["", "a".repeat(513), "a\u0000b", "a\nb@c", "\ud800", "a\u2028b"]) {
    assert.equal(normaliseUsername(refused), undefined);
  }
});

function escape(text: string): string {
  return `U+${text.codePointAt(0)?.toString(16)}`;
}
