import type { MailboxId, RangeSet, Uid } from "../../base/mod.ts";
import type { SortKeys } from "../../message/mod.ts";
import type { OrderRow } from "../account_store.ts";
import type { AccountAccess } from "./account_access.ts";
import type { Database } from "./database.ts";
import { checkMailboxExists } from "./mailbox_record.ts";

const PAGE_ROWS = 4000;

type Stored = [
  uid: number,
  internalSeconds: number,
  sentMs: number | null,
  size: number,
  baseSubject: string,
  isReply: number,
  keys: string,
  messageId: string | null,
  ancestors: string,
];

/** What SORT and THREAD need of live messages, by UID, each page of a snapshot of its own. */
export async function* fetchOrder(
  account: AccountAccess,
  mailbox: MailboxId,
  uids: RangeSet,
): AsyncGenerator<OrderRow[]> {
  for (let from = uids.first; from !== undefined;) {
    const page: OrderRow[] = account.read((db) => readPage(db, mailbox, uids, from ?? 1));
    if (page.length > 0) yield page;
    from = page.length < PAGE_ROWS ? undefined : page.at(-1)!.uid + 1;
  }
}

function readPage(db: Database, mailbox: MailboxId, uids: RangeSet, from: number): OrderRow[] {
  checkMailboxExists(db, mailbox);
  const rows: OrderRow[] = [];
  for (const { first, last } of uids.ranges()) {
    if (last < from) continue;
    const found = db.all<Stored>(
      `SELECT message.uid, message.internal_seconds, content.sent_ms, message.size,
         content.base_subject, content.is_reply, content.sort_keys, content.message_id,
         content.ancestors
       FROM message JOIN content ON content.id = message.content_id
       WHERE message.mailbox_id = ? AND message.uid BETWEEN ? AND ?
       ORDER BY message.uid LIMIT ?`,
      mailbox,
      Math.max(first, from),
      last,
      PAGE_ROWS - rows.length,
    );
    for (const row of found) rows.push(orderRow(row));
    if (rows.length === PAGE_ROWS) break;
  }
  return rows;
}

function orderRow(row: Stored): OrderRow {
  return {
    uid: row[0] as Uid,
    internalSeconds: row[1],
    sentMs: row[2] ?? row[1] * 1000,
    size: row[3],
    baseSubject: row[4],
    isReply: row[5] === 1,
    keys: JSON.parse(row[6]) as SortKeys,
    messageId: row[7] ?? undefined,
    ancestors: row[8] === "[]" ? [] : JSON.parse(row[8]) as string[],
  };
}
