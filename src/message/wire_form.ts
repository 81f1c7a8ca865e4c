/**
 * Strings as IMAP sends them (RFC 9051 4.3), built as raw text: `wireString("a\"b")` is `"a\"b"`
 * with the quote escaped, and what is not 7-bit text on one line becomes a literal.
 */

// deno-lint-ignore no-control-regex
const NEEDS_LITERAL = /[\r\n\x80-\xff]/;

/** A string of raw text. It holds no NUL, which no string may: `parseHeader` leaves them out. */
export function wireString(raw: string): string {
  return NEEDS_LITERAL.test(raw) ? `{${raw.length}}\r\n${raw}` : quote(raw);
}

/** NIL for undefined. */
export function wireNstring(raw: string | undefined): string {
  return raw === undefined ? "NIL" : wireString(raw);
}

function quote(text: string): string {
  return /["\\]/.test(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : `"${text}"`;
}
