/** Lower-case hexadecimal text of `byteCount` cryptographically random bytes. */
export function randomHex(byteCount: number): string {
  return crypto.getRandomValues(new Uint8Array(byteCount)).toHex();
}

/** `byteCount` cryptographically random bytes (at most 65,536). */
export function randomBytes(byteCount: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(byteCount));
}

/** Letters and digits that nobody mistakes for one another when reading them aloud. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

/** `count` random letters and digits that are easy to read and type: 4.95 bits each. */
export function randomLetters(count: number): string {
  let text = "";
  while (text.length < count) {
    for (const byte of randomBytes(32)) {
      // Bytes beyond the last whole round would favour the first letters.
      if (byte < 256 - 256 % LETTERS.length) text += LETTERS[byte % LETTERS.length];
    }
  }
  return text.slice(0, count);
}
