import type { Database } from "../database.ts";

/** The admin's password: one for the host, of nobody's account. */
export function directoryAdmin(db: Database): void {
  db.exec(`
    CREATE TABLE admin (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      verifier TEXT NOT NULL
    ) STRICT;
  `);
}
