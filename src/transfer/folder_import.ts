import { join } from "node:path";
import type { AccountStore } from "../store/mod.ts";
import { importMaildir } from "./maildir_import.ts";
import { importMbox } from "./mbox_import.ts";
import { MBOX_ENDING } from "./mbox_path.ts";
import { type MailboxResult, type Progress, TransferError } from "./result.ts";

/**
 * Imports what is in a folder, whichever it is: mbox files, or a Maildir; one folder around it all is
 * no level of the names. As for the rest `importMbox` and `importMaildir`. Throws TransferError,
 * StoreError.
 */
export async function importFolder(
  store: AccountStore,
  path: string,
  mailbox: string | undefined,
  onProgress: Progress,
): Promise<MailboxResult[]> {
  const names: string[] = [];
  let hasFiles = false;
  for await (const { name, isFile } of Deno.readDir(path)) {
    if (isFile) hasFiles = true;
    else names.push(name);
  }
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0 && !hasFiles && !isMaildirPart(only)) {
    return await importFolder(store, join(path, only), mailbox, onProgress);
  }
  const isMaildir = names.some(isMaildirPart) || await hasMaildir(path, names);
  const hasMbox = await hasMboxBelow(path);
  if (isMaildir && hasMbox) {
    throw new TransferError(`there are mbox files and Maildir folders: import one, then the other`);
  }
  if (!isMaildir && !hasMbox) {
    throw new TransferError(
      `there is no mail: neither files that end in ${MBOX_ENDING}, nor a Maildir with cur and new`,
    );
  }
  return await (isMaildir ? importMaildir : importMbox)(store, path, mailbox, onProgress);
}

function isMaildirPart(name: string): boolean {
  return name === "cur" || name === "new";
}

/** Whether folders of a Maildir without an INBOX are here. */
async function hasMaildir(path: string, names: readonly string[]): Promise<boolean> {
  for (const name of names) {
    for await (const below of Deno.readDir(join(path, name))) {
      if (below.isDirectory && isMaildirPart(below.name)) return true;
    }
  }
  return false;
}

async function hasMboxBelow(path: string): Promise<boolean> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(path)) {
    if (isFile && name.endsWith(MBOX_ENDING)) return true;
    if (isDirectory && await hasMboxBelow(join(path, name))) return true;
  }
  return false;
}
