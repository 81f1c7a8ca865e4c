import type { Annotation } from "../store/mod.ts";
import { decodeUtf8Strictly } from "../base/mod.ts";
import { type Reader, WireError, type Writer } from "../wire/mod.ts";
import { no } from "./imap_error.ts";
import { MAX_ENTRY_NAME_LENGTH } from "./limits.ts";

/**
 * Reads the name of a METADATA entry (RFC 5464 3.2) and gives it in the form in which it is stored,
 * lower case. A name that breaks the grammar is BAD. Which names can be set is for
 * `checkSettable` to say: asking for others finds nothing.
 */
export function readEntryName(reader: Reader): string {
  const name = reader.astring();
  if (!/^[\x20-\x7e]*$/.test(name) || /[*%]|\/\/|.\/$/.test(name)) {
    throw new WireError("Not the name of a METADATA entry");
  }
  if (name.length > MAX_ENTRY_NAME_LENGTH) {
    throw no(`An entry's name has at most ${MAX_ENTRY_NAME_LENGTH} characters`, "LIMIT");
  }
  return name.toLowerCase();
}

/**
 * Throws NO unless the name lies in one of the two namespaces and, below a vendor, names what it is
 * of whom (RFC 5464 3.2). Names are not looked up in a registry: clients use their own.
 */
export function checkSettable(entry: string): void {
  if (!/^\/(?:private|shared)\/./.test(entry)) {
    throw no("An entry's name begins with /private/ or /shared/");
  }
  if (/^\/[^/]+\/vendor(?:\/[^/]*)?$/.test(entry)) {
    throw no("A vendor's entry has at least four components");
  }
}

/** Values are octets; they come back as what they were given as, text or literal8. */
export function writeEntryValue(writer: Writer, annotation: Annotation | undefined): void {
  const value = annotation?.value;
  if (!annotation || value === undefined) return void writer.raw("NIL");
  // A NUL may stand in a literal8 alone (RFC 9051 4.3).
  if (annotation.isBinary || value.includes(0)) return void writer.literal8(value);
  const text = decodeUtf8Strictly(value);
  if (text === undefined) writer.literal(value);
  else writer.string(text);
}

/** Longest line of entry names, in characters; clients bound their lines. */
const MAX_NAMES_LENGTH = 4000;

/** The unsolicited response: which entries changed, without values (RFC 5464 4.4.2). */
export function writeChangedEntries(
  writer: Writer,
  mailbox: string,
  entries: Iterable<string>,
): void {
  let room = 0;
  let isOpen = false;
  for (const entry of entries) {
    if (room < entry.length) {
      if (isOpen) writer.crlf();
      writer.raw("* METADATA ").mailbox(mailbox);
      isOpen = true;
      room = MAX_NAMES_LENGTH;
    }
    room -= entry.length + 1;
    writer.raw(" ").astring(entry);
  }
  if (isOpen) writer.crlf();
}
