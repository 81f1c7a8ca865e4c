import type { Database } from "../database.ts";

export function loginsInitial(db: Database): void {
  db.exec(`
    CREATE TABLE login (
      id INTEGER PRIMARY KEY,
      -- SHA-256 of everything but count and times.
      key BLOB NOT NULL UNIQUE,
      -- 0: no account.
      account_id INTEGER NOT NULL,
      is_failure INTEGER NOT NULL,
      count INTEGER NOT NULL,
      first_ms INTEGER NOT NULL,
      last_ms INTEGER NOT NULL,
      username TEXT NOT NULL,
      remote TEXT NOT NULL,
      local TEXT NOT NULL,
      tls TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      protocol TEXT NOT NULL,
      user_agent TEXT NOT NULL,
      mechanism TEXT NOT NULL,
      result TEXT NOT NULL
    ) STRICT;
    CREATE INDEX login_time ON login (last_ms, id);
    CREATE INDEX login_account ON login (account_id, is_failure, last_ms);

    CREATE TABLE network (
      network TEXT PRIMARY KEY,
      minute_start_ms INTEGER NOT NULL,
      minute_failures INTEGER NOT NULL,
      day_start_ms INTEGER NOT NULL,
      day_failures INTEGER NOT NULL,
      -- All three or none.
      ban_reason TEXT,
      ban_since_ms INTEGER,
      ban_until_ms INTEGER
    ) STRICT, WITHOUT ROWID;
  `);
}
