/** Archives that are the same, octet for octet, whenever their content and date are. */
import { gzipSync } from "node:zlib";
import { configure, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";

export interface ArchiveFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly isProgram: boolean;
}

/** A gzipped tar archive in the ustar format, of files below `folder`; all belong to root. */
export function writeTarGz(
  folder: string,
  files: readonly ArchiveFile[],
  dateSeconds: number,
): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const { name, bytes, isProgram } of files) {
    blocks.push(
      tarHeader(`${folder}/${name}`, bytes.length, isProgram ? 0o755 : 0o644, dateSeconds),
    );
    blocks.push(bytes, new Uint8Array((512 - bytes.length % 512) % 512));
  }
  // Two empty blocks end an archive.
  blocks.push(new Uint8Array(1024));
  return gzipSync(concat(blocks), { level: 6 });
}

function tarHeader(name: string, size: number, mode: number, dateSeconds: number): Uint8Array {
  if (name.length > 100) throw new RangeError(`the name is too long for ustar: ${name}`);
  const header = new Uint8Array(512);
  const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  put(0, name);
  put(100, `${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`);
  put(124, `${octal(size, 11)}\0${octal(dateSeconds, 11)}\0`);
  // The checksum is taken over a header with blanks in its place.
  put(148, " ".repeat(8));
  // Type: a file. Then, after a link's name: magic, version, user and group.
  put(156, "0");
  put(257, "ustar\x0000root");
  put(297, "root");
  const sum = header.reduce((total, octet) => total + octet, 0);
  put(148, `${octal(sum, 6)}\0 `);
  return header;
}

/** A zip archive of files below `folder`. */
export async function writeZip(
  folder: string,
  files: readonly ArchiveFile[],
  dateSeconds: number,
): Promise<Uint8Array> {
  configure({ useWebWorkers: false });
  // Zip has local time, and even seconds: the date is kept as UTC, so that it is one everywhere.
  const offsetSeconds = new Date(dateSeconds * 1000).getTimezoneOffset() * 60;
  const lastModDate = new Date((dateSeconds - dateSeconds % 2 + offsetSeconds) * 1000);
  const zip = new ZipWriter(new Uint8ArrayWriter(), { extendedTimestamp: false, lastModDate });
  for (const { name, bytes } of files) {
    await zip.add(`${folder}/${name}`, new Blob([new Uint8Array(bytes)]).stream());
  }
  return await zip.close();
}

function concat(blocks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(blocks.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}
