import { type Bytes, decodeUtf8, encodeUtf8 } from "../../base/mod.ts";
import { foldCase } from "../predicate.ts";
import { StoreError } from "../store_error.ts";
import { CHUNKS_PER_CONTENT, encodeChunk, type EncodedChunk } from "./bodies.ts";
import {
  decodeBytes,
  decodeTail,
  encodeBytes,
  type Encoded,
  encodePair,
  TAIL,
} from "./compression.ts";
import type { Database, Row } from "./database.ts";

/**
 * Shorter texts are stored as they are: a scan would spend its time unpacking them. Rows of this
 * size still share a page well.
 */
const MIN_COMPRESSED_BYTES = 2048;

/** The decoded text of a message, as `message/` gives it. */
export interface DecodedText {
  readonly headerText: string;
  readonly partHeaderText: string;
  readonly bodyText: string;
}

/** What search compares: folded once, when the message is stored. */
export interface SearchText {
  /**
   * A line for each field, "name: value" in folded form, first those of the message, then an empty
   * line, then those of its parts. Every line ends in a line feed, which no needle contains.
   */
  readonly header: string;
  readonly body: string;
}

/** Folds the text of a message. */
function foldText(decoded: DecodedText): SearchText {
  return {
    header: foldFields(decoded.headerText) + "\n" + foldFields(decoded.partHeaderText),
    body: foldCase(decoded.bodyText),
  };
}

/** Folded text in the form in which it is stored. */
export interface EncodedSearchText {
  readonly header: Encoded;
  readonly body: Encoded;
}

/** Folds and compresses, so that the commit has less to do. */
export function encodeSearchText(decoded: DecodedText): EncodedSearchText {
  const { header, body } = foldText(decoded);
  return { header: encode(header), body: encode(body) };
}

/**
 * The chunks and the text of a message that fits into one chunk: its header apart, since it is asked
 * for most, and the text of each told in terms of it where they are large enough to be compressed.
 */
export async function encodeSmallMessage(
  bytes: Bytes,
  headerSize: number,
  decoded: DecodedText,
): Promise<{ chunks: EncodedChunk[]; searchText: EncodedSearchText }> {
  const parts = [bytes.subarray(0, headerSize), bytes.subarray(headerSize)] as const;
  if (parts.some((part) => part.length === 0)) {
    const chunks = parts.filter((part) => part.length > 0).map(encodeChunk);
    return { chunks, searchText: encodeSearchText(decoded) };
  }
  const { header, body } = foldText(decoded);
  const first = await encodePair(parts[0], encodeUtf8(header));
  const second = await encodePair(parts[1], encodeUtf8(body));
  return {
    chunks: [
      { size: parts[0].length, ...first.bytes },
      { size: parts[1].length, ...second.bytes },
    ],
    searchText: { header: first.text, body: second.text },
  };
}

/** Stores the text of a content. */
export function insertSearchText(db: Database, contentId: number, text: EncodedSearchText): void {
  db.run(
    `INSERT INTO search_text (content_id, header_coding, header, body_coding, body)
     VALUES (?, ?, ?, ?, ?)`,
    contentId,
    text.header.coding,
    text.header.data,
    text.body.coding,
    text.body.data,
  );
}

/** Reads texts by content; `header` and `body` are "" when not asked for. */
export function readSearchTexts(
  db: Database,
  contentIds: readonly number[],
  columns: { header: boolean; body: boolean },
): Map<number, SearchText> {
  const rows = db.all<StoredRow>(
    `SELECT content_id,
       header_coding, CASE ?1 WHEN 1 THEN header ELSE x'' END, first.size, first.data,
       body_coding, CASE ?2 WHEN 1 THEN body ELSE x'' END, second.size, second.data
     FROM search_text
     LEFT JOIN chunk AS first ON ?1 AND header_coding = ${TAIL}
       AND first.id = content_id * ${CHUNKS_PER_CONTENT}
     LEFT JOIN chunk AS second ON ?2 AND body_coding = ${TAIL}
       AND second.id = content_id * ${CHUNKS_PER_CONTENT} + 1
     WHERE content_id IN (SELECT value FROM json_each(?3))`,
    columns.header ? 1 : 0,
    columns.body ? 1 : 0,
    JSON.stringify(contentIds),
  );
  return new Map(
    rows.map(([id, coding, data, headSize, head, bodyCoding, bodyData, bodySize, bodyHead]) => [
      id,
      {
        header: decode({ coding, data, head, headSize }),
        body: decode({ coding: bodyCoding, data: bodyData, head: bodyHead, headSize: bodySize }),
      },
    ]),
  );
}

/** A text as it is stored, and the chunk that it is the rest of, if it is one. */
interface StoredText {
  readonly coding: number;
  readonly data: Bytes;
  readonly head: Bytes | null;
  readonly headSize: number | null;
}

type StoredRow =
  & readonly [
    id: number,
    headerCoding: number,
    header: Bytes,
    firstSize: number | null,
    first: Bytes | null,
    bodyCoding: number,
    body: Bytes,
    secondSize: number | null,
    second: Bytes | null,
  ]
  & Row;

/** Whether some field `name` of the message's own header has `needle` (folded) in its value. */
export function hasField(header: string, name: string, needle: string): boolean {
  const start = name.toLowerCase() + ": ";
  for (let at = 0; header.charCodeAt(at) !== 10;) {
    const end = header.indexOf("\n", at);
    if (end < 0) return false;
    if (header.startsWith(start, at)) {
      const found = header.indexOf(needle, at + start.length);
      if (found >= 0 && found + needle.length <= end) return true;
    }
    at = end + 1;
  }
  return false;
}

/** Whether `test` is true of the value of some field `name` of the message's own header. */
export function someField(header: string, name: string, test: (value: string) => boolean): boolean {
  const start = name.toLowerCase() + ": ";
  for (let at = 0; header.charCodeAt(at) !== 10;) {
    const end = header.indexOf("\n", at);
    if (end < 0) return false;
    if (header.startsWith(start, at) && test(header.slice(at + start.length, end))) return true;
    at = end + 1;
  }
  return false;
}

function foldFields(text: string): string {
  let folded = "";
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    folded += `${line.slice(0, colon).toLowerCase()}: ` +
      `${foldCase(line.slice(colon + 1).trimStart())}\n`;
  }
  return folded;
}

function decode({ coding, data, head, headSize }: StoredText): string {
  if (data.length === 0) return "";
  if (coding !== TAIL) return decodeUtf8(decodeBytes(coding, data));
  if (!head) {
    throw new StoreError("corrupt", "A text lacks the octets that it is told in terms of.");
  }
  return decodeUtf8(decodeTail(head, headSize ?? 0, data));
}

function encode(text: string): Encoded {
  const data = encodeUtf8(text);
  return data.length < MIN_COMPRESSED_BYTES ? { coding: 0, data } : encodeBytes(data);
}
