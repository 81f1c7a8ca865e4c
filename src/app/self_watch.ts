import { type Clock, logger } from "../base/mod.ts";
import type { HistoryLog, MailQueue, Store } from "../store/mod.ts";
import { openSqliteHistory } from "../store/sqlite/engine.ts";
import { AccountUsage } from "./account_usage.ts";
import { EventLoopDelay } from "./event_loop_delay.ts";
import { measureGauges } from "./gauges.ts";
import { HistorySampler } from "./history_sampler.ts";

const log = logger("app");

export interface SelfWatchOptions {
  readonly store: Store;
  readonly queue: MailQueue;
  readonly dataDir: string;
  readonly clock: Clock;
}

/** What a running server measures of itself, for `/metrics` and for charts. */
export class SelfWatch {
  /** Undefined when its file cannot be used, which is logged: mail does not wait for charts. */
  readonly history: HistoryLog | undefined;
  readonly usage: AccountUsage;
  readonly #options: SelfWatchOptions;
  readonly #delay = new EventLoopDelay();
  readonly #sampler: HistorySampler | undefined;

  private constructor(options: SelfWatchOptions, history: HistoryLog | undefined) {
    this.#options = options;
    this.history = history;
    this.usage = new AccountUsage(options.store);
    this.#sampler = history && new HistorySampler(history, {
      clock: options.clock,
      measure: async () => {
        await this.usage.refresh();
        await this.measure();
      },
      takeDelayP99: () => this.#delay.takeP99(),
    });
  }

  static async open(options: SelfWatchOptions): Promise<SelfWatch> {
    let history: HistoryLog | undefined;
    try {
      history = await openSqliteHistory(options.dataDir, options.clock);
    } catch (error) {
      log.error("there will be no charts, history.db cannot be used: {error}", { error });
    }
    return new SelfWatch(options, history);
  }

  start(): void {
    this.#delay.start();
    this.#sampler?.start();
    this.#refreshUsage();
  }

  /** Brings the gauges up to date. */
  async measure(): Promise<void> {
    this.#refreshUsage();
    await measureGauges({ ...this.#options, usage: this.usage });
  }

  async stop(): Promise<void> {
    this.#delay.stop();
    // First, so that the last sample does not wait for accounts that were not asked yet.
    await this.usage.close();
    await this.#sampler?.stop();
    await this.history?.close();
  }

  /** In the background: a scrape does not wait for a thousand accounts. */
  #refreshUsage(): void {
    this.usage.refresh()
      .catch((error) => log.error("what accounts hold is not known: {error}", { error }));
  }
}
