import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "../store_error.ts";
import type { Database } from "./database.ts";
import { syncFolder } from "./make_folder.ts";

/**
 * Writes a copy of the database, as of now, to a file that nobody else may read; it is whole and
 * durable when this returns. Throws StoreError "unavailable" when there is no room for it.
 */
export async function keepCopy(
  db: Database,
  path: string,
  options: { atOnce?: boolean } = {},
): Promise<void> {
  const unfinished = `${path}.unfinished`;
  try {
    rmSync(unfinished, { force: true });
    // SQLite writes into a file that is there when it is empty, and keeps its mode.
    closeSync(openSync(unfinished, "wx", 0o600));
    await db.copyTo(unfinished, options);
    const descriptor = openSync(unfinished, "r+");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(unfinished, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(unfinished, { force: true });
    if (error instanceof StoreError) throw error;
    throw new StoreError("unavailable", `No copy could be written to ${path}.`, { cause: error });
  }
}
