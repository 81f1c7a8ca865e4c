import { type Clock, logger, metrics } from "../base/mod.ts";
import type { HistoryLog, HistorySamples, HistorySeries } from "../store/mod.ts";

/** Samples stand at whole multiples of this. */
export const SAMPLE_SECONDS = 300;
const DAY_MS = 86_400_000;

const log = logger("app");

export interface SamplerSources {
  readonly clock: Clock;
  /** Brings the gauges up to date. */
  measure(): Promise<void>;
  /** Of the event loop since the last call, in seconds. */
  takeDelayP99(): number | undefined;
}

/** Writes a sample of the metrics to the history every five minutes. */
export class HistorySampler {
  readonly #history: HistoryLog;
  readonly #sources: SamplerSources;
  /** What counters had reached at the last sample. */
  #counted: Record<CountedSeries, number>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #trimAtMs = -Infinity;
  #sampling: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(history: HistoryLog, sources: SamplerSources) {
    this.#history = history;
    this.#sources = sources;
    this.#counted = readCounters();
  }

  /** Samples at the end of each five minutes from now on. */
  start(): void {
    if (this.#isStopped) return;
    const begin = this.#begin();
    const endMs = (begin + SAMPLE_SECONDS) * 1000;
    this.#timer = setTimeout(() => {
      this.sample(begin).finally(() => this.start());
    }, endMs - this.#sources.clock.now());
    Deno.unrefTimer(this.#timer);
  }

  /** Takes a last sample, so that what was counted since the one before is not lost. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.sample(this.#begin());
  }

  /** Writes a sample for the five minutes that began then, in seconds since 1970. Never rejects. */
  sample(begin: number): Promise<void> {
    return this.#sampling = this.#sampling.then(() => this.#sample(begin))
      .catch((error) => log.error("no sample for the charts: {error}", { error }));
  }

  /** When the present five minutes began. */
  #begin(): number {
    const seconds = Math.floor(this.#sources.clock.now() / 1000);
    return seconds - seconds % SAMPLE_SECONDS;
  }

  async #sample(begin: number): Promise<void> {
    const { clock, measure, takeDelayP99 } = this.#sources;
    await measure();
    const counted = readCounters();
    const counts: Partial<Record<HistorySeries, number>> = {};
    for (const name of COUNTED) counts[name] = counted[name] - this.#counted[name];
    const delay = takeDelayP99();
    await this.#history.add(begin, {
      ...counts,
      ...readLevels(),
      ...(delay === undefined ? {} : { eventLoopDelayP99: delay }),
    });
    this.#counted = counted;
    if (clock.now() < this.#trimAtMs) return;
    this.#trimAtMs = clock.now() + DAY_MS;
    await this.#history.trim();
  }
}

const COUNTED = ["loginsOk", "loginsFailed", "deliveriesIn", "deliveriesOut"] as const;
type CountedSeries = typeof COUNTED[number];

function readCounters(): Record<CountedSeries, number> {
  const logins = (result?: string) =>
    metrics.sum("postern_authentication_total", result === undefined ? {} : { result });
  return {
    loginsOk: logins("ok"),
    loginsFailed: logins() - logins("ok") - logins("aborted"),
    deliveriesIn: metrics.sum("postern_deliveries_total", { result: "delivered" }),
    deliveriesOut: metrics.sum("postern_queue_attempts_total", { result: "done" }),
  };
}

function readLevels(): HistorySamples {
  const connections = (protocol: string) => metrics.sum("postern_connections_count", { protocol });
  return {
    connectionsImap: connections("imap"),
    connectionsSubmission: connections("submission"),
    connectionsLmtp: connections("lmtp"),
    connectionsWeb: connections("web"),
    // Before they were all asked, the accounts are none.
    ...(metrics.sum("postern_accounts") === 0 ? {} : {
      storageBytes: metrics.sum("postern_storage_bytes"),
      messages: metrics.sum("postern_messages"),
    }),
    queueLength: metrics.sum("postern_queue_length"),
    memoryBytes: metrics.sum("postern_process_resident_memory_bytes"),
  };
}
