import { RangeSet } from "../../base/mod.ts";
import { SystemFlag } from "../account_store.ts";
import type { Transaction } from "./transaction.ts";

/**
 * How a mailbox's counts change. Every place that inserts, deletes or re-flags a message adds it
 * here in the same loop, and `applyTally` writes mailbox and account totals in the same transaction.
 */
export class Tally {
  messages = 0;
  unseen = 0;
  deleted = 0;
  size = 0;
  deletedSize = 0;

  /** Counts a message in (`sign` 1) or out (-1). */
  add(sign: 1 | -1, flags: number, size: number): void {
    this.messages += sign;
    this.size += sign * size;
    if (!(flags & SystemFlag.seen)) this.unseen += sign;
    if (flags & SystemFlag.deleted) {
      this.deleted += sign;
      this.deletedSize += sign * size;
    }
  }
}

export type MailboxChange = "append" | "expunge" | "flag";

/** Writes the counts and raises the mailbox's mod-sequences. `recent`: change of the \Recent count. */
export function applyTally(
  transaction: Transaction,
  mailboxId: number,
  change: MailboxChange,
  tally: Tally,
  recent: number,
): void {
  const { db } = transaction;
  const modSeq = transaction.modSeq();
  db.run(
    `UPDATE mailbox SET modseq = ?, ${change}_seq = ?, messages = messages + ?,
       unseen = unseen + ?, deleted = deleted + ?, size = size + ?,
       deleted_size = deleted_size + ?, recent = recent + ?
     WHERE id = ?`,
    modSeq,
    modSeq,
    tally.messages,
    tally.unseen,
    tally.deleted,
    tally.size,
    tally.deletedSize,
    recent,
    mailboxId,
  );
  addToAccount(transaction, tally);
}

export function addToAccount(
  { db }: Transaction,
  tally: { messages: number; size: number; deletedSize: number },
): void {
  db.run(
    "UPDATE account SET messages = messages + ?, size = size + ?, deleted_size = deleted_size + ?",
    tally.messages,
    tally.size,
    tally.deletedSize,
  );
}

/** How many of `uids` are \Recent. Claims are stored before an operation runs. */
export function countRecentOf(transaction: Transaction, mailboxId: number, uids: RangeSet): number {
  const after = transaction.db.number("SELECT recent_after FROM mailbox WHERE id = ?", mailboxId);
  return uids.size - (after === 0 ? 0 : uids.countTo(after));
}
