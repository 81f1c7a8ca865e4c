import { type Reader, WireError } from "../wire/mod.ts";
import { no } from "./imap_error.ts";

/**
 * Charsets that [BADCHARSET] lists (RFC 9051 7.1): those in use, under their registered names.
 * Every other one that the runtime's decoder knows is taken as well.
 */
const LISTED = [
  "US-ASCII",
  "UTF-8",
  "ISO-8859-1",
  "ISO-8859-2",
  "ISO-8859-5",
  "ISO-8859-7",
  "ISO-8859-9",
  "ISO-8859-15",
  "WINDOWS-1250",
  "WINDOWS-1251",
  "WINDOWS-1252",
  "KOI8-R",
  "KOI8-U",
  "GB18030",
  "BIG5",
  "SHIFT_JIS",
  "EUC-JP",
  "ISO-2022-JP",
  "EUC-KR",
];

/**
 * How the strings of a search are decoded: strictly, so that a wrong CHARSET is told rather than
 * searched for. Throws NO [BADCHARSET] for a charset that is not known (RFC 9051 6.4.4).
 */
export function searchDecoder(charset: string): TextDecoder {
  // Clients announce US-ASCII and send UTF-8; of the two only one can be meant.
  const label = /^(us-)?ascii$/i.test(charset) ? "utf-8" : charset;
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true });
  } catch {
    throw no("Charset not supported", `BADCHARSET (${LISTED.join(" ")})`);
  }
}

/** Reads a search text, an astring in the charset of `decoder`. */
export function readSearchText(reader: Reader, decoder: TextDecoder): string {
  const bytes = reader.astringBytes();
  try {
    return decoder.decode(bytes);
  } catch {
    throw new WireError("Search text is not valid in its charset");
  }
}
