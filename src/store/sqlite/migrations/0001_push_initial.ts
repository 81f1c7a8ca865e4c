import type { Database } from "../database.ts";

export function pushInitial(db: Database): void {
  db.exec(`
    CREATE TABLE token (
      token TEXT PRIMARY KEY,
      account_id INTEGER NOT NULL,
      -- When a device last named it.
      named INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX token_account ON token (account_id, named);
    CREATE INDEX token_named ON token (named);

    CREATE TABLE waiting (
      -- AUTOINCREMENT: what is on its way must not settle what came after it.
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      token TEXT NOT NULL UNIQUE,
      queued INTEGER NOT NULL,
      due INTEGER NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX waiting_due ON waiting (due);
  `);
}
