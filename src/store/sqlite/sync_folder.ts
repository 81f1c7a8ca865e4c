import { closeSync, fsyncSync, openSync } from "node:fs";

/** Makes durable which files a folder has: SQLite does so for its own files only. */
export function syncFolder(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
