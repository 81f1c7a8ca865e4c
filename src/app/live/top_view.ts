import type { LiveConnection } from "../../web/mod.ts";
import { writeSize } from "../../base/mod.ts";
import type { Results } from "../control/protocol.ts";
import { printable } from "../terminal.ts";

/** What `top` shows at one moment. */
export interface TopFacts {
  readonly hostname: string;
  readonly nowMs: number;
  readonly now: Results["connections"];
  /** The answer before, and how long ago that was. */
  readonly before:
    | { readonly connections: Results["connections"]; readonly agoMs: number }
    | undefined;
}

export interface ViewSize {
  readonly columns: number;
  readonly rows: number;
}

/** Columns, the ones that are given up last first; the last one that fits takes the rest. */
const COLUMNS: readonly {
  readonly title: string;
  readonly width: number;
  readonly of: (connection: LiveConnection, nowMs: number) => string;
}[] = [
  { title: "ID", width: 7, of: ({ id }) => String(id) },
  { title: "ACCOUNT", width: 28, of: ({ account }) => account?.address ?? "-" },
  {
    title: "COMMAND",
    width: 14,
    of: ({ protocol, activity }) => activity === "" ? `(${protocol})` : activity,
  },
  { title: "MAILBOX", width: 16, of: ({ mailbox }) => mailbox },
  { title: "FROM", width: 24, of: ({ remote }) => remote },
  { title: "BY", width: 11, of: ({ listener, tls }) => tls ? listener : `${listener}, clear` },
  { title: "AGE", width: 6, of: ({ sinceMs }, nowMs) => writeAge(nowMs - sinceMs) },
  { title: "IN", width: 8, of: ({ bytesIn }) => writeSize(bytesIn) },
  { title: "OUT", width: 8, of: ({ bytesOut }) => writeSize(bytesOut) },
  { title: "CLIENT", width: 20, of: ({ client }) => client },
];

/** The lines of a screen of that size, none longer than it is wide. */
export function renderTop(facts: TopFacts, { columns, rows }: ViewSize): string[] {
  const { now, nowMs, hostname } = facts;
  const time = new Date(nowMs).toISOString().slice(11, 19);
  const total = now.total === 1 ? "1 connection" : `${now.total} connections`;
  const summary = `${total}, ${now.loggedIn} logged in, ${now.idle} in IDLE, ` +
    `${now.running} running commands${rates(facts)}`;
  const shown = columnsFor(columns);
  const row = (cells: readonly string[]) =>
    cells.map((cell, i) => fit(cell, shown[i]?.width ?? 0)).join(" ").trimEnd();
  const table = now.connections.map((connection) =>
    row(shown.map(({ of }) => printable(of(connection, nowMs))))
  );
  const room = Math.max(0, rows - 4);
  const left = now.total - Math.min(table.length, room);
  return [
    cut(`postern on ${hostname}, ${time} UTC: q ends`, columns),
    cut(summary, columns),
    row(shown.map(({ title }) => title)),
    ...table.slice(0, room),
    ...(left > 0 ? [cut(`... and ${left} more`, columns)] : []),
  ];
}

function rates({ now, before }: TopFacts): string {
  if (!before || before.agoMs <= 0) return "";
  const rate = (of: (answer: Results["connections"]) => number) =>
    // Connections that ended take their octets with them.
    writeSize(
      Math.round(Math.max(0, of(now) - of(before.connections)) / (before.agoMs / 1000)),
    );
  return `; in ${rate(({ bytesIn }) => bytesIn)}/s, out ${rate(({ bytesOut }) => bytesOut)}/s`;
}

function columnsFor(
  width: number,
): { title: string; width: number; of: typeof COLUMNS[0]["of"] }[] {
  const shown = [];
  let left = width;
  for (const column of COLUMNS) {
    if (left < column.width) break;
    shown.push({ ...column });
    left -= column.width + 1;
  }
  const last = shown.at(-1);
  if (last && left > 0) last.width += left;
  return shown;
}

function fit(text: string, width: number): string {
  const characters = [...text];
  if (characters.length <= width) return text + " ".repeat(width - characters.length);
  return characters.slice(0, Math.max(0, width - 1)).join("") + "…";
}

function cut(text: string, width: number): string {
  return fit(text, width).trimEnd();
}

/** `12s`, `5m`, `3h`, `2d`. */
function writeAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  for (const [unit, length] of [["d", 86_400], ["h", 3_600], ["m", 60]] as const) {
    if (seconds >= length) return `${Math.floor(seconds / length)}${unit}`;
  }
  return `${seconds}s`;
}
