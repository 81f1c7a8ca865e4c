import type { Database } from "../database.ts";

export function directoryInitial(db: Database): void {
  db.exec(`
    CREATE TABLE domain (
      name TEXT PRIMARY KEY,
      is_disabled INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE account (
      -- AUTOINCREMENT: the number names the folder of the mail and is never used again.
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      address TEXT NOT NULL,
      disabled_message TEXT,
      -- NULL: the default; -1: no limit.
      quota_bytes INTEGER,
      disabled_capabilities TEXT NOT NULL DEFAULT '',
      created INTEGER NOT NULL,
      security_version INTEGER NOT NULL DEFAULT 1,
      verifier TEXT NOT NULL,
      -- 1 once the mail database was made: from then on a missing file is a loss, not a beginning.
      has_mail INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    -- Every address in the form in which it is compared, accounts' own ones too.
    CREATE TABLE address (
      address TEXT PRIMARY KEY,
      domain TEXT NOT NULL,
      account_id INTEGER NOT NULL,
      is_own INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX address_account ON address (account_id);
    CREATE INDEX address_domain ON address (domain);

    CREATE TABLE secret (
      name TEXT PRIMARY KEY,
      value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
  `);
}
