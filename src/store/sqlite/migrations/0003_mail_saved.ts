import type { Database } from "../database.ts";

/** Messages by age, for what is deleted when it is old. */
export function mailSaved(db: Database): void {
  db.exec("CREATE INDEX message_saved ON message (save_date)");
}
