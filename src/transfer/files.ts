import type { Bytes } from "../base/mod.ts";
import { TransferError } from "./result.ts";

/** Pieces in which files are read. */
const READ_BYTES = 256 * 1024;

/** The bytes of a file; each piece is to be used before the next is asked for. */
export async function* readPieces(path: string): AsyncGenerator<Bytes> {
  using file = await Deno.open(path);
  const buffer = new Uint8Array(READ_BYTES);
  for (let count; (count = await file.read(buffer)) !== null;) yield buffer.subarray(0, count);
}

export async function writeWhole(file: Deno.FsFile, bytes: Bytes): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

/** Makes a folder to export to. Throws TransferError when there is something in it already. */
export async function makeEmptyFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  for await (const { name } of Deno.readDir(path)) {
    throw new TransferError(
      `${path} is not empty, there is ${name}: nothing is overwritten, choose another folder`,
    );
  }
}

/** Writes a file that nobody else may read, durably. */
export async function writeFile(
  path: string,
  fill: (file: Deno.FsFile) => Promise<void>,
): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  await fill(file);
  await file.sync();
}
