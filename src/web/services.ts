import type { Authenticator, ConnectionFacts, Gate, VerifierCosts } from "../auth/mod.ts";
import type { AccountId, Clock } from "../base/mod.ts";
import type { Account, HistoryLog, LoginLog, MailQueue, Quota, Store } from "../store/mod.ts";
import type { Host } from "./host.ts";

/** What the pages work on; made once by `app/`. */
export interface SiteServices {
  readonly hostname: string;
  readonly host: Host;
  readonly store: Store;
  readonly authenticator: Authenticator;
  readonly gate: Gate;
  readonly loginLog: LoginLog;
  readonly queue: MailQueue;
  readonly clock: Clock;
  /** What charts draw; undefined where nothing is kept. */
  readonly history: HistoryLog | undefined;
  /** What accounts hold, as far as that is known without asking them. */
  readonly quotas: () => ReadonlyMap<AccountId, Quota>;
  readonly networks: {
    /** A network or address in canonical CIDR notation; undefined when the text is neither. */
    read(text: string): string | undefined;
    /** Whether one of two networks, in CIDR notation, lies within the other. */
    overlap(a: string, b: string): boolean;
  };
  /** The configuration as TOML, secrets masked; undefined where it came from no file. */
  readonly configuration: string | undefined;
  /** IMAP capabilities that an account may have kept from its mail programs, in capitals. */
  readonly capabilities: readonly string[];
  /** What is deleted of an account by itself, and when, in sentences; none where nothing is. */
  readonly retention: (account: Account) => readonly string[];
  readonly uploads: {
    /** For files that were sent, while they are needed; emptied when the site opens. */
    readonly folder: string;
    /** Octets of one file at most; the usual unless given. */
    readonly maxBytes?: number;
  };
  /** What passwords set here cost to check; the usual unless given. */
  readonly passwordCosts?: VerifierCosts;
}

/** What is known of the connection that a request came on; `TransportFacts` fits. */
export interface RequestFacts extends Omit<ConnectionFacts, "protocol"> {
  /** Whether who is connected may speak for others, by `X-Forwarded-For` and `X-Forwarded-Proto`. */
  readonly isTrustedProxy?: boolean;
}
