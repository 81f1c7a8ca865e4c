import {
  type LabelsOf,
  METRIC_TABLE,
  type MetricName,
  type MetricOf,
  type MetricSpec,
  type Room,
  ROOMS,
} from "./metric_table.ts";

/**
 * Series of one metric. There is a bounded number of label values in the code, so this is never
 * reached; if a stranger finds a way to make values after all, the rest shares one series.
 */
export const MAX_SERIES = 1000;

/** In the place of each label value beyond `MAX_SERIES`. */
const OTHER = "other";

type Labels = Readonly<Record<string, string>>;

/** One series of a metric: its labels and its present value. */
export interface Series {
  readonly labels: Labels;
  /** Of a histogram: the sum of what was observed. */
  value: number;
  /** Of a histogram: how many were observed in each bucket, the last one without an upper bound. */
  readonly counts?: number[];
}

/** Label values lead to a series one by one: finding it makes no string. */
type Branch = Map<string, Branch | Series>;

/** A metric of the table, with its series. */
export class Metric {
  readonly series: Series[] = [];
  readonly #labelNames: readonly string[];
  #root: Branch = new Map();

  constructor(readonly name: string, readonly spec: MetricSpec) {
    this.#labelNames = Object.keys(spec.labels);
    this.clear();
  }

  at(labels: Labels): Series {
    let branch = this.#root;
    for (const name of this.#labelNames) {
      const next = branch.get(labels[name] ?? "");
      if (next === undefined) return this.#add(labels);
      if (!(next instanceof Map)) return next;
      branch = next;
    }
    return this.series[0] ?? this.#add(labels);
  }

  /** Forgets everything but the series that are there from the start. */
  clear(): void {
    this.series.length = 0;
    this.#root = new Map();
    // A gauge says nothing before it was measured.
    if (this.spec.kind === "gauge") return;
    let known: Labels[] = [{}];
    for (const [name, values] of Object.entries(this.spec.labels)) {
      known = known.flatMap((labels) => values.map((value) => ({ ...labels, [name]: value })));
    }
    for (const labels of known) this.#add(labels);
  }

  #add(labels: Labels): Series {
    const isFull = this.series.length >= MAX_SERIES;
    const entries = this.#labelNames.map((name) => [name, isFull ? OTHER : labels[name] ?? ""]);
    const own = Object.fromEntries(entries) as Labels;
    const { buckets } = this.spec;
    const series: Series = {
      labels: own,
      value: 0,
      ...(buckets ? { counts: new Array<number>(buckets.length + 1).fill(0) } : {}),
    };
    let branch = this.#root;
    for (const name of this.#labelNames.slice(0, -1)) {
      const value = own[name] ?? "";
      let next = branch.get(value);
      if (!(next instanceof Map)) branch.set(value, next = new Map());
      branch = next;
    }
    const last = this.#labelNames.at(-1);
    if (last !== undefined) {
      const known = branch.get(own[last] ?? "");
      if (known !== undefined && !(known instanceof Map)) return known;
      branch.set(own[last] ?? "", series);
    }
    this.series.push(series);
    return series;
  }
}

/** Metrics that may be counted without labels. */
type Plain<Name extends MetricName> = Name extends unknown
  ? keyof LabelsOf<Name> extends never ? Name : never
  : never;

/**
 * Numbers that the server keeps about itself, named as Prometheus names them and declared in
 * `METRIC_TABLE`. Rooms count here; `writeMetrics` prints them.
 */
export class Metrics {
  readonly #metrics = new Map<string, Metric>(
    Object.entries(METRIC_TABLE).map(([name, spec]) => [name, new Metric(name, spec)]),
  );

  /** Adds `amount` (1 unless given; negative only for a gauge that falls) to the series. */
  add(name: Plain<MetricOf<"counter" | "gauge">>, labels?: undefined, amount?: number): void;
  add<Name extends MetricOf<"counter" | "gauge">>(
    name: Name,
    labels: LabelsOf<Name>,
    amount?: number,
  ): void;
  add(name: MetricName, labels: Labels = NO_LABELS, amount = 1): void {
    this.#metric(name).at(labels).value += amount;
  }

  /** Sets a gauge. */
  set<Name extends MetricOf<"gauge">>(name: Name, labels: LabelsOf<Name>, value: number): void {
    this.#metric(name).at(labels).value = value;
  }

  /** Counts `value` in a histogram. */
  observe<Name extends MetricOf<"histogram">>(
    name: Name,
    labels: LabelsOf<Name>,
    value: number,
  ): void {
    const metric = this.#metric(name);
    const series = metric.at(labels);
    const { buckets = [] } = metric.spec;
    let i = 0;
    while (i < buckets.length && value > (buckets[i] ?? 0)) i++;
    series.value += value;
    if (series.counts) series.counts[i] = (series.counts[i] ?? 0) + 1;
  }

  /** Forgets the series of a gauge whose labels come and go. */
  clear(name: MetricOf<"gauge">): void {
    this.#metric(name).clear();
  }

  /** Counts a mistake in the program in the room that its stack names, `caughtIn` if it names none. */
  panic(error: unknown, caughtIn: Room): void {
    this.add("postern_panic_total", { room: roomOf(error) ?? caughtIn });
  }

  /** The sum of all series with these labels; of a histogram, how many were observed. */
  sum<Name extends MetricName>(name: Name, labels: Partial<LabelsOf<Name>> = {}): number {
    const wanted = Object.entries(labels);
    let sum = 0;
    for (const { labels, value, counts } of this.#metric(name).series) {
      if (!wanted.every(([label, value]) => labels[label] === value)) continue;
      sum += counts ? counts.reduce((all, count) => all + count, 0) : value;
    }
    return sum;
  }

  all(): Iterable<Metric> {
    return this.#metrics.values();
  }

  #metric(name: MetricName): Metric {
    const metric = this.#metrics.get(name);
    if (metric === undefined) throw new Error(`${name} is not in the table of metrics`);
    return metric;
  }
}

const NO_LABELS: Labels = {};

function roomOf(error: unknown): Room | undefined {
  const stack = error instanceof Error ? error.stack ?? "" : "";
  const room = /\/src\/(\w+)\//.exec(stack)?.[1];
  return ROOMS.find((known) => known === room);
}

/** The process's one registry. */
export const metrics: Metrics = new Metrics();
