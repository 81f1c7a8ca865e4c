import type { Measurement } from "./measure.ts";
import type { Target } from "./target.ts";

export interface Column {
  readonly target: Pick<Target, "name" | "setup">;
  readonly measurements: readonly Measurement[];
}

/** The lines of a table: the targets beside each other, with ratios to the second where it is. */
export function printTable(columns: readonly Column[]): string[] {
  const [first, second] = columns;
  if (!first) return [];
  const heads = [
    "",
    ...columns.flatMap(({ target }) => [`${target.name} p50 ms`, "p99", "rate", "cpu ms"]),
  ];
  if (second) heads.push(`times as fast as ${second.target.name}`);
  const rows = first.measurements.map((measurement) => {
    const others = columns.map(({ measurements }) =>
      measurements.find(({ name }) => name === measurement.name)
    );
    const cells = [measurement.name, ...others.flatMap(cellsOf)];
    if (second) cells.push(ratio(measurement, others[1]));
    return cells;
  });
  const widths = heads.map((head, i) =>
    Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
      .join("  ");
  return [
    "",
    ...columns.map(({ target }) => `${target.name}: ${target.setup}`),
    "",
    line(heads),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map(line),
    "",
  ];
}

function cellsOf(measurement: Measurement | undefined): string[] {
  if (!measurement) return ["", "", "", ""];
  const { p50Ms, p99Ms, cpuMs, rate, unit } = measurement;
  return [
    number(p50Ms),
    number(p99Ms),
    rate === undefined ? "" : `${number(rate)} ${unit}`,
    number(cpuMs),
  ];
}

/** How many times as fast, or as small, the first is; by the middle latency where there is one. */
function ratio(first: Measurement, second: Measurement | undefined): string {
  if (!second) return "";
  const [mine, theirs] = first.p50Ms === undefined
    ? [first.rate, second.rate]
    : [first.p50Ms, second.p50Ms];
  return mine && theirs ? number(theirs / mine) : "";
}

/** Three digits that count. */
function number(value: number | undefined): string {
  if (value === undefined) return "";
  if (value >= 100) return value.toLocaleString("en", { maximumFractionDigits: 0 });
  return value.toPrecision(value < 0.001 ? 1 : 3);
}
