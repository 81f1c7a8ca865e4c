import { join } from "node:path";
import { type Clock, systemClock } from "../../base/mod.ts";
import {
  HISTORY_SERIES,
  type HistoryColumns,
  type HistoryLog,
  type HistoryQuery,
  type HistorySamples,
  type HistorySeries,
} from "../history.ts";
import { HISTORY_DAYS, MAX_HISTORY_POINTS } from "../limits.ts";
import type { Database } from "./database.ts";
import { makeFolder } from "./make_folder.ts";
import { openMigrated, openUpgraded } from "./migrate.ts";
import { historySchema } from "./migrations/mod.ts";

const AGGREGATES = { mean: "avg", max: "max", sum: "sum" } as const;

/** Opens `history.db` in the folder; makes both when they are missing. */
export async function openSqliteHistory(
  dataDir: string,
  clock: Clock = systemClock,
): Promise<HistoryLog> {
  makeFolder(dataDir);
  const path = join(dataDir, "history.db");
  const db = await openUpgraded(() => openMigrated(path, historySchema));
  db.exec("PRAGMA synchronous = NORMAL");
  return new SqliteHistoryLog(db, clock);
}

class SqliteHistoryLog implements HistoryLog {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #ids = new Map<string, number>();

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  async add(time: number, samples: HistorySamples): Promise<void> {
    this.#db.write(() => {
      for (const [name, value] of Object.entries(samples)) {
        const series = name as HistorySeries;
        const again = HISTORY_SERIES[series] === "sum"
          ? "value + excluded.value"
          : "excluded.value";
        this.#db.run(
          `INSERT INTO sample VALUES (?, ?, ?)
           ON CONFLICT (series_id, time) DO UPDATE SET value = ${again}`,
          this.#idOf(series),
          Math.floor(time),
          value,
        );
      }
    });
  }

  async read({ from, to, series, step: wanted }: HistoryQuery): Promise<HistoryColumns> {
    const first = Math.floor(from);
    const length = Math.max(0, Math.floor(to) - first);
    const step = Math.max(1, Math.floor(wanted), Math.ceil(length / MAX_HISTORY_POINTS));
    const points = Math.ceil(length / step);
    const values = this.#db.read(() =>
      series.map((name) => {
        const column = new Array<number | null>(points).fill(null);
        const rows = this.#db.all<[number, number]>(
          `SELECT (time - CAST(? AS INTEGER)) / CAST(? AS INTEGER) AS point, ${
            AGGREGATES[HISTORY_SERIES[name]]
          }(value) FROM sample
           WHERE series_id = (SELECT id FROM series WHERE name = ?) AND time >= ? AND time < ?
           GROUP BY point`,
          first,
          step,
          name,
          first,
          first + length,
        );
        for (const [point, value] of rows) column[point] = value;
        return column;
      })
    );
    return { times: Array.from({ length: points }, (_, i) => first + i * step), values, step };
  }

  async trim(): Promise<void> {
    const oldest = Math.floor(this.#clock.now() / 1000) - HISTORY_DAYS * 86_400;
    this.#db.run("DELETE FROM sample WHERE time < ?", oldest);
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #idOf(series: HistorySeries): number {
    let id = this.#ids.get(series);
    if (id === undefined) {
      this.#db.run("INSERT OR IGNORE INTO series (name) VALUES (?)", series);
      id = this.#db.number("SELECT id FROM series WHERE name = ?", series);
      this.#ids.set(series, id);
    }
    return id;
  }
}
