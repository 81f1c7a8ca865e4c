import type { Database } from "../database.ts";

export function mailInitial(db: Database): void {
  db.exec(`
    -- One row: counters that never go down, and totals for quota.
    CREATE TABLE account (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      object_prefix TEXT NOT NULL,
      modseq INTEGER NOT NULL,
      next_uid_validity INTEGER NOT NULL,
      next_mailbox_id INTEGER NOT NULL,
      next_content_id INTEGER NOT NULL,
      messages INTEGER NOT NULL DEFAULT 0,
      size INTEGER NOT NULL DEFAULT 0,
      deleted_size INTEGER NOT NULL DEFAULT 0,
      -- Highest mod-sequence of which a mailbox event was forgotten.
      events_trimmed_seq INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    CREATE TABLE mailbox (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      uid_validity INTEGER NOT NULL,
      uid_next INTEGER NOT NULL,
      modseq INTEGER NOT NULL,
      create_seq INTEGER NOT NULL,
      append_seq INTEGER NOT NULL DEFAULT 0,
      expunge_seq INTEGER NOT NULL DEFAULT 0,
      flag_seq INTEGER NOT NULL DEFAULT 0,
      -- Bits in the order Archive, Drafts, Junk, Sent, Trash.
      special_use INTEGER NOT NULL DEFAULT 0,
      -- Separated by one space, in the order of their first use.
      keywords TEXT NOT NULL DEFAULT '',
      messages INTEGER NOT NULL DEFAULT 0,
      unseen INTEGER NOT NULL DEFAULT 0,
      deleted INTEGER NOT NULL DEFAULT 0,
      size INTEGER NOT NULL DEFAULT 0,
      deleted_size INTEGER NOT NULL DEFAULT 0,
      -- Messages above this UID are \\Recent; and how many of them there are.
      recent_after INTEGER NOT NULL DEFAULT 0,
      recent INTEGER NOT NULL DEFAULT 0,
      -- Highest mod-sequence of which an expunge was forgotten.
      trimmed_seq INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    -- Deleted mailboxes whose messages and history are still to be cleared away.
    CREATE TABLE doomed_mailbox (
      id INTEGER PRIMARY KEY
    ) STRICT;

    CREATE TABLE subscription (
      name TEXT PRIMARY KEY
    ) STRICT, WITHOUT ROWID;

    -- Narrow, in the order of FETCH, and all that FETCH FLAGS needs.
    CREATE TABLE message (
      mailbox_id INTEGER NOT NULL,
      uid INTEGER NOT NULL,
      modseq INTEGER NOT NULL,
      create_seq INTEGER NOT NULL,
      flags INTEGER NOT NULL,
      -- As FETCH prints them: the mailbox's spelling, sorted, separated by one space.
      keywords TEXT NOT NULL,
      internal_seconds INTEGER NOT NULL,
      internal_zone INTEGER NOT NULL,
      internal_day INTEGER NOT NULL,
      save_date INTEGER NOT NULL,
      size INTEGER NOT NULL,
      content_id INTEGER NOT NULL,
      thread_id INTEGER NOT NULL,
      PRIMARY KEY (mailbox_id, uid)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX message_modseq ON message (mailbox_id, modseq);
    CREATE INDEX message_content ON message (content_id);
    CREATE INDEX message_unseen ON message (mailbox_id, uid) WHERE flags & 1 = 0;

    -- Expunged messages while sessions that were not told may still fetch them.
    CREATE TABLE expunged (
      mailbox_id INTEGER NOT NULL,
      uid INTEGER NOT NULL,
      modseq INTEGER NOT NULL,
      create_seq INTEGER NOT NULL,
      flags INTEGER NOT NULL,
      keywords TEXT NOT NULL,
      internal_seconds INTEGER NOT NULL,
      internal_zone INTEGER NOT NULL,
      internal_day INTEGER NOT NULL,
      save_date INTEGER NOT NULL,
      size INTEGER NOT NULL,
      content_id INTEGER NOT NULL,
      thread_id INTEGER NOT NULL,
      expunged_at INTEGER NOT NULL,
      PRIMARY KEY (mailbox_id, uid)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX expunged_content ON expunged (content_id);
    CREATE INDEX expunged_at ON expunged (expunged_at);

    -- The history of expunges: one row for each range of UIDs that went together.
    CREATE TABLE tombstone (
      mailbox_id INTEGER NOT NULL,
      modseq INTEGER NOT NULL,
      first_uid INTEGER NOT NULL,
      last_uid INTEGER NOT NULL,
      expunged_at INTEGER NOT NULL,
      PRIMARY KEY (mailbox_id, modseq, first_uid)
    ) STRICT, WITHOUT ROWID;

    -- What is known of a message's bytes, shared by its copies; never changes.
    CREATE TABLE content (
      id INTEGER PRIMARY KEY,
      size INTEGER NOT NULL,
      -- Octets of chunk 0; the others have 256 KiB, the last one what is left.
      first_chunk_size INTEGER NOT NULL,
      header_size INTEGER NOT NULL,
      thread_id INTEGER NOT NULL,
      sent_ms INTEGER,
      sent_day INTEGER,
      message_id TEXT,
      -- JSON array of the message identifiers above this one in its thread, oldest first.
      ancestors TEXT NOT NULL,
      base_subject TEXT NOT NULL,
      is_reply INTEGER NOT NULL,
      -- JSON of the parser's SortKeys.
      sort_keys TEXT NOT NULL,
      preview TEXT NOT NULL,
      envelope BLOB NOT NULL,
      body BLOB NOT NULL,
      body_structure BLOB NOT NULL,
      parts BLOB NOT NULL
    ) STRICT;
    CREATE INDEX content_thread ON content (thread_id);

    -- id = content id * 2^20 + number of the chunk.
    CREATE TABLE chunk (
      id INTEGER PRIMARY KEY,
      size INTEGER NOT NULL,
      -- 0: as it is; 1: zstd.
      coding INTEGER NOT NULL,
      data BLOB NOT NULL
    ) STRICT;

    -- Decoded and folded text for search, apart so that ENVELOPE and the like do not wade through it.
    CREATE TABLE search_text (
      content_id INTEGER PRIMARY KEY,
      header_coding INTEGER NOT NULL,
      header BLOB NOT NULL,
      body_coding INTEGER NOT NULL,
      body BLOB NOT NULL
    ) STRICT;

    -- Chunks of messages that are still coming in.
    CREATE TABLE staging (
      content_id INTEGER PRIMARY KEY,
      touched_at INTEGER NOT NULL
    ) STRICT;

    -- Hashes of message identifiers, to find the thread of an answer.
    CREATE TABLE thread_ref (
      hash INTEGER PRIMARY KEY,
      thread_id INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX thread_ref_thread ON thread_ref (thread_id);

    -- Mailbox 0 is the account itself.
    CREATE TABLE annotation (
      mailbox_id INTEGER NOT NULL,
      entry TEXT NOT NULL,
      value BLOB NOT NULL,
      is_binary INTEGER NOT NULL,
      modseq INTEGER NOT NULL,
      PRIMARY KEY (mailbox_id, entry)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE event (
      id INTEGER PRIMARY KEY,
      modseq INTEGER NOT NULL,
      happened_at INTEGER NOT NULL,
      kind TEXT NOT NULL,
      mailbox_id INTEGER,
      name TEXT NOT NULL,
      -- The old name of "renamed", the entries of "metadata" separated by one space.
      detail TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX event_modseq ON event (modseq);
  `);
}
