import type { MailboxId } from "../../base/mod.ts";
import { RangeSet } from "../../base/mod.ts";
import type { ExpiryResult, ExpiryRule } from "../account_store.ts";
import type { Database, Row } from "./database.ts";
import { expungeMessages } from "./expunge.ts";
import type { Transaction } from "./transaction.ts";

type OldRow = readonly [mailboxId: MailboxId, uid: number, size: number] & Row;

/** Oldest first; the index has the key of the table behind the date. */
const BY_AGE = "ORDER BY m.save_date, m.mailbox_id, m.uid LIMIT ?";

export function expireMessages(
  transaction: Transaction,
  rule: ExpiryRule,
  limit: number,
): ExpiryResult {
  const { db } = transaction;
  const old = rule.kind === "age" ? selectAged(db, rule, limit) : selectExcess(db, rule, limit);
  const byMailbox = Map.groupBy(old, ([mailboxId]) => mailboxId);
  for (const [mailboxId, rows] of byMailbox) {
    const uids = RangeSet.from(rows.map(([, uid]) => uid).sort((a, b) => a - b));
    expungeMessages(transaction, mailboxId, uids, { onlyDeleted: false });
  }
  return {
    messages: old.length,
    bytes: old.reduce((sum, [, , size]) => sum + size, 0),
    more: old.length === limit,
  };
}

function selectAged(
  db: Database,
  rule: ExpiryRule & { kind: "age" },
  limit: number,
): readonly OldRow[] {
  return db.all<OldRow>(
    `SELECT m.mailbox_id, m.uid, m.size FROM message m INDEXED BY message_saved
       CROSS JOIN mailbox ON mailbox.id = m.mailbox_id
     WHERE m.save_date < ? AND m.size > ? AND (? IS NULL OR m.mailbox_id = ?)
       AND (? = 0 OR m.uid <= mailbox.recent_after) ${BY_AGE}`,
    rule.savedBefore,
    rule.largerThan ?? -1,
    rule.mailbox ?? null,
    rule.mailbox ?? null,
    rule.isNoticed ? 1 : 0,
    limit,
  );
}

function selectExcess(
  db: Database,
  rule: ExpiryRule & { kind: "size" },
  limit: number,
): readonly OldRow[] {
  let excess = db.number("SELECT size FROM account") - rule.untilBytes;
  if (excess <= 0) return [];
  const rows = db.all<OldRow>(
    // Messages of a deleted mailbox count no more, and are cleared away in their time.
    `SELECT m.mailbox_id, m.uid, m.size FROM message m INDEXED BY message_saved
       CROSS JOIN mailbox ON mailbox.id = m.mailbox_id
     WHERE m.save_date < ? ${BY_AGE}`,
    rule.savedBefore,
    limit,
  );
  let count = 0;
  for (const [, , size] of rows) {
    if (excess <= 0) break;
    excess -= size;
    count++;
  }
  return rows.slice(0, count);
}
