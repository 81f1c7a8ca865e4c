import type { Bytes, MailboxId, ModSeq, RangeSet, Uid, UidValidity } from "../base/mod.ts";
import type { ParsedMessage, SortKeys } from "../message/mod.ts";
import type { Predicate } from "./predicate.ts";

/** Bits of `MessageRow.flags` (RFC 9051 2.3.2). */
export const SystemFlag = {
  seen: 1,
  answered: 2,
  flagged: 4,
  deleted: 8,
  draft: 16,
} as const;

/** Special-use attributes that a mailbox may be given (RFC 6154 2), without the backslash. */
export type SpecialUse = "Archive" | "Drafts" | "Junk" | "Sent" | "Trash";

/** Numbers kept in the transaction that changes them, so reading them costs nothing. */
export interface MailboxCounts {
  readonly messages: number;
  readonly unseen: number;
  readonly deleted: number;
  /** Octets of all messages. */
  readonly size: number;
  /** Octets of messages with \Deleted. */
  readonly deletedSize: number;
  /** Messages that no session has been told of as \Recent (RFC 3501 2.3.2). */
  readonly recent: number;
}

export interface Mailbox {
  readonly id: MailboxId;
  /** Decoded name with "/" between levels; INBOX in capitals. */
  readonly name: string;
  readonly uidValidity: UidValidity;
  /** The UID that the next message will get: 1 to 2^32 - 1; never goes down. */
  readonly uidNext: Uid;
  /** Highest mod-sequence of anything in the mailbox, annotations included; never goes down. */
  readonly modSeq: ModSeq;
  readonly createSeq: ModSeq;
  /** Mod-sequence of the last append, expunge and flag change (0: never), for NOTIFY (RFC 5465). */
  readonly appendSeq: number;
  readonly expungeSeq: number;
  readonly flagSeq: number;
  readonly subscribed: boolean;
  readonly specialUse: readonly SpecialUse[];
  /** Keywords ever used in this mailbox, in the spelling of their first use; only grows. */
  readonly keywords: readonly string[];
  /** MAILBOXID (RFC 8474): never changes, not by RENAME either. */
  readonly objectId: string;
  readonly counts: MailboxCounts;
}

/** An instant with the offset from UTC in which it was given. */
export interface ZonedTime {
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly seconds: number;
  /** Minutes east of UTC: -1439 to 1439. */
  readonly zoneMinutes: number;
}

/** Content that FETCH may ask for beside the index row; computed once, when the message is stored. */
export type ContentColumn =
  | "envelope"
  | "body"
  | "bodyStructure"
  | "preview"
  /** The header, empty line included, as stored. */
  | "header"
  /** `encodeParts` of `message/`: where each MIME part lies. */
  | "parts"
  /** The whole message, given only when it has at most `INLINE_RAW_BYTES`; see `readRaw`. */
  | "raw";

/** One message. Content columns are there when asked for (and `raw` when small enough). */
export interface MessageRow {
  readonly uid: Uid;
  readonly modSeq: ModSeq;
  readonly createSeq: ModSeq;
  /** OR of `SystemFlag`. */
  readonly flags: number;
  /** Keywords separated by one space, as FETCH prints them; "" for none. */
  readonly keywords: string;
  readonly internalDate: ZonedTime;
  /** Seconds since 1970 when it was put into this mailbox (RFC 8514). */
  readonly saveDate: number;
  /** Octets, as stored (RFC822.SIZE). */
  readonly size: number;
  /** EMAILID and THREADID (RFC 8474). */
  readonly emailId: string;
  readonly threadId: string;
  /** True when the message is gone, and only kept for sessions that were not told yet. */
  readonly expunged: boolean;
  readonly envelope?: Bytes;
  readonly body?: Bytes;
  readonly bodyStructure?: Bytes;
  readonly preview?: string;
  readonly header?: Bytes;
  readonly parts?: Bytes;
  readonly raw?: Bytes;
}

/** Largest message that the `raw` column gives: one chunk. */
export const INLINE_RAW_BYTES = 256 * 1024;

/** What SORT and THREAD order and join messages by (RFC 5256), made when the message was stored. */
export interface OrderRow {
  readonly uid: Uid;
  /** Internal date, seconds since 1970. */
  readonly internalSeconds: number;
  /** Sent date (RFC 5256 2.2), milliseconds since 1970; the internal date where there is none. */
  readonly sentMs: number;
  readonly size: number;
  readonly baseSubject: string;
  /** The subject is that of a reply or forward. */
  readonly isReply: boolean;
  readonly keys: SortKeys;
  readonly messageId: string | undefined;
  /** References, or else the first identifier of In-Reply-To: the last one is the parent. */
  readonly ancestors: readonly string[];
}

/** A message on its way in: bytes go in, are stored and parsed, and may then be appended. */
export interface MessageStage {
  /** Octets taken so far, after bare CR and LF became CRLF. */
  readonly size: number;
  /** Takes the next bytes, in any split. Await it: it may be writing to disk. */
  write(chunk: Bytes): Promise<void>;
  /** Ends the message. After it the stage may be given to `append` or `replace`, once. */
  finish(): Promise<StagedMessage>;
  /**
   * Forgets everything; harmless after `finish` or a second time. What the disk does not let go of
   * now goes later: no reason to fail.
   */
  discard(): Promise<void>;
}

/** A complete message that is not yet in a mailbox. */
export interface StagedMessage {
  readonly size: number;
  readonly parsed: ParsedMessage;
  /** Moves what is still in memory to disk; the parked message is then used in place of this one. */
  park(): Promise<ParkedMessage>;
  discard(): Promise<void>;
}

/**
 * A complete message that waits on disk, so that very many may be appended together. Bounds: it is
 * forgotten when it waits for more than six hours.
 */
export interface ParkedMessage {
  readonly size: number;
  discard(): Promise<void>;
}

export interface NewMessage {
  readonly staged: StagedMessage | ParkedMessage;
  readonly flags: number;
  readonly keywords: readonly string[];
  readonly internalDate: ZonedTime;
}

export interface AppendResult {
  readonly mailbox: Mailbox;
  /** Consecutive UIDs, in the order of the messages. */
  readonly uids: RangeSet;
  readonly modSeq: ModSeq;
}

export type FlagMode = "add" | "remove" | "replace";

export interface FlagChange {
  readonly mode: FlagMode;
  readonly flags: number;
  readonly keywords: readonly string[];
  /** Only messages whose mod-sequence is at most this are changed (RFC 7162 3.1.3). */
  readonly unchangedSince?: ModSeq | 0;
}

/** Flags of one message. */
export interface FlagRow {
  readonly uid: Uid;
  readonly modSeq: ModSeq;
  readonly flags: number;
  readonly keywords: string;
}

export interface FlagResult {
  /** Mod-sequence of the change; undefined when no message changed. */
  readonly modSeq: ModSeq | undefined;
  /** Every addressed message that exists, changed or not, with its flags now, by UID. */
  readonly rows: readonly FlagRow[];
  /** Addressed messages that `unchangedSince` kept from being changed. */
  readonly modified: RangeSet;
}

export interface ExpungeResult {
  readonly uids: RangeSet;
  /** Undefined when nothing was expunged. */
  readonly modSeq: ModSeq | undefined;
}

/** Which messages have to go; of these the oldest go first. Times in seconds since 1970. */
export type ExpiryRule =
  | {
    readonly kind: "age";
    /** Put into their mailbox (RFC 8514) before this. */
    readonly savedBefore: number;
    /** In this mailbox alone. */
    readonly mailbox?: MailboxId;
    /** Of more octets than this. */
    readonly largerThan?: number;
    /** Only those that some session was told of: not \Recent (RFC 3501 2.3.2) any more. */
    readonly isNoticed?: boolean;
  }
  | {
    readonly kind: "size";
    readonly savedBefore: number;
    /** As many as it takes for the account to hold no more octets than this. */
    readonly untilBytes: number;
  };

export interface ExpiryResult {
  readonly messages: number;
  /** Octets of these. */
  readonly bytes: number;
  /** There may be more to remove: ask again. */
  readonly more: boolean;
}

/** COPY and MOVE. `from` and `to` have the same size and correspond in ascending order. */
export interface CopyResult {
  readonly destination: Mailbox;
  readonly from: RangeSet;
  readonly to: RangeSet;
  readonly modSeq: ModSeq | undefined;
}

/** How far a session has read the change log. */
export interface ChangeCursor {
  readonly modSeq: ModSeq;
  /** Last UID read among the changes of `modSeq`; 0 when all of `modSeq` was read. */
  readonly uid: number;
}

export interface SelectedMailbox {
  readonly mailbox: Mailbox;
  /** UIDs of all messages; position + 1 is the sequence number. */
  readonly uids: RangeSet;
  /** The lowest UID without \Seen. */
  readonly firstUnseen: Uid | undefined;
  /** UIDs that are \Recent in this session; claimed by it when `claimRecent` was asked. */
  readonly recent: RangeSet;
  readonly cursor: ChangeCursor;
}

export interface MessageChanges {
  /** The mailbox now; undefined when it was deleted (then the rest is empty). */
  readonly mailbox: Mailbox | undefined;
  /** Live messages above `afterUid`, ascending, with the flags they have now. */
  readonly appended: readonly FlagRow[];
  /** Live messages up to `afterUid` whose flags changed, by rising mod-sequence. */
  readonly changed: readonly FlagRow[];
  /** Messages up to `afterUid` that are gone. */
  readonly expunged: RangeSet;
  /** Which of `appended` are \Recent for the asker, when `claimRecent` was asked. */
  readonly recent: RangeSet;
  readonly cursor: ChangeCursor;
  /** There is more behind `cursor`: ask again. */
  readonly more: boolean;
}

/** Something that happened to a mailbox as a whole, for LIST and METADATA responses. */
export type MailboxEvent =
  & { readonly modSeq: ModSeq; readonly mailboxId: MailboxId | undefined; readonly name: string }
  & (
    | { readonly kind: "created" | "deleted" | "subscribed" | "unsubscribed" | "specialUse" }
    | { readonly kind: "renamed"; readonly oldName: string }
    /** `entries` changed on the mailbox, or on the account when `name` is "". */
    | { readonly kind: "metadata"; readonly entries: readonly string[] }
  );

export interface SearchOptions {
  /** Only these messages are looked at. */
  readonly within?: RangeSet;
  /** Stop as soon as the lowest or the highest match is known. */
  readonly only?: "min" | "max";
  /** Told now and then how many of how many messages were looked at. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface SearchResult {
  readonly uids: RangeSet;
  /** Highest mod-sequence among the matches; undefined without a match. */
  readonly modSeq: ModSeq | undefined;
}

export interface Quota {
  readonly usedBytes: number;
  readonly usedMessages: number;
  readonly usedMailboxes: number;
  /** Octets; undefined: no limit. */
  readonly limitBytes: number | undefined;
  readonly deletedBytes: number;
}

/** One METADATA entry (RFC 5464). `value` undefined deletes when written. */
export interface Annotation {
  /** Lower case and printable ASCII, such as "/private/comment". */
  readonly entry: string;
  readonly value: Bytes | undefined;
  /** Whether it was given as literal8, to be answered in kind. */
  readonly isBinary: boolean;
}

/**
 * The mail of one account. Laws: each method is one transaction and takes and gives plain data;
 * a method that changes something resolves only when the change is durable, and rejects with
 * StoreError having changed nothing; each change takes one new mod-sequence for all it touches.
 * Mailbox names are checked and normalised by `parseMailboxName` before they come here.
 */
export interface AccountStore {
  /**
   * All mailboxes, by name in code-point order, or only those whose mod-sequence is above
   * `changedSince`.
   */
  listMailboxes(options?: { changedSince?: number }): Promise<Mailbox[]>;
  findMailbox(name: string): Promise<Mailbox | undefined>;
  /** Subscribed names for which no mailbox exists. */
  listMissingSubscriptions(): Promise<string[]>;
  /**
   * Makes the mailbox and its missing parents, subscribed. Gives those made, parents first.
   * The special uses go to the mailbox alone and leave the mailbox that had them.
   */
  createMailbox(name: string, options?: { specialUse?: readonly SpecialUse[] }): Promise<Mailbox[]>;
  /** Its messages and annotations go; a subscription stays. */
  deleteMailbox(name: string): Promise<void>;
  /** Children come along; missing parents are made. From INBOX: its messages move to a new mailbox. */
  renameMailbox(from: string, to: string): Promise<void>;
  /** Unsubscribing a name that is neither subscribed nor a mailbox: "mailbox-not-found". */
  setSubscribed(name: string, subscribed: boolean): Promise<void>;

  /** A consistent snapshot to select the mailbox with. */
  selectMailbox(name: string, options: { claimRecent: boolean }): Promise<SelectedMailbox>;
  /** What happened to messages of the mailbox since `since`; at most about 1,000 rows at a time. */
  messageChanges(
    query: { mailbox: MailboxId; since: ChangeCursor; afterUid: number; claimRecent: boolean },
  ): Promise<MessageChanges>;
  /** Mod-sequence of the account's latest change: every change that comes gets a higher one. */
  latestModSeq(): Promise<ModSeq>;
  /** Mailbox events after `since`, at most 1,000 and in order; "resync" when the log was trimmed. */
  mailboxEvents(since: ModSeq): Promise<{ events: MailboxEvent[]; through: ModSeq } | "resync">;
  /** UIDs of `within` expunged after `since`; "resync" when history does not reach back so far. */
  expungedSince(mailbox: MailboxId, since: number, within: RangeSet): Promise<RangeSet | "resync">;

  /**
   * Messages of `uids` in ascending order, in pages of at most 1,000 rows and about 1 MiB. Messages
   * that are expunged come too, marked, while they are kept. No transaction is open between pages.
   */
  fetchMessages(
    mailbox: MailboxId,
    uids: RangeSet,
    columns?: readonly ContentColumn[],
    options?: { changedSince?: number },
  ): AsyncIterable<MessageRow[]>;
  /** Bytes `start` to `end` (exclusive) of the stored message, in pieces of at most 256 KiB. */
  readRaw(mailbox: MailboxId, uid: Uid, start: number, end: number): AsyncIterable<Bytes>;
  /** What orders the live messages among `uids`, ascending by UID, in pages of a few thousand. */
  fetchOrder(mailbox: MailboxId, uids: RangeSet): AsyncIterable<OrderRow[]>;
  search(mailbox: MailboxId, predicate: Predicate, options?: SearchOptions): Promise<SearchResult>;

  /** Where a new message's bytes go. */
  stageMessage(): MessageStage;
  /**
   * Appends all messages or none. Errors: "mailbox-not-found" (unless `create`), "over-quota".
   * The stages are used up when it resolves, and must be discarded by the caller when it rejects.
   */
  append(
    mailbox: string,
    messages: readonly NewMessage[],
    options?: { create?: boolean },
  ): Promise<AppendResult>;
  /** Expunges `uid` and appends `message` to `destination` in one step (RFC 8508). */
  replace(
    mailbox: MailboxId,
    uid: Uid,
    destination: string,
    message: NewMessage,
  ): Promise<AppendResult>;
  changeFlags(mailbox: MailboxId, uids: RangeSet, change: FlagChange): Promise<FlagResult>;
  /** Removes those of `uids` that exist, or only those of them with \Deleted. */
  expunge(
    mailbox: MailboxId,
    uids: RangeSet,
    options: { onlyDeleted: boolean },
  ): Promise<ExpungeResult>;
  /** Expunges at most `limit` messages that the rule says must go, whatever mailbox they are in. */
  expire(rule: ExpiryRule, limit: number): Promise<ExpiryResult>;
  copy(mailbox: MailboxId, uids: RangeSet, destination: string): Promise<CopyResult>;
  move(mailbox: MailboxId, uids: RangeSet, destination: string): Promise<CopyResult>;

  quota(): Promise<Quota>;
  /** Annotations of a mailbox, or of the account for undefined. */
  listAnnotations(mailbox: string | undefined): Promise<Annotation[]>;
  /** Annotations of these names, of all mailboxes that have any of them. */
  findAnnotations(
    entries: readonly string[],
  ): Promise<ReadonlyMap<MailboxId, readonly Annotation[]>>;
  /** Sets or deletes all given entries or none. */
  setAnnotations(mailbox: string | undefined, annotations: readonly Annotation[]): Promise<void>;

  /** Every breach of the store's invariants, in words; empty when all is well. */
  check(): AsyncIterable<string>;
  /**
   * Mends what can be mended of what `check` finds, and gives what was done, in words; a second
   * `check` tells what is left. Numbers that clients rely on only go up, and no message is dropped
   * that can still be read. Gives nothing, and does nothing, when `check` is silent.
   */
  repair(): AsyncIterable<string>;
}
