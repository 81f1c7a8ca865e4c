import assert from "node:assert/strict";

/** From here on a time is one to pass in a test, and not one that a test waits. */
const HELD_FROM_MS = 200;
const NEVER_MS = 2 ** 31 - 1;

interface HeldTimer {
  readonly ms: number;
  dueMs: number;
  readonly isRepeated: boolean;
  readonly run: () => void;
}

/**
 * Has the long timers of this process stand still, until disposed, so that a test passes their time
 * on: those of `setTimeout`, `setInterval` and `AbortSignal.timeout`. Short ones, those inside `node:`
 * modules, and `Date` go on as always; `performance.now()` counts the time that was passed too, and
 * goes on doing so, since it never goes back.
 */
export class HeldTimers implements Disposable {
  #passedMs = 0;
  readonly #timers = new Map<unknown, HeldTimer>();
  readonly #real = { setTimeout, setInterval, clearTimeout, clearInterval };
  readonly #realSignal = AbortSignal.timeout;

  constructor() {
    const now = performance.now.bind(performance);
    const held = (isRepeated: boolean) => {
      const real = isRepeated ? this.#real.setInterval : this.#real.setTimeout;
      return (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
        ms < HELD_FROM_MS
          ? real(run, ms, ...args)
          : this.#hold({ ms, dueMs: this.#passedMs + ms, isRepeated, run: () => run(...args) });
    };
    const clear = (timer: unknown) => {
      this.#timers.delete(timer);
      this.#real.clearTimeout(timer as number);
    };
    Object.assign(globalThis, {
      ...{ setTimeout: held(false), setInterval: held(true) },
      ...{ clearTimeout: clear, clearInterval: clear },
    });
    performance.now = () => now() + this.#passedMs;
    AbortSignal.timeout = (ms) => {
      const controller = new AbortController();
      const run = () => controller.abort(new DOMException("Signal timed out.", "TimeoutError"));
      this.#hold({ ms, dueMs: this.#passedMs + ms, isRepeated: false, run });
      return controller.signal;
    };
  }

  /** Resolves when somebody waits for so long, or up to `lessMs` less. */
  async until(ms: number, lessMs = 0): Promise<void> {
    for (let i = 0; i < 500; i++) {
      const isAsked = (timer: HeldTimer) => timer.ms <= ms && timer.ms >= ms - lessMs;
      if ([...this.#timers.values()].some(isAsked)) return;
      await new Promise((resolve) => this.#real.setTimeout(resolve, 4));
    }
    const times = [...this.#timers.values()].map((timer) => timer.ms);
    assert.fail(`nothing waits for ${ms} ms, but for ${times.join(", ")}`);
  }

  /** Lets the time pass, and then what follows from it. */
  async pass(ms: number): Promise<void> {
    this.passAtOnce(ms);
    await new Promise((resolve) => this.#real.setTimeout(resolve, 20));
  }

  /** Lets the time pass and nothing else happen. */
  passAtOnce(ms: number): void {
    const end = this.#passedMs + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(([, { dueMs }]) => dueMs <= end)
        .sort(([, a], [, b]) => a.dueMs - b.dueMs);
      if (next === undefined) break;
      const [handle, timer] = next;
      this.#passedMs = Math.max(this.#passedMs, timer.dueMs);
      if (timer.isRepeated) timer.dueMs += timer.ms;
      else clearTimeout(handle as number);
      timer.run();
    }
    this.#passedMs = end;
  }

  [Symbol.dispose](): void {
    for (const handle of this.#timers.keys()) this.#real.clearTimeout(handle as number);
    Object.assign(globalThis, this.#real);
    AbortSignal.timeout = this.#realSignal;
  }

  #hold(timer: HeldTimer): unknown {
    // A real timer, since the code under test may unref it.
    const handle = this.#real.setTimeout(() => {}, NEVER_MS);
    this.#timers.set(handle, timer);
    return handle;
  }
}
