import type { AccountId } from "../base/mod.ts";

/** An attempt to log in, as it is kept. Texts are "" where there is nothing to say. */
export interface LoginFacts {
  /** Undefined when the name leads to no account. */
  readonly accountId: AccountId | undefined;
  /** The address that was given. */
  readonly username: string;
  readonly remote: string;
  readonly local: string;
  /** Version, cipher suite, name and protocol asked for, whether resumed. */
  readonly tls: string;
  /** Of the key of a TLS client's certificate. */
  readonly fingerprint: string;
  readonly protocol: string;
  /** What the client said it is. */
  readonly userAgent: string;
  readonly mechanism: string;
  readonly result: string;
  readonly isFailure: boolean;
}

/** Attempts that are alike in all but their time. */
export interface LoginEntry extends LoginFacts {
  readonly id: number;
  readonly count: number;
  /** Milliseconds since 1970, of the first and of the last of them. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Behind which entry a page of the log begins. */
export interface LoginCursor {
  readonly lastMs: number;
  readonly id: number;
}

export interface LoginQuery {
  /** Of one account only. */
  readonly accountId?: AccountId;
  /** A text that any of the facts has in it, in whatever letter case. */
  readonly search?: string;
  /** Leaves out what succeeded. */
  readonly failuresOnly?: boolean;
  /** Older than this. */
  readonly before?: LoginCursor;
  readonly limit: number;
}

/** Failed logins from one network, in the present minute and day. Times in milliseconds since 1970. */
export interface NetworkRecord {
  /** In CIDR notation. */
  readonly network: string;
  readonly minuteStartMs: number;
  readonly minuteFailures: number;
  readonly dayStartMs: number;
  readonly dayFailures: number;
  /** Why and until when nobody from there may come in. */
  readonly ban?: NetworkBan;
}

export interface NetworkBan {
  readonly reason: string;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/**
 * Who tried to log in, and which networks must wait. Its database is not the directory's: it is
 * written at every login, and what the last moment before a power failure had may be lost.
 */
export interface LoginLog {
  /** Adds attempts, each to the entry that is like it, and replaces what is known of networks. */
  add(
    attempts: readonly (LoginFacts & { readonly timeMs: number })[],
    networks: readonly NetworkRecord[],
  ): Promise<void>;
  /** Entries, the newest first. */
  list(query: LoginQuery): Promise<LoginEntry[]>;
  /** Drops entries older than 30 days, and networks that nothing is held against any more. */
  trim(): Promise<void>;
  listNetworks(): Promise<NetworkRecord[]>;
  /** Forgets what is held against the networks. */
  forgetNetworks(networks: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
