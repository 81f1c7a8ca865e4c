import { dirname, join } from "node:path";
import type { AccountStore } from "../store/mod.ts";
import { makeEmptyFolder, writeFile, writeWhole } from "./files.ts";
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
  await makeEmptyFolder(folder);
  const results: MailboxResult[] = [];
  for (const mailbox of await store.listMailboxes()) {
    const path = join(folder, mboxPath(mailbox.name));
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    let messages = 0;
    await writeFile(path, async (file) => {
      for await (const { row, bytes } of readMailbox(store, mailbox)) {
        await writeWhole(file, writeMboxHead(row));
        const quoter = new MboxQuoter();
        for await (const piece of bytes()) await writeWhole(file, quoter.write(piece));
        await writeWhole(file, quoter.end());
        onProgress(mailbox.name, ++messages, mailbox.counts.messages);
      }
    });
    results.push({ mailbox: mailbox.name, messages, warnings: [] });
  }
  return results;
}
