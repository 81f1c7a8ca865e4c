import { join } from "node:path";
import { type AccountStore, DELIMITER, parseMailboxName, StoreError } from "../store/mod.ts";
import { readPieces } from "./files.ts";
import { MAX_LIST_BYTES } from "./limits.ts";
import { importMailbox } from "./mailbox_import.ts";
import { mailboxOfFolder, parseKeywordNames, parseMaildirFlags } from "./maildir_names.ts";
import { type MailboxResult, type Progress, TransferError } from "./result.ts";
import { parseSubscriptions } from "./subscriptions.ts";

interface Source {
  readonly path: string;
  readonly mailbox: string;
}

/**
 * Imports a Maildir with its folders (Maildir++ or LAYOUT=fs). INBOX goes to `mailbox`, if it is
 * given, and the folders below that. All names are checked before anything is imported. Throws
 * TransferError, StoreError.
 */
export async function importMaildir(
  store: AccountStore,
  path: string,
  mailbox: string | undefined,
  onProgress: Progress,
): Promise<MailboxResult[]> {
  const place = (name: string) => {
    if (mailbox === undefined) return parseMailboxName(name);
    const root = mailbox.normalize("NFC");
    return parseMailboxName(name === "INBOX" ? root : root + DELIMITER + name);
  };
  const sources: Source[] = [];
  for await (const folder of maildirsBelow(path, "")) {
    sources.push({ path: join(path, folder), mailbox: place(mailboxOfFolder(folder)) });
  }
  if (sources.length === 0) throw new TransferError(`${path} is no Maildir: it has no cur or new`);
  const subscriptions = await readList(path, "subscriptions");
  const results: MailboxResult[] = [];
  for (const source of sources.sort((a, b) => a.mailbox < b.mailbox ? -1 : 1)) {
    results.push(await importFolder(store, source, onProgress));
  }
  if (subscriptions === undefined) return results;
  try {
    await subscribe(store, results, place, parseSubscriptions(subscriptions));
    return results;
  } catch (error) {
    // The mail has come over, whatever becomes of these.
    if (!(error instanceof StoreError) || error.code !== "limit") throw error;
    return results.map((result, i) =>
      i === 0 ? { ...result, warnings: [...result.warnings, error.message] } : result
    );
  }
}

async function importFolder(
  store: AccountStore,
  { path, mailbox }: Source,
  onProgress: Progress,
): Promise<MailboxResult> {
  const keywordNames = parseKeywordNames(await readList(path, "dovecot-keywords") ?? "");
  const files: { folder: string; name: string }[] = [];
  for (const folder of ["cur", "new"]) {
    for await (const name of fileNames(join(path, folder))) files.push({ folder, name });
  }
  // Names begin with the time of delivery: UIDs follow it, as where the mail comes from.
  files.sort((a, b) => timeOf(a.name) - timeOf(b.name) || (a.name < b.name ? -1 : 1));
  return await importMailbox(store, mailbox, async (into) => {
    onProgress(mailbox, 0, files.length);
    for (const { folder, name } of files) {
      const file = join(path, folder, name);
      const { mtime } = await Deno.stat(file);
      for await (const piece of readPieces(file)) await into.write(piece);
      // Dovecot's date is that of the file, unless a copy lost it: then the name is the older one.
      const seconds = Math.min((mtime?.getTime() ?? Infinity) / 1000, timeOf(name));
      await into.end({
        ...parseMaildirFlags(name, keywordNames),
        internalDate: Number.isFinite(seconds)
          ? { seconds: Math.floor(seconds), zoneMinutes: 0 }
          : undefined,
      });
      onProgress(mailbox, into.count, files.length);
    }
  });
}

/** Seconds since 1970 in front of a file's name; infinite when there are none. */
function timeOf(name: string): number {
  const seconds = /^(\d{1,11})\./.exec(name)?.[1];
  return seconds === undefined ? Infinity : Number(seconds);
}

/** INBOX stays as it is: Dovecot names it only where somebody subscribed to it. */
async function subscribe(
  store: AccountStore,
  imported: readonly MailboxResult[],
  place: (name: string) => string,
  names: readonly string[],
): Promise<void> {
  const subscribed = new Set<string>();
  for (const name of names) {
    try {
      subscribed.add(place(name));
    } catch (error) {
      // A name that no mailbox here can have: there is nothing to subscribe to.
      if (!(error instanceof StoreError) || error.code !== "invalid-name") throw error;
    }
  }
  for (const name of subscribed) await store.setSubscribed(name, true);
  for (const { mailbox } of imported) {
    if (mailbox === "INBOX" || subscribed.has(mailbox)) continue;
    if ((await store.findMailbox(mailbox))?.subscribed) await store.setSubscribed(mailbox, false);
  }
}

/** Folders that hold a mailbox, as paths below `root`, "" for itself. */
async function* maildirsBelow(root: string, folder: string): AsyncGenerator<string> {
  const names: string[] = [];
  let isMaildir = false;
  for await (const { name, isDirectory } of Deno.readDir(join(root, folder))) {
    if (!isDirectory) continue;
    if (name === "cur" || name === "new") isMaildir = true;
    else if (name !== "tmp") names.push(name);
  }
  if (isMaildir) yield folder;
  for (const name of names) yield* maildirsBelow(root, folder === "" ? name : `${folder}/${name}`);
}

async function* fileNames(folder: string): AsyncGenerator<string> {
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && !name.startsWith(".")) yield name;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A list that stands beside the mail; undefined when there is none. Throws TransferError. */
async function readList(folder: string, name: string): Promise<string | undefined> {
  const path = join(folder, name);
  try {
    if ((await Deno.stat(path)).size <= MAX_LIST_BYTES) return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  throw new TransferError(`${path} is larger than ${MAX_LIST_BYTES} octets: it is no such list`);
}
