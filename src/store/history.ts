/**
 * What a server keeps of its own days, and how samples that fall into one step of a chart become
 * one value: the mean of a level, the highest of a peak, the sum of what was counted since the sample
 * before.
 */
export const HISTORY_SERIES = {
  connectionsImap: "mean",
  connectionsSubmission: "mean",
  connectionsLmtp: "mean",
  connectionsWeb: "mean",
  loginsOk: "sum",
  loginsFailed: "sum",
  deliveriesIn: "sum",
  deliveriesOut: "sum",
  storageBytes: "mean",
  messages: "mean",
  queueLength: "max",
  memoryBytes: "mean",
  /** 99 % of the time the event loop was late by no more than this, in seconds. */
  eventLoopDelayP99: "max",
} as const satisfies Readonly<Record<string, "mean" | "max" | "sum">>;

export type HistorySeries = keyof typeof HISTORY_SERIES;

/** One sample of some series; what is not known now is left out. */
export type HistorySamples = Readonly<Partial<Record<HistorySeries, number>>>;

export interface HistoryQuery {
  /** Seconds since 1970; `to` is not in it. */
  readonly from: number;
  readonly to: number;
  readonly series: readonly HistorySeries[];
  /** Seconds between two points of the chart. */
  readonly step: number;
}

/** What a chart draws: for each time one value of each series, null where nothing was sampled. */
export interface HistoryColumns {
  /** The beginning of each step, seconds since 1970. */
  readonly times: readonly number[];
  /** In the order of the series that were asked for. */
  readonly values: readonly (readonly (number | null)[])[];
  /** That of the query, or longer when that would be too many points. */
  readonly step: number;
}

/**
 * Numbers of the last 30 days, one sample every five minutes. A database of its own, which is no
 * part of a backup and may lose the last moment before a power failure.
 */
export interface HistoryLog {
  /** Adds a sample at `time`, seconds since 1970; a second one there adds to sums and replaces the rest. */
  add(time: number, samples: HistorySamples): Promise<void>;
  /** At most about a thousand points. */
  read(query: HistoryQuery): Promise<HistoryColumns>;
  /** Drops what is older than 30 days. */
  trim(): Promise<void>;
  close(): Promise<void>;
}
