import type { Bytes } from "../base/mod.ts";
import type { AccountStore } from "../store/mod.ts";
import { maildirFiles } from "./maildir_export.ts";
import { mboxFiles } from "./mbox_export.ts";
import { writeZip } from "./zip_writer.ts";

/** The forms in which the mail of an account can be had as one archive. */
export type ZipKind = "mbox" | "maildir";

/**
 * The mail of an account as a zip, made as it is read: mbox files as `exportMbox` writes them, or
 * the Maildir of `exportMaildir`. What cannot be read any more breaks the stream off.
 */
export function exportZip(store: AccountStore, kind: ZipKind): ReadableStream<Bytes> {
  const files = (kind === "mbox" ? mboxFiles : maildirFiles)(store, () => {}, []);
  return ReadableStream.from(writeZip(files));
}
