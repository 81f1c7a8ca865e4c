import { type Bytes, decodeUtf8Strictly, encodeLatin1 } from "../base/mod.ts";
import { Buffer } from "node:buffer";
import iconv from "iconv-lite";

// deno-lint-ignore no-control-regex
const EIGHT_BIT = /[\x80-\xff]/;

/** Labels that promise 7 bits or nothing: what the bytes look like tells more than they do. */
const UNTOLD = new Set(["", "us-ascii", "ascii", "utf-8", "utf8", "unknown-8bit", "x-unknown"]);

const decoders = new Map<string, TextDecoder | undefined>();

/**
 * Text of `bytes` in `charset` (any case). Without a charset, with one nobody knows, or with
 * US-ASCII: UTF-8 when the bytes are valid as such, else windows-1252. Never fails; bytes without
 * meaning become U+FFFD.
 */
export function decodeCharset(bytes: Bytes, charset: string): string {
  const label = charset.trim().toLowerCase();
  if (!UNTOLD.has(label)) {
    const decoder = findDecoder(label);
    if (decoder !== undefined) return decoder.decode(bytes);
    if (label !== "base64" && label !== "hex" && iconv.encodingExists(label)) {
      return iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), label)
        .toWellFormed();
    }
  }
  return decodeUtf8Strictly(bytes) ?? findDecoder("windows-1252")?.decode(bytes) ?? "";
}

/** Decoded form of raw header text that may hold 8-bit bytes (RFC 6532, and older habits). */
export function decodeRaw(raw: string): string {
  return EIGHT_BIT.test(raw) ? decodeCharset(encodeLatin1(raw), "") : raw;
}

/** The runtime's decoder for a label, which knows the charsets of the web; undefined for others. */
function findDecoder(label: string): TextDecoder | undefined {
  if (decoders.has(label)) return decoders.get(label);
  let decoder: TextDecoder | undefined;
  try {
    decoder = new TextDecoder(label);
  } catch {
    decoder = undefined;
  }
  // A sender chooses the labels, so the cache must not grow with them.
  if (decoders.size < 200) decoders.set(label, decoder);
  return decoder;
}
