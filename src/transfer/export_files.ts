import { dirname, join } from "node:path";
import type { Bytes } from "../base/mod.ts";
import { makeEmptyFolder, writeFile, writeWhole } from "./files.ts";

/** A file of an export, or a folder when `path` ends in "/". */
export interface ExportFile {
  /** Below the place where the export goes. */
  readonly path: string;
  /** Its time, seconds since 1970; now unless given. */
  readonly seconds?: number;
  /** To be read to the end, once, before the next file is asked for. */
  bytes(): AsyncIterable<Bytes>;
}

export function exportFolder(path: string): ExportFile {
  return { path: `${path}/`, async *bytes() {} };
}

export function exportText(path: string, text: string): ExportFile {
  return {
    path,
    async *bytes() {
      yield new TextEncoder().encode(text);
    },
  };
}

/** Writes the files below `folder`, which must be empty or missing, durably. */
export async function writeExport(
  folder: string,
  files: AsyncIterable<ExportFile>,
): Promise<void> {
  await makeEmptyFolder(folder);
  for await (const { path, seconds, bytes } of files) {
    const whole = join(folder, path);
    await Deno.mkdir(path.endsWith("/") ? whole : dirname(whole), { recursive: true, mode: 0o700 });
    if (path.endsWith("/")) continue;
    await writeFile(whole, async (file) => {
      for await (const piece of bytes()) await writeWhole(file, piece);
    });
    if (seconds !== undefined) await Deno.utime(whole, seconds, seconds);
  }
}
