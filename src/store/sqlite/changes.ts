import { type MailboxId, MAX_UINT32, type ModSeq, RangeSet, type Uid } from "../../base/mod.ts";
import type { ChangeCursor, FlagRow, MailboxEvent, MessageChanges } from "../account_store.ts";
import type { AccountFile } from "./account_file.ts";
import type { Database, Row } from "./database.ts";
import { checkMailboxExists, mailboxById } from "./mailbox_record.ts";

/** Rows of the log in one answer. */
const PAGE_ROWS = 1000;

type FlagColumns =
  & readonly [uid: number, modSeq: number, flags: number, keywords: string, createSeq: number]
  & Row;

interface TombstoneRange {
  readonly modSeq: number;
  readonly first: number;
  readonly last: number;
}

export function currentModSeq(db: Database): ModSeq {
  return db.number("SELECT modseq FROM account") as ModSeq;
}

/**
 * One page of what happened to messages. The log is the messages themselves, in the order of their
 * last mod-sequence, and the tombstones. Messages beyond `afterUid` are given with the flags they
 * have, so their entries in the log need not be read; those expunged before they were told of never
 * appear.
 */
export function messageChanges(
  db: Database,
  file: AccountFile,
  query: { mailbox: MailboxId; since: ChangeCursor; afterUid: number; claimRecent: boolean },
): MessageChanges {
  const { since, afterUid } = query;
  const mailbox = mailboxById(db, file, query.mailbox);
  if (!mailbox) {
    return { ...NO_CHANGES, expunged: new RangeSet(), recent: new RangeSet(), cursor: since };
  }

  const appended = db.all<FlagColumns>(
    `SELECT uid, modseq, flags, keywords, create_seq FROM message
     WHERE mailbox_id = ? AND uid > ? ORDER BY uid LIMIT ?`,
    mailbox.id,
    afterUid,
    PAGE_ROWS + 1,
  );
  const hasMoreAppended = appended.length > PAGE_ROWS;
  if (hasMoreAppended) appended.pop();
  const log = readLog(db, mailbox.id, since, afterUid, PAGE_ROWS - appended.length);

  const recent = new RangeSet();
  const newest = appended.at(-1)?.[0];
  if (query.claimRecent && newest !== undefined) {
    const stored = db.number("SELECT recent_after FROM mailbox WHERE id = ?", mailbox.id);
    const after = file.recentAfter(mailbox.id, stored);
    for (const [uid] of appended) if (uid > after) recent.add(uid);
    file.recentMarks.claim(mailbox.id, newest);
  }
  return {
    mailbox: recent.isEmpty ? mailbox : mailboxById(db, file, mailbox.id),
    appended: appended.map(flagRow),
    changed: log.changed.map(flagRow),
    expunged: log.expunged,
    recent,
    cursor: log.cursor ?? { modSeq: currentModSeq(db), uid: 0 },
    more: hasMoreAppended || log.cursor !== undefined,
  };
}

/** UIDs of `within` expunged after `since`. */
export function expungedSince(
  db: Database,
  mailboxId: MailboxId,
  since: number,
  within: RangeSet,
): RangeSet | "resync" {
  checkMailboxExists(db, mailboxId);
  if (since < trimmedSeq(db, mailboxId)) return "resync";
  const ranges = db.all<[number, number]>(
    "SELECT first_uid, last_uid FROM tombstone WHERE mailbox_id = ? AND modseq > ? ORDER BY first_uid",
    mailboxId,
    since,
  );
  return RangeSet.fromRanges(ranges.map(([first, last]) => ({ first, last }))).intersect(within);
}

/** A page of the log of mailboxes; all events of one mod-sequence are on one page. */
export function mailboxEvents(
  db: Database,
  since: ModSeq,
): { events: MailboxEvent[]; through: ModSeq } | "resync" {
  if (since < db.number("SELECT events_trimmed_seq FROM account")) return "resync";
  const next = db.get<[number]>(
    "SELECT modseq FROM event WHERE modseq > ? ORDER BY modseq, id LIMIT 1 OFFSET ?",
    since,
    PAGE_ROWS,
  )?.[0];
  let through = next === undefined ? currentModSeq(db) : next - 1 as ModSeq;
  if (
    next !== undefined &&
    !db.get("SELECT 1 FROM event WHERE modseq > ? AND modseq < ?", since, next)
  ) {
    // One change with more events than a page, such as renaming a large tree.
    through = next as ModSeq;
  }
  const events = db.all<
    readonly [ModSeq, MailboxEvent["kind"], MailboxId | null, string, string] & Row
  >(
    `SELECT modseq, kind, mailbox_id, name, detail FROM event WHERE modseq > ? AND modseq <= ?
     ORDER BY modseq, id`,
    since,
    through,
  ).map(([modSeq, kind, mailboxId, name, detail]): MailboxEvent => {
    const common = { modSeq, mailboxId: mailboxId ?? undefined, name };
    switch (kind) {
      case "renamed":
        return { ...common, kind, oldName: detail };
      case "metadata":
        return { ...common, kind, entries: detail.split("\n") };
      default:
        return { ...common, kind };
    }
  });
  return { events, through };
}

const NO_CHANGES = { mailbox: undefined, appended: [], changed: [], more: false } as const;

interface LogPage {
  readonly changed: readonly FlagColumns[];
  readonly expunged: RangeSet;
  /** Undefined when the end of the log was reached. */
  readonly cursor: ChangeCursor | undefined;
}

function readLog(
  db: Database,
  mailboxId: MailboxId,
  since: ChangeCursor,
  afterUid: number,
  limit: number,
): LogPage {
  const position = [since.modSeq, since.uid === 0 ? MAX_UINT32 : since.uid] as const;
  const messages = db.all<FlagColumns>(
    `SELECT uid, modseq, flags, keywords, create_seq FROM message INDEXED BY message_modseq
     WHERE mailbox_id = ? AND (modseq, uid) > (?, ?) AND uid <= ? AND modseq <> create_seq
     ORDER BY modseq, uid LIMIT ?`,
    mailboxId,
    ...position,
    afterUid,
    limit + 1,
  );
  const forgotten = since.modSeq < trimmedSeq(db, mailboxId);
  // Where tombstones are missing, everything that is not there is gone: the asker knows which of it
  // is news. It belongs to the first page, and costs no rows of it.
  const gone = forgotten ? missingUids(db, mailboxId, afterUid) : new RangeSet();
  const tombstones = forgotten ? [] : readTombstones(db, mailboxId, position, afterUid, limit + 1);

  const changed: FlagColumns[] = [];
  let cursor: ChangeCursor = since;
  let room = limit;
  let m = 0;
  let t = 0;
  while (room > 0 && (m < messages.length || t < tombstones.length)) {
    const message = messages[m];
    const tombstone = tombstones[t];
    if (message && (!tombstone || isBefore(message, tombstone))) {
      changed.push(message);
      cursor = { modSeq: message[1] as ModSeq, uid: message[0] };
      room--;
      m++;
    } else if (tombstone) {
      // A range counts with its members, and may be told in parts.
      const last = Math.min(tombstone.last, tombstone.first + room - 1);
      gone.addRange(tombstone.first, last);
      cursor = { modSeq: tombstone.modSeq as ModSeq, uid: last };
      room -= last - tombstone.first + 1;
      if (last === tombstone.last) t++;
    }
  }
  const isAtEnd = m === messages.length && t === tombstones.length;
  return { changed, expunged: gone, cursor: isAtEnd ? undefined : cursor };
}

/** Tombstones behind a position, as far as they concern UIDs up to `afterUid`. */
function readTombstones(
  db: Database,
  mailboxId: MailboxId,
  [modSeq, uid]: readonly [modSeq: number, uid: number],
  afterUid: number,
  limit: number,
): TombstoneRange[] {
  return db.all<[number, number, number]>(
    `SELECT modseq, first_uid, last_uid FROM tombstone
     WHERE mailbox_id = ?1 AND modseq >= ?2 AND first_uid <= ?4
       AND (modseq > ?2 OR last_uid > ?3 AND ?4 > ?3)
     ORDER BY modseq, first_uid LIMIT ?5`,
    mailboxId,
    modSeq,
    uid,
    afterUid,
    limit,
  ).map(([at, first, last]) => ({
    modSeq: at,
    first: at === modSeq ? Math.max(first, uid + 1) : first,
    last: Math.min(last, afterUid),
  }));
}

function isBefore([uid, modSeq]: FlagColumns, tombstone: TombstoneRange): boolean {
  return modSeq < tombstone.modSeq || (modSeq === tombstone.modSeq && uid < tombstone.first);
}

function trimmedSeq(db: Database, mailboxId: MailboxId): number {
  return db.number("SELECT trimmed_seq FROM mailbox WHERE id = ?", mailboxId);
}

function missingUids(db: Database, mailboxId: MailboxId, upTo: number): RangeSet {
  const live = new RangeSet();
  for (
    const [uid] of db.all<[number]>(
      "SELECT uid FROM message WHERE mailbox_id = ? AND uid <= ? ORDER BY uid",
      mailboxId,
      upTo,
    )
  ) live.add(uid);
  return RangeSet.range(1, upTo).difference(live);
}

function flagRow([uid, modSeq, flags, keywords]: FlagColumns): FlagRow {
  return { uid: uid as Uid, modSeq: modSeq as ModSeq, flags, keywords };
}
