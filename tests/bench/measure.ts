import { cpuSeconds } from "./process_usage.ts";
import type { Target } from "./target.ts";

/** What one case took on one target. */
export interface Measurement {
  readonly name: string;
  /** Milliseconds of one operation; undefined for what is no duration. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Processor time of the server for one operation, milliseconds. */
  readonly cpuMs?: number;
  /** Operations, or megabytes, in a second; or KiB. */
  readonly rate?: number;
  readonly unit?: "/s" | "MB/s" | "KiB";
}

export interface Plan {
  readonly name: string;
  /** Most runs; fewer when `limitMs` is over, but at least one. */
  readonly runs: number;
  /** Milliseconds after which no further run begins. */
  readonly limitMs: number;
  /** Runs that are not counted, before the others. */
  readonly warmUp?: number;
  /** Operations in one run: latency is that of the run, rate and cost are those of an operation. */
  readonly operations?: number;
  /** Runs under way at a time; each is given its number. */
  readonly concurrency?: number;
  /** Whether a run's answer is octets to be counted in the rate. */
  readonly throughput?: boolean;
}

/**
 * Runs `operation` again and again. It gives the milliseconds it took if not all of it counts, or,
 * for throughput, the octets that it moved.
 */
export async function measure(
  target: Pick<Target, "pid">,
  plan: Plan,
  operation: (worker: number, run: number) => Promise<number | void>,
): Promise<Measurement> {
  const { name, runs, limitMs, warmUp = 0, operations = 1, concurrency = 1 } = plan;
  for (let i = 0; i < warmUp; i++) await operation(0, i);
  const latencies: number[] = [];
  let octets = 0;
  let begun = 0;
  const cpuBefore = cpuSeconds(target.pid);
  const started = performance.now();
  const worker = async (number: number) => {
    while (begun < runs && (begun < concurrency || performance.now() - started < limitMs)) {
      const run = begun++;
      const before = performance.now();
      const result = await operation(number, warmUp + run);
      const took = performance.now() - before;
      if (plan.throughput) octets += result ?? 0;
      latencies.push(plan.throughput ? took : result ?? took);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, i) => worker(i)));
  const seconds = (performance.now() - started) / 1000;
  const cpu = cpuSeconds(target.pid) - cpuBefore;
  latencies.sort((a, b) => a - b);
  const done = latencies.length * operations;
  return {
    name,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    // Below nothing: other processes than at the beginning.
    ...(cpu < 0 ? {} : { cpuMs: cpu * 1000 / done }),
    ...(plan.throughput
      ? { rate: octets / 1e6 / seconds, unit: "MB/s" }
      : { rate: done / seconds, unit: "/s" }),
  };
}

/** A value of a sorted list: the smallest that at least this share does not exceed. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}
