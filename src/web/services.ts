import type { Authenticator, ConnectionFacts, Gate, VerifierCosts } from "../auth/mod.ts";
import type { Clock } from "../base/mod.ts";
import type { LoginLog, MailQueue, Store } from "../store/mod.ts";
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
  /** What passwords set here cost to check; the usual unless given. */
  readonly passwordCosts?: VerifierCosts;
}

/** What is known of the connection that a request came on; `TransportFacts` fits. */
export type RequestFacts = Omit<ConnectionFacts, "protocol">;
