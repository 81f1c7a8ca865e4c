import { join } from "node:path";
import { randomHex } from "../../base/mod.ts";
import type { AccountFile } from "./account_file.ts";
import { checkAccount } from "./check.ts";
import { StoreError, type StoreErrorCode } from "../store_error.ts";
import { isCorrupt } from "./database.ts";
import { keepCopy } from "./keep_copy.ts";
import { mailSchema } from "./migrations/mod.ts";
import { damageOf, rebuild } from "./rebuild.ts";
import { adoptContents, deriveContents } from "./repair_contents.ts";
import { repairMailboxes } from "./repair_mailboxes.ts";
import { repairHistory, repairMessages, repairTotals } from "./repair_messages.ts";
import type { Transaction } from "./transaction.ts";

/**
 * Mends what can be mended of what the check finds and says what it did. A copy of the database as
 * it was is kept beside it first. Sessions may go on meanwhile: each step is one commit, numbers
 * that clients rely on only go up, and what changes has a mod-sequence of its own.
 */
export async function* repairAccount(file: AccountFile, now: number): AsyncGenerator<string> {
  if ((await checkAccount(file).next()).done) return;
  const copy = join(file.folder, `mail.db.before-repair-${now}`);
  try {
    await keepCopy(file.useDatabase(), copy);
    yield `a copy of the database as it was is in ${copy}`;
  } catch (error) {
    yield `no copy of the database could be made: ${(error as Error).message}`;
  }
  if (isDamaged(file)) {
    try {
      yield mendFile(file);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      yield FILE_REFUSALS[error.code] ?? error.message;
      return;
    }
  }
  if (restoreAccountRow(file, now)) yield "the account's counters were lost and were made anew";
  yield* await file.write(told(repairMailboxes));
  yield* deriveContents(file);
  yield* await file.write(told(repairMessages));
  yield* await file.write(told(repairHistory));
  yield* adoptContents(file);
  // Last, since everything before may change what is counted.
  yield* await file.write(told(repairTotals));
  for (const problem of file.searchIndex.check()) {
    yield `search index, made anew: ${problem}`;
    file.searchIndex.clear();
    break;
  }
}

function isDamaged(file: AccountFile): boolean {
  return damageOf(file.useDatabase(), 1).length > 0;
}

/** Why the file itself could not be mended. */
const FILE_REFUSALS: Partial<Record<StoreErrorCode, string>> = {
  unavailable: "the file is damaged and in use: stop the server, and repair again",
  corrupt: "the file is damaged, and not all of its mail can be read: restore a backup",
};

/** Mends the pages of the database file, and says how. Throws StoreError when that cannot be done. */
function mendFile(file: AccountFile): string {
  try {
    file.useDatabase().exec("REINDEX");
    if (!isDamaged(file)) return "the indexes of the file were made anew";
  } catch (error) {
    if (!isCorrupt(error)) throw error;
  }
  file.closeDatabase();
  rebuild(join(file.folder, "mail.db"), mailSchema);
  return "the file was made anew from its tables";
}

/** Says that something was done, with the number of rows. */
export type Tell = (text: string, rows?: number) => void;

/** Most lines told of one kind. */
const MAX_TOLD = 20;

function told(
  step: (transaction: Transaction, tell: Tell) => void,
): (transaction: Transaction) => string[] {
  return (transaction) => {
    const lines: string[] = [];
    step(transaction, (text, rows) => {
      if (rows === 0) return;
      if (lines.length < MAX_TOLD) lines.push(rows === undefined ? text : `${text} (${rows})`);
      else lines[MAX_TOLD] = "(and more)";
    });
    return lines;
  };
}

/** The one row of counters, from what is there; without it nothing else can be written. */
function restoreAccountRow(file: AccountFile, now: number): boolean {
  return file.writeLoosely((db) =>
    db.run(
      `INSERT INTO account (id, object_prefix, modseq, next_uid_validity, next_mailbox_id,
         next_content_id)
       SELECT 1, ?, 1, max(?, (SELECT coalesce(max(uid_validity), 0) + 1 FROM mailbox)), 1, 1
       WHERE NOT EXISTS (SELECT 1 FROM account)`,
      randomHex(4),
      now,
    )
  ) > 0;
}
