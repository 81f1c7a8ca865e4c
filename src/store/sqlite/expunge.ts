import type { MailboxId } from "../../base/mod.ts";
import { RangeSet } from "../../base/mod.ts";
import type { ExpungeResult } from "../account_store.ts";
import { SystemFlag } from "../account_store.ts";
import { applyTally, countRecentOf, Tally } from "./counts.ts";
import type { Row } from "./database.ts";
import { checkMailboxExists } from "./mailbox_record.ts";
import type { Transaction } from "./transaction.ts";

type CountedRow = readonly [uid: number, flags: number, size: number] & Row;

/** Which of `uids` exist, and their counts. */
export function countMessages(
  { db }: Transaction,
  mailboxId: MailboxId,
  uids: RangeSet,
  mask = 0,
): { found: RangeSet; rows: readonly CountedRow[] } {
  const rows = Array.from(uids.ranges(), ({ first, last }) =>
    db.all<CountedRow>(
      `SELECT uid, flags, size FROM message
       WHERE mailbox_id = ? AND uid BETWEEN ? AND ? AND flags & ? = ? ORDER BY uid`,
      mailboxId,
      first,
      last,
      mask,
      mask,
    )).flat();
  return { found: RangeSet.from(rows.map(([uid]) => uid)), rows };
}

export function expungeMessages(
  transaction: Transaction,
  mailboxId: MailboxId,
  uids: RangeSet,
  options: { onlyDeleted: boolean },
): ExpungeResult {
  const { db } = transaction;
  checkMailboxExists(db, mailboxId);
  const mask = options.onlyDeleted ? SystemFlag.deleted : 0;
  const { found, rows } = countMessages(transaction, mailboxId, uids, mask);
  if (found.isEmpty) return { uids: found, modSeq: undefined };
  const modSeq = transaction.modSeq();
  const tally = new Tally();
  for (const [, flags, size] of rows) tally.add(-1, flags, size);
  applyTally(
    transaction,
    mailboxId,
    "expunge",
    tally,
    -countRecentOf(transaction, mailboxId, found),
  );
  // Every UID of these ranges is a message, so whole ranges can be moved.
  for (const { first, last } of found.ranges()) {
    db.run(
      `INSERT INTO expunged (mailbox_id, uid, modseq, create_seq, flags, keywords, internal_seconds,
         internal_zone, internal_day, save_date, size, content_id, thread_id, expunged_at)
       SELECT mailbox_id, uid, ?, create_seq, flags, keywords, internal_seconds, internal_zone,
         internal_day, save_date, size, content_id, thread_id, ?
       FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ?`,
      modSeq,
      transaction.now,
      mailboxId,
      first,
      last,
    );
    db.run(
      "DELETE FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ?",
      mailboxId,
      first,
      last,
    );
    db.run(
      `INSERT INTO tombstone (mailbox_id, modseq, first_uid, last_uid, expunged_at)
       VALUES (?, ?, ?, ?, ?)`,
      mailboxId,
      modSeq,
      first,
      last,
      transaction.now,
    );
  }
  return { uids: found, modSeq };
}
