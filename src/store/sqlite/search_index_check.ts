import { StoreError } from "../store_error.ts";
import type { Database } from "./database.ts";
import { PIECES } from "./search_trigrams.ts";

/** What SQLite says of the file and of its full-text table; "" when all is well. */
export function damageOf(db: Database): string {
  const said = db.get<[string]>("PRAGMA integrity_check(1)")?.[0] ?? "";
  if (said !== "ok") return `the file is damaged: ${said}`;
  try {
    db.run("INSERT INTO trigram (trigram, rank) VALUES ('integrity-check', 0)");
    return "";
  } catch (error) {
    if (error instanceof StoreError && error.code === "unavailable") throw error;
    return `its table is damaged: ${(error as Error).message}`;
  }
}

/** Contents of the mail that the index should have and has not, of the next page of them. */
export function missingContents(
  db: Database,
  mail: Database,
  after: number,
  through: number,
): { missing: readonly number[]; last: number | undefined } {
  const ids = mail.all<[number]>(
    `SELECT DISTINCT content_id FROM message WHERE content_id > ? AND content_id <= ?
     ORDER BY content_id LIMIT 500`,
    after,
    through,
  ).map(([id]) => id);
  const missing = db.all<[number]>(
    `SELECT value FROM json_each(?)
     WHERE value NOT IN (SELECT content_id FROM todo) AND NOT EXISTS (SELECT 1
       FROM trigram_docsize WHERE id BETWEEN value * ${PIECES} AND value * ${PIECES} + ${
      PIECES - 1
    })`,
    JSON.stringify(ids),
  ).map(([id]) => id);
  return { missing, last: ids.at(-1) };
}
