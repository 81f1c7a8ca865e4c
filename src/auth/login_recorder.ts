import { accountId, type Clock, logger, metrics } from "../base/mod.ts";
import type { LoginFacts, LoginLog } from "../store/mod.ts";
import type { Gate } from "./gate.ts";
import { MAX_QUEUED_ATTEMPTS } from "./limits.ts";
import { type AuthTlsFacts, type LoginAttempt } from "./login_attempt.ts";

const DAY_MS = 86_400_000;

/**
 * Writes attempts to log in, and what the gate holds against networks, in the background. A login
 * waits only when the queue is full.
 */
export class LoginRecorder {
  readonly #log: LoginLog;
  readonly #gate: Gate;
  readonly #clock: Clock;
  #queue: LoginAttempt[] = [];
  /** Attempts that are being written. */
  #underWay = 0;
  #writing: Promise<void> | undefined;
  #waiting: (() => void)[] = [];
  #trimAtMs = 0;

  /** Has the gate tell it of its changes. */
  constructor(log: LoginLog, gate: Gate, clock: Clock) {
    this.#log = log;
    this.#gate = gate;
    this.#clock = clock;
    gate.onChange = () => this.#start();
  }

  add(attempt: LoginAttempt): void {
    this.#queue.push(attempt);
    this.#start();
  }

  /** Resolves when the queue has room for one more. */
  async waitForRoom(): Promise<void> {
    while (this.#queue.length + this.#underWay >= MAX_QUEUED_ATTEMPTS) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Forgets what the gate knew of networks and takes what the log has: somebody else changed it. */
  async reloadGate(): Promise<void> {
    await this.#writing;
    this.#gate.load(await this.#log.listNetworks());
  }

  /** Waits until everything is written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  #start(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
      if (this.#queue.length > 0) this.#start();
    });
  }

  async #write(): Promise<void> {
    // Those that come in the same turn go into the same transaction.
    await Promise.resolve();
    for (;;) {
      const attempts = this.#queue.splice(0);
      const networks = this.#gate.takeChanges();
      if (attempts.length === 0 && networks.length === 0) return;
      this.#underWay = attempts.length;
      try {
        await this.#log.add(attempts.map(recordOf), networks);
        await this.#trimInTime();
      } catch (error) {
        metrics.add("postern_login_attempts_lost_total", undefined, attempts.length);
        logger("auth").error("attempts to log in were not recorded: {error}", { error });
      }
      this.#underWay = 0;
      for (const resume of this.#waiting.splice(0)) resume();
    }
  }

  async #trimInTime(): Promise<void> {
    const now = this.#clock.now();
    if (now < this.#trimAtMs) return;
    this.#trimAtMs = now + DAY_MS;
    await this.#log.trim();
  }
}

function recordOf(attempt: LoginAttempt): LoginFacts & { timeMs: number } {
  const { username, facts, result } = attempt;
  return {
    timeMs: attempt.time,
    accountId: attempt.accountId === undefined ? undefined : accountId(attempt.accountId),
    // People type passwords in the place of names.
    username: username?.includes("@") ? username : "",
    remote: facts.remote.address,
    local: facts.local.address,
    tls: facts.tls ? describeTls(facts.tls) : "",
    fingerprint: attempt.fingerprint ?? "",
    protocol: facts.protocol,
    userAgent: attempt.userAgent ?? "",
    mechanism: attempt.mechanism,
    result,
    isFailure: result !== "ok",
  };
}

function describeTls({ version, cipher, sni, alpn, resumed }: AuthTlsFacts): string {
  const words = [version, cipher];
  if (sni !== undefined) words.push(`sni=${sni}`);
  if (alpn !== undefined) words.push(`alpn=${alpn}`);
  if (resumed) words.push("resumed");
  return words.join(" ");
}
