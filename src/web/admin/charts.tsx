import type { HistoryColumns, HistorySeries } from "../../store/mod.ts";
import { bytesText, countText, timeText } from "../format.ts";
import { Notice, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";

const PATH = "/admin/charts";
const DAY_SECONDS = 86_400;

type Unit = "count" | "bytes" | "seconds";

interface Chart {
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly lines: readonly (readonly [series: HistorySeries, text: string])[];
}

const CHARTS: readonly Chart[] = [
  {
    id: "connections",
    title: "Connections",
    unit: "count",
    lines: [
      ["connectionsImap", "IMAP"],
      ["connectionsSubmission", "Submission"],
      ["connectionsLmtp", "LMTP"],
      ["connectionsWeb", "Web"],
    ],
  },
  {
    id: "logins",
    title: "Logins",
    unit: "count",
    lines: [["loginsOk", "Logged in"], ["loginsFailed", "Failed"]],
  },
  {
    id: "deliveries",
    title: "Mail",
    unit: "count",
    lines: [["deliveriesIn", "Came in"], ["deliveriesOut", "Went out"]],
  },
  {
    id: "queue",
    title: "Messages in the queue",
    unit: "count",
    lines: [["queueLength", "Waiting"]],
  },
  {
    id: "storage",
    title: "Storage of all accounts",
    unit: "bytes",
    lines: [["storageBytes", "Mail"]],
  },
  {
    id: "memory",
    title: "Memory",
    unit: "bytes",
    lines: [["memoryBytes", "Of the process"]],
  },
  {
    id: "delay",
    title: "Delay of the event loop",
    unit: "seconds",
    lines: [["eventLoopDelayP99", "99 % were below"]],
  },
];

interface Range {
  readonly text: string;
  readonly seconds: number;
  /** Between two points of a chart, and between two rows of a table. */
  readonly chartStep: number;
  readonly tableStep: number;
}

const RANGES: Readonly<Record<string, Range>> = {
  "24h": { text: "24 hours", seconds: DAY_SECONDS, chartStep: 300, tableStep: 3_600 },
  "7d": { text: "7 days", seconds: 7 * DAY_SECONDS, chartStep: 1_800, tableStep: 21_600 },
  "30d": { text: "30 days", seconds: 30 * DAY_SECONDS, chartStep: 7_200, tableStep: DAY_SECONDS },
};

const ALL_SERIES = CHARTS.flatMap(({ lines }) => lines.map(([series]) => series));

function rangeOf(context: SiteContext): { name: string; range: Range } {
  const asked = context.req.query("range") ?? "";
  const name = Object.hasOwn(RANGES, asked) ? asked : "24h";
  return { name, range: RANGES[name] ?? { text: "", seconds: 0, chartStep: 1, tableStep: 1 } };
}

/** Reads all series up to now; steps begin at whole multiples of themselves, in UTC. */
async function readHistory(
  { history, clock }: Site,
  seconds: number,
  step: number,
): Promise<HistoryColumns | undefined> {
  const to = Math.ceil(clock.now() / 1000 / step) * step;
  return await history?.read({ from: to - seconds, to, series: ALL_SERIES, step });
}

/** How the last hours or days went: charts for who runs scripts, and their numbers for all. */
export async function chartsPage(context: SiteContext, site: Site): Promise<Response> {
  const { name, range } = rangeOf(context);
  const columns = await readHistory(site, range.seconds, range.tableStep);
  return await showPage(
    context,
    site,
    {
      title: "Charts",
      styles: ["/assets/uplot.css"],
      scripts: ["/assets/uplot.js", "/assets/charts.js"],
    },
    <>
      <nav class="links" aria-label="How far back">
        {Object.entries(RANGES).map(([each, { text }]) => (
          <a
            class="button quiet"
            href={`${PATH}?range=${each}`}
            aria-current={each === name ? "page" : undefined}
          >
            {text}
          </a>
        ))}
      </nav>
      {columns === undefined
        ? (
          <Notice kind="warning">
            Nothing is kept for charts: see the log for why history.db cannot be used.
          </Notice>
        )
        : (
          <div class="charts" id="charts" data-source={`${PATH}/data?range=${name}`}>
            {CHARTS.map((chart) => <ChartSection chart={chart} columns={columns} range={range} />)}
          </div>
        )}
    </>,
  );
}

function ChartSection(
  { chart, columns, range }: { chart: Chart; columns: HistoryColumns; range: Range },
) {
  const { id, title, unit, lines } = chart;
  const values = lines.map(([series]) => columns.values[ALL_SERIES.indexOf(series)] ?? []);
  const rows = columns.times.map((time, row) => [
    timeText(time * 1000),
    ...values.map((column) => valueText(column[row] ?? null, unit)),
  ]).reverse();
  return (
    <section class="card" aria-labelledby={`chart-${id}`}>
      <h2 id={`chart-${id}`}>{title}</h2>
      <div
        class="plot"
        role="img"
        aria-label={`Chart of the last ${range.text}: ${title}. The table below has its numbers.`}
        data-series={lines.map(([series]) => series).join(" ")}
        data-labels={JSON.stringify(lines.map(([, text]) => text))}
        data-unit={unit}
        hidden
      >
      </div>
      {/* The script closes it: without one, the numbers are all there is. */}
      <details open>
        <summary>Numbers: {title}</summary>
        <Table
          caption={`${title}, the newest first`}
          columns={["From", ...lines.map(([, text]) => ({ title: text, isNumber: true } as const))]}
          rows={rows}
          empty="There are no numbers yet."
        />
      </details>
    </section>
  );
}

function valueText(value: number | null, unit: Unit): string {
  if (value === null) return "–";
  switch (unit) {
    case "bytes":
      return bytesText(value);
    case "seconds":
      return `${Math.round(value * 1000)} ms`;
    default:
      return countText(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
  }
}

/** What the charts draw, as JSON: times in seconds since 1970, and each series by its name. */
export async function chartData(context: SiteContext, site: Site): Promise<Response> {
  const { range } = rangeOf(context);
  const columns = await readHistory(site, range.seconds, range.chartStep);
  return context.json({
    times: columns?.times ?? [],
    series: Object.fromEntries(
      ALL_SERIES.map((series, i) => [series, columns?.values[i] ?? []]),
    ),
  });
}
