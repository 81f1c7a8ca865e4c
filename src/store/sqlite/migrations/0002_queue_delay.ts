import type { Database } from "../database.ts";

/** Whether the sender was told that a message is late. */
export function queueDelay(db: Database): void {
  db.exec("ALTER TABLE message ADD COLUMN is_delay_told INTEGER NOT NULL DEFAULT 0");
}
