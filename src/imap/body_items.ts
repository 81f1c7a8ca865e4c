import type { Bytes } from "../base/mod.ts";
import { type ByteRange, headerFields } from "../message/mod.ts";
import type { MessageRow } from "../store/mod.ts";
import type { Reader } from "../wire/mod.ts";
import type { FetchItem, FetchItemSpec } from "./fetch_items.ts";
import {
  type BodySection,
  cut,
  cutRange,
  originText,
  type Partial,
  partialText,
  readPartial,
  readSection,
  sectionText,
} from "./section.ts";
import { inlineContent, locateSection, sectionColumns } from "./section_content.ts";
import type { Session } from "./session.ts";

/** BODY, BODY[…], BODY.PEEK[…] and the older RFC822… (RFC 3501 6.4.5). */
export const bodyItems: readonly FetchItemSpec[] = [
  {
    name: "BODY",
    parse: (reader) => reader.peek() === "[" ? bodyItem(reader, true) : plainBodyItem,
  },
  { name: "BODY.PEEK", parse: (reader) => bodyItem(reader, false) },
  { name: "RFC822", parse: () => rfc822Item("RFC822", { part: [] }, true) },
  { name: "RFC822.HEADER", parse: () => rfc822Item("RFC822.HEADER", HEADER, false) },
  { name: "RFC822.TEXT", parse: () => rfc822Item("RFC822.TEXT", { part: [], text: "TEXT" }, true) },
];

const HEADER: BodySection = { part: [], text: "HEADER" };

/** BODY: the body structure without extension data. */
const plainBodyItem: FetchItem = {
  key: "BODY",
  columns: ["body"],
  write: (row, { out }) => void out.writer.raw("BODY ").bytes(row.body!),
};

function bodyItem(reader: Reader, setsSeen: boolean): FetchItem {
  const section = readSection(reader);
  const partial = readPartial(reader);
  const label = `BODY${sectionText(section)}`;
  return {
    key: `${label}${partialText(partial)}`,
    setsSeen,
    columns: sectionColumns(section),
    write(row, session) {
      session.out.writer.raw(`${label}${originText(partial)} `);
      return writeSection(row, session, section, partial);
    },
  };
}

/** RFC822, RFC822.HEADER and RFC822.TEXT: other names for sections (RFC 3501 6.4.5). */
function rfc822Item(name: string, section: BodySection, setsSeen: boolean): FetchItem {
  return {
    key: name,
    setsSeen,
    columns: sectionColumns(section),
    write(row, session) {
      session.out.writer.raw(`${name} `);
      return writeSection(row, session, section, undefined);
    },
  };
}

/** Writes a section's octets: at once when they came with the row, piece by piece when not. */
function writeSection(
  row: MessageRow,
  session: Session,
  section: BodySection,
  partial: Partial | undefined,
): void | Promise<void> {
  const { writer } = session.out;
  const range = locateSection(row, section);
  if (!range) return void writer.raw("NIL");
  const { fields } = section;
  if (fields) {
    const pick = (header: Bytes) =>
      void writer.literal(withoutNul(cut(headerFields(header, fields.names, fields.not), partial)));
    const header = inlineContent(row, range);
    return header ? pick(header) : readAll(row, session, range).then(pick);
  }
  const { start, end } = cutRange(range, partial);
  const inline = inlineContent(row, { start, end });
  if (inline) return void writer.literal(withoutNul(inline));
  writer.raw(`{${end - start}}\r\n`);
  return pipeRaw(row, session, start, end, (piece) => void writer.bytes(withoutNul(piece)));
}

/**
 * No literal holds NUL (CHAR8 in RFC 9051 9), and BODY[…] may not be a literal8. In its place goes
 * 0x80, as from Dovecot: sizes and partials stay true. BINARY[] gives the octets as they are.
 */
function withoutNul(octets: Bytes): Bytes {
  if (!octets.includes(0)) return octets;
  return octets.map((octet) => octet === 0 ? 0x80 : octet);
}

/** All octets of a range that the row does not hold: headers, bounded when a message is stored. */
async function readAll(row: MessageRow, session: Session, range: ByteRange): Promise<Bytes> {
  const whole = new Uint8Array(range.end - range.start);
  let length = 0;
  await pipeRaw(row, session, range.start, range.end, (piece) => {
    whole.set(piece, length);
    length += piece.length;
  });
  return whole;
}

/** Hands on a range of the stored message piece by piece, no faster than the client reads. */
export async function pipeRaw(
  row: MessageRow,
  session: Session,
  start: number,
  end: number,
  onPiece: (piece: Bytes) => void,
): Promise<void> {
  const { store } = session.account;
  for await (const piece of store.readRaw(session.selected.mailboxId, row.uid, start, end)) {
    onPiece(piece);
    await session.out.relieve();
  }
}
