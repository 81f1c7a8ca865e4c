import type { Clock } from "../base/mod.ts";
import { MAX_COUNTED_NETWORKS, MAX_DELAY_MS } from "./limits.ts";

/** Failed logins that a network may have, narrowest network first (/32, /26, /21; /64, /48, /32). */
const LIMITS = [
  { perMinute: 10, perDay: 50 },
  { perMinute: 30, perDay: 150 },
  { perMinute: 90, perDay: 450 },
] as const;
const PREFIXES = { 4: [32, 26, 21], 6: [64, 48, 32] } as const;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

interface Counter {
  minuteStart: number;
  minuteFailures: number;
  dayStart: number;
  dayFailures: number;
}

/**
 * How long an answer on a connection with so many failed logins before is held back, in
 * milliseconds: the third attempt waits one second, each further one a second more, up to
 * `MAX_DELAY_MS`. Right and wrong answers wait alike.
 */
export function answerDelayMs(failuresBefore: number): number {
  return Math.min(Math.max(0, failuresBefore - 1) * 1000, MAX_DELAY_MS);
}

/**
 * Counts failed logins by network, in memory and bounded. An address of a Unix socket or of the
 * loopback network is never counted: it is this host, or a proxy on it, and not the one who guesses.
 */
export class AddressThrottle {
  #clock: Clock;
  /** In the order of the last failure. */
  #counters = new Map<string, Counter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one of the address's networks had too many failures in a minute or a day. */
  isBlocked(address: string): boolean {
    const now = this.#clock.now();
    return networksOf(address).some((network, i) => {
      const counter = this.#counters.get(network);
      const limit = LIMITS[i];
      if (counter === undefined || limit === undefined) return false;
      return (counter.minuteFailures >= limit.perMinute && now < counter.minuteStart + MINUTE_MS) ||
        (counter.dayFailures >= limit.perDay && now < counter.dayStart + DAY_MS);
    });
  }

  recordFailure(address: string): void {
    const now = this.#clock.now();
    for (const network of networksOf(address)) {
      const counter = this.#counters.get(network) ??
        { minuteStart: now, minuteFailures: 0, dayStart: now, dayFailures: 0 };
      if (now >= counter.minuteStart + MINUTE_MS) {
        counter.minuteStart = now;
        counter.minuteFailures = 0;
      }
      if (now >= counter.dayStart + DAY_MS) {
        counter.dayStart = now;
        counter.dayFailures = 0;
      }
      counter.minuteFailures++;
      counter.dayFailures++;
      this.#counters.delete(network);
      this.#counters.set(network, counter);
    }
    for (const network of this.#counters.keys()) {
      if (this.#counters.size <= MAX_COUNTED_NETWORKS) break;
      this.#counters.delete(network);
    }
  }

  /** Forgets the failures of the narrowest network: somebody there knows a password. */
  recordSuccess(address: string): void {
    const [narrowest] = networksOf(address);
    if (narrowest !== undefined) this.#counters.delete(narrowest);
  }
}

/**
 * The networks that an address counts to, narrowest first; none for a Unix socket, the loopback
 * network, and what is not an address.
 */
export function networksOf(address: string): string[] {
  const v4 = parseIpv4(address);
  if (v4 !== undefined) return v4 >> 24n === 127n ? [] : prefixes(v4, 32, PREFIXES[4]);
  const v6 = parseIpv6(address);
  return v6 === undefined || v6 === 1n ? [] : prefixes(v6, 128, PREFIXES[6]);
}

function prefixes(value: bigint, width: 32 | 128, lengths: readonly number[]): string[] {
  return lengths.map((length) =>
    `${(value >> BigInt(width - length)).toString(16)}/${width}/${length}`
  );
}

function parseIpv4(text: string): bigint | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const octets = text.split(".").map(Number);
  if (octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((value, octet) => value << 8n | BigInt(octet), 0n);
}

/** IPv6 text without an IPv4 tail, which `net` never writes; a zone index is left out. */
function parseIpv6(text: string): bigint | undefined {
  const bare = text.split("%", 1)[0] ?? "";
  if (!/^[0-9a-f:]*:[0-9a-f:]*$/i.test(bare)) return undefined;
  const [head = "", tail, ...more] = bare.split("::");
  if (more.length > 0) return undefined;
  const split = (part: string) => part === "" ? [] : part.split(":");
  const before = split(head);
  const after = tail === undefined ? [] : split(tail);
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...Array<string>(missing).fill("0"), ...after];
  if (groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((value, group) => value << 16n | BigInt(parseInt(group, 16)), 0n);
}
