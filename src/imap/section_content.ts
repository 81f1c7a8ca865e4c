import { type Bytes, concatBytes, type MailboxId } from "../base/mod.ts";
import { type ByteRange, decodeParts, headerFields, resolveSection } from "../message/mod.ts";
import type { AccountStore, ContentColumn, MessageRow } from "../store/mod.ts";
import { type BodySection, cut, cutRange, type Partial } from "./section.ts";

/** What must be read of a message for a section. The header is kept apart, away from bodies. */
export function sectionColumns({ part, text }: BodySection): readonly ContentColumn[] {
  if (part.length > 0) return ["parts", "raw"];
  if (text === "HEADER") return ["header"];
  return text === undefined ? ["raw"] : ["header", "raw"];
}

/** Where a section lies in the stored message; undefined when the message has no such part. */
export function locateSection(row: MessageRow, section: BodySection): ByteRange | undefined {
  if (section.part.length > 0) return resolveSection(decodeParts(row.parts!), section);
  if (section.text === "HEADER") return { start: 0, end: row.header!.length };
  if (section.text === "TEXT") return { start: row.header!.length, end: row.size };
  return { start: 0, end: row.size };
}

/** Octets `start` to `end` (exclusive) of the stored message that were read with its row. */
export function inlineContent(row: MessageRow, { start, end }: ByteRange): Bytes | undefined {
  const stored = row.header && end <= row.header.length ? row.header : row.raw;
  return stored?.subarray(start, end);
}

/** A section of a message as FETCH gives it, in pieces; undefined when there is no such part. */
export function readSectionContent(
  store: AccountStore,
  mailbox: MailboxId,
  row: MessageRow,
  section: BodySection,
  partial: Partial | undefined,
): AsyncIterable<Bytes> | undefined {
  const range = locateSection(row, section);
  if (!range) return undefined;
  if (!section.fields) return readRange(store, mailbox, row, cutRange(range, partial));
  return readFields(store, mailbox, row, range, section.fields, partial);
}

async function* readRange(
  store: AccountStore,
  mailbox: MailboxId,
  row: MessageRow,
  range: ByteRange,
): AsyncIterable<Bytes> {
  const inline = inlineContent(row, range);
  if (inline) yield inline;
  else yield* store.readRaw(mailbox, row.uid, range.start, range.end);
}

/** Header fields, for which the header is held whole: it is bounded when a message is stored. */
async function* readFields(
  store: AccountStore,
  mailbox: MailboxId,
  row: MessageRow,
  range: ByteRange,
  { names, not }: NonNullable<BodySection["fields"]>,
  partial: Partial | undefined,
): AsyncIterable<Bytes> {
  const pieces = await Array.fromAsync(readRange(store, mailbox, row, range));
  yield cut(headerFields(concatBytes(pieces), names, not), partial);
}
