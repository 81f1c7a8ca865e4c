/**
 * One bit that somebody waits for. Setting it twice before it is taken means the same as once, so a
 * slow waiter costs no memory however often it is nudged. One waiter at a time.
 */
export class Latch {
  #set = false;
  #wake: (() => void) | undefined;

  /** Sets the bit and wakes the waiter, if there is one. */
  set(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake) wake();
    else this.#set = true;
  }

  /** Whether the bit is set; clears it. */
  take(): boolean {
    const set = this.#set;
    this.#set = false;
    return set;
  }

  /** Resolves when the bit is set, at once if it is already; clears it. */
  wait(): Promise<void> {
    if (this.take()) return Promise.resolve();
    return new Promise<void>((resolve) => this.#wake = resolve);
  }
}
