import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "../store_error.ts";

/**
 * Makes a folder that nobody else may look into, durably: SQLite syncs the folder that a file of its
 * own is in, but not the one above. Throws StoreError "unavailable".
 */
export function makeFolder(path: string): void {
  try {
    if (mkdirSync(path, { recursive: true, mode: 0o700 }) === undefined) return;
    const descriptor = openSync(dirname(path), "r");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new StoreError("unavailable", `Folder ${path} cannot be made.`, { cause: error });
  }
}
