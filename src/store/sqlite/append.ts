import type { MailboxId, Uid } from "../../base/mod.ts";
import { MAX_UINT32, RangeSet } from "../../base/mod.ts";
import type { AppendResult, Mailbox, NewMessage } from "../account_store.ts";
import { StoreError } from "../store_error.ts";
import { insertContent } from "./content.ts";
import { applyTally, Tally } from "./counts.ts";
import { expungeMessages } from "./expunge.ts";
import { MailboxKeywords } from "./keywords.ts";
import { makeWithParents } from "./mailboxes.ts";
import {
  checkMailboxExists,
  mailboxByName,
  needMailbox,
  needMailboxById,
} from "./mailbox_record.ts";
import { SqliteParkedMessage, SqliteStagedMessage } from "./staging.ts";
import type { Transaction } from "./transaction.ts";

export function append(
  transaction: Transaction,
  mailboxName: string,
  messages: readonly NewMessage[],
  options: { create?: boolean },
): AppendResult {
  const { db, account } = transaction;
  const found = mailboxByName(db, account, mailboxName);
  if (!found && !options.create) {
    throw new StoreError("mailbox-not-found", `There is no mailbox ${mailboxName}.`);
  }
  const staged = messages.map((message) => checkedStage(transaction, message));
  checkQuota(transaction, staged.reduce((sum, { size }) => sum + size, 0));
  const mailbox = found ?? makeWithParents(transaction, mailboxName).at(-1);
  if (!mailbox) throw new Error("a mailbox was made");
  return appendTo(transaction, mailbox, messages);
}

export function replace(
  transaction: Transaction,
  mailboxId: MailboxId,
  uid: Uid,
  destinationName: string,
  message: NewMessage,
): AppendResult {
  const { db, account } = transaction;
  checkMailboxExists(db, mailboxId);
  const destination = needMailbox(db, account, destinationName);
  const old = db.get("SELECT size FROM message WHERE mailbox_id = ? AND uid = ?", mailboxId, uid);
  if (!old) throw new StoreError("message-not-found", "The message to replace is gone.");
  checkQuota(transaction, checkedStage(transaction, message).size - Number(old[0]));
  expungeMessages(transaction, mailboxId, RangeSet.of(uid), { onlyDeleted: false });
  return appendTo(transaction, destination, [message]);
}

/** Throws StoreError "over-quota" when `bytes` more would not fit. */
export function checkQuota({ db, limitBytes }: Transaction, bytes: number): void {
  if (limitBytes === undefined || bytes <= 0) return;
  if (db.number("SELECT size FROM account") + bytes > limitBytes) {
    throw new StoreError("over-quota", `The quota of ${limitBytes} octets would be exceeded.`);
  }
}

/** The next `count` UIDs of the mailbox. Throws StoreError "exhausted". */
export function takeUids({ db }: Transaction, mailboxId: MailboxId, count: number): RangeSet {
  const next = db.number("SELECT uid_next FROM mailbox WHERE id = ?", mailboxId);
  if (next + count > MAX_UINT32) {
    throw new StoreError("exhausted", "The mailbox has no UIDs left.");
  }
  db.run("UPDATE mailbox SET uid_next = ? WHERE id = ?", next + count, mailboxId);
  return RangeSet.range(next, next + count - 1);
}

function appendTo(
  transaction: Transaction,
  mailbox: Mailbox,
  messages: readonly NewMessage[],
): AppendResult {
  const { db } = transaction;
  const modSeq = transaction.modSeq();
  const uids = takeUids(transaction, mailbox.id, messages.length);
  const keywords = new MailboxKeywords(mailbox);
  const tally = new Tally();
  messages.forEach((message, i) => {
    const staged = checkedStage(transaction, message);
    const { contentId, threadId } = takeContent(transaction, staged);
    const { seconds, zoneMinutes } = message.internalDate;
    db.run(
      `INSERT INTO message (mailbox_id, uid, modseq, create_seq, flags, keywords, internal_seconds,
         internal_zone, internal_day, save_date, size, content_id, thread_id)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      mailbox.id,
      uids.at(i) ?? 0,
      modSeq,
      modSeq,
      message.flags,
      keywords.textOf(message.keywords),
      seconds,
      zoneMinutes,
      Math.floor((seconds + zoneMinutes * 60) / 86400),
      transaction.now,
      staged.size,
      contentId,
      threadId,
    );
    tally.add(1, message.flags, staged.size);
  });
  keywords.save(transaction);
  applyTally(transaction, mailbox.id, "append", tally, messages.length);
  return { mailbox: needMailboxById(db, transaction.account, mailbox.id), uids, modSeq };
}

function checkedStage(
  transaction: Transaction,
  { staged }: NewMessage,
): SqliteStagedMessage | SqliteParkedMessage {
  if (!(staged instanceof SqliteStagedMessage || staged instanceof SqliteParkedMessage)) {
    throw new TypeError("the message was staged elsewhere");
  }
  if (staged.accountId !== transaction.account.id) {
    throw new TypeError("the message was staged for another account");
  }
  if (staged.isUsed) throw new Error("a staged message is appended once");
  return staged;
}

/** Gives a message its content, which a large or a parked one has in part or wholly already. */
function takeContent(
  transaction: Transaction,
  staged: SqliteStagedMessage | SqliteParkedMessage,
): { contentId: number; threadId: number } {
  const { db } = transaction;
  const known = staged instanceof SqliteParkedMessage ? staged : staged.stored;
  const contentId = known?.contentId ?? transaction.nextContentId();
  if (known && db.run("DELETE FROM staging WHERE content_id = ?", contentId) !== 1) {
    throw new StoreError("unavailable", "The message waited too long.");
  }
  const threadId = staged instanceof SqliteParkedMessage
    ? db.number("SELECT thread_id FROM content WHERE id = ?", contentId)
    : insertContent(db, contentId, staged);
  return { contentId, threadId };
}
