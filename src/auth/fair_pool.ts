/** Refused because too much is waiting already; may be tried again later. */
export class PoolFullError extends Error {
  override readonly name = "PoolFullError";
}

export interface PoolLimits {
  /** Jobs at a time. */
  readonly running: number;
  /** Jobs of one owner at a time: less than `running`, so that one leaves room for others. */
  readonly runningPerOwner: number;
  readonly queued: number;
  readonly queuedPerOwner: number;
}

/** What one owner has in the pool. */
interface Share {
  running: number;
  /** Starters of waiting jobs. */
  readonly waiting: (() => void)[];
}

/**
 * Runs a bounded number of jobs at a time. Those that wait are served round robin by owner, so that
 * one owner's hundred jobs delay another's first by one job and not by a hundred.
 */
export class FairPool {
  readonly #limits: PoolLimits;
  #running = 0;
  #queued = 0;
  /** Owners with jobs; of those that wait, the one whose turn is next comes first. */
  #shares = new Map<string, Share>();

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  /** Gives what `job` gives. Rejects with PoolFullError when it would have to wait and may not. */
  async run<Result>(owner: string, job: () => Promise<Result>): Promise<Result> {
    const share = this.#shares.get(owner) ?? { running: 0, waiting: [] };
    if (this.#hasRoom(share)) this.#start(owner, share);
    else await this.#turn(owner, share);
    try {
      return await job();
    } finally {
      this.#running--;
      share.running--;
      this.#shares.delete(owner);
      // Behind those that came while it had its turn.
      if (share.running > 0 || share.waiting.length > 0) this.#shares.set(owner, share);
      this.#next();
    }
  }

  #hasRoom({ running }: Share): boolean {
    return this.#running < this.#limits.running && running < this.#limits.runningPerOwner;
  }

  #start(owner: string, share: Share): void {
    this.#running++;
    share.running++;
    this.#shares.delete(owner);
    this.#shares.set(owner, share);
  }

  #turn(owner: string, share: Share): Promise<void> {
    const { queued, queuedPerOwner } = this.#limits;
    if (this.#queued >= queued || share.waiting.length >= queuedPerOwner) {
      throw new PoolFullError("Too much is waiting.");
    }
    this.#queued++;
    this.#shares.set(owner, share);
    return new Promise((resolve) => share.waiting.push(resolve));
  }

  /** Starts the next job that may. */
  #next(): void {
    for (const [owner, share] of this.#shares) {
      if (share.waiting.length === 0 || !this.#hasRoom(share)) continue;
      const start = share.waiting.shift();
      this.#queued--;
      this.#start(owner, share);
      return start?.();
    }
  }
}
