import { decodeUtf8Strictly } from "../base/mod.ts";
import { type Reader, WireError } from "../wire/mod.ts";
import { no } from "./imap_error.ts";

/** Charsets that SEARCH takes, as [BADCHARSET] lists them (RFC 9051 7.1). */
const CHARSETS = ["US-ASCII", "UTF-8"];

/** Checks a CHARSET argument; throws NO [BADCHARSET] for one that SEARCH does not take. */
export function checkCharset(charset: string): void {
  if (!CHARSETS.includes(charset.toUpperCase())) {
    throw no("Charset not supported", `BADCHARSET (${CHARSETS.join(" ")})`);
  }
}

/** Reads a search text, an astring in UTF-8. */
export function readSearchText(reader: Reader): string {
  const text = decodeUtf8Strictly(reader.astringBytes());
  if (text === undefined) throw new WireError("Search text is not valid in its charset");
  return text;
}
