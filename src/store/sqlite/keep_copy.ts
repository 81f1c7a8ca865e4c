import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { randomHex } from "../../base/mod.ts";
import { StoreError } from "../store_error.ts";
import type { Database } from "./database.ts";
import { syncFolder } from "./make_folder.ts";

/** A copy of a database that is whole and on disk, and has its name only when it is kept. */
export interface DatabaseCopy {
  /** Gives it its name, durably, in place of an earlier one. Throws StoreError "unavailable". */
  keep(): void;
  discard(): void;
}

/**
 * Copies the database, as of one moment, to a file that nobody else may read. It must not be in a
 * write transaction. Throws StoreError "unavailable" when there is no room for it.
 */
export async function copyDatabase(
  db: Database,
  path: string,
  options: { atOnce?: boolean } = {},
): Promise<DatabaseCopy> {
  const unfinished = `${path}.${randomHex(4)}.unfinished`;
  const discard = () => rmSync(unfinished, { force: true });
  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      discard();
      throw unavailable(path, error);
    }
  };
  // SQLite writes into an empty file that is there, and leaves its mode.
  attempt(() => closeSync(openSync(unfinished, "wx", 0o600)));
  try {
    await db.copyTo(unfinished, options);
  } catch (error) {
    discard();
    throw unavailable(path, error);
  }
  attempt(() => {
    const descriptor = openSync(unfinished, "r+");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  });
  return {
    keep: () =>
      attempt(() => {
        renameSync(unfinished, path);
        syncFolder(dirname(path));
      }),
    discard,
  };
}

/** Copies the database and gives the copy its name. Throws as `copyDatabase` does. */
export async function keepCopy(...args: Parameters<typeof copyDatabase>): Promise<void> {
  (await copyDatabase(...args)).keep();
}

function unavailable(path: string, error: unknown): StoreError {
  return new StoreError("unavailable", `No copy could be written to ${path}.`, { cause: error });
}
