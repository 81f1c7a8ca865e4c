import type { MailboxId, ModSeq, Uid } from "../../base/mod.ts";
import { RangeSet } from "../../base/mod.ts";
import type { FlagChange, FlagResult, FlagRow } from "../account_store.ts";
import { applyTally, Tally } from "./counts.ts";
import type { Row } from "./database.ts";
import { MailboxKeywords, splitKeywords } from "./keywords.ts";
import { needMailboxById } from "./mailbox_record.ts";
import type { Transaction } from "./transaction.ts";

type IndexRow =
  & readonly [
    uid: number,
    modSeq: number,
    flags: number,
    keywords: string,
    size: number,
  ]
  & Row;

/** Neighbouring messages that get the same keywords: one UPDATE. */
interface Run {
  first: number;
  last: number;
  readonly before: string;
  readonly after: string;
}

/** STORE (RFC 9051 6.4.6, RFC 7162 3.1.3). What changes nothing takes no mod-sequence. */
export function changeFlags(
  transaction: Transaction,
  mailboxId: MailboxId,
  uids: RangeSet,
  change: FlagChange,
): FlagResult {
  const { db, account } = transaction;
  const keywords = new MailboxKeywords(needMailboxById(db, account, mailboxId));
  const unchangedSince = change.unchangedSince ?? Number.MAX_SAFE_INTEGER;
  const keep = change.mode === "replace" ? 0 : change.mode === "remove" ? ~change.flags : ~0;
  const set = change.mode === "remove" ? 0 : change.flags;
  const nextKeywords = keywordChange(keywords, change);

  const rows: FlagRow[] = [];
  const modified = new RangeSet();
  const runs: Run[] = [];
  const tally = new Tally();
  let modSeq: ModSeq | undefined;
  for (const range of uids.ranges()) {
    let run: Run | undefined;
    const found = db.all<IndexRow>(
      `SELECT uid, modseq, flags, keywords, size FROM message
       WHERE mailbox_id = ? AND uid BETWEEN ? AND ? ORDER BY uid`,
      mailboxId,
      range.first,
      range.last,
    );
    for (const [uid, oldModSeq, oldFlags, oldKeywords, size] of found) {
      const isKept = oldModSeq > unchangedSince;
      if (isKept) modified.add(uid);
      const flags = isKept ? oldFlags : oldFlags & keep | set;
      const text = isKept ? oldKeywords : nextKeywords(oldKeywords);
      const isChanged = flags !== oldFlags || text !== oldKeywords;
      if (isChanged) {
        modSeq ??= transaction.modSeq();
        tally.add(-1, oldFlags, size);
        tally.add(1, flags, size);
        if (run?.before === oldKeywords) run.last = uid;
        else runs.push(run = { first: uid, last: uid, before: oldKeywords, after: text });
      }
      rows.push({
        uid: uid as Uid,
        modSeq: isChanged && modSeq ? modSeq : oldModSeq as ModSeq,
        flags,
        keywords: text,
      });
    }
  }
  if (modSeq === undefined) return { modSeq, rows, modified };

  for (const run of runs) {
    // The conditions leave out the messages in between that do not change.
    db.run(
      `UPDATE message SET flags = flags & ? | ?, keywords = ?, modseq = ?
       WHERE mailbox_id = ? AND uid BETWEEN ? AND ? AND modseq <= ? AND keywords = ?
         AND (flags & ? | ? <> flags OR keywords <> ?)`,
      keep,
      set,
      run.after,
      modSeq,
      mailboxId,
      run.first,
      run.last,
      unchangedSince,
      run.before,
      keep,
      set,
      run.after,
    );
  }
  keywords.save(transaction);
  applyTally(transaction, mailboxId, "flag", tally, 0);
  return { modSeq, rows, modified };
}

/** What becomes of a message's keywords. Texts are few, so each is worked out once. */
function keywordChange(
  keywords: MailboxKeywords,
  change: FlagChange,
): (text: string) => string {
  const known = new Map<string, string>();
  const named = new Set(change.keywords.map((keyword) => keyword.toLowerCase()));
  const work = (text: string): string => {
    switch (change.mode) {
      case "add":
        return keywords.textOf([...splitKeywords(text), ...change.keywords]);
      case "remove":
        return splitKeywords(text).filter((it) => !named.has(it.toLowerCase())).join(" ");
      case "replace":
        return keywords.textOf(change.keywords);
    }
  };
  return (text) => {
    let result = known.get(text);
    if (result === undefined) known.set(text, result = work(text));
    return result;
  };
}
