import { type Clock, logger, metrics } from "../base/mod.ts";
import type { HistoryLog, HistorySamples, HistorySeries } from "../store/mod.ts";

/** Samples stand at whole multiples of this. */
export const SAMPLE_SECONDS = 300;
const DAY_SECONDS = 86_400;

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
  #trimAt = -Infinity;
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
    const periodMs = SAMPLE_SECONDS * 1000;
    this.#timer = setTimeout(() => {
      this.sample().finally(() => this.start());
    }, periodMs - this.#sources.clock.now() % periodMs);
    Deno.unrefTimer(this.#timer);
  }

  /** Takes a last sample, so that what was counted since the one before is not lost. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.sample();
  }

  /** Writes a sample for the five minutes that end, or are, now. Never rejects. */
  sample(): Promise<void> {
    return this.#sampling = this.#sampling.then(() => this.#sample())
      .catch((error) => log.error("no sample for the charts: {error}", { error }));
  }

  async #sample(): Promise<void> {
    const { clock, measure, takeDelayP99 } = this.#sources;
    const now = Math.floor(clock.now() / 1000);
    await measure();
    const counted = readCounters();
    const counts: Partial<Record<HistorySeries, number>> = {};
    for (const name of COUNTED) counts[name] = counted[name] - this.#counted[name];
    const delay = takeDelayP99();
    // The timer comes a moment after the five minutes are over.
    const time = Math.floor((now - 1) / SAMPLE_SECONDS) * SAMPLE_SECONDS;
    await this.#history.add(time, {
      ...counts,
      ...readLevels(),
      ...(delay === undefined ? {} : { eventLoopDelayP99: delay }),
    });
    this.#counted = counted;
    if (now < this.#trimAt) return;
    this.#trimAt = now + DAY_SECONDS;
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
