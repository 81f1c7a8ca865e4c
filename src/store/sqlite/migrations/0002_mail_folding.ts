import { type Bytes, decodeUtf8, encodeUtf8 } from "../../../base/mod.ts";
import { foldCase } from "../../predicate.ts";
import { decodeBytes, encodeBytes, type Encoded } from "../compression.ts";
import type { Database, Row } from "../database.ts";

const PAGE_ROWS = 200;
/** Shorter texts are stored as they are. */
const MIN_COMPRESSED_BYTES = 2048;

/**
 * Stored text was composed (NFC) and is decomposed now (NFKD), as i;unicode-casemap has it. Folding
 * what was folded the old way gives what folding the original would.
 */
export function mailFolding(db: Database): void {
  for (let after = 0;;) {
    const rows = db.all<readonly [id: number, number, Bytes, number, Bytes] & Row>(
      `SELECT content_id, header_coding, header, body_coding, body FROM search_text
       WHERE content_id > ? ORDER BY content_id LIMIT ?`,
      after,
      PAGE_ROWS,
    );
    for (const [id, headerCoding, storedHeader, bodyCoding, storedBody] of rows) {
      after = id;
      // By lines, whose ends foldCase would take for spaces.
      const header = refolded(
        headerCoding,
        storedHeader,
        (text) => text.split("\n").map(foldCase).join("\n"),
      );
      const body = refolded(bodyCoding, storedBody, foldCase);
      if (!header && !body) continue;
      db.run(
        `UPDATE search_text SET header_coding = ?, header = ?, body_coding = ?, body = ?
         WHERE content_id = ?`,
        header?.coding ?? headerCoding,
        header?.data ?? storedHeader,
        body?.coding ?? bodyCoding,
        body?.data ?? storedBody,
        id,
      );
    }
    if (rows.length < PAGE_ROWS) return;
  }
}

/** Undefined when nothing changes. */
function refolded(
  coding: number,
  stored: Bytes,
  fold: (text: string) => string,
): Encoded | undefined {
  if (stored.length === 0) return undefined;
  const text = decodeUtf8(decodeBytes(coding, stored));
  if (/^[\x00-\x7f]*$/.test(text)) return undefined;
  const data = encodeUtf8(fold(text));
  return data.length < MIN_COMPRESSED_BYTES ? { coding: 0, data } : encodeBytes(data);
}
