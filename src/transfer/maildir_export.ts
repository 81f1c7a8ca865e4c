import type { AccountStore, Mailbox } from "../store/mod.ts";
import { type ExportFile, exportFolder, exportText, writeExport } from "./export_files.ts";
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
  const results: MailboxResult[] = [];
  await writeExport(folder, maildirFiles(store, onProgress, results));
  return results;
}

/** The files of `exportMaildir`; `results` gets what became of each mailbox. */
export async function* maildirFiles(
  store: AccountStore,
  onProgress: Progress,
  results: MailboxResult[],
): AsyncGenerator<ExportFile> {
  const mailboxes = await store.listMailboxes();
  for (const mailbox of mailboxes) {
    results.push(yield* mailboxFiles(store, mailbox, onProgress));
  }
  const subscribed = mailboxes.filter(({ subscribed }) => subscribed).map(({ name }) => name);
  yield exportText("subscriptions", writeSubscriptions(subscribed));
}

async function* mailboxFiles(
  store: AccountStore,
  mailbox: Mailbox,
  onProgress: Progress,
): AsyncGenerator<ExportFile, MailboxResult> {
  const { name, keywords, counts } = mailbox;
  const folder = maildirFolder(name);
  const below = (path: string) => folder === "" ? path : `${folder}/${path}`;
  for (const each of ["cur", "new", "tmp"]) yield exportFolder(below(each));
  // Programs know by this that the folder is a mailbox of the Maildir above it.
  if (folder !== "") yield exportText(below("maildirfolder"), "");
  if (keywords.length > 0) {
    yield exportText(below("dovecot-keywords"), writeKeywordNames(keywords));
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
    yield {
      path: below(`cur/${base}${writeMaildirFlags(row.flags, words, keywords)}`),
      seconds,
      async *bytes() {
        for await (const piece of bytes()) yield withoutCr(piece);
      },
    };
    onProgress(name, ++messages, counts.messages);
  }
  const warnings = [...lost].map((keyword) =>
    `keyword ${keyword} was left out: a Maildir has room for ${MAX_MAILDIR_KEYWORDS}`
  );
  return { mailbox: name, messages, warnings };
}
