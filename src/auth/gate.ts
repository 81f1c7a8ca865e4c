import type { Clock } from "../base/mod.ts";
import type { NetworkBan, NetworkRecord } from "../store/mod.ts";
import { MAX_COUNTED_NETWORKS } from "./limits.ts";
import { networksOf } from "./networks.ts";

/**
 * What one address may do before its network has to wait; 0: no limit. Its wider networks (/26 and
 * /21; of IPv6, where an address is a /64, /48 and /32) may do three and nine times as much.
 */
export interface GateLimits {
  readonly openConnections: number;
  readonly connectionsPerMinute: number;
  readonly failuresPerMinute: number;
  readonly failuresPerDay: number;
}

export const DEFAULT_GATE_LIMITS: GateLimits = {
  openConnections: 30,
  connectionsPerMinute: 300,
  failuresPerMinute: 10,
  failuresPerDay: 50,
};

/** By how much the limits of each network exceed those of an address. */
const FACTORS = [1, 3, 9] as const;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Why a connection is not taken now. */
export type GateRefusal = "failures" | "rate" | "open";

export interface GateOptions {
  readonly limits?: GateLimits;
  /** Whether nothing is ever counted or held against an address. */
  readonly isExempt?: (address: string) => boolean;
}

/** What is known of failed logins from a network. */
type Failures = { -readonly [Key in keyof NetworkRecord]: NetworkRecord[Key] };

interface Rate {
  startMs: number;
  count: number;
}

/**
 * Who may connect: counts connections and failed logins by network, in memory and bounded. An
 * address of a Unix socket or of the loopback network is never counted: it is this host, or a proxy
 * on it, and not the one who guesses; nor is one that is exempt.
 */
export class Gate {
  readonly #clock: Clock;
  readonly #limits: GateLimits;
  readonly #isExempt: (address: string) => boolean;
  /** By network, in the order of the last change. */
  #failures = new Map<string, Failures>();
  /** The same for connections in the present minute. */
  #rates = new Map<string, Rate>();
  #open = new Map<string, number>();
  /** Networks of which something changed since `takeChanges`. */
  #changed = new Set<string>();
  /** Called when there is something for `takeChanges`. */
  onChange: () => void = () => {};

  constructor(clock: Clock, { limits, isExempt }: GateOptions = {}) {
    this.#clock = clock;
    this.#limits = limits ?? DEFAULT_GATE_LIMITS;
    this.#isExempt = isExempt ?? (() => false);
  }

  /**
   * Asks for a connection from `address`; undefined when it may come in, and is then counted until
   * `leave`.
   */
  enter(address: string): GateRefusal | undefined {
    const networks = this.#networksOf(address);
    const refusal = this.#countRate(networks) ?? this.#bannedFor(networks) ??
      this.#tooManyOpen(networks);
    if (refusal === undefined) {
      for (const network of networks) this.#open.set(network, (this.#open.get(network) ?? 0) + 1);
    }
    return refusal;
  }

  /** A connection that had come in is over. */
  leave(address: string): void {
    // What came in while it was exempt was not counted.
    for (const network of networksOf(address)) {
      const count = this.#open.get(network);
      if (count === undefined) continue;
      if (count > 1) this.#open.set(network, count - 1);
      else this.#open.delete(network);
    }
  }

  /** Whether nobody from there may come in because of failed logins. */
  isBlocked(address: string): boolean {
    return this.#bannedFor(this.#networksOf(address)) !== undefined;
  }

  /** Counts a failed login; `who` is the name that was tried, for those who ask about a ban. */
  recordFailure(address: string, who: string | undefined): void {
    const now = this.#clock.now();
    this.#networksOf(address).forEach((network, i) => {
      const record = this.#recordOf(network);
      if (now >= record.minuteStartMs + MINUTE_MS) {
        record.minuteStartMs = now;
        record.minuteFailures = 0;
      }
      if (now >= record.dayStartMs + DAY_MS) {
        record.dayStartMs = now;
        record.dayFailures = 0;
      }
      record.minuteFailures++;
      record.dayFailures++;
      const from = `the last from ${address}${who === undefined ? "" : ` for ${who}`}`;
      const { failuresPerMinute, failuresPerDay } = this.#limits;
      if (isReached(record.dayFailures, failuresPerDay, i)) {
        const reason = `${record.dayFailures} failed logins in a day, ${from}`;
        this.#ban(record, reason, record.dayStartMs + DAY_MS);
      } else if (isReached(record.minuteFailures, failuresPerMinute, i)) {
        const reason = `${record.minuteFailures} failed logins in a minute, ${from}`;
        this.#ban(record, reason, record.minuteStartMs + MINUTE_MS);
      }
      this.#put(record);
    });
  }

  /** Forgets the failures of the narrowest network: somebody there knows a password. */
  recordSuccess(address: string): void {
    const [narrowest] = networksOf(address);
    if (narrowest === undefined || !this.#failures.has(narrowest)) return;
    this.#put({ ...this.#newRecord(narrowest) });
  }

  /** Takes what is known of networks from elsewhere, in place of what it knew itself. */
  load(records: readonly NetworkRecord[]): void {
    this.#failures = new Map(
      records.slice(-MAX_COUNTED_NETWORKS).map((record) => [record.network, { ...record }]),
    );
    this.#changed.clear();
  }

  /** What changed since this was last called. */
  takeChanges(): NetworkRecord[] {
    const changed = [...this.#changed].flatMap((network) => this.#failures.get(network) ?? []);
    this.#changed.clear();
    return changed.map((record) => ({ ...record }));
  }

  #networksOf(address: string): string[] {
    const networks = networksOf(address);
    return networks.length > 0 && this.#isExempt(address) ? [] : networks;
  }

  #countRate(networks: readonly string[]): GateRefusal | undefined {
    const now = this.#clock.now();
    let refusal: GateRefusal | undefined;
    networks.forEach((network, i) => {
      const rate = this.#rates.get(network) ?? { startMs: now, count: 0 };
      if (now >= rate.startMs + MINUTE_MS) {
        rate.startMs = now;
        rate.count = 0;
      }
      rate.count++;
      this.#rates.delete(network);
      this.#rates.set(network, rate);
      if (!isReached(rate.count - 1, this.#limits.connectionsPerMinute, i)) return;
      refusal = "rate";
      if (isReached(rate.count - 2, this.#limits.connectionsPerMinute, i)) return;
      const record = this.#recordOf(network);
      const reason = `${rate.count} connections in a minute`;
      if (this.#ban(record, reason, rate.startMs + MINUTE_MS)) this.#put(record);
    });
    dropOldest(this.#rates);
    return refusal;
  }

  #bannedFor(networks: readonly string[]): GateRefusal | undefined {
    const now = this.#clock.now();
    const isBanned = networks.some((network) =>
      (this.#failures.get(network)?.ban?.untilMs ?? 0) > now
    );
    return isBanned ? "failures" : undefined;
  }

  #tooManyOpen(networks: readonly string[]): GateRefusal | undefined {
    const isFull = networks.some((network, i) =>
      isReached(this.#open.get(network) ?? 0, this.#limits.openConnections, i)
    );
    return isFull ? "open" : undefined;
  }

  /** Gives the record a ban, unless it has one that is longer. */
  #ban(record: Failures, reason: string, untilMs: number): boolean {
    const now = this.#clock.now();
    const before: NetworkBan | undefined = record.ban;
    if (before && before.untilMs > untilMs) return false;
    const sinceMs = before && before.untilMs > now ? before.sinceMs : now;
    record.ban = { reason, sinceMs, untilMs };
    return true;
  }

  #recordOf(network: string): Failures {
    return this.#failures.get(network) ?? this.#newRecord(network);
  }

  #newRecord(network: string): Failures {
    const now = this.#clock.now();
    return { network, minuteStartMs: now, minuteFailures: 0, dayStartMs: now, dayFailures: 0 };
  }

  #put(record: Failures): void {
    this.#failures.delete(record.network);
    this.#failures.set(record.network, record);
    dropOldest(this.#failures);
    this.#changed.add(record.network);
    this.onChange();
  }
}

/** Whether `count` has come to the limit of the i-th network. */
function isReached(count: number, limit: number, i: number): boolean {
  return limit > 0 && count >= limit * (FACTORS[i] ?? 1);
}

function dropOldest(map: Map<string, unknown>): void {
  for (const network of map.keys()) {
    if (map.size <= MAX_COUNTED_NETWORKS) break;
    map.delete(network);
  }
}
