import { join } from "node:path";
import { type AccountStore, DELIMITER, parseMailboxName, type ZonedTime } from "../store/mod.ts";
import { readPieces } from "./files.ts";
import { flagsOf, STATUS_FLAGS, X_STATUS_FLAGS } from "./flags.ts";
import { importMailbox } from "./mailbox_import.ts";
import { mailboxOfMbox, MBOX_ENDING } from "./mbox_path.ts";
import { MboxReader } from "./mbox_reader.ts";
import { type MailboxResult, type Progress, TransferError } from "./result.ts";

interface Source {
  readonly path: string;
  readonly mailbox: string;
  readonly size: number;
}

/**
 * Imports an mbox file, or all `*.mbox` below a folder. A file goes to `mailbox`, or to the mailbox
 * that it is named after; files of a folder go below `mailbox`. All names are checked before
 * anything is imported. Throws TransferError, StoreError.
 */
export async function importMbox(
  store: AccountStore,
  path: string,
  mailbox: string | undefined,
  onProgress: Progress,
): Promise<MailboxResult[]> {
  const results: MailboxResult[] = [];
  for (const source of await findSources(path, mailbox)) {
    results.push(
      await importMailbox(store, source.mailbox, async (into) => {
        let date: ZonedTime | undefined;
        const reader = new MboxReader({
          begin: async (separatorDate) => void (date = separatorDate),
          write: (bytes) => into.write(bytes),
          end: async (status, isFolderData) => {
            // "DON'T DELETE THIS MESSAGE": UIDs and keywords of a program that kept the file.
            if (isFolderData) return await into.drop();
            const flags = flagsOf(status.get("status") ?? "", STATUS_FLAGS) |
              flagsOf(status.get("x-status") ?? "", X_STATUS_FLAGS);
            const keywords = (status.get("x-keywords") ?? "").split(/\s+/).filter(Boolean);
            await into.end({ flags, keywords, internalDate: date });
          },
        });
        let done = 0;
        onProgress(source.mailbox, done, source.size);
        for await (const piece of readPieces(source.path)) {
          await reader.write(piece);
          onProgress(source.mailbox, done += piece.length, source.size);
        }
        await reader.end();
      }).catch((error) => {
        if (!(error instanceof TypeError)) throw error;
        throw new TransferError(`${source.path} is not in mbox format: ${error.message}`);
      }),
    );
  }
  return results;
}

async function findSources(path: string, mailbox: string | undefined): Promise<Source[]> {
  const info = await Deno.stat(path);
  if (info.isFile) {
    const name = mailbox ?? mailboxOfMbox(path.slice(path.lastIndexOf("/") + 1));
    return [{ path, mailbox: parseMailboxName(name.normalize("NFC")), size: info.size }];
  }
  const sources: Source[] = [];
  for await (const below of filesBelow(path, "")) {
    const name = mailboxOfMbox(below);
    const whole = mailbox === undefined ? name : mailbox.normalize("NFC") + DELIMITER + name;
    const { size } = await Deno.stat(join(path, below));
    sources.push({ path: join(path, below), mailbox: parseMailboxName(whole), size });
  }
  if (sources.length === 0) throw new TransferError(`there is no *${MBOX_ENDING} in ${path}`);
  return sources.sort((a, b) => a.mailbox < b.mailbox ? -1 : 1);
}

async function* filesBelow(root: string, folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(join(root, folder))) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (isDirectory) yield* filesBelow(root, path);
    else if (isFile && name.endsWith(MBOX_ENDING)) yield path;
  }
}
