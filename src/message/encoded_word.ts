import { type Bytes, concatBytes, encodeLatin1 } from "../base/mod.ts";
import { decodeCharset, decodeRaw } from "./charset.ts";
import { decodeTransfer } from "./transfer_decoder.ts";

const WORD = /=\?([^?*\x00-\x20]{1,80})(?:\*[^?\x00-\x20]{0,80})?\?([bq])\?([^?]*)\?=/gi;

/**
 * Text of a raw header value: encoded-words decoded (RFC 2047), 8-bit bytes as UTF-8 or else
 * windows-1252. White space between adjacent encoded-words goes away, and neighbours in one charset
 * are joined before decoding, because senders split characters across words. Looser than the RFC:
 * words are found inside quoted strings, without white space around them, with spaces in them and
 * longer than 75 characters. What does not decode stays as it is.
 */
export function decodeWords(raw: string): string {
  if (!raw.includes("=?")) return decodeRaw(raw);
  let text = "";
  let end = 0;
  let charset = "";
  let pending: Bytes[] = [];
  const flush = () => {
    if (pending.length > 0) text += decodeCharset(concatBytes(pending), charset);
    pending = [];
  };
  for (const match of raw.matchAll(WORD)) {
    const [whole, label = "", encoding = "", content = ""] = match;
    const between = raw.slice(end, match.index);
    const adjacent = pending.length > 0 && /^[ \t\r\n]*$/.test(between);
    if (!adjacent || label.toLowerCase() !== charset) {
      flush();
      charset = label.toLowerCase();
    }
    if (!adjacent) text += decodeRaw(between);
    pending.push(decodeContent(encoding, content));
    end = match.index + whole.length;
  }
  flush();
  return text + decodeRaw(raw.slice(end));
}

function decodeContent(encoding: string, content: string): Bytes {
  if (encoding === "b" || encoding === "B") return decodeTransfer(encodeLatin1(content), "base64");
  const bytes = content.replaceAll("_", " ").replace(
    /=([0-9a-f]{2})/gi,
    (_, hex: string) => String.fromCharCode(parseInt(hex, 16)),
  );
  return encodeLatin1(bytes);
}
