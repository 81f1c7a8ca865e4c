import { join } from "node:path";
import type { AccountStore, Mailbox } from "../store/mod.ts";
import { makeEmptyFolder, writeFile, writeWhole } from "./files.ts";
import { withoutCr } from "./line_ends.ts";
import {
  maildirFolder,
  MAX_MAILDIR_KEYWORDS,
  writeKeywordNames,
  writeMaildirFlags,
} from "./maildir_names.ts";
import { readMailbox } from "./read_mailbox.ts";
import type { MailboxResult, Progress } from "./result.ts";
import { writeSubscriptions } from "./subscriptions.ts";

/**
 * Writes the account as a Maildir++, with LF at line ends, into `folder`, which must be empty or
 * missing: flags in file names, keywords in `dovecot-keywords`, dates as times of the files and at
 * the front of their names, subscriptions as Dovecot keeps them.
 */
export async function exportMaildir(
  store: AccountStore,
  folder: string,
  onProgress: Progress,
): Promise<MailboxResult[]> {
  await makeEmptyFolder(folder);
  const mailboxes = await store.listMailboxes();
  const results: MailboxResult[] = [];
  for (const mailbox of mailboxes) {
    results.push(await exportMailbox(store, mailbox, folder, onProgress));
  }
  const subscribed = mailboxes.filter(({ subscribed }) => subscribed).map(({ name }) => name);
  await writeText(join(folder, "subscriptions"), writeSubscriptions(subscribed));
  return results;
}

async function exportMailbox(
  store: AccountStore,
  mailbox: Mailbox,
  root: string,
  onProgress: Progress,
): Promise<MailboxResult> {
  const { name, keywords, counts } = mailbox;
  const path = join(root, maildirFolder(name));
  for (const folder of ["cur", "new", "tmp"]) {
    await Deno.mkdir(join(path, folder), { recursive: true, mode: 0o700 });
  }
  // Programs know by this that the folder is a mailbox of the Maildir above it.
  if (path !== root) await writeText(join(path, "maildirfolder"), "");
  if (keywords.length > 0) {
    await writeText(join(path, "dovecot-keywords"), writeKeywordNames(keywords));
  }
  let messages = 0;
  const lost = new Set<string>();
  for await (const { row, bytes } of readMailbox(store, mailbox)) {
    const { seconds } = row.internalDate;
    const words = row.keywords.split(" ").filter(Boolean);
    for (const word of words) {
      if (keywords.indexOf(word) >= MAX_MAILDIR_KEYWORDS) lost.add(word);
    }
    // W is the size with CRLF, as Dovecot writes it.
    const base = `${Math.max(0, seconds)}.M${row.uid}P1.postern,W=${row.size}`;
    const file = join(path, "cur", base + writeMaildirFlags(row.flags, words, keywords));
    await writeFile(file, async (open) => {
      for await (const piece of bytes()) await writeWhole(open, withoutCr(piece));
    });
    await Deno.utime(file, seconds, seconds);
    onProgress(name, ++messages, counts.messages);
  }
  const warnings = [...lost].map((keyword) =>
    `keyword ${keyword} was left out: a Maildir has room for ${MAX_MAILDIR_KEYWORDS}`
  );
  return { mailbox: name, messages, warnings };
}

async function writeText(path: string, text: string): Promise<void> {
  await writeFile(path, (file) => writeWhole(file, new TextEncoder().encode(text)));
}
