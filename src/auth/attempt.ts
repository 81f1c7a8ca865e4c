import { logger, metrics } from "../base/mod.ts";
import type { Account } from "../store/mod.ts";
import { type AccountLookup, verdictOfError } from "./account_lookup.ts";
import { fingerprintOf } from "./client_key.ts";
import type { Credential } from "./credential.ts";
import { PoolFullError } from "./fair_pool.ts";
import { BUSY_DELAY_MS } from "./limits.ts";
import type { AttemptResult, ConnectionFacts, LoginAttempt } from "./login_attempt.ts";
import type {
  Attempt,
  KeyOwner,
  Mechanism,
  Refused,
  ScramCandidate,
  TokenVerdict,
  Verdict,
} from "./mechanism.ts";
import { type AdminOutcome, adminOutcomeOf, type AuthOutcome, outcomeOf } from "./outcome.ts";
import { normaliseUsername } from "./precis.ts";
import { networksOf } from "./networks.ts";
import { type TokenCheck, TokenError } from "./token_check.ts";
import type { ScramHash } from "./verifier.ts";

const log = logger("auth");

/** What all attempts of the process share. */
export interface LoginServices {
  readonly lookup: AccountLookup;
  /** In the order in which they are announced. */
  readonly mechanisms: readonly Mechanism[];
  /** Undefined without an OpenID issuer. */
  readonly tokens: TokenCheck | undefined;
  readonly channelBinding: boolean;
  readonly allowPlaintext: boolean;
  readonly sleep: (ms: number) => Promise<void>;
  /** Counts an attempt that ended, at once, and gives it as it is to be told of. */
  readonly count: (ended: Omit<LoginAttempt, "time" | "userAgent">) => LoginAttempt;
  /** Tells of an attempt. */
  readonly tell: (attempt: LoginAttempt) => void;
  /** Waits until those who are told can take one more. */
  readonly waitForRoom: () => Promise<void>;
  /** Whether the gate holds failed logins against the address. */
  readonly isBlocked: (address: string) => boolean;
}

/** One attempt under way. The verdict that it ends with is recorded once, at once, and stands. */
export class RunningAttempt implements Attempt {
  readonly facts: ConnectionFacts;
  readonly holdBack: () => Promise<void>;
  #services: LoginServices;
  #mechanism: string;
  #onEnd: (attempt: LoginAttempt) => void;
  #username: string | undefined;
  #account: Account | undefined;
  #fingerprint: string | undefined;
  #verdict: Verdict | undefined;

  constructor(
    services: LoginServices,
    facts: ConnectionFacts,
    mechanism: string,
    hooks: { holdBack: () => Promise<void>; onEnd: (attempt: LoginAttempt) => void },
  ) {
    this.facts = facts;
    this.holdBack = hooks.holdBack;
    this.#services = services;
    this.#mechanism = mechanism;
    this.#onEnd = hooks.onEnd;
  }

  async verifyPassword(username: string, password: string): Promise<Verdict> {
    const { lookup } = this.#services;
    await this.holdBack();
    this.#username = normaliseUsername(username);
    if (this.#username === undefined) return { result: "baduser" };
    const found = await lookup.find(this.#username);
    this.#account = found.account;
    return await this.#sameAsKey(
      await lookup.verifyPassword(found, password, this.facts, this.#network),
    );
  }

  async findScram(username: string, hash: ScramHash): Promise<ScramCandidate> {
    const { lookup } = this.#services;
    this.#username = normaliseUsername(username);
    const found = await lookup.find(this.#username ?? "");
    this.#account = found.account;
    return await lookup.scramCandidate(found, hash, this.facts);
  }

  async verifyToken(token: string, authzid: string): Promise<TokenVerdict> {
    const { lookup, tokens } = this.#services;
    if (tokens === undefined) throw new Error("there is no issuer");
    await this.holdBack();
    let name: string;
    try {
      name = await tokens.verify(token, this.#network);
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      log.debug("token refused: {reason}", { reason: error.message });
      return { verdict: { result: "badtoken" }, explanation: tokens.explain(error.problem) };
    }
    this.#username = normaliseUsername(name);
    const found = await lookup.find(this.#username ?? "");
    this.#account = found.account;
    const verdict = found.account
      ? await this.admit(found.account, found.username, { kind: "token" })
      : { result: "baduser" } as const;
    const authorised = await this.authorise(verdict, authzid);
    return authorised.result === "ok" || authorised.result === "error"
      ? { verdict: authorised }
      : { verdict: authorised, explanation: tokens.explain("invalid_token") };
  }

  refuseToken(problem: "invalid_request"): TokenVerdict {
    const explanation = this.#services.tokens?.explain(problem) ?? {};
    return { verdict: { result: "badtoken" }, explanation };
  }

  async findKey(): Promise<KeyOwner | undefined> {
    const { clientCertificate } = this.facts.tls ?? {};
    if (clientCertificate === undefined) return undefined;
    this.#fingerprint = fingerprintOf(clientCertificate);
    if (this.#fingerprint === undefined) return undefined;
    const owner = await this.#services.lookup.findKey(this.#fingerprint);
    this.#account ??= owner?.account;
    this.#username ??= owner?.address;
    return owner;
  }

  async admit(account: Account, address: string, credential: Credential): Promise<Verdict> {
    return await this.#sameAsKey(
      await this.#services.lookup.admit(account, address, credential),
    );
  }

  /** Who shows a key is its owner, by whatever mechanism: else a stolen password would do. */
  async #sameAsKey(verdict: Verdict): Promise<Verdict> {
    if (verdict.result !== "ok" || this.facts.tls?.clientCertificate === undefined) return verdict;
    const owner = await this.findKey();
    return owner?.account.id === verdict.account.id ? verdict : { result: "badcreds" };
  }

  authorise(verdict: Verdict, authzid: string): Promise<Verdict> {
    return this.#services.lookup.authorise(verdict, authzid);
  }

  /** Gives what `work` gives, or the verdict for what it failed with. */
  async guard<Result>(work: () => Promise<Result>): Promise<Result | Refused> {
    try {
      await this.#services.waitForRoom();
      if (this.#services.isBlocked(this.facts.remote.address)) {
        const kind = this.facts.protocol;
        metrics.add("postern_authentication_ratelimited_total", { kind });
        await this.#services.sleep(BUSY_DELAY_MS);
        return { result: "error", text: "Too many failed logins from your network; try later." };
      }
      return await work();
    } catch (error) {
      // Who is told at once tries again at once, and so would keep busy what is too busy.
      if (error instanceof PoolFullError) await this.#services.sleep(BUSY_DELAY_MS);
      const verdict = verdictOfError(error);
      if (verdict !== undefined) return verdict;
      this.end({ result: "error" });
      throw error;
    }
  }

  /** Ends the attempt with `verdict`, unless it has ended already. Gives how it ended. */
  end(verdict: Verdict): AuthOutcome {
    if (this.#verdict === undefined) {
      this.#verdict = verdict;
      this.#record(verdict.result);
    }
    return outcomeOf(this.#verdict, this.#mechanism);
  }

  /** An attempt to log in as the admin, from its begin to its end. */
  async checkAdmin(password: string): Promise<AdminOutcome> {
    const { lookup } = this.#services;
    const verdict = await this.guard(async () => {
      await this.holdBack();
      return await lookup.verifyAdmin(password, this.#network);
    });
    this.#record(verdict.result);
    return adminOutcomeOf(verdict);
  }

  /** Whose turn in a queue this attempt takes. */
  get #network(): string {
    const { address } = this.facts.remote;
    return networksOf(address)[0] ?? address;
  }

  #record(result: AttemptResult): void {
    this.#onEnd(this.#services.count({
      accountId: this.#account?.id,
      username: this.#username,
      facts: this.facts,
      mechanism: this.#mechanism,
      fingerprint: this.#fingerprint,
      result,
    }));
  }
}
