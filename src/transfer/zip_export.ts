import { configure, ZipWriter } from "@zip.js/zip.js";
import { type Bytes, othersTurn } from "../base/mod.ts";
import type { AccountStore } from "../store/mod.ts";
import { ZIP_READ_BYTES, ZIP_TURN_BYTES } from "./limits.ts";
import { maildirFiles } from "./maildir_export.ts";
import { mboxFiles } from "./mbox_export.ts";

/** The forms in which the mail of an account can be had as one archive. */
export type ZipKind = "mbox" | "maildir";

/**
 * The mail of an account as a zip, made as it is read: mbox files as `exportMbox` writes them, or
 * the Maildir of `exportMaildir`. What cannot be read any more breaks the stream off.
 */
export function exportZip(store: AccountStore, kind: ZipKind): ReadableStream<Bytes> {
  configure({ useWebWorkers: false, chunkSize: ZIP_READ_BYTES });
  const { readable, writable } = new TransformStream<Bytes, Bytes>();
  const files = (kind === "mbox" ? mboxFiles : maildirFiles)(store, () => {}, []);
  const write = async () => {
    const zip = new ZipWriter(writable, { extendedTimestamp: true, useUnicodeFileNames: true });
    for await (const { path, seconds, bytes } of files) {
      const time = seconds === undefined ? {} : { lastModDate: new Date(seconds * 1000) };
      if (path.endsWith("/")) await zip.add(path, undefined, { directory: true });
      else await zip.add(path, ReadableStream.from(inTurns(bytes())), time);
    }
    await zip.close();
  };
  // Who reads is told; when it is the reader who went away, nobody is left to tell.
  write().catch((error) => writable.abort(error).catch(() => {}));
  return readable;
}

/** The same octets; between them others have their turn, which streams alone never give. */
async function* inTurns(pieces: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  await othersTurn();
  let count = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += ZIP_TURN_BYTES) {
      const part = piece.subarray(at, at + ZIP_TURN_BYTES);
      if ((count += part.length) >= ZIP_TURN_BYTES) {
        await othersTurn();
        count = 0;
      }
      yield part;
    }
  }
}
