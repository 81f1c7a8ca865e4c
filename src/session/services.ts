import type { AccountId, Clock } from "../base/mod.ts";
import type { Authenticator } from "../auth/mod.ts";
import type { Registry, ServerEntries, SessionLimits } from "../imap/mod.ts";
import type { TlsOptions } from "../net/mod.ts";
import type { Store } from "../store/mod.ts";
import type { SessionTimes } from "./limits.ts";

/** What every session of a server shares; made once by `app/`. */
export interface SessionServices {
  readonly registry: Registry;
  readonly store: Store;
  readonly authenticator: Authenticator;
  readonly notifier: NudgeSource;
  readonly clock: Clock;
  readonly limits: SessionLimits;
  readonly times: SessionTimes;
  /** METADATA entries of the server itself, such as whom to write to; none unless given. */
  readonly serverEntries?: ServerEntries;
  /** For STARTTLS; undefined when no certificate is configured. */
  readonly tls: TlsOptions | undefined;
  /** Aborts when the server shuts down: sessions say BYE and end. */
  readonly shutdown: AbortSignal;
}

/** The part of `notify/` that a session uses: a nudge says "look again", never what changed. */
export interface NudgeSource {
  subscribe(account: AccountId, onNudge: (kind: "changed" | "security") => void): () => void;
}
