import type { Clock } from "../base/mod.ts";

/** How much an account may send. */
export interface SendingRate {
  /** Messages a minute; 0: no limit. */
  readonly messagesPerMinute: number;
  /** Messages at once, after a while of silence; at least 1. */
  readonly burst: number;
}

/**
 * The generic cell rate algorithm: one time for each key, at which it would have used up nothing.
 * Keys that used up nothing are forgotten.
 */
export class RateLimit<Key> {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  readonly #arrivals = new Map<Key, number>();
  #sweepAt = 0;

  constructor(clock: Clock, { messagesPerMinute, burst }: SendingRate) {
    this.#clock = clock;
    this.#intervalMs = messagesPerMinute === 0 ? 0 : 60_000 / messagesPerMinute;
    this.#toleranceMs = this.#intervalMs * (burst - 1);
  }

  /** Takes one if it is free now; false, taking nothing, if not. */
  take(key: Key): boolean {
    if (this.#intervalMs === 0) return true;
    const now = this.#clock.now();
    this.#sweep(now);
    const arrival = Math.max(this.#arrivals.get(key) ?? 0, now);
    if (arrival - now > this.#toleranceMs) return false;
    this.#arrivals.set(key, arrival + this.#intervalMs);
    return true;
  }

  #sweep(now: number): void {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + 60_000;
    for (const [key, arrival] of this.#arrivals) if (arrival <= now) this.#arrivals.delete(key);
  }
}
