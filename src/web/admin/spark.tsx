import type { FC } from "hono/jsx";

const WIDTH = 120;
const HEIGHT = 32;
/** So that the line is not cut off where it is highest. */
const MARGIN = 2;

/** A small chart of how something went, without numbers: they stand beside it. Gaps stay gaps. */
export const Spark: FC<
  { label: string; values: readonly (number | null)[]; isFromZero?: boolean }
> = (
  { label, values, isFromZero = true },
) => {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return null;
  const low = isFromZero ? 0 : Math.min(...known);
  const span = Math.max(...known) - low || 1;
  const x = (i: number) => Math.round(i * WIDTH * 10 / (values.length - 1)) / 10;
  const y = (value: number) =>
    Math.round((HEIGHT - MARGIN - (value - low) * (HEIGHT - 2 * MARGIN) / span) * 10) / 10;
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {runsOf(values).map((run) => {
        const points = run.map(([i, value]) => `${x(i)},${y(value)}`).join(" ");
        const [first, last] = [run[0]?.[0] ?? 0, run.at(-1)?.[0] ?? 0];
        return (
          <>
            <polygon points={`${x(first)},${HEIGHT} ${points} ${x(last)},${HEIGHT}`} />
            <polyline points={points} />
          </>
        );
      })}
    </svg>
  );
};

/** Values between gaps, each with its place. */
function runsOf(values: readonly (number | null)[]): [number, number][][] {
  const runs: [number, number][][] = [];
  values.forEach((value, i) => {
    if (value === null) return;
    const last = runs.at(-1);
    if (last && last.at(-1)?.[0] === i - 1) last.push([i, value]);
    else runs.push([[i, value]]);
  });
  return runs;
}
