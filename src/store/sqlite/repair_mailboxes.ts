import { MAX_UINT32 } from "../../base/mod.ts";
import { parentNames, parseMailboxName } from "../mailbox_name.ts";
import { CHUNK_CONTENT_ID } from "./bodies.ts";
import { makeWithParents } from "./mailboxes.ts";
import type { Tell } from "./repair.ts";
import type { Transaction } from "./transaction.ts";

/** A mod-sequence above this was not counted up to: it is damage. */
const MAX_PLAUSIBLE_MODSEQ = 2 ** 50;

const UNKNOWN_MAILBOX =
  "mailbox_id NOT IN (SELECT id FROM mailbox UNION ALL SELECT id FROM doomed_mailbox)";

/** Counters, mailboxes and what refers to them. Counters go up to what was counted with them. */
export function repairMailboxes(transaction: Transaction, tell: Tell): void {
  const { db } = transaction;
  raiseCounters(transaction, tell);
  tell(
    "deleted mailboxes that are there were kept",
    db.run("DELETE FROM doomed_mailbox WHERE id IN (SELECT id FROM mailbox)"),
  );
  repairNames(transaction, tell);
  tell(
    "special uses were taken from all mailboxes but the first that had them",
    [1, 2, 4, 8, 16].reduce(
      (sum, bit) =>
        sum + db.run(
          `UPDATE mailbox SET special_use = special_use & ~?1 WHERE special_use & ?1 <> 0
             AND id <> (SELECT min(id) FROM mailbox WHERE special_use & ?1 <> 0)`,
          bit,
        ),
      db.run("UPDATE mailbox SET special_use = special_use & 31 WHERE special_use & ~31 <> 0"),
    ),
  );
  const doubled = db.all<[number, string]>(
    `SELECT id, name FROM mailbox WHERE uid_validity NOT BETWEEN 1 AND ?1
       OR EXISTS (SELECT 1 FROM mailbox AS other
         WHERE other.uid_validity = mailbox.uid_validity AND other.id < mailbox.id)`,
    MAX_UINT32,
  );
  for (const [id, name] of doubled) {
    db.run(
      `UPDATE mailbox SET uid_validity =
         (SELECT next_uid_validity FROM account), modseq = ? WHERE id = ?`,
      transaction.modSeq(),
      id,
    );
    db.run("UPDATE account SET next_uid_validity = next_uid_validity + 1");
    tell(`mailbox ${name}: has a new UIDVALIDITY; clients read it anew`);
  }
  tell(
    "annotations of unknown mailboxes were dropped",
    db.run(
      `DELETE FROM annotation WHERE mailbox_id <> 0
         AND mailbox_id NOT IN (SELECT id FROM mailbox)`,
    ),
  );
  tell(
    "what was expunged from unknown mailboxes was dropped",
    db.run(`DELETE FROM expunged WHERE ${UNKNOWN_MAILBOX}`) +
      db.run(`DELETE FROM tombstone WHERE ${UNKNOWN_MAILBOX}`),
  );
  tell(
    "messages that have come were still noted as coming in",
    db.run(
      `DELETE FROM staging WHERE content_id IN
         (SELECT content_id FROM message UNION ALL SELECT content_id FROM expunged)`,
    ),
  );
  tell(
    "text for search of unknown messages was dropped",
    db.run(`DELETE FROM search_text WHERE content_id NOT IN (SELECT id FROM content)
      AND content_id NOT IN (SELECT ${CHUNK_CONTENT_ID} FROM chunk)`),
  );
}

function raiseCounters({ db }: Transaction, tell: Tell): void {
  const highest = [
    "SELECT modseq FROM mailbox",
    "SELECT modseq FROM message",
    "SELECT create_seq FROM message",
    "SELECT modseq FROM expunged",
    "SELECT modseq FROM tombstone",
    "SELECT modseq FROM annotation",
    "SELECT modseq FROM event",
    "SELECT 1 AS modseq",
  ].join(" UNION ALL ");
  const raise = (counter: string, to: string, ...values: number[]) =>
    tell(
      `the counter ${counter} was raised to what it had counted`,
      db.run(
        `UPDATE account SET ${counter} = top.n FROM (${to}) AS top WHERE account.${counter} < top.n`,
        ...values,
      ),
    );
  raise(
    "modseq",
    `SELECT max(modseq) AS n FROM (${highest}) WHERE modseq <= ?`,
    MAX_PLAUSIBLE_MODSEQ,
  );
  raise(
    "next_mailbox_id",
    `SELECT max(id) + 1 AS n FROM (SELECT id FROM mailbox UNION ALL SELECT id FROM doomed_mailbox
       UNION ALL SELECT mailbox_id FROM message)`,
  );
  raise(
    "next_uid_validity",
    "SELECT max(uid_validity) + 1 AS n FROM mailbox WHERE uid_validity < ?",
    MAX_UINT32,
  );
  raise(
    "next_content_id",
    `SELECT max(id) + 1 AS n FROM (SELECT max(id) AS id FROM content
       UNION ALL SELECT max(content_id) FROM staging
       UNION ALL SELECT max(content_id) FROM message
       UNION ALL SELECT ${CHUNK_CONTENT_ID} FROM chunk WHERE id = (SELECT max(id) FROM chunk))`,
  );
  tell(
    "the history of mailboxes was said to be forgotten up to an impossible number",
    db.run(
      `UPDATE account SET events_trimmed_seq = modseq
       WHERE events_trimmed_seq NOT BETWEEN 0 AND modseq`,
    ),
  );
}

function repairNames(transaction: Transaction, tell: Tell): void {
  const { db } = transaction;
  for (const [id, name] of db.all<[number, string]>("SELECT id, name FROM mailbox")) {
    if (isValidName(name)) continue;
    const newName = `Recovered-${id}`;
    const modSeq = transaction.modSeq();
    db.run("UPDATE mailbox SET name = ?, modseq = ? WHERE id = ?", newName, modSeq, id);
    tell(`mailbox ${name}: is called ${newName} now`);
  }
  for (const [name] of db.all<[string]>("SELECT name FROM subscription")) {
    if (isValidName(name)) continue;
    db.run("DELETE FROM subscription WHERE name = ?", name);
    tell(`subscription ${name}: was dropped, no mailbox can have that name`);
  }
  const names = new Set(db.all<[string]>("SELECT name FROM mailbox").map(([name]) => name));
  const missing = new Set(
    ["INBOX", ...[...names].flatMap(parentNames)].filter((it) => !names.has(it)),
  );
  for (const name of missing) {
    makeWithParents(transaction, name);
    tell(`mailbox ${name}: was missing and was made`);
  }
}

function isValidName(name: string): boolean {
  try {
    return parseMailboxName(name) === name;
  } catch {
    return false;
  }
}
