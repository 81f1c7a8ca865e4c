/**
 * One bit that somebody waits for. Setting it twice before it is taken means the same as once, so a
 * slow waiter costs no memory however often it is nudged. One waiter at a time.
 */
export class Latch {
  #set = false;
  #wake: (() => void) | undefined;

  /** Sets the bit and wakes the waiter, if there is one. */
  set(): void {
    this.#set = true;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Whether the bit is set; clears it. */
  take(): boolean {
    const set = this.#set;
    this.#set = false;
    return set;
  }

  /** Resolves when the bit is set, at once if it is already; clears it. */
  async wait(): Promise<void> {
    if (!this.#set) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.#set = false;
  }
}
