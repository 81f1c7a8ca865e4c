import type { Database } from "../database.ts";

export function historyInitial(db: Database): void {
  db.exec(`
    CREATE TABLE series (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE
    ) STRICT;

    CREATE TABLE sample (
      series_id INTEGER NOT NULL,
      -- Seconds since 1970.
      time INTEGER NOT NULL,
      value REAL NOT NULL,
      PRIMARY KEY (series_id, time)
    ) STRICT, WITHOUT ROWID;
  `);
}
