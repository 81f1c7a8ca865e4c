import { type AccountId, type Clock, metrics } from "../base/mod.ts";
import type { Account, Directory } from "../store/mod.ts";
import { AccountLookup } from "./account_lookup.ts";
import type { LoginServices } from "./attempt.ts";
import { ConnectionLogin } from "./connection_login.ts";
import type { Credential } from "./credential.ts";
import {
  type ConnectionFacts,
  logFailedAttempt,
  type LoginAttempt,
  WRONG_CREDENTIALS,
} from "./login_attempt.ts";
import { PasswordCheck } from "./password_check.ts";
import type { NewcomerPolicy } from "./newcomer.ts";
import { MECHANISMS } from "./mechanisms.ts";
import { Gate } from "./gate.ts";
import { type OAuthOptions, TokenCheck } from "./token_check.ts";
import { oauthBearer, xoauth2 } from "./token_mechanisms.ts";
import { DEFAULT_COSTS, type VerifierCosts } from "./verifier.ts";

export interface AuthenticatorOptions {
  /** Allows mechanisms that show the password on connections in clear. */
  readonly allowPlaintext: boolean;
  /** Announces SCRAM with channel binding where there is TLS; true unless given. */
  readonly channelBinding?: boolean;
  /** The OpenID issuer whose tokens log in. */
  readonly oauth?: OAuthOptions;
  /** Sessions that an account may have at a time; 0, unless given: no limit. */
  readonly maxSessionsPerAccount?: number;
  /** Counts failed logins; one of its own unless given. */
  readonly gate?: Gate;
  /** Told of every attempt that ended, in its turn: it must not take long, nor throw. */
  readonly onAttempt?: (attempt: LoginAttempt) => void;
  /** Resolves when `onAttempt` can take one more: a login waits for it. */
  readonly waitForRoom?: () => Promise<void>;
  /** The costs that passwords are set with: a name without an account pretends to have them. */
  readonly costs?: VerifierCosts;
  /** Slow hashes computed at a time; unless given, one for each processor, at most four. */
  readonly hashConcurrency?: number;
  /** Who may have an account by logging in; nobody unless given. */
  readonly newcomers?: NewcomerPolicy;
  /** How answers are held back; a timer unless given. */
  readonly sleep?: (ms: number) => Promise<void>;
}

/** Who may come in: one for the process. */
export class Authenticator {
  readonly #clock: Clock;
  readonly #services: LoginServices;
  readonly #gate: Gate;
  readonly #maxSessions: number;
  readonly #sessions = new Map<AccountId, number>();
  readonly #onAttempt: ((attempt: LoginAttempt) => void) | undefined;

  constructor(directory: Directory, clock: Clock, options: AuthenticatorOptions) {
    const costs = options.costs ?? DEFAULT_COSTS;
    const concurrency = options.hashConcurrency ?? Math.min(4, navigator.hardwareConcurrency);
    this.#clock = clock;
    this.#gate = options.gate ?? new Gate(clock);
    this.#maxSessions = options.maxSessionsPerAccount || Infinity;
    this.#onAttempt = options.onAttempt;
    this.#services = {
      lookup: new AccountLookup(
        directory,
        new PasswordCheck(clock, costs, concurrency),
        costs,
        options.newcomers,
      ),
      mechanisms: options.oauth ? [...MECHANISMS, oauthBearer, xoauth2] : MECHANISMS,
      tokens: options.oauth && new TokenCheck(options.oauth, clock),
      channelBinding: options.channelBinding ?? true,
      allowPlaintext: options.allowPlaintext,
      sleep: options.sleep ?? sleep,
      count: (ended) => this.#count(ended),
      tell: (attempt) => this.#onAttempt?.(attempt),
      isBlocked: (address) => this.#gate.isBlocked(address),
      waitForRoom: options.waitForRoom ?? (async () => {}),
    };
  }

  /**
   * For one connection. Its facts are asked for when needed, since STARTTLS changes them. A success
   * is told of up to `waitForIdMs` later, with what the client says it is.
   */
  forConnection(
    facts: () => ConnectionFacts,
    { waitForIdMs = 0 }: { waitForIdMs?: number } = {},
  ): ConnectionLogin {
    return new ConnectionLogin(this.#services, facts, waitForIdMs);
  }

  /**
   * Counts a session of the account until the function given is called, once. Undefined when it has
   * as many as it may: then this one must not begin.
   */
  openSession(id: AccountId): (() => void) | undefined {
    const count = this.#sessions.get(id) ?? 0;
    if (count >= this.#maxSessions) return undefined;
    this.#sessions.set(id, count + 1);
    return () => {
      const left = (this.#sessions.get(id) ?? 0) - 1;
      if (left > 0) this.#sessions.set(id, left);
      else this.#sessions.delete(id);
    };
  }

  /** Whether the account has a session. */
  hasSession(id: AccountId): boolean {
    return this.#sessions.has(id);
  }

  /** Whether somebody who logged in may stay: asked when the account or its credentials changed. */
  mayStay(account: Account, credential: Credential): Promise<boolean> {
    return this.#services.lookup.mayStay(account, credential);
  }

  #count(ended: Omit<LoginAttempt, "time" | "userAgent">): LoginAttempt {
    const attempt = { time: this.#clock.now(), userAgent: undefined, ...ended };
    const { facts: { protocol, remote }, mechanism, result, username } = attempt;
    metrics.add("postern_authentication_total", { kind: protocol, variant: mechanism, result });
    if (result === "ok") this.#gate.recordSuccess(remote.address);
    else if (result !== "aborted") logFailedAttempt(attempt);
    if (WRONG_CREDENTIALS.has(result)) {
      this.#gate.recordFailure(remote.address, username?.includes("@") ? username : undefined);
    }
    return attempt;
  }
}

function sleep(ms: number): Promise<void> {
  return ms === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}
