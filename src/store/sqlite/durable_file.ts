import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { syncFolder } from "./make_folder.ts";

const PIECE_BYTES = 1024 * 1024;

/** Size and SHA-256 of a file, in hexadecimal digits. */
export function hashFile(path: string): { size: number; sha256: string } {
  const hash = createHash("sha256");
  const buffer = Buffer.alloc(PIECE_BYTES);
  let size = 0;
  withFile(path, "r", (file) => {
    for (let count; (count = readSync(file, buffer)) > 0; size += count) {
      hash.update(buffer.subarray(0, count));
    }
  });
  return { size, sha256: hash.digest("hex") };
}

/** Copies a file for its owner alone, durably but for its name. */
export function copyFile(from: string, to: string): void {
  rmSync(to, { force: true });
  // Made first, since the copy would take over who may read it.
  makeEmptyFile(to);
  copyFileSync(from, to);
  syncFile(to);
}

/** Makes a file that only its owner may read. */
function makeEmptyFile(path: string): void {
  closeSync(openSync(path, "wx", 0o600));
}

/** Makes what is in a file durable. */
export function syncFile(path: string): void {
  withFile(path, "r+", fsyncSync);
}

/** Puts a file into place as a whole, durably. */
export function writeFileWhole(path: string, text: string): void {
  rmSync(`${path}.new`, { force: true });
  const descriptor = openSync(`${path}.new`, "wx", 0o600);
  try {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${path}.new`, path);
  syncFolder(dirname(path));
}

function withFile(path: string, flags: string, work: (descriptor: number) => void): void {
  const descriptor = openSync(path, flags);
  try {
    work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
