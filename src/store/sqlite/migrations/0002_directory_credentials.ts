import type { Database } from "../database.ts";

/** Keys of TLS clients, app passwords, a count of passwords, and networks that may always come. */
export function directoryCredentials(db: Database): void {
  db.exec(`
    ALTER TABLE account ADD COLUMN password_version INTEGER NOT NULL DEFAULT 1;

    CREATE TABLE client_key (
      fingerprint TEXT PRIMARY KEY,
      account_id INTEGER NOT NULL,
      address TEXT NOT NULL,
      name TEXT NOT NULL,
      key_type TEXT NOT NULL,
      allows_preauth INTEGER NOT NULL,
      certificate BLOB NOT NULL,
      created INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX client_key_account ON client_key (account_id);

    CREATE TABLE app_password (
      -- AUTOINCREMENT: sessions remember the number, and it must not become another password's.
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      account_id INTEGER NOT NULL,
      name TEXT NOT NULL,
      -- Words with spaces between; '': everything.
      scopes TEXT NOT NULL,
      verifier TEXT NOT NULL,
      created INTEGER NOT NULL,
      last_used INTEGER,
      UNIQUE (account_id, name)
    ) STRICT;

    CREATE TABLE allowed_network (
      network TEXT PRIMARY KEY
    ) STRICT, WITHOUT ROWID;
  `);
}
