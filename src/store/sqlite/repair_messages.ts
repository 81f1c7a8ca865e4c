import { MAX_UINT32 } from "../../base/mod.ts";
import { FIND_UNKNOWN_KEYWORDS } from "./check_rules.ts";
import type { Tell } from "./repair.ts";
import type { Transaction } from "./transaction.ts";

/** Messages, once all contents that could be saved are there. */
export function repairMessages(transaction: Transaction, tell: Tell): void {
  const { db } = transaction;
  tell(
    "messages with impossible threads were given one of their own",
    db.run("UPDATE content SET thread_id = id WHERE thread_id NOT BETWEEN 1 AND id"),
  );
  removeWithoutContent(transaction, tell);
  renumber(transaction, tell);
  tell(
    "mailboxes: UIDNEXT was raised above the UIDs that were given",
    db.run(
      `UPDATE mailbox SET uid_next = top.uid + 1
       FROM (SELECT mailbox_id, max(uid) AS uid FROM (SELECT mailbox_id, uid FROM message
         UNION ALL SELECT mailbox_id, uid FROM expunged
         UNION ALL SELECT mailbox_id, last_uid FROM tombstone)
         WHERE uid < ? GROUP BY mailbox_id) AS top
       WHERE mailbox.id = top.mailbox_id AND uid_next <= top.uid`,
      MAX_UINT32,
    ),
  );
  const wrong = `NOT (create_seq BETWEEN 1 AND modseq
      AND modseq <= (SELECT modseq FROM account) AND flags BETWEEN 0 AND 31
      AND internal_zone BETWEEN -1439 AND 1439
      AND internal_seconds + internal_zone * 60 - internal_day * 86400 BETWEEN 0 AND 86399)
    OR EXISTS (SELECT 1 FROM content WHERE content.id = content_id
      AND (content.size, content.thread_id) <> (message.size, message.thread_id))`;
  if (db.get(`SELECT 1 FROM message WHERE ${wrong} LIMIT 1`)) {
    const modSeq = transaction.modSeq();
    const zone = "(CASE WHEN internal_zone BETWEEN -1439 AND 1439 THEN internal_zone ELSE 0 END)";
    const local = `(internal_seconds + ${zone} * 60)`;
    const rows = db.run(
      `UPDATE message SET modseq = ?1, create_seq = max(1, min(create_seq, ?1)),
         flags = flags & 31, internal_zone = ${zone},
         internal_day = (${local} - (${local} % 86400 + 86400) % 86400) / 86400,
         size = (SELECT size FROM content WHERE id = content_id),
         thread_id = (SELECT thread_id FROM content WHERE id = content_id)
       WHERE ${wrong}`,
      modSeq,
    );
    tell("messages: impossible numbers were put right", rows);
  }
  for (const [id, name, word] of db.all<[number, string, string]>(FIND_UNKNOWN_KEYWORDS)) {
    db.run(
      "UPDATE mailbox SET keywords = trim(keywords || ' ' || ?) WHERE id = ?",
      word,
      id,
    );
    tell(`mailbox ${name}: keyword ${word} is in its list again`);
  }
}

/** What has no content can never be read; clients are told that it is gone. */
function removeWithoutContent(transaction: Transaction, tell: Tell): void {
  const { db } = transaction;
  tell(
    "expunged messages without content were dropped",
    db.run("DELETE FROM expunged WHERE content_id NOT IN (SELECT id FROM content)"),
  );
  const lost = db.all<[number, number, string | null]>(
    `SELECT mailbox_id, uid, name FROM message LEFT JOIN mailbox ON mailbox.id = mailbox_id
     WHERE content_id NOT IN (SELECT id FROM content)`,
  );
  for (const [mailboxId, uid, name] of lost) {
    db.run("DELETE FROM message WHERE mailbox_id = ? AND uid = ?", mailboxId, uid);
    if (name === null) continue;
    const modSeq = transaction.modSeq();
    db.run(
      `INSERT INTO tombstone (mailbox_id, modseq, first_uid, last_uid, expunged_at)
       VALUES (?, ?, ?, ?, ?)`,
      mailboxId,
      modSeq,
      uid,
      uid,
      transaction.now,
    );
    db.run("UPDATE mailbox SET expunge_seq = ? WHERE id = ?", modSeq, mailboxId);
    tell(`mailbox ${name}: message ${uid} had lost its content and was removed`);
  }
}

/** Gives messages with impossible UIDs new ones. */
function renumber(transaction: Transaction, tell: Tell): void {
  const { db } = transaction;
  const rows = db.all<[number, number]>(
    "SELECT mailbox_id, uid FROM message WHERE uid NOT BETWEEN 1 AND ?",
    MAX_UINT32 - 1,
  );
  for (const [mailboxId, uid] of rows) {
    db.run(
      `UPDATE message SET modseq = ?, create_seq = 1, uid = (SELECT 1 + max(uid_next - 1,
         (SELECT coalesce(max(uid), 0) FROM message AS m WHERE m.mailbox_id = message.mailbox_id
           AND m.uid < ?)) FROM mailbox WHERE mailbox.id = mailbox_id)
       WHERE mailbox_id = ? AND uid = ?`,
      transaction.modSeq(),
      MAX_UINT32,
      mailboxId,
      uid,
    );
  }
  tell("messages: impossible UIDs were replaced by new ones", rows.length);
}

/** The log of what is gone: what contradicts the mail is forgotten, and clients are told to ask anew. */
export function repairHistory(transaction: Transaction, tell: Tell): void {
  const { db } = transaction;
  tell(
    "mailboxes: mod-sequences were raised to those of what is in them",
    db.run(
      `UPDATE mailbox SET modseq = top.modseq
       FROM (SELECT mailbox_id, max(modseq) AS modseq FROM (SELECT mailbox_id, modseq FROM message
         UNION ALL SELECT mailbox_id, modseq FROM annotation
         UNION ALL SELECT mailbox_id, modseq FROM expunged
         UNION ALL SELECT mailbox_id, modseq FROM tombstone
         UNION ALL SELECT id, create_seq FROM mailbox)
         WHERE modseq <= (SELECT modseq FROM account) GROUP BY mailbox_id) AS top
       WHERE mailbox.id = top.mailbox_id AND mailbox.modseq < top.modseq`,
    ),
  );
  tell(
    "mailboxes: impossible numbers were put right",
    db.run(
      `UPDATE mailbox SET modseq = max(1, min(mailbox.modseq, account.modseq)),
         create_seq = max(1, min(create_seq, mailbox.modseq, account.modseq)),
         append_seq = max(0, min(append_seq, mailbox.modseq)),
         expunge_seq = max(0, min(expunge_seq, mailbox.modseq)),
         flag_seq = max(0, min(flag_seq, mailbox.modseq)),
         trimmed_seq = max(0, min(trimmed_seq, mailbox.modseq)),
         uid_next = max(1, min(uid_next, 4294967295)),
         recent_after = max(0, min(recent_after, uid_next - 1))
       FROM account WHERE NOT (mailbox.modseq BETWEEN 1 AND account.modseq
         AND mailbox.create_seq BETWEEN 1 AND mailbox.modseq
         AND append_seq BETWEEN 0 AND mailbox.modseq AND expunge_seq BETWEEN 0 AND mailbox.modseq
         AND flag_seq BETWEEN 0 AND mailbox.modseq AND trimmed_seq BETWEEN 0 AND mailbox.modseq
         AND uid_next BETWEEN 1 AND 4294967295 AND recent_after BETWEEN 0 AND uid_next - 1)`,
    ),
  );
  tell(
    "annotations: impossible mod-sequences were put right",
    db.run(
      `UPDATE annotation SET modseq = (SELECT coalesce(
         (SELECT modseq FROM mailbox WHERE id = mailbox_id), (SELECT modseq FROM account)))
       WHERE modseq NOT BETWEEN 1 AND coalesce(
         (SELECT modseq FROM mailbox WHERE id = mailbox_id), (SELECT modseq FROM account))`,
    ),
  );
  tell(
    "expunged messages that are still there were forgotten",
    db.run(
      `DELETE FROM expunged WHERE EXISTS (SELECT 1 FROM message
         WHERE message.mailbox_id = expunged.mailbox_id AND message.uid = expunged.uid)
       OR modseq > (SELECT modseq FROM account)`,
    ),
  );
  const contradictions = `SELECT mailbox_id FROM tombstone JOIN mailbox ON mailbox.id = mailbox_id
    WHERE NOT (first_uid BETWEEN 1 AND last_uid AND last_uid < uid_next
      AND tombstone.modseq BETWEEN trimmed_seq + 1 AND mailbox.modseq
      AND NOT EXISTS (SELECT 1 FROM message WHERE message.mailbox_id = mailbox.id
        AND uid BETWEEN first_uid AND last_uid))
    UNION SELECT mailbox_id FROM expunged JOIN mailbox ON mailbox.id = mailbox_id
    WHERE expunged.modseq > trimmed_seq AND uid > coalesce((SELECT last_uid FROM tombstone
      WHERE tombstone.mailbox_id = mailbox.id AND tombstone.modseq = expunged.modseq
        AND first_uid <= expunged.uid ORDER BY first_uid DESC LIMIT 1), 0)`;
  for (const [id] of db.all<[number]>(contradictions)) {
    db.run("UPDATE mailbox SET trimmed_seq = modseq WHERE id = ?", id);
    db.run("DELETE FROM tombstone WHERE mailbox_id = ?", id);
    const name = db.get("SELECT name FROM mailbox WHERE id = ?", id)?.[0];
    tell(`mailbox ${name}: the history of expunges was forgotten; clients synchronise in full`);
  }
  const events = db.run(
    `DELETE FROM event WHERE modseq NOT BETWEEN (SELECT events_trimmed_seq + 1 FROM account)
       AND (SELECT modseq FROM account)`,
  );
  if (events > 0) {
    db.run("DELETE FROM event");
    db.run("UPDATE account SET events_trimmed_seq = modseq");
    tell("the history of mailboxes was forgotten");
  }
  tell(
    "threads without messages were dropped",
    db.run("DELETE FROM thread_ref WHERE thread_id NOT IN (SELECT thread_id FROM content)"),
  );
}

/** Counts, from what they count. */
export function repairTotals({ db }: Transaction, tell: Tell): void {
  const real = `SELECT mailbox.id AS id, count(uid) AS n, coalesce(sum(flags & 1 = 0), 0) AS u,
      coalesce(sum(flags & 8 <> 0), 0) AS d, coalesce(sum(message.size), 0) AS s,
      coalesce(sum(CASE WHEN flags & 8 <> 0 THEN message.size END), 0) AS ds,
      coalesce(sum(uid > recent_after), 0) AS r
    FROM mailbox LEFT JOIN message ON mailbox_id = mailbox.id GROUP BY mailbox.id`;
  tell(
    "mailboxes were counted anew",
    db.run(
      `UPDATE mailbox SET messages = n, unseen = u, deleted = d, size = s, deleted_size = ds,
         recent = r
       FROM (${real}) AS real WHERE real.id = mailbox.id
         AND (messages, unseen, deleted, size, deleted_size, recent) <> (n, u, d, s, ds, r)`,
    ),
  );
  tell(
    "the account's totals were counted anew",
    db.run(
      `UPDATE account SET messages = n, size = s, deleted_size = d
       FROM (SELECT coalesce(sum(messages), 0) AS n, coalesce(sum(size), 0) AS s,
         coalesce(sum(deleted_size), 0) AS d FROM mailbox) AS real
       WHERE (account.messages, account.size, account.deleted_size) <> (n, s, d)`,
    ),
  );
}
