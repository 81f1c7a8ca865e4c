import type { AccountFile } from "./account_file.ts";
import { dropContent } from "./content.ts";
import type { Database } from "./database.ts";
import { sweepStaging } from "./staging.ts";

/** How long what is gone is remembered. */
export interface TrimPolicy {
  /** Expunged messages stay readable for so long, for sessions that were not told yet. */
  readonly contentSeconds: number;
  /** Expunges and mailbox events older than this are forgotten; clients then synchronise in full. */
  readonly historySeconds: number;
  /** Rows of history of each kind that an account keeps. */
  readonly maxHistoryRows: number;
}

/** Messages cleared away in one transaction, so that nobody waits long for it. */
const STEP_MESSAGES = 200;
/** Free pages worth giving back, and how many are in one transaction: 2 MiB. */
const VACUUM_PAGES = 256;

/**
 * Clears away what nobody may read any more, in small transactions, and gives space back. Gives when
 * there will be more to do, in seconds since 1970; undefined: not before something is expunged.
 * `pause` is awaited between transactions; when it gives false, the rest is left for later.
 */
export async function trimAccount(
  file: AccountFile,
  now: number,
  policy: TrimPolicy,
  pause: () => Promise<boolean>,
): Promise<number | undefined> {
  const steps = [
    (db: Database) => sweepStaging(db, now) > 0,
    (db: Database) => trimExpunged(db, now - policy.contentSeconds),
    trimDoomed,
    (db: Database) => trimHistory(db, now - policy.historySeconds, policy.maxHistoryRows),
  ];
  for (const step of steps) {
    // Nobody was promised this, so it does not wait for the disk.
    while (file.writeLoosely(step)) if (!await pause()) return now;
  }
  await file.searchIndex.sweep(pause);
  if (file.read(hasFreeSpace)) {
    do {
      file.useDatabase().exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
      if (!await pause()) return now;
    } while (file.read((db) => db.number("PRAGMA freelist_count")) > 0);
  }
  return file.read((db) => {
    const oldest = db.get<[number | null]>("SELECT min(expunged_at) FROM expunged")?.[0] ?? null;
    return oldest === null ? undefined : oldest + policy.contentSeconds;
  });
}

/** Drops expunged messages whose time is over. Whether there may be more. */
function trimExpunged(db: Database, before: number): boolean {
  const rows = db.all<[number, number, number]>(
    "SELECT mailbox_id, uid, content_id FROM expunged WHERE expunged_at <= ? LIMIT ?",
    before,
    STEP_MESSAGES,
  );
  for (const [mailboxId, uid] of rows) {
    db.run("DELETE FROM expunged WHERE mailbox_id = ? AND uid = ?", mailboxId, uid);
  }
  dropUnused(db, rows.map(([, , contentId]) => contentId));
  return rows.length === STEP_MESSAGES;
}

/** Drops messages of a deleted mailbox, and at last what is known of it. Whether there may be more. */
function trimDoomed(db: Database): boolean {
  const id = db.get<[number]>("SELECT id FROM doomed_mailbox LIMIT 1")?.[0];
  if (id === undefined) return false;
  for (const table of ["message", "expunged"]) {
    const rows = db.all<[number, number]>(
      `SELECT uid, content_id FROM ${table} WHERE mailbox_id = ? ORDER BY uid LIMIT ?`,
      id,
      STEP_MESSAGES,
    );
    if (rows.length === 0) continue;
    for (const [uid] of rows) {
      db.run(`DELETE FROM ${table} WHERE mailbox_id = ? AND uid = ?`, id, uid);
    }
    dropUnused(db, rows.map(([, contentId]) => contentId));
    return true;
  }
  db.run("DELETE FROM tombstone WHERE mailbox_id = ?", id);
  db.run("DELETE FROM doomed_mailbox WHERE id = ?", id);
  return true;
}

/** Forgets history by age and number, and keeps down to where it was forgotten. */
function trimHistory(db: Database, before: number, maxRows: number): false {
  const through = lastToForget(db, "tombstone", "expunged_at", before, maxRows);
  if (through > 0) {
    db.run(
      `UPDATE mailbox SET trimmed_seq = max(trimmed_seq, coalesce(
         (SELECT max(modseq) FROM tombstone WHERE mailbox_id = mailbox.id AND modseq <= ?), 0))`,
      through,
    );
    db.run("DELETE FROM tombstone WHERE modseq <= ?", through);
  }
  const eventsThrough = lastToForget(db, "event", "happened_at", before, maxRows);
  if (eventsThrough > 0) {
    db.run("UPDATE account SET events_trimmed_seq = ?", eventsThrough);
    db.run("DELETE FROM event WHERE modseq <= ?", eventsThrough);
  }
  return false;
}

/** The mod-sequence up to which rows are to be forgotten; 0: none. */
function lastToForget(
  db: Database,
  table: "tombstone" | "event",
  time: string,
  before: number,
  maxRows: number,
): number {
  return db.number(
    `SELECT max(
       coalesce((SELECT max(modseq) FROM ${table} WHERE ${time} <= ?), 0),
       coalesce((SELECT modseq FROM ${table} ORDER BY modseq DESC LIMIT 1 OFFSET ?), 0))`,
    before,
    maxRows,
  );
}

/** Drops contents that no message has any more, and threads that have no content any more. */
function dropUnused(db: Database, contentIds: readonly number[]): void {
  for (const id of new Set(contentIds)) {
    const isUsed = db.get(
      `SELECT 1 WHERE EXISTS (SELECT 1 FROM message WHERE content_id = ?1)
         OR EXISTS (SELECT 1 FROM expunged WHERE content_id = ?1)`,
      id,
    );
    if (isUsed) continue;
    dropContent(db, id);
  }
}

function hasFreeSpace(db: Database): boolean {
  const free = db.number("PRAGMA freelist_count");
  return free >= VACUUM_PAGES && free * 10 >= db.number("PRAGMA page_count");
}
