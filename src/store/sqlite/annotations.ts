import type { Bytes, MailboxId } from "../../base/mod.ts";
import type { Annotation, Mailbox } from "../account_store.ts";
import { MAX_ANNOTATION_BYTES, MAX_ANNOTATIONS } from "../limits.ts";
import { StoreError } from "../store_error.ts";
import type { AccountAccess } from "./account_access.ts";
import type { Database, Row } from "./database.ts";
import { needMailbox } from "./mailbox_record.ts";
import type { Transaction } from "./transaction.ts";

/** Stands for the account where a mailbox's number is expected. */
const ACCOUNT = 0;

export function listAnnotations(
  db: Database,
  account: AccountAccess,
  mailboxName: string | undefined,
): Annotation[] {
  const id = mailboxName === undefined ? ACCOUNT : needMailbox(db, account, mailboxName).id;
  return db.all<readonly [string, Bytes, number] & Row>(
    "SELECT entry, value, is_binary FROM annotation WHERE mailbox_id = ? ORDER BY entry",
    id,
  ).map(([entry, value, isBinary]) => ({ entry, value, isBinary: isBinary === 1 }));
}

/** For LIST-METADATA: one query however many mailboxes are listed. */
export function findAnnotations(
  db: Database,
  entries: readonly string[],
): Map<MailboxId, Annotation[]> {
  const found = new Map<MailboxId, Annotation[]>();
  const rows = db.all<readonly [MailboxId, string, Bytes, number] & Row>(
    `SELECT mailbox_id, entry, value, is_binary FROM annotation
     WHERE mailbox_id <> ? AND entry IN (SELECT value FROM json_each(?)) ORDER BY mailbox_id, entry`,
    ACCOUNT,
    JSON.stringify(entries),
  );
  for (const [mailboxId, entry, value, isBinary] of rows) {
    const annotation = { entry, value, isBinary: isBinary === 1 };
    const annotations = found.get(mailboxId);
    if (annotations) annotations.push(annotation);
    else found.set(mailboxId, [annotation]);
  }
  return found;
}

/** SETMETADATA (RFC 5464 4.3). What changes nothing takes no mod-sequence. */
export function setAnnotations(
  transaction: Transaction,
  mailboxName: string | undefined,
  annotations: readonly Annotation[],
): void {
  const { db, account } = transaction;
  const mailbox = mailboxName === undefined ? undefined : needMailbox(db, account, mailboxName);
  const changed = new Set<string>();
  for (const annotation of annotations) {
    if (setAnnotation(transaction, mailbox?.id ?? ACCOUNT, annotation)) {
      changed.add(annotation.entry);
    }
  }
  if (changed.size === 0) return;
  checkLimits(db);
  if (mailbox) {
    db.run("UPDATE mailbox SET modseq = ? WHERE id = ?", transaction.modSeq(), mailbox.id);
  }
  transaction.logEvent("metadata", mailbox?.id, mailboxName ?? "", [...changed].join("\n"));
}

/** For the mailbox that a renamed INBOX's messages go to. */
export function copyAnnotations(transaction: Transaction, from: MailboxId, to: Mailbox): void {
  const { db } = transaction;
  const copied = db.all<[string]>(
    `INSERT INTO annotation (mailbox_id, entry, value, is_binary, modseq)
     SELECT ?, entry, value, is_binary, ? FROM annotation WHERE mailbox_id = ? RETURNING entry`,
    to.id,
    transaction.modSeq(),
    from,
  ).map(([entry]) => entry);
  if (copied.length === 0) return;
  checkLimits(db);
  transaction.logEvent("metadata", to.id, to.name, copied.join("\n"));
}

/** Whether anything changed. */
function setAnnotation(
  transaction: Transaction,
  mailboxId: number,
  { entry, value, isBinary }: Annotation,
): boolean {
  const { db } = transaction;
  if (value === undefined) {
    if (!db.get("SELECT 1 FROM annotation WHERE mailbox_id = ? AND entry = ?", mailboxId, entry)) {
      return false;
    }
    // Taken before the change, as everywhere, so that a mailbox's number never lags behind.
    transaction.modSeq();
    db.run("DELETE FROM annotation WHERE mailbox_id = ? AND entry = ?", mailboxId, entry);
    return true;
  }
  const binary = isBinary ? 1 : 0;
  const isSame = db.get(
    "SELECT 1 FROM annotation WHERE mailbox_id = ? AND entry = ? AND value = ? AND is_binary = ?",
    mailboxId,
    entry,
    value,
    binary,
  );
  if (isSame) return false;
  db.run(
    `INSERT OR REPLACE INTO annotation (mailbox_id, entry, value, is_binary, modseq)
     VALUES (?, ?, ?, ?, ?)`,
    mailboxId,
    entry,
    value,
    binary,
    transaction.modSeq(),
  );
  return true;
}

function checkLimits(db: Database): void {
  const [count, bytes] = db.get<[number, number]>(
    "SELECT count(*), coalesce(sum(length(CAST(entry AS BLOB)) + length(value)), 0) FROM annotation",
  ) ?? [0, 0];
  if (count > MAX_ANNOTATIONS) {
    throw new StoreError("too-many-annotations", `At most ${MAX_ANNOTATIONS} entries are kept.`);
  }
  if (bytes > MAX_ANNOTATION_BYTES) {
    throw new StoreError(
      "annotations-too-large",
      `Entries and values may have ${MAX_ANNOTATION_BYTES} octets together.`,
    );
  }
}
