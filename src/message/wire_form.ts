import { encodeUtf8 } from "../base/mod.ts";
import { Buffer } from "node:buffer";

/**
 * Strings as IMAP sends them (RFC 9051 4.3), built as raw text: `wireString("a\"b")` is `"a\"b"`
 * with the quote escaped, and what is not 7-bit text on one line becomes a literal.
 */

// deno-lint-ignore no-control-regex
const NEEDS_LITERAL = /[\x00\r\n\x80-\xff]/;

/** A string of raw text. NUL, which no string may hold, is left out. */
export function wireString(raw: string): string {
  if (NEEDS_LITERAL.test(raw)) {
    const text = raw.replaceAll("\0", "");
    if (NEEDS_LITERAL.test(text)) return `{${text.length}}\r\n${text}`;
    return quote(text);
  }
  return quote(raw);
}

/** NIL for undefined. */
export function wireNstring(raw: string | undefined): string {
  return raw === undefined ? "NIL" : wireString(raw);
}

/** Raw text of a decoded one, in UTF-8. */
export function rawUtf8(text: string): string {
  return Buffer.from(encodeUtf8(text)).toString("latin1");
}

function quote(text: string): string {
  return /["\\]/.test(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : `"${text}"`;
}
