import { type Bytes, EMPTY_BYTES } from "../base/mod.ts";
import { type LoginServices, RunningAttempt } from "./attempt.ts";
import { MAX_USER_AGENT_LENGTH } from "./limits.ts";
import { type ConnectionFacts, type LoginAttempt, WRONG_CREDENTIALS } from "./login_attempt.ts";
import type { Mechanism, MechanismRun } from "./mechanism.ts";
import { UNKNOWN_KEY } from "./mechanisms.ts";
import type { AdminOutcome, AuthFailure, AuthOutcome } from "./outcome.ts";
import { answerDelayMs } from "./delay.ts";

/** By which attempts with the admin's password are told from others in the log of logins. */
const ADMIN_MECHANISM = "ADMIN";

/**
 * Logging in on one connection. It remembers the connection's failures and holds answers back for
 * them: a caller need not wait itself. One attempt at a time.
 */
export class ConnectionLogin {
  #services: LoginServices;
  #facts: () => ConnectionFacts;
  #waitForIdMs: number;
  #failures = 0;
  #userAgent: string | undefined;
  #held: { attempt: LoginAttempt; timer: ReturnType<typeof setTimeout> } | undefined;

  /** `waitForIdMs`: how long a success is kept back for the client to say what it is. */
  constructor(services: LoginServices, facts: () => ConnectionFacts, waitForIdMs: number) {
    this.#waitForIdMs = waitForIdMs;
    this.#services = services;
    this.#facts = services.channelBinding ? facts : () => withoutBinding(facts());
  }

  /** Names of the SASL mechanisms to announce now, best first. */
  mechanisms(): string[] {
    const facts = this.#facts();
    return this.#services.mechanisms.filter((mechanism) => this.#permits(mechanism, facts))
      .map((mechanism) => mechanism.name);
  }

  /** Whether LOGIN and its like may be used now; if not: LOGINDISABLED (RFC 9051 7.2.2). */
  get allowsClearPassword(): boolean {
    return this.#isPrivate(this.#facts());
  }

  /** The LOGIN command (RFC 9051 6.2.3). Never rejects for what the client sent. */
  async verifyPassword(username: string, password: string): Promise<AuthOutcome> {
    const facts = this.#facts();
    if (!this.#isPrivate(facts)) return PRIVACY;
    const attempt = this.#attempt("LOGIN", facts);
    return attempt.end(await attempt.guard(() => attempt.verifyPassword(username, password)));
  }

  /** The admin's password, which no account has, given on a web page. Never rejects for it. */
  async verifyAdminPassword(password: string): Promise<AdminOutcome> {
    const facts = this.#facts();
    if (!this.#isPrivate(facts)) return PRIVACY;
    return await this.#attempt(ADMIN_MECHANISM, facts).checkAdmin(password);
  }

  /**
   * Begins a SASL exchange. Unknown mechanisms, and those that this connection may not use, give an
   * exchange that fails at its first step.
   */
  begin(mechanismName: string): Exchange {
    const facts = this.#facts();
    const name = mechanismName.toUpperCase();
    const mechanism = this.#services.mechanisms.find((known) => known.name === name);
    if (mechanism === undefined || !mechanism.isAvailable(facts)) return refused(UNKNOWN_MECHANISM);
    if (!this.#permits(mechanism, facts)) return refused(PRIVACY);
    return new MechanismExchange(mechanism, this.#attempt(name, facts));
  }

  /**
   * Looks at the certificate that the client presented, once TLS stands. Undefined: the client may
   * go on, without a certificate or with one of somebody who logs in by a command. A success: it is
   * logged in; only where `mayLogIn`, that is before the greeting. A failure: the connection ends.
   */
  async checkCertificate({ mayLogIn }: { mayLogIn: boolean }): Promise<AuthOutcome | undefined> {
    const facts = this.#facts();
    if (facts.tls?.clientCertificate === undefined) return undefined;
    const attempt = this.#attempt("CERTIFICATE", facts);
    const verdict = await attempt.guard(async () => {
      const owner = await attempt.findKey();
      if (owner === undefined) return { result: "badcreds", text: UNKNOWN_KEY } as const;
      const { account, address, credential, allowsPreauth } = owner;
      if (!mayLogIn || !allowsPreauth) return undefined;
      return await attempt.admit(account, address, credential);
    });
    return verdict && attempt.end(verdict);
  }

  #permits(mechanism: Mechanism, facts: ConnectionFacts): boolean {
    return mechanism.isAvailable(facts) && (!mechanism.isClear || this.#isPrivate(facts));
  }

  /** A Unix socket stays within this host, so nobody listens. */
  #isPrivate(facts: ConnectionFacts): boolean {
    return facts.tls !== undefined || this.#services.allowPlaintext ||
      facts.remote.address.startsWith("unix:");
  }

  #attempt(mechanism: string, facts: ConnectionFacts): RunningAttempt {
    return new RunningAttempt(this.#services, facts, mechanism, {
      holdBack: () => this.#services.sleep(answerDelayMs(this.#failures)),
      onEnd: (ended) => {
        if (ended.result === "ok") this.#failures = 0;
        else if (WRONG_CREDENTIALS.has(ended.result)) this.#failures++;
        this.#tell(ended);
      },
    });
  }

  /** Tells of the attempt: a success a little later, when the client has said what it is. */
  #tell(attempt: LoginAttempt): void {
    this.close();
    if (attempt.result !== "ok" || this.#userAgent !== undefined || this.#waitForIdMs === 0) {
      this.#services.tell({ ...attempt, userAgent: this.#userAgent });
      return;
    }
    this.#held = { attempt, timer: setTimeout(() => this.close(), this.#waitForIdMs) };
  }

  /** The client says what it is (RFC 2971): its fields and values in one text. */
  identify(userAgent: string): void {
    this.#userAgent = userAgent.slice(0, MAX_USER_AGENT_LENGTH);
    this.close();
  }

  /** What the client said it is; undefined when it said nothing. */
  get userAgent(): string | undefined {
    return this.#userAgent;
  }

  /** Tells of a login that was held back. To be called when the connection ends. */
  close(): void {
    if (!this.#held) return;
    const { attempt, timer } = this.#held;
    clearTimeout(timer);
    this.#held = undefined;
    this.#services.tell({ ...attempt, userAgent: this.#userAgent });
  }
}

/** As if there were nothing to bind to: then neither PLUS is announced, nor its absence suspicious. */
function withoutBinding(facts: ConnectionFacts): ConnectionFacts {
  return { ...facts, tls: facts.tls && { ...facts.tls, serverEndPoint: undefined } };
}

const PRIVACY: AuthFailure = {
  kind: "privacy",
  text: "Passwords are only accepted over TLS.",
};
const UNKNOWN_MECHANISM: AuthFailure = {
  kind: "mechanism",
  text: "That authentication mechanism is not available.",
};

/** What to do next in an exchange: send `challenge` (as base64) and read, or tell the outcome. */
export type AuthStep = { readonly kind: "challenge"; readonly challenge: Bytes } | AuthOutcome;

/** One SASL exchange (RFC 4422 3). */
export interface Exchange {
  /**
   * Takes the initial response (undefined for none) or the response to the last challenge. Never
   * rejects for what the client sent. After an outcome the exchange is over.
   */
  step(response: Bytes | undefined): Promise<AuthStep>;
  /**
   * The client cancelled ("*") or is gone. Gives "aborted", or what had been found out before and
   * was only to be told; "ok" only after `step` gave it.
   */
  abort(): AuthOutcome;
}

function refused(failure: AuthFailure): Exchange {
  return { step: async () => failure, abort: () => failure };
}

class MechanismExchange implements Exchange {
  #attempt: RunningAttempt;
  #mechanism: Mechanism;
  #run: MechanismRun | undefined;

  constructor(mechanism: Mechanism, attempt: RunningAttempt) {
    this.#mechanism = mechanism;
    this.#attempt = attempt;
  }

  async step(response: Bytes | undefined): Promise<AuthStep> {
    const next = await this.#attempt.guard(() => {
      if (this.#run) return this.#run.next(response ?? EMPTY_BYTES);
      this.#run = this.#mechanism.run(this.#attempt, response);
      return this.#run.next();
    });
    if ("result" in next) return this.#attempt.end(next);
    if (next.done) return this.#attempt.end(next.value);
    const { challenge, verdict } = next.value;
    if (verdict) this.#attempt.end(verdict);
    return { kind: "challenge", challenge };
  }

  abort(): AuthOutcome {
    return this.#attempt.end({ result: "aborted" });
  }
}
