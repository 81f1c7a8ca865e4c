import { join } from "node:path";
import { type Bytes, concatBytes, randomHex } from "../base/mod.ts";
import { MAX_SPOOLED_IN_MEMORY } from "./limits.ts";

/** Read in pieces of so many octets. */
const PIECE_BYTES = 64 * 1024;

/**
 * Octets kept until it is known what becomes of them: in memory while they are few, else in a file
 * of the folder. Nothing here is durable. Call `discard` in the end.
 */
export class Spool {
  readonly #folder: string;
  #pieces: Bytes[] = [];
  #size = 0;
  #path: string | undefined;
  #file: Deno.FsFile | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get size(): number {
    return this.#size;
  }

  async write(bytes: Bytes): Promise<void> {
    this.#size += bytes.length;
    if (this.#file === undefined && this.#size > MAX_SPOOLED_IN_MEMORY) await this.#toFile();
    if (this.#file === undefined) this.#pieces.push(bytes.slice());
    else await writeAll(this.#file, bytes);
  }

  /** What was written; may be read again and again, also at the same time. */
  async *content(): AsyncGenerator<Bytes> {
    if (this.#path === undefined) {
      yield* this.#pieces;
      return;
    }
    using file = await Deno.open(this.#path);
    for (;;) {
      const piece = new Uint8Array(PIECE_BYTES);
      const count = await file.read(piece);
      if (count === null) return;
      yield piece.subarray(0, count);
    }
  }

  async discard(): Promise<void> {
    this.#pieces = [];
    this.#file?.close();
    this.#file = undefined;
    if (this.#path !== undefined) await Deno.remove(this.#path);
    this.#path = undefined;
  }

  async #toFile(): Promise<void> {
    await Deno.mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, randomHex(16));
    this.#file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    this.#path = path;
    await writeAll(this.#file, concatBytes(this.#pieces));
    this.#pieces = [];
  }
}

/** Removes what a process that was killed left in the folder. */
export async function sweepSpool(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

async function writeAll(file: Deno.FsFile, bytes: Bytes): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
