import { decodeParts } from "../../message/mod.ts";
import { StoreError } from "../store_error.ts";
import { chunkSize, type Layout, readChunk } from "./bodies.ts";
import type { Database, Row } from "./database.ts";
import { readSearchTexts } from "./search_text.ts";
import type { Bytes } from "../../base/mod.ts";

/** What is wrong with a chunk, in words. */
export function chunkFault(db: Database, layout: Layout, number: number): string | undefined {
  try {
    const found = readChunk(db, layout.contentId, number)?.length;
    const expected = chunkSize(layout, number);
    if (found === expected) return undefined;
    return `chunk ${number} has ${found ?? "no"} octets, not ${expected}`;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return `chunk ${number} cannot be read: ${error.message}`;
  }
}

type DerivedRow =
  & readonly [ancestors: string, sortKeys: string, parts: Bytes, shapes: number]
  & Row;

/** What is wrong with what was derived from a content, in words. Not whether it is what the parser
 * of today would make of it: that may have learnt something since. */
export function derivedFault(db: Database, contentId: number): string | undefined {
  const row = db.get<DerivedRow>(
    `SELECT ancestors, sort_keys, parts, min(
       substr(envelope, 1, 1) = x'28' AND substr(envelope, -1) = x'29',
       substr(body, 1, 1) = x'28' AND substr(body, -1) = x'29',
       substr(body_structure, 1, 1) = x'28' AND substr(body_structure, -1) = x'29')
     FROM content WHERE id = ?`,
    contentId,
  );
  if (!row) return undefined;
  const [ancestors, sortKeys, parts, areShapesRight] = row;
  if (areShapesRight !== 1) return "its envelope or structure is damaged";
  try {
    if (!Array.isArray(JSON.parse(ancestors))) return "its references are damaged";
    if (typeof JSON.parse(sortKeys) !== "object") return "its sort keys are damaged";
    decodeParts(parts);
    const texts = readSearchTexts(db, [contentId], { header: true, body: true });
    return texts.has(contentId) ? undefined : "its text for search is missing";
  } catch (error) {
    // Each of these is ours, and a decoder that fails says nothing but that it is damaged.
    return `what was derived from it cannot be read: ${(error as Error).message}`;
  }
}
