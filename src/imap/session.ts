import type { MailboxId, ModSeq, RangeSet, SeqNum, Uid } from "../base/mod.ts";
import type { Credential } from "../auth/mod.ts";
import type { Account, AccountStore, Annotation, FlagRow, SelectedMailbox } from "../store/mod.ts";
import type { NameMode, SequenceSet, Writer } from "../wire/mod.ts";
import type { NotifyWish } from "./notify_wish.ts";
import type { FollowedSearch } from "./followed_search.ts";
import type { Registry } from "./registry.ts";

/**
 * What a command sees of the connection that it runs on. `session/` implements it; commands and
 * extensions reach the client and the store through nothing else.
 */
export interface Session {
  readonly registry: Registry;
  readonly facts: ConnectionFacts;
  readonly limits: SessionLimits;
  /** What the host says of itself through METADATA; undefined: nothing. */
  readonly serverEntries: ServerEntries | undefined;
  readonly modes: Modes;
  readonly out: Responder;
  /** The tag of the command that is running, for responses that name it (RFC 9051 7.3.4). */
  readonly tag: string;
  /** Aborted when the connection has ended, so that long work is not done for nobody. */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  now(): number;

  /** Undefined until login. */
  readonly login: Login | undefined;
  /** Whose mail this is; throws when nobody is logged in, which the dispatcher rules out. */
  readonly account: Login;
  /** Undefined unless a mailbox is selected. */
  readonly view: View | undefined;
  /** The selected mailbox; throws when none is, which the dispatcher rules out. */
  readonly selected: View;

  /** Checks name and password and logs in, or throws ImapError. */
  logIn(username: string, password: string): Promise<void>;
  /** Runs a SASL exchange to its end; `initial` is the decoded-to-be initial response or undefined. */
  authenticate(mechanism: string, initial: string | undefined): Promise<void>;
  /** Sends `text` as a continuation request and gives the client's line. */
  ask(text: string): Promise<string>;
  /** Notes what the client says it is, for those who look at logins. */
  identify(userAgent: string): void;
  /** After the tagged OK: speaks TLS. */
  startTls(): void;
  /** After the tagged OK: compresses both ways. */
  startCompression(): void;
  /** After the tagged OK: is as a new connection, but for TLS and who the client said it is. */
  unauthenticate(): void;
  /** After the tagged OK: ends the connection. */
  logOut(): void;

  /** Makes `mailbox` the selected one in place of what was selected. */
  select(mailbox: SelectedMailbox, isReadOnly: boolean): View;
  unselect(): void;
  /** Tells the client what others changed; EXPUNGE only when `expunge` (RFC 9051 5.5, 7.5.1). */
  catchUp(options: { expunge: boolean }): Promise<void>;
  /**
   * Tells what is outstanding and from then on what `wish` asks for, between commands too
   * (RFC 5465 3.1).
   */
  notify(wish: NotifyWish): Promise<void>;
  /** Waits, for IDLE, until the client sends something, others changed something, or it is over. */
  waitForChange(timeoutMs: number): Promise<"input" | "change" | "closed" | "timeout">;
  /** How often IDLE shows a sign of life, in milliseconds. */
  readonly keepAliveMs: number;
  /** How long a client may stay silent, in milliseconds. */
  readonly idleLimitMs: number;
  /** Ends the connection at once, saying BYE when there is a reason to give. */
  hangUp(reason?: string): never;
  /** A line that the client sent outside a command, if one is there whole. */
  nextLine(): string | undefined;
  /** Turns CONDSTORE on, as any command that mentions mod-sequences does (RFC 7162 3.1). */
  enableCondstore(): void;
}

export interface ConnectionFacts {
  readonly isTls: boolean;
  readonly isCompressed: boolean;
  /** STARTTLS is possible: a certificate is configured and the connection is in clear. */
  readonly canStartTls: boolean;
  /** Names of the SASL mechanisms that this connection may use now. */
  readonly mechanisms: readonly string[];
  /** Whether LOGIN and other plain-text mechanisms may be used now. */
  readonly allowsPlaintext: boolean;
}

export interface SessionLimits {
  /** Octets of one message; APPENDLIMIT (RFC 7889). */
  readonly maxMessageBytes: number;
  /** Messages that one command touches (RFC 9738); undefined: any number. */
  readonly messageLimit?: number;
  /** Messages that one command puts into a mailbox (RFC 9738); undefined: any number. */
  readonly saveLimit?: number;
}

/** Entries of the server that the host gives: no client can change them (RFC 5464 4.1). */
export interface ServerEntries {
  /** Those that `account` sees now, names in lower case, each with a value. */
  list(account: Account): Promise<readonly Annotation[]>;
  /** Entries of mailboxes that the host keeps in place of the store; none unless given. */
  readonly kept?: KeptEntries;
  /** Capabilities of the host that the account is told of; none unless given. */
  capabilities?(account: Account): readonly string[];
}

/** Entries that clients set as any other, and that mean something to the host. */
export interface KeptEntries {
  has(account: Account, mailbox: string, entry: string): boolean;
  list(account: Account, mailbox: string): Promise<readonly Annotation[]>;
  /** Rejects with StoreError, "limit" among others. */
  set(account: Account, mailbox: string, annotation: Annotation): Promise<void>;
}

/** Who is logged in. */
export interface Login {
  readonly account: Account;
  /** The address that was logged in with, normalised. */
  readonly address: string;
  readonly store: AccountStore;
  /** What the session stands and falls with; undefined where this host vouches for it. */
  readonly credential?: Credential;
}

/** What the client has turned on with ENABLE or by use; nothing turns off again before logout. */
export interface Modes {
  /** Names as ENABLE gave them, in capitals. */
  readonly enabled: ReadonlySet<string>;
  readonly rev2: boolean;
  readonly utf8: boolean;
  readonly condstore: boolean;
  readonly qresync: boolean;
  readonly uidOnly: boolean;
  readonly nameMode: NameMode;
  enable(name: string): void;
}

/** Where responses go. */
export interface Responder {
  readonly writer: Writer;
  /** One untagged response, such as `3 EXISTS`. */
  untagged(text: string): void;
  /** Hands collected output on and waits while the client reads too slowly. Call between pages. */
  flush(): Promise<void>;
  /** Like `flush`, when much has been collected; otherwise costs nothing. */
  relieve(): Promise<void> | undefined;
}

/**
 * The session's picture of the selected mailbox: what the client has been told and nothing newer,
 * so that sequence numbers mean what the client thinks they mean.
 */
export interface View {
  readonly mailboxId: MailboxId;
  readonly name: string;
  /** Selected by EXAMINE. */
  readonly isReadOnly: boolean;
  /** UIDs the client knows of; index + 1 is the sequence number. */
  readonly uids: RangeSet;
  /** UIDs that are \Recent in this session. */
  readonly recent: RangeSet;
  /** UIDs that are gone and that the client has not been told of. */
  readonly pendingExpunges: RangeSet;
  /** HIGHESTMODSEQ of what the client has been told. */
  readonly modSeq: ModSeq;
  /** The saved search result `$` (RFC 9051 6.4.4.1). */
  savedResult: RangeSet;
  /** Searches whose changes are told, by the tag of their command (RFC 5267 4.3). */
  readonly followed: Map<string, FollowedSearch>;
  /** Keywords that a FLAGS response has announced: spelling by lower-case name. */
  readonly keywords: Map<string, string>;
  /** True once the mailbox was deleted by somebody. */
  readonly isDeleted: boolean;

  seqNum(uid: Uid | number): SeqNum;
  /**
   * UIDs of the known messages that a set names. Sequence numbers above the number of messages are
   * a WireError (RFC 9051 6.4.8); UIDs that are not there are not (RFC 9051 6.4.9).
   */
  resolve(set: SequenceSet, by: "uid" | "seq"): RangeSet;
  /** Notes that the client was just told these flags, so that they are not told again. */
  told(rows: Iterable<FlagRow>): void;
  /** Removes messages of which the client was just told that they are gone. */
  forget(uids: RangeSet): void;
  /** Notes that all of this session's own change `modSeq` has been told. */
  toldChange(modSeq: ModSeq | undefined): void;
}
