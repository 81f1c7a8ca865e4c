import { randomBytes } from "../base/mod.ts";

/** Letters and digits that nobody mistakes for one another when reading them aloud. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

/** A password of about 99 bits: four groups of five letters, easy to type on a phone. */
export function generatePassword(): string {
  let text = "";
  while (text.length < 20) {
    for (const byte of randomBytes(32)) {
      // Bytes beyond the last whole round would favour the first letters.
      if (byte < 256 - 256 % LETTERS.length) text += LETTERS[byte % LETTERS.length];
    }
  }
  return (text.slice(0, 20).match(/.{5}/g) ?? []).join("-");
}
