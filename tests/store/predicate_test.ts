import assert from "node:assert/strict";
import fc from "fast-check";
import { foldCase } from "../../src/store/mod.ts";

Deno.test("text that differs only in case folds to the same", () => {
  const equal = [
    ["Straße", "STRASSE", "straße", "STRAẞE"],
    ["ΟΔΟΣ", "οδος", "οδοσ"],
    ["İstanbul", "istanbul", "ISTANBUL", "ıstanbul"],
    ["Привет", "ПРИВЕТ"],
    ["\u0390", "\u03aa\u0301"],
    ["é", "e\u0301", "É", "E\u0301"],
    ["ﬁsh", "FISH"],
  ];
  for (const texts of equal) {
    assert.deepEqual(new Set(texts.map(foldCase)).size, 1, texts.map(foldCase).join(" "));
  }
});

Deno.test("a run of white space is one space, and accents count", () => {
  assert.equal(foldCase("a \t\r\n b\u00a0\u3000c"), "a b c");
  assert.notEqual(foldCase("é"), foldCase("e"));
});

Deno.test("folding twice is folding once, for every character", () => {
  for (let code = 0; code < 0x110000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    const folded = foldCase(character);
    if (foldCase(folded) !== folded) assert.fail(`U+${code.toString(16)}`);
    if (foldCase(character.toUpperCase()) !== folded) assert.fail(`U+${code.toString(16)} upper`);
    if (foldCase(character.toLowerCase()) !== folded) assert.fail(`U+${code.toString(16)} lower`);
  }
});

Deno.test("a part of a text is found in it after folding", () => {
  const words = fc.array(fc.string({ unit: "grapheme" }), { maxLength: 5 });
  fc.assert(fc.property(words, words, words, (before, part, after) => {
    const needle = foldCase(part.join("-"));
    const text = foldCase([...before, ...part, ...after].join("-"));
    // A combining mark at an edge belongs to the character before it.
    if (/^\p{M}/u.test(needle) || after.some((it) => /^\p{M}/u.test(it))) return;
    assert.ok(text.includes(needle));
  }));
});
