import type { MailboxId } from "../../base/mod.ts";
import { RangeSet } from "../../base/mod.ts";
import type { ExpungeResult } from "../account_store.ts";
import { SystemFlag } from "../account_store.ts";
import { applyTally, countRecentOf, Tally } from "./counts.ts";
import type { Row } from "./database.ts";
import { checkMailboxExists } from "./mailbox_record.ts";
import { IN_RANGES, rangesJson } from "./uid_ranges.ts";
import type { Transaction } from "./transaction.ts";

type CountedRow = readonly [uid: number, flags: number, size: number] & Row;

/** Which of `uids` exist, and their counts. */
export function countMessages(
  { db }: Transaction,
  mailboxId: MailboxId,
  uids: RangeSet,
  mask = 0,
): { found: RangeSet; rows: readonly CountedRow[] } {
  const rows = db.all<CountedRow>(
    `SELECT m.uid, m.flags, m.size FROM ${IN_RANGES} AND m.flags & ? = ? ORDER BY m.uid`,
    rangesJson(uids),
    mailboxId,
    mask,
    mask,
  );
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
  const ranges = rangesJson(found);
  db.run(
    `INSERT INTO expunged (mailbox_id, uid, modseq, create_seq, flags, keywords, internal_seconds,
       internal_zone, internal_day, save_date, size, content_id, thread_id, expunged_at)
     SELECT m.mailbox_id, m.uid, ?, m.create_seq, m.flags, m.keywords, m.internal_seconds,
       m.internal_zone, m.internal_day, m.save_date, m.size, m.content_id, m.thread_id, ?
     FROM ${IN_RANGES}`,
    modSeq,
    transaction.now,
    ranges,
    mailboxId,
  );
  for (const { first, last } of found.ranges()) {
    db.run(
      "DELETE FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ?",
      mailboxId,
      first,
      last,
    );
  }
  db.run(
    `INSERT INTO tombstone (mailbox_id, modseq, first_uid, last_uid, expunged_at)
     SELECT ?, ?, value ->> 0, value ->> 1, ? FROM json_each(?)`,
    mailboxId,
    modSeq,
    transaction.now,
    ranges,
  );
  return { uids: found, modSeq };
}
