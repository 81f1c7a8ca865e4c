/**
 * Numbers that the server keeps about itself, named as Prometheus names them. Rooms count here;
 * `web/` and `app/` read `metrics.snapshot()` and know how to print it.
 */

export type Labels = Readonly<Record<string, string>>;

/** One series: a metric's name, its labels and its present value. */
export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

class Metrics {
  #series = new Map<string, { name: string; labels: Labels; value: number }>();

  /** Adds `amount` (1 unless given; negative for a gauge that falls) to the series. */
  add(name: string, labels: Labels = {}, amount = 1): void {
    this.#at(name, labels).value += amount;
  }

  /** Sets a gauge. */
  set(name: string, labels: Labels, value: number): void {
    this.#at(name, labels).value = value;
  }

  snapshot(): Sample[] {
    return [...this.#series.values()].map((series) => ({ ...series }));
  }

  #at(name: string, labels: Labels) {
    let key = name;
    for (const label in labels) key += `\u0000${label}\u0000${labels[label]}`;
    let series = this.#series.get(key);
    if (!series) this.#series.set(key, series = { name, labels, value: 0 });
    return series;
  }
}

/** The process's one registry. */
export const metrics: Metrics = new Metrics();
