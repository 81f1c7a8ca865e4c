import type { MailboxId, ModSeq, Uid, UidValidity } from "../../base/mod.ts";
import type { Mailbox, SpecialUse } from "../account_store.ts";
import { StoreError } from "../store_error.ts";
import type { AccountAccess } from "./account_access.ts";
import type { Database, Row, Value } from "./database.ts";
import { mailboxObjectIdOf } from "./object_ids.ts";

/** In the order of their bits in `mailbox.special_use`. */
const SPECIAL_USES: readonly SpecialUse[] = ["Archive", "Drafts", "Junk", "Sent", "Trash"];

type MailboxRow = readonly [
  id: number,
  name: string,
  uidValidity: number,
  uidNext: number,
  modSeq: number,
  createSeq: number,
  appendSeq: number,
  expungeSeq: number,
  flagSeq: number,
  specialUse: number,
  keywords: string,
  messages: number,
  unseen: number,
  deleted: number,
  size: number,
  deletedSize: number,
  recentAfter: number,
  recent: number,
  subscribed: number,
];

const SELECT_MAILBOX = `
  SELECT id, name, uid_validity, uid_next, modseq, create_seq, append_seq, expunge_seq, flag_seq,
    special_use, keywords, messages, unseen, deleted, size, deleted_size, recent_after, recent,
    EXISTS (SELECT 1 FROM subscription WHERE subscription.name = mailbox.name)
  FROM mailbox`;

/** Reads mailboxes as the contract gives them. */
export function selectMailboxes(
  db: Database,
  account: AccountAccess,
  condition: string,
  ...values: Value[]
): Mailbox[] {
  return db.all<MailboxRow & Row>(`${SELECT_MAILBOX} ${condition}`, ...values)
    .map((row) => describe(db, account, row));
}

export function mailboxByName(
  db: Database,
  account: AccountAccess,
  name: string,
): Mailbox | undefined {
  return selectMailboxes(db, account, "WHERE name = ?", name)[0];
}

/** Throws StoreError "mailbox-not-found". */
export function needMailbox(db: Database, account: AccountAccess, name: string): Mailbox {
  const mailbox = mailboxByName(db, account, name);
  if (!mailbox) throw new StoreError("mailbox-not-found", `There is no mailbox ${name}.`);
  return mailbox;
}

export function mailboxById(
  db: Database,
  account: AccountAccess,
  id: MailboxId,
): Mailbox | undefined {
  return selectMailboxes(db, account, "WHERE id = ?", id)[0];
}

/** Throws StoreError "mailbox-not-found". */
export function needMailboxById(db: Database, account: AccountAccess, id: MailboxId): Mailbox {
  const mailbox = mailboxById(db, account, id);
  if (!mailbox) throw new StoreError("mailbox-not-found", "The mailbox was deleted.");
  return mailbox;
}

/** Throws StoreError "mailbox-not-found"; cheaper than reading the mailbox. */
export function checkMailboxExists(db: Database, id: MailboxId): void {
  if (!db.get("SELECT 1 FROM mailbox WHERE id = ?", id)) {
    throw new StoreError("mailbox-not-found", "The mailbox was deleted.");
  }
}

/** Throws StoreError "invalid-special-use" for an attribute that is none of ours. */
export function specialUseBits(uses: readonly SpecialUse[]): number {
  return uses.reduce((bits, use) => {
    const bit = SPECIAL_USES.indexOf(use);
    if (bit < 0) throw new StoreError("invalid-special-use", "No such special use.");
    return bits | 1 << bit;
  }, 0);
}

function describe(db: Database, account: AccountAccess, row: MailboxRow): Mailbox {
  const [
    id,
    name,
    uidValidity,
    uidNext,
    modSeq,
    createSeq,
    appendSeq,
    expungeSeq,
    flagSeq,
    specialUse,
    keywords,
    messages,
    unseen,
    deleted,
    size,
    deletedSize,
    recentAfter,
    recent,
    subscribed,
  ] = row;
  return {
    id: id as MailboxId,
    name,
    uidValidity: uidValidity as UidValidity,
    uidNext: uidNext as Uid,
    modSeq: modSeq as ModSeq,
    createSeq: createSeq as ModSeq,
    appendSeq,
    expungeSeq,
    flagSeq,
    subscribed: subscribed === 1,
    specialUse: SPECIAL_USES.filter((_, bit) => specialUse & 1 << bit),
    keywords: keywords === "" ? [] : keywords.split(" "),
    objectId: mailboxObjectIdOf(account.objectPrefix(), id),
    counts: {
      messages,
      unseen,
      deleted,
      size,
      deletedSize,
      recent: countRecent(db, account.recentAfter(id, recentAfter), {
        id,
        uidNext,
        recentAfter,
        recent,
      }),
    },
  };
}

/** Messages above `after`, from the stored count where nothing was claimed since it was stored. */
function countRecent(
  db: Database,
  after: number,
  stored: { id: number; uidNext: number; recentAfter: number; recent: number },
): number {
  if (after === stored.recentAfter) return stored.recent;
  if (after >= stored.uidNext - 1) return 0;
  return db.number(
    "SELECT count(*) FROM message WHERE mailbox_id = ? AND uid > ?",
    stored.id,
    after,
  );
}
