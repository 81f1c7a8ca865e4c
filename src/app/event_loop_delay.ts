import { metrics } from "../base/mod.ts";

/** How often the event loop is asked for its turn. */
const LOOK_MS = 100;
/** Delays kept between two times that they are taken: half an hour of them. */
const MAX_DELAYS = 18_000;

/**
 * Measures how late the event loop is: all connections wait that long. Deno's own
 * `monitorEventLoopDelay` does not see a loop that is blocked.
 */
export class EventLoopDelay {
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** In seconds. */
  #delays: number[] = [];

  start(): void {
    const due = performance.now() + LOOK_MS;
    this.#timer = setTimeout(() => {
      const seconds = Math.max(0, performance.now() - due) / 1000;
      metrics.observe("postern_eventloop_delay_seconds", {}, seconds);
      if (this.#delays.length < MAX_DELAYS) this.#delays.push(seconds);
      this.start();
    }, LOOK_MS);
    Deno.unrefTimer(this.#timer);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** What 99 % of the delays since the last call were not above, in seconds. */
  takeP99(): number | undefined {
    const sorted = this.#delays.sort((a, b) => a - b);
    this.#delays = [];
    return sorted[Math.max(0, Math.ceil(sorted.length * .99) - 1)];
  }
}
