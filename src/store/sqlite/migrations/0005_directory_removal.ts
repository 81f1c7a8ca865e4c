import type { Database } from "../database.ts";

/** When a disabled account is to be removed, in seconds since 1970. */
export function directoryRemoval(db: Database): void {
  db.exec(`
    ALTER TABLE account ADD COLUMN remove_at INTEGER;
    CREATE INDEX account_removal ON account (remove_at) WHERE remove_at IS NOT NULL;
  `);
}
