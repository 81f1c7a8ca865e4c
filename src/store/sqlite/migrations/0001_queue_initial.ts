import type { Database } from "../database.ts";

export function queueInitial(db: Database): void {
  db.exec(`
    CREATE TABLE message (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      sender TEXT NOT NULL,
      queued INTEGER NOT NULL,
      expires INTEGER NOT NULL,
      size INTEGER NOT NULL,
      is_utf8 INTEGER NOT NULL,
      -- 0 while its content is being written.
      is_whole INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE piece (
      message_id INTEGER NOT NULL,
      number INTEGER NOT NULL,
      octets BLOB NOT NULL,
      PRIMARY KEY (message_id, number)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE recipient (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      message_id INTEGER NOT NULL,
      address TEXT NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0,
      due INTEGER NOT NULL,
      last_error TEXT NOT NULL
    ) STRICT;
    CREATE INDEX recipient_message ON recipient (message_id);
    CREATE INDEX recipient_due ON recipient (due, message_id);
  `);
}
