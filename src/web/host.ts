import type { AccountId } from "../base/mod.ts";

/** A connection that is open now. */
export interface LiveConnection {
  /** Unlike any other of this process. */
  readonly id: number;
  /** What is spoken on it. */
  readonly protocol: "imap" | "submission" | "lmtp" | "web" | "metrics";
  /** The kind of listener that it came in by. */
  readonly listener: string;
  /** The client's network address; behind a trusted proxy, what the proxy says. */
  readonly remote: string;
  /** Such as `TLSv1.3`; undefined in clear. */
  readonly tls: string | undefined;
  readonly isCompressed: boolean;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  /** Who is logged in. */
  readonly account: { readonly id: AccountId; readonly address: string } | undefined;
  /** What the client says it is (RFC 2971), "" when it said nothing. */
  readonly client: string;
  /** The command that runs, `IDLE`, or "" between two. */
  readonly activity: string;
  /** The mailbox that is selected, "" when none is. */
  readonly mailbox: string;
  /** Octets that went through, before encryption and compression. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface ListenerStatus {
  readonly kind: string;
  readonly address: string;
  /** For an alpn listener: what a client may ask for, and where it is sent, `none` included. */
  readonly routes: readonly { readonly protocol: string; readonly target: string }[];
  /** Open connections that came in by it. */
  readonly connections: number;
}

export interface CertificateStatus {
  /** Host names that it is good for. */
  readonly names: readonly string[];
  /** Its file, or `acme`, or `self-signed`. */
  readonly source: string;
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Why the last attempt to renew or reread it failed, "" when it did not. */
  readonly problem: string;
}

/** The server as a whole, at one moment. */
export interface HostStatus {
  readonly hostname: string;
  readonly version: string;
  readonly deno: string;
  readonly sqlite: string;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly processId: number;
  readonly memoryBytes: number;
  readonly listeners: readonly ListenerStatus[];
  readonly certificates: readonly CertificateStatus[];
  readonly accounts: number;
  readonly domains: number;
  /** Sessions in IDLE. */
  readonly idleSessions: number;
  /** Of the file system that the data is on; undefined where the system does not tell. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | undefined;
  readonly queue: { readonly messages: number; readonly oldestMs: number | undefined };
}

/** Something that an admin should know, in plain words. */
export interface Finding {
  readonly severity: "problem" | "warning" | "note";
  /** Such as `the certificate of mail.example.org expires in 5 days`. */
  readonly text: string;
  /** What to do about it; "" when the text says it all. */
  readonly advice: string;
}

export const LOG_LEVELS = ["error", "warn", "info", "debug", "trace"] as const;
export type HostLogLevel = (typeof LOG_LEVELS)[number];

export interface LogLevels {
  readonly level: HostLogLevel;
  /** Rooms with a level of their own. */
  readonly rooms: ReadonlyMap<string, HostLogLevel>;
}

/**
 * What a running server tells of itself, and what it lets itself be told: the web pages and the
 * control socket show the same. Made by `app/`.
 */
export interface Host {
  status(): Promise<HostStatus>;
  /** Open connections, the oldest first. */
  connections(): LiveConnection[];
  /** Ends a connection, mail clients with a farewell; false when there is none of this number. */
  endConnection(id: number): boolean;
  /** What is wrong or will be, the worst first. */
  findings(): Promise<Finding[]>;
  logLevels(): LogLevels;
  /** Sets the level of all rooms, or of one; undefined gives a room back the common one. Until restart. */
  setLogLevel(level: HostLogLevel | undefined, room?: string): Promise<void>;
  /** Has sessions of the account look whether they may go on, and pages that show it look again. */
  tellSecurity(account: AccountId): void;
  /** Has bans and allowed networks read again. */
  tellNetworks(): void;
  /** Has the queue looked at, since something in it is due. */
  tellQueue(): void;
}
