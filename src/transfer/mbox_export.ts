import type { AccountStore } from "../store/mod.ts";
import { type ExportFile, writeExport } from "./export_files.ts";
import { mboxPath } from "./mbox_path.ts";
import { MboxQuoter, writeMboxHead } from "./mbox_writer.ts";
import { readMailbox } from "./read_mailbox.ts";
import type { MailboxResult, Progress } from "./result.ts";

/**
 * Writes each mailbox to a file of its own below `folder`, which must be empty or missing: mboxrd,
 * with LF at line ends, dates in UTC, and Status, X-Status and X-Keywords before each header.
 */
export async function exportMbox(
  store: AccountStore,
  folder: string,
  onProgress: Progress,
): Promise<MailboxResult[]> {
  const results: MailboxResult[] = [];
  await writeExport(folder, mboxFiles(store, onProgress, results));
  return results;
}

/** The files of `exportMbox`; `results` gets what became of each mailbox. */
export async function* mboxFiles(
  store: AccountStore,
  onProgress: Progress,
  results: MailboxResult[],
): AsyncGenerator<ExportFile> {
  for (const mailbox of await store.listMailboxes()) {
    let messages = 0;
    yield {
      path: mboxPath(mailbox.name),
      async *bytes() {
        for await (const { row, bytes } of readMailbox(store, mailbox)) {
          yield writeMboxHead(row);
          const quoter = new MboxQuoter();
          for await (const piece of bytes()) yield quoter.write(piece);
          yield quoter.end();
          onProgress(mailbox.name, ++messages, mailbox.counts.messages);
        }
      },
    };
    results.push({ mailbox: mailbox.name, messages, warnings: [] });
  }
}
