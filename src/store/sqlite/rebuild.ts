import { renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { randomHex } from "../../base/mod.ts";
import { StoreError } from "../store_error.ts";
import { Database, isCorrupt, type Value } from "./database.ts";
import { syncFolder } from "./make_folder.ts";
import { openMigrated } from "./migrate.ts";
import type { Schema } from "./migrations/mod.ts";

/**
 * What SQLite says of a file's pages and indexes, in words; nothing when all is well. Not within a
 * transaction, which could not be ended properly after an error.
 */
export function damageOf(db: Database, most: number): string[] {
  let found: string[] = [];
  // The first gives up at a page of an index that cannot be read, which the second passes over.
  for (const pragma of ["integrity_check", "quick_check"]) {
    try {
      found = db.all<[string]>(`PRAGMA ${pragma}(${most})`).map(([problem]) => problem);
      return found.filter((problem) => problem !== "ok");
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      found = [error.message];
    }
  }
  return found;
}

/**
 * Puts a new file with the rows of all tables in the place of one whose indexes cannot even be made
 * anew. Nobody else may have the file open: throws StoreError "unavailable" when somebody has, and
 * "corrupt" when a table cannot be read whole; the file is as it was then.
 */
export function rebuild(path: string, schema: Schema): void {
  const fresh = `${path}.${randomHex(4)}.unfinished`;
  const old = Database.open(path);
  try {
    old.exec("PRAGMA locking_mode = EXCLUSIVE");
    // SQLite leaves the WAL only when it is alone, and stays so by the line before.
    if (old.get<[string]>("PRAGMA journal_mode = DELETE")?.[0] !== "delete") {
      throw new StoreError("unavailable", `${path} is locked.`);
    }
    const db = openMigrated(fresh, schema);
    try {
      db.write(() => old.read(() => copyRows(old, db)));
    } finally {
      db.close();
    }
    // Who waits for the lock still has the old file, and SQLite refuses to write to one that moved.
    renameSync(fresh, path);
    syncFolder(dirname(path));
  } finally {
    old.close();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(fresh + suffix, { force: true });
  }
}

function copyRows(from: Database, to: Database): void {
  const tables = to.all<[string]>("SELECT name FROM sqlite_schema WHERE type = 'table'");
  for (const [table] of tables) {
    const columns = to.all<[string]>("SELECT name FROM pragma_table_info(?)", table)
      .map(([name]) => name);
    to.run(`DELETE FROM ${table}`);
    const insert = `INSERT INTO ${table} (${columns}) VALUES (${columns.map(() => "?")})`;
    const rows = from.iterate<Value[]>(`SELECT ${columns} FROM ${table} NOT INDEXED`);
    for (const row of rows) to.run(insert, ...row);
  }
}
