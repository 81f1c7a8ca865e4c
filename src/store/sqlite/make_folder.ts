import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "../store_error.ts";

/**
 * Makes a folder that nobody else may look into, durably: SQLite syncs the folder that a file of its
 * own is in, but not those above. Throws StoreError "unavailable".
 */
export function makeFolder(path: string): void {
  try {
    const first = mkdirSync(path, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made)) {
      syncFolder(dirname(made));
    }
  } catch (error) {
    throw new StoreError("unavailable", `Folder ${path} cannot be made.`, { cause: error });
  }
}

/** Makes the names in a folder durable. */
export function syncFolder(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
