import { RangeSet, type Uid } from "../../base/mod.ts";
import type { Mailbox, SelectedMailbox } from "../account_store.ts";
import type { AccountFile } from "./account_file.ts";
import { currentModSeq } from "./changes.ts";
import type { Database } from "./database.ts";
import { needMailbox, needMailboxById } from "./mailbox_record.ts";

/** What SELECT and EXAMINE need (RFC 9051 6.3.2), of one snapshot. */
export function selectMailbox(
  db: Database,
  file: AccountFile,
  name: string,
  claimRecent: boolean,
): SelectedMailbox {
  let mailbox = needMailbox(db, file, name);
  const { id, counts } = mailbox;
  const uids = liveUids(db, mailbox);
  let recent = new RangeSet();
  if (counts.recent > 0) {
    const after = file.recentAfter(
      id,
      db.number("SELECT recent_after FROM mailbox WHERE id = ?", id),
    );
    recent = uids.intersect(RangeSet.range(after + 1, mailbox.uidNext - 1));
    if (claimRecent) {
      file.recentMarks.claim(id, mailbox.uidNext - 1);
      mailbox = needMailboxById(db, file, id);
    }
  }
  const firstUnseen = counts.unseen === 0 ? undefined : db.number(
    "SELECT min(uid) FROM message WHERE mailbox_id = ? AND flags & 1 = 0",
    id,
  ) as Uid;
  return { mailbox, uids, firstUnseen, recent, cursor: { modSeq: currentModSeq(db), uid: 0 } };
}

/** UIDs of all messages, without reading each when they have no gaps. */
export function liveUids(db: Database, { id, counts }: Mailbox): RangeSet {
  if (counts.messages === 0) return new RangeSet();
  const first = db.number("SELECT min(uid) FROM message WHERE mailbox_id = ?", id);
  const last = db.number("SELECT max(uid) FROM message WHERE mailbox_id = ?", id);
  if (last - first + 1 === counts.messages) return RangeSet.range(first, last);
  const uids = new RangeSet();
  for (
    const [uid] of db.all<[number]>(
      "SELECT uid FROM message WHERE mailbox_id = ? ORDER BY uid",
      id,
    )
  ) uids.add(uid);
  return uids;
}
