/** Refused because too much is waiting already; may be tried again later. */
export class PoolFullError extends Error {
  override readonly name = "PoolFullError";
}

/**
 * Runs a bounded number of jobs at a time. Those that wait are served round robin by owner, so that
 * one owner's hundred jobs delay another's first by one job and not by a hundred.
 */
export class FairPool {
  #running = 0;
  #queued = 0;
  /** Starters of waiting jobs; the owner whose turn is next comes first. */
  #waiting = new Map<string, (() => void)[]>();

  constructor(
    readonly concurrency: number,
    readonly maxQueued: number,
    readonly maxQueuedPerOwner: number,
  ) {}

  /** Gives what `job` gives. Rejects with PoolFullError when it would have to wait and may not. */
  async run<Result>(owner: string, job: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.concurrency) this.#running++;
    else await this.#turn(owner);
    try {
      return await job();
    } finally {
      this.#next();
    }
  }

  #turn(owner: string): Promise<void> {
    const own = this.#waiting.get(owner) ?? [];
    if (this.#queued >= this.maxQueued || own.length >= this.maxQueuedPerOwner) {
      throw new PoolFullError("Too many password checks are waiting.");
    }
    this.#queued++;
    return new Promise((resolve) => {
      own.push(resolve);
      this.#waiting.set(owner, own);
    });
  }

  /** Hands the place of a job that ended to the next one; it stays counted as running. */
  #next(): void {
    const [turn] = this.#waiting;
    if (turn === undefined) {
      this.#running--;
      return;
    }
    const [owner, own] = turn;
    const start = own.shift();
    this.#queued--;
    this.#waiting.delete(owner);
    if (own.length > 0) this.#waiting.set(owner, own);
    start?.();
  }
}
