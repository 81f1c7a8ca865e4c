import type { MailboxId } from "../../base/mod.ts";
import { MAX_UINT32, RangeSet } from "../../base/mod.ts";
import type { Mailbox, SpecialUse } from "../account_store.ts";
import { MAX_MAILBOXES, MAX_SUBSCRIPTIONS } from "../limits.ts";
import { DELIMITER, parentNames, parseMailboxName } from "../mailbox_name.ts";
import { StoreError } from "../store_error.ts";
import { copyAnnotations } from "./annotations.ts";
import { addToAccount } from "./counts.ts";
import type { Database } from "./database.ts";
import { expungeMessages } from "./expunge.ts";
import {
  mailboxByName,
  needMailbox,
  needMailboxById,
  selectMailboxes,
  specialUseBits,
} from "./mailbox_record.ts";
import type { Transaction } from "./transaction.ts";
import { copyInto } from "./transfer.ts";

export function createMailbox(
  transaction: Transaction,
  name: string,
  specialUse: readonly SpecialUse[],
): Mailbox[] {
  const { db, account } = transaction;
  if (name === "INBOX") throw new StoreError("inbox", "INBOX is always there.");
  checkFree(transaction, name);
  const bits = specialUseBits(specialUse);
  const made = makeWithParents(transaction, name);
  if (bits === 0) return made;
  const modSeq = transaction.modSeq();
  // An attribute is on one mailbox of the account only (RFC 6154 3 leaves this to the server).
  for (const other of selectMailboxes(db, account, "WHERE special_use & ? <> 0", bits)) {
    db.run(
      "UPDATE mailbox SET special_use = special_use & ~?, modseq = ? WHERE id = ?",
      bits,
      modSeq,
      other.id,
    );
    transaction.logEvent("specialUse", other.id, other.name);
  }
  db.run("UPDATE mailbox SET special_use = ? WHERE name = ?", bits, name);
  return made.map(({ id }) => needMailboxById(db, account, id));
}

/**
 * The mailbox and its annotations go at once; clearing away its messages is left to `trim`, so that
 * deleting a million messages takes no longer than deleting one.
 */
export function deleteMailbox(transaction: Transaction, name: string): void {
  const { db, account } = transaction;
  if (name === "INBOX") throw new StoreError("inbox", "INBOX cannot be deleted.");
  const { id, counts } = needMailbox(db, account, name);
  if (db.get(`SELECT 1 FROM mailbox WHERE ${CHILDREN} LIMIT 1`, ...childBounds(name))) {
    throw new StoreError("has-children", `Mailbox ${name} has children.`);
  }
  db.run("DELETE FROM mailbox WHERE id = ?", id);
  db.run("DELETE FROM annotation WHERE mailbox_id = ?", id);
  db.run("INSERT INTO doomed_mailbox (id) VALUES (?)", id);
  addToAccount(transaction, {
    messages: -counts.messages,
    size: -counts.size,
    deletedSize: -counts.deletedSize,
  });
  transaction.logEvent("deleted", id, name);
}

export function renameMailbox(transaction: Transaction, from: string, to: string): void {
  const { db, account } = transaction;
  const mailbox = needMailbox(db, account, from);
  if (to === "INBOX") throw new StoreError("inbox", "INBOX is always there.");
  checkFree(transaction, to);
  if (from === "INBOX") return renameInbox(transaction, mailbox, to);
  const children = selectMailboxes(
    db,
    account,
    `WHERE ${CHILDREN} ORDER BY name`,
    ...childBounds(from),
  );
  for (const { id, name } of [mailbox, ...children]) {
    const newName = parseMailboxName(to + name.slice(from.length));
    db.run(
      "UPDATE mailbox SET name = ?, modseq = ? WHERE id = ?",
      newName,
      transaction.modSeq(),
      id,
    );
    transaction.logEvent("renamed", id, newName, name);
  }
  const parent = parentNames(to).at(-1);
  if (parent !== undefined) makeWithParents(transaction, parent);
}

export function setSubscribed(transaction: Transaction, name: string, subscribed: boolean): void {
  const { db, account } = transaction;
  const mailbox = mailboxByName(db, account, name);
  const changed = subscribed
    ? subscribe(db, name)
    : db.run("DELETE FROM subscription WHERE name = ?", name) > 0;
  if (changed) {
    transaction.logEvent(subscribed ? "subscribed" : "unsubscribed", mailbox?.id, name);
  } else if (!subscribed && !mailbox) {
    throw new StoreError("mailbox-not-found", `There is no subscription to ${name}.`);
  }
}

/** Makes those of the mailbox and its parents that are missing, subscribed, parents first. */
export function makeWithParents(transaction: Transaction, name: string): Mailbox[] {
  const { db, account } = transaction;
  return [...parentNames(name), name]
    .filter((it) => !mailboxByName(db, account, it))
    .map((it) => makeMailbox(transaction, it));
}

function makeMailbox(transaction: Transaction, name: string): Mailbox {
  const { db, account } = transaction;
  if (db.number("SELECT count(*) FROM mailbox") >= MAX_MAILBOXES) {
    throw new StoreError("limit", `The account has ${MAX_MAILBOXES} mailboxes already.`);
  }
  const id = transaction.nextMailboxId();
  insertMailbox(db, { id, name, modSeq: transaction.modSeq(), specialUse: 0 });
  subscribe(db, name);
  transaction.logEvent("created", id, name);
  return needMailboxById(db, account, id);
}

/** Throws StoreError "exhausted" when the account has no UIDVALIDITY left. */
export function insertMailbox(
  db: Database,
  mailbox: { id: MailboxId; name: string; modSeq: number; specialUse: number },
): void {
  const uidValidity = db.number(
    "UPDATE account SET next_uid_validity = next_uid_validity + 1 RETURNING next_uid_validity - 1",
  );
  if (uidValidity > MAX_UINT32) {
    throw new StoreError("exhausted", "The account has no UIDVALIDITY left.");
  }
  db.run(
    `INSERT INTO mailbox (id, name, uid_validity, uid_next, modseq, create_seq, special_use)
     VALUES (?, ?, ?, 1, ?, ?, ?)`,
    mailbox.id,
    mailbox.name,
    uidValidity,
    mailbox.modSeq,
    mailbox.modSeq,
    mailbox.specialUse,
  );
}

/** Whether it was not subscribed before. */
export function subscribe(db: Database, name: string): boolean {
  if (db.run("INSERT OR IGNORE INTO subscription (name) VALUES (?)", name) === 0) return false;
  if (db.number("SELECT count(*) FROM subscription") > MAX_SUBSCRIPTIONS) {
    throw new StoreError("limit", `The account has ${MAX_SUBSCRIPTIONS} subscriptions already.`);
  }
  return true;
}

/** INBOX stays, empty: its messages go to a new mailbox with new UIDs (RFC 9051 6.3.6). */
function renameInbox(transaction: Transaction, inbox: Mailbox, to: string): void {
  const { db } = transaction;
  const mailbox = makeWithParents(transaction, to).at(-1);
  if (!mailbox) throw new Error("a mailbox was made");
  const uids = RangeSet.from(
    db.all<[number]>("SELECT uid FROM message WHERE mailbox_id = ? ORDER BY uid", inbox.id)
      .map(([uid]) => uid),
  );
  if (!uids.isEmpty) {
    copyInto(transaction, inbox.id, uids, mailbox);
    expungeMessages(transaction, inbox.id, uids, { onlyDeleted: false });
  }
  copyAnnotations(transaction, inbox.id, mailbox);
}

function checkFree({ db, account }: Transaction, name: string): void {
  if (mailboxByName(db, account, name)) {
    throw new StoreError("already-exists", `There is a mailbox ${name} already.`);
  }
}

/** Mailboxes below another, by their names' order and without the wildcards of LIKE. */
const CHILDREN = "name > ? AND name < ?";

function childBounds(name: string): [above: string, below: string] {
  return [name + DELIMITER, name + String.fromCharCode(DELIMITER.charCodeAt(0) + 1)];
}
