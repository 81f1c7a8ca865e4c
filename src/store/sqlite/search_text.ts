import { type Bytes, decodeUtf8, encodeUtf8 } from "../../base/mod.ts";
import { foldCase } from "../predicate.ts";
import { decodeBytes, encodeBytes, type Encoded } from "./compression.ts";
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
export function foldText(decoded: DecodedText): SearchText {
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
  const rows = db.all<readonly [id: number, number, Bytes, number, Bytes] & Row>(
    `SELECT content_id,
       header_coding, CASE ?1 WHEN 1 THEN header ELSE x'' END,
       body_coding, CASE ?2 WHEN 1 THEN body ELSE x'' END
     FROM search_text WHERE content_id IN (SELECT value FROM json_each(?3))`,
    columns.header ? 1 : 0,
    columns.body ? 1 : 0,
    JSON.stringify(contentIds),
  );
  return new Map(
    rows.map(([id, headerCoding, header, bodyCoding, body]) => [
      id,
      { header: decode(headerCoding, header), body: decode(bodyCoding, body) },
    ]),
  );
}

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

function decode(coding: number, data: Bytes): string {
  return data.length === 0 ? "" : decodeUtf8(decodeBytes(coding, data));
}

function encode(text: string): Encoded {
  const data = encodeUtf8(text);
  return data.length < MIN_COMPRESSED_BYTES ? { coding: 0, data } : encodeBytes(data);
}
