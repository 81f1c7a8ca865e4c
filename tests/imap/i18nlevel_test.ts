import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeLatin1 } from "../../src/base/mod.ts";
import { collationKey } from "../../src/imap/sort_order.ts";
import { foldCase } from "../../src/store/mod.ts";

/** The form in which i;unicode-casemap compares, as text. */
function casemap(text: string): string {
  const key = collationKey(text);
  if (/^[\x00-\x7f]*$/.test(key)) return key;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(encodeLatin1(key));
}

Deno.test("what i;unicode-casemap takes for equal, SEARCH takes for equal: every character", () => {
  for (let code = 0; code < 0x110000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    if (foldCase(casemap(character)) !== foldCase(character)) assert.fail(`U+${code.toString(16)}`);
  }
});

Deno.test("what i;unicode-casemap finds in a text, SEARCH finds", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 12 });
  const variants = fc.constantFrom(
    (it: string) => it,
    (it: string) => it.toLowerCase(),
    (it: string) => it.normalize("NFC"),
    (it: string) => it.normalize("NFKD"),
  );
  fc.assert(fc.property(text, text, text, variants, (before, needle, after, vary) => {
    const whole = before + needle + after;
    if (!casemap(whole).includes(casemap(vary(needle)))) return;
    // Marks that are put in order across the edge of a needle are no part of what it looks for.
    if (/^\p{M}|\p{M}$/u.test(foldCase(needle)) || /^\p{M}/u.test(foldCase(after))) return;
    assert.ok(foldCase(whole).includes(foldCase(vary(needle)).trim()));
  }));
});
