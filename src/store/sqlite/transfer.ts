import type { MailboxId } from "../../base/mod.ts";
import { RangeSet } from "../../base/mod.ts";
import type { CopyResult, Mailbox } from "../account_store.ts";
import { checkQuota, takeUids } from "./append.ts";
import { applyTally, Tally } from "./counts.ts";
import { countMessages, expungeMessages } from "./expunge.ts";
import { MailboxKeywords, splitKeywords } from "./keywords.ts";
import { needMailbox, needMailboxById } from "./mailbox_record.ts";
import type { Transaction } from "./transaction.ts";
import { IN_RANGES, rangesJson } from "./uid_ranges.ts";

/** COPY, or MOVE (RFC 6851 3): content, email id and thread id are shared with the original. */
export function transfer(
  transaction: Transaction,
  mailboxId: MailboxId,
  uids: RangeSet,
  destinationName: string,
  isMove: boolean,
): CopyResult {
  const { db, account } = transaction;
  needMailboxById(db, account, mailboxId);
  const destination = needMailbox(db, account, destinationName);
  const { found, rows } = countMessages(transaction, mailboxId, uids);
  if (found.isEmpty) {
    return { destination, from: found, to: new RangeSet(), modSeq: undefined };
  }
  if (!isMove) checkQuota(transaction, rows.reduce((sum, [, , size]) => sum + size, 0));
  const to = copyInto(transaction, mailboxId, found, destination);
  if (isMove) expungeMessages(transaction, mailboxId, found, { onlyDeleted: false });
  return {
    destination: needMailboxById(db, account, destination.id),
    from: found,
    to,
    modSeq: transaction.modSeq(),
  };
}

/** Copies messages, all of which exist. Gives their new UIDs, in the order of the old ones. */
export function copyInto(
  transaction: Transaction,
  mailboxId: MailboxId,
  found: RangeSet,
  destination: Mailbox,
): RangeSet {
  const { db } = transaction;
  const modSeq = transaction.modSeq();
  const to = takeUids(transaction, destination.id, found.size);
  db.run(
    `INSERT INTO message (mailbox_id, uid, modseq, create_seq, flags, keywords, internal_seconds,
       internal_zone, internal_day, save_date, size, content_id, thread_id)
     SELECT ?, ? + row_number() OVER (ORDER BY m.uid), ?, ?, m.flags, m.keywords,
       m.internal_seconds, m.internal_zone, m.internal_day, ?, m.size, m.content_id, m.thread_id
     FROM ${IN_RANGES}`,
    destination.id,
    (to.first ?? 1) - 1,
    modSeq,
    modSeq,
    transaction.now,
    rangesJson(found),
    mailboxId,
  );
  respell(transaction, destination, to);
  const tally = new Tally();
  for (const [, flags, size] of countMessages(transaction, destination.id, to).rows) {
    tally.add(1, flags, size);
  }
  applyTally(transaction, destination.id, "append", tally, to.size);
  return to;
}

/** Gives keywords of copied messages the spelling of the mailbox that they are in now. */
function respell(transaction: Transaction, mailbox: Mailbox, uids: RangeSet): void {
  const { db } = transaction;
  const range = [mailbox.id, uids.first ?? 0, uids.last ?? 0] as const;
  const texts = db.all<[string]>(
    `SELECT keywords FROM message WHERE mailbox_id = ? AND uid BETWEEN ? AND ? AND keywords <> ''
     GROUP BY keywords ORDER BY min(uid)`,
    ...range,
  );
  if (texts.length === 0) return;
  const keywords = new MailboxKeywords(mailbox);
  // All texts are put into their new form at once, since one's new form may be another's old one.
  const changes = texts.map(([text]) => [text, keywords.textOf(splitKeywords(text))] as const)
    .filter(([text, spelt]) => text !== spelt);
  if (changes.length > 0) {
    db.run(
      `UPDATE message SET keywords = map.value FROM json_each(?) AS map
       WHERE mailbox_id = ? AND uid BETWEEN ? AND ? AND keywords = map.key`,
      JSON.stringify(Object.fromEntries(changes)),
      ...range,
    );
  }
  keywords.save(transaction);
}
