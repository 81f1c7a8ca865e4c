import { configure, type LogLevel as LibraryLevel, type LogRecord } from "@logtape/logtape";
import { metrics, ROOMS } from "../base/mod.ts";
import { parseNetwork } from "../net/mod.ts";
import type { LogLevels } from "../web/mod.ts";
import type { LogConfig, LogLevel } from "./config/config.ts";
import { printable, printError } from "./terminal.ts";

const LIBRARY_LEVELS: Readonly<Record<LogLevel, LibraryLevel>> = {
  error: "error",
  warn: "warning",
  info: "info",
  debug: "debug",
  trace: "trace",
};

/** How much a running server logs: what the configuration says, or what it was told since. */
export class LogControl {
  #config: LogConfig;
  #level: LogLevel;
  readonly #rooms = new Map<string, LogLevel>();

  private constructor(config: LogConfig) {
    this.#config = config;
    this.#level = config.level;
  }

  static async open(config: LogConfig): Promise<LogControl> {
    const control = new LogControl(config);
    await control.#apply();
    return control;
  }

  get levels(): LogLevels {
    return { level: this.#level, rooms: new Map(this.#rooms) };
  }

  /** Takes a configuration into use; what was said by `setLevel` holds no longer. */
  async reload(config: LogConfig): Promise<void> {
    this.#config = config;
    this.#level = config.level;
    this.#rooms.clear();
    await this.#apply();
  }

  /**
   * Sets the level of one room or, without one, of all that have none of their own. Undefined goes
   * back to what holds without: the common level, or the configured one.
   */
  async setLevel(level: LogLevel | undefined, room?: string): Promise<void> {
    if (room === undefined) this.#level = level ?? this.#config.level;
    else if (level === undefined) this.#rooms.delete(room);
    else this.#rooms.set(room, level);
    await this.#apply();
  }

  async #apply(): Promise<void> {
    await configureLogging({ ...this.#config, level: this.#level }, this.#rooms);
  }
}

/** Sends what the rooms log to stderr; `rooms` have a level of their own. May be called again. */
export async function configureLogging(
  config: LogConfig,
  rooms: ReadonlyMap<string, LogLevel> = new Map(),
): Promise<void> {
  const writeRecord = config.format === "json" ? writeJsonRecord : writeTextRecord;
  const write = config.addresses
    ? writeRecord
    : (record: LogRecord) => hideAddresses(writeRecord(record));
  await configure({
    reset: true,
    sinks: {
      stderr: (record) => {
        count(record);
        printError(write(record));
      },
    },
    loggers: [
      { category: "postern", lowestLevel: LIBRARY_LEVELS[config.level], sinks: ["stderr"] },
      ...[...rooms].map(([room, level]) => ({
        category: ["postern", room],
        lowestLevel: LIBRARY_LEVELS[level],
        sinks: ["stderr"],
        // The common level would hold for what goes that way.
        parentSinks: "override" as const,
      })),
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
    ],
  });
}

const COUNTERS = {
  fatal: "postern_logging_level_error_total",
  error: "postern_logging_level_error_total",
  warning: "postern_logging_level_warn_total",
  info: "postern_logging_level_info_total",
  debug: "postern_logging_level_debug_total",
  trace: "postern_logging_level_trace_total",
} as const satisfies Readonly<Record<LibraryLevel, string>>;

function count({ category, level }: LogRecord): void {
  const room = ROOMS.find((room) => room === category[1]);
  if (room !== undefined) metrics.add(COUNTERS[level], { room });
}

/** `2026-11-24T11:26:01.123Z info session: text`; the stack of an error below it, indented. */
export function writeTextRecord(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString();
  const lines = [`${time} ${levelOf(record)} ${roomOf(record)}: ${printable(textOf(record))}`];
  if (record.level === "error" || record.level === "fatal") {
    for (const { stack } of errorsOf(record)) {
      lines.push(...(stack ?? "").split("\n").map((line) => `    ${printable(line)}`));
    }
  }
  return lines.join("\n");
}

/** One JSON object: time, level, room, message, then the record's own properties. */
export function writeJsonRecord(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString();
  const line = {
    time,
    level: levelOf(record),
    room: roomOf(record),
    message: textOf(record),
    ...record.properties,
  };
  return JSON.stringify(line, (_, value) => {
    if (value instanceof Error) return { message: value.message, stack: value.stack };
    return typeof value === "bigint" ? String(value) : value;
  });
}

/** The text without mail and network addresses. */
export function hideAddresses(text: string): string {
  return text
    .replace(/[^\s"'<>(),;:=]+@[^\s"'<>(),;=\\]+/g, HIDDEN)
    .replace(
      /(?<!\w)[0-9a-f:.]*:[0-9a-f.]*:[0-9a-f:.]*[0-9a-f:](?!\w)/gi,
      (word) => isNetworkAddress(word) || isNetworkAddress(word.slice(0, -1)) ? HIDDEN : word,
    )
    .replace(/(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)/g, HIDDEN);
}

const HIDDEN = "(address)";

function isNetworkAddress(word: string): boolean {
  try {
    parseNetwork(word);
    return true;
  } catch {
    return false;
  }
}

function levelOf(record: LogRecord): string {
  return record.level === "warning" ? "warn" : record.level;
}

function roomOf(record: LogRecord): string {
  return record.category.slice(1).join(".");
}

/** The message with its values filled in: they stand at the odd places. */
function textOf(record: LogRecord): string {
  return record.message.map((part, i) => i % 2 === 0 ? String(part) : valueText(part)).join("");
}

function valueText(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

function errorsOf(record: LogRecord): Error[] {
  return Object.values(record.properties).filter((value) => value instanceof Error);
}
