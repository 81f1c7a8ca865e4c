import type { Bytes } from "../base/mod.ts";
import { type ByteRange, decodeParts, headerFields, resolveSection } from "../message/mod.ts";
import type { ContentColumn, MessageRow } from "../store/mod.ts";
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
    columns: columnsFor(section),
    async write(row, session) {
      session.out.writer.raw(`${label}${originText(partial)} `);
      await writeSection(row, session, section, partial);
    },
  };
}

/** RFC822, RFC822.HEADER and RFC822.TEXT: other names for sections (RFC 3501 6.4.5). */
function rfc822Item(name: string, section: BodySection, setsSeen: boolean): FetchItem {
  return {
    key: name,
    setsSeen,
    columns: columnsFor(section),
    async write(row, session) {
      session.out.writer.raw(`${name} `);
      await writeSection(row, session, section, undefined);
    },
  };
}

/** The header is kept apart, so that lists of messages never touch bodies. */
function columnsFor({ part, text }: BodySection): readonly ContentColumn[] {
  if (part.length > 0) return ["parts", "raw"];
  if (text === "HEADER") return ["header"];
  return text === undefined ? ["raw"] : ["header", "raw"];
}

async function writeSection(
  row: MessageRow,
  session: Session,
  section: BodySection,
  partial: Partial | undefined,
): Promise<void> {
  const { writer } = session.out;
  const range = rangeOf(row, section);
  if (!range) return void writer.raw("NIL");
  if (section.fields) {
    const header = await readAll(row, session, range);
    const { names, not } = section.fields;
    return void writer.literal(cut(headerFields(header, names, not), partial));
  }
  const { start, end } = cutRange(range, partial);
  if (row.header && end <= row.header.length) {
    return void writer.literal(row.header.subarray(start, end));
  }
  if (row.raw) return void writer.literal(row.raw.subarray(start, end));
  writer.raw(`{${end - start}}\r\n`);
  await pipeRaw(row, session, start, end, (piece) => void writer.bytes(piece));
}

function rangeOf(row: MessageRow, section: BodySection): ByteRange | undefined {
  if (section.part.length > 0) return resolveSection(decodeParts(row.parts!), section);
  if (section.text === "HEADER") return { start: 0, end: row.header!.length };
  if (section.text === "TEXT") return { start: row.header!.length, end: row.size };
  return { start: 0, end: row.size };
}

/** All octets of a range, for headers, which are bounded when a message is stored. */
async function readAll(row: MessageRow, session: Session, range: ByteRange): Promise<Bytes> {
  const stored = row.header && range.end <= row.header.length ? row.header : row.raw;
  if (stored) return stored.subarray(range.start, range.end);
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
