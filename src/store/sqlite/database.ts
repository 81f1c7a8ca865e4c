import { closeSync, existsSync, openSync } from "node:fs";
import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import type { Bytes } from "../../base/mod.ts";
import { StoreError, type StoreErrorCode } from "../store_error.ts";

/** What a column may hold. Booleans and undefined do not bind. */
export type Value = number | string | Bytes | null;

/** Rows come as arrays, in the order of the columns: half the cost of objects. */
export type Row = readonly Value[];

/** Pages of 8 KiB: 512 KiB would be 64 of them; a negative size counts in KiB. */
const CACHE_KIB = 512;
/** A write of another process is a few milliseconds; a stuck one must not stop us for ever. */
const BUSY_TIMEOUT_MS = 5000;
/** Prepared statements kept of one database: some KiB each, and some microseconds to make anew. */
const MAX_STATEMENTS = 200;
/** Pages copied at a time, 4 MiB, before the event loop runs again. */
const COPY_PAGES = 512;
const ALL_PAGES = 2 ** 31 - 1;
/** After a burst the WAL file is cut to this, so that it does not stay as large as it once was. */
const JOURNAL_SIZE_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * One SQLite file. Everything is synchronous, so nothing of this process can come between two
 * calls without an `await`. Errors of the disk become StoreError "unavailable", errors of the file
 * "corrupt"; others are mistakes of this program and pass as they are.
 */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Opens or creates the file. `PRAGMA`s that only work on a new file come first. */
  static open(path: string, pragmas: readonly string[] = []): Database {
    const db = opening(path, () => {
      // SQLite would let everybody read a new file; those beside it get the same mode.
      if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
      return new DatabaseSync(path, {
        timeout: BUSY_TIMEOUT_MS,
        enableForeignKeyConstraints: false,
      });
    });
    const database = new Database(db);
    try {
      for (
        const pragma of [
          "page_size = 8192",
          // Space is given back by trim(), a bit at a time.
          "auto_vacuum = INCREMENTAL",
          "journal_mode = WAL",
          "synchronous = FULL",
          `cache_size = -${CACHE_KIB}`,
          "temp_store = MEMORY",
          `journal_size_limit = ${JOURNAL_SIZE_LIMIT_BYTES}`,
          ...pragmas,
        ]
      ) {
        opening(path, () => database.#db.exec(`PRAGMA ${pragma}`));
      }
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  }

  exec(sql: string): void {
    translated(() => this.#db.exec(sql));
  }

  all<R extends Row = Row>(sql: string, ...values: Value[]): R[] {
    return translated(() => this.#prepare(sql).all(...values)) as unknown as R[];
  }

  get<R extends Row = Row>(sql: string, ...values: Value[]): R | undefined {
    return translated(() => this.#prepare(sql).get(...values)) as unknown as R | undefined;
  }

  /** Rows one by one, for when the caller may stop early; dearer than `all` for many small rows. */
  *iterate<R extends Row = Row>(sql: string, ...values: Value[]): Generator<R> {
    // A statement of its own: iterating resets it when the caller stops.
    const rows = translated(() => this.#prepare(sql).iterate(...values)) as unknown as Iterator<R>;
    try {
      for (let next; !(next = translated(() => rows.next())).done;) yield next.value;
    } finally {
      rows.return?.();
    }
  }

  /** The first column of the one row that the query gives. */
  number(sql: string, ...values: Value[]): number {
    const value = this.get(sql, ...values)?.[0];
    if (typeof value !== "number") throw new StoreError("corrupt", `No number from: ${sql}`);
    return value;
  }

  /** Gives the number of rows changed. */
  run(sql: string, ...values: Value[]): number {
    return translated(() => Number(this.#prepare(sql).run(...values).changes));
  }

  get isInTransaction(): boolean {
    return this.#db.isTransaction;
  }

  /** Runs `work` on one snapshot of the database. */
  read<T>(work: () => T): T {
    if (this.isInTransaction) return work();
    return this.#within("BEGIN", work);
  }

  /** Runs `work` in one write transaction of its own. */
  write<T>(work: () => T): T {
    return this.#within("BEGIN IMMEDIATE", work);
  }

  /** Undoes the transaction under way, if there still is one: SQLite may have done so already. */
  rollback(): void {
    if (this.isInTransaction) this.exec("ROLLBACK");
  }

  /**
   * Writes a copy, as of one moment, to the file `path`, which may be there when it is empty. The
   * event loop runs in between, unless `atOnce`: SQLite begins anew whenever another process wrote
   * between two steps. Not by VACUUM INTO, which needs all permissions in Deno.
   */
  async copyTo(path: string, { atOnce = false }: { atOnce?: boolean } = {}): Promise<void> {
    try {
      await backup(this.#db, path, { rate: atOnce ? ALL_PAGES : COPY_PAGES });
    } catch (error) {
      throw translation(error) ?? error;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #within<T>(begin: string, work: () => T): T {
    this.exec(begin);
    try {
      const result = work();
      this.exec("COMMIT");
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      // Searches make statements of ever new forms.
      if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
      statement = this.#db.prepare(sql);
      // Missing in Deno's types only.
      (statement as StatementSync & { setReturnArrays(enabled: boolean): void })
        .setReturnArrays(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** Whether the file, or what it says, cannot be read. */
export function isCorrupt(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code === "corrupt";
}

function translated<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translation(error) ?? error;
  }
}

/** The same, and says which file it is. */
function opening<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translation(error, `Cannot open ${path}`) ?? error;
  }
}

function translation(error: unknown, what = "SQLite"): StoreError | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = codeOf(error.message);
  return code && new StoreError(code, `${what}: ${error.message}.`, { cause: error });
}

/** By message, because error codes are missing on some errors in Deno 2.9. */
function codeOf(message: string): StoreErrorCode | undefined {
  // First those of the file system, such as "ENOSPC: no space left on device, open ...".
  if (/^E[A-Z]+: /.test(message)) return "unavailable";
  if (/is full|disk I\/O|readonly|read-only|unable to open|locked|busy|not open/i.test(message)) {
    return "unavailable";
  }
  if (/malformed|not a database/i.test(message)) return "corrupt";
  return undefined;
}
