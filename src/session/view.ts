import {
  type MailboxId,
  type ModSeq,
  RangeSet,
  type SeqNum,
  seqNum,
  type Uid,
} from "../base/mod.ts";
import type { FollowedSearch, View as ViewContract } from "../imap/mod.ts";
import type { ChangeCursor, FlagRow, SelectedMailbox } from "../store/mod.ts";
import { mentionsLargest, resolveSequenceSet, type SequenceSet, WireError } from "../wire/mod.ts";

/**
 * One session's picture of its selected mailbox: exactly what the client has been told. Pure data;
 * `updates.ts` moves it forward. Memory depends on the gaps between UIDs, not on their number.
 */
export class View implements ViewContract {
  readonly mailboxId: MailboxId;
  readonly isReadOnly: boolean;
  name: string;
  uids: RangeSet;
  recent: RangeSet;
  /** Gone, but the client still counts them: EXPUNGE may not be sent at all times. */
  pendingExpunges = new RangeSet();
  savedResult = new RangeSet();
  readonly followed = new Map<string, FollowedSearch>();
  keywords: Map<string, string>;
  isDeleted = false;
  /** How far the change log has been read. */
  cursor: ChangeCursor;
  /** HIGHESTMODSEQ: everything up to it has been told. */
  modSeq: ModSeq;
  /** Where reading was when a change of flags was first passed over, as the client wants none. */
  skippedFlags: ChangeCursor | undefined;
  /** The highest UID that has ever been in `uids`: what is above it is new. */
  highestUid: number;
  /**
   * Changes that the client knows because it made or fetched them itself, by UID, while the change
   * log has not been read that far.
   */
  #told: Map<Uid, ModSeq> | undefined;

  constructor(selected: SelectedMailbox, isReadOnly: boolean) {
    this.mailboxId = selected.mailbox.id;
    this.name = selected.mailbox.name;
    this.isReadOnly = isReadOnly;
    this.uids = selected.uids;
    this.recent = selected.recent;
    this.cursor = selected.cursor;
    this.modSeq = selected.mailbox.modSeq;
    this.highestUid = selected.uids.last ?? 0;
    this.keywords = new Map(selected.mailbox.keywords.map((name) => [name.toLowerCase(), name]));
  }

  seqNum(uid: Uid | number): SeqNum {
    const index = this.uids.indexOf(uid);
    if (index < 0) throw new Error(`UID ${uid} is not in the view`);
    return seqNum(index + 1);
  }

  resolve(set: SequenceSet, by: "uid" | "seq"): RangeSet {
    if (set === "$") return this.savedResult.intersect(this.uids);
    if (by === "uid") return resolveSequenceSet(set, this.uids.last ?? 0).intersect(this.uids);
    const exists = this.uids.size;
    if (exists === 0 && mentionsLargest(set)) throw new WireError("The mailbox is empty");
    const positions = resolveSequenceSet(set, exists);
    if ((positions.last ?? 0) > exists) {
      throw new WireError("A sequence number is above the number of messages");
    }
    return this.uids.select(positions);
  }

  /** Everything up to this mod-sequence has been told. */
  get toldSeq(): number {
    const { cursor } = this;
    if (!this.pendingExpunges.isEmpty || this.skippedFlags) return this.modSeq;
    return cursor.uid > 0 ? cursor.modSeq - 1 : cursor.modSeq;
  }

  /** Goes back to where flags were first passed over: what was told since is not told again. */
  rewind(): void {
    this.cursor = this.skippedFlags ?? this.cursor;
    this.skippedFlags = undefined;
  }

  told(rows: Iterable<FlagRow>): void {
    for (const { uid, modSeq } of rows) {
      if (modSeq > this.cursor.modSeq) (this.#told ??= new Map()).set(uid, modSeq);
    }
  }

  /** Whether the client knows this state of the message already. */
  knows(row: FlagRow): boolean {
    const modSeq = this.#told?.get(row.uid);
    return modSeq !== undefined && modSeq >= row.modSeq;
  }

  forget(uids: RangeSet): void {
    this.uids = this.uids.difference(uids);
    this.recent = this.recent.difference(uids);
    this.savedResult = this.savedResult.difference(uids);
    this.pendingExpunges = this.pendingExpunges.difference(uids);
  }

  /**
   * Nothing but the own change `modSeq` happened since the log was last read when it is the next
   * number: then there is nothing to read again.
   */
  toldChange(modSeq: ModSeq | undefined): void {
    if (modSeq === this.cursor.modSeq + 1 && this.cursor.uid === 0) {
      this.cursor = { modSeq, uid: 0 };
      this.#told = undefined;
    }
  }

  /** Adds new messages, ascending and all above `highestUid`. */
  add(uids: readonly Uid[], recent: RangeSet): void {
    for (const uid of uids) this.uids.add(uid);
    this.recent = this.recent.union(recent);
    this.highestUid = Math.max(this.highestUid, uids.at(-1) ?? 0);
  }

  /** Notes that the log was read up to `cursor`. */
  advance(cursor: ChangeCursor, isComplete: boolean): void {
    this.cursor = cursor;
    if (isComplete) this.#told = undefined;
  }
}
