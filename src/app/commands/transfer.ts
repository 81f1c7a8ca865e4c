import type { Command } from "commander";
import type { AccountId } from "../../base/mod.ts";
import type { AccountStore } from "../../store/mod.ts";
import {
  exportMaildir,
  exportMbox,
  importImap,
  importMaildir,
  importMbox,
  type MailboxResult,
  type Progress,
} from "../../transfer/mod.ts";
import { type OpenData, requireAccount, withData } from "../data.ts";
import { parseImapUrl } from "../imap_url.ts";
import { showProgress } from "../progress.ts";
import { printError, printJson, printTable } from "../terminal.ts";
import { addGroup, type GlobalOptions, withExamples } from "./options.ts";

interface ImportOptions extends GlobalOptions {
  readonly mailbox?: string;
}

interface ImapOptions extends GlobalOptions {
  readonly passwordFile?: string;
  readonly stdin?: boolean;
  readonly insecure?: boolean;
}

/** `import` and `export`. */
export function addTransferCommands(program: Command): void {
  addImportCommands(addGroup(program, "import", "mail of other programs and servers"));
  const exports = addGroup(program, "export", "mail as files that other programs read");
  const kinds = [
    ["mbox", "write each mailbox to an mbox file (mboxrd)", exportMbox],
    ["maildir", "write the account as a Maildir with folders (Maildir++)", exportMaildir],
  ] as const;
  for (const [kind, description, run] of kinds) {
    withExamples(
      exports.command(`${kind} <dir> <address>`)
        .description(`${description}, into a new or empty folder`),
      `postern export ${kind} /tmp/alice alice@example.org`,
    ).action((dir: string, address: string, _options, command: Command) =>
      transfer(command, address, (mail, onProgress) => run(mail, dir, onProgress))
    );
  }
}

function addImportCommands(imports: Command): void {
  const kinds = [
    ["mbox", "an mbox file, or all *.mbox in a folder", importMbox, "mail/old.mbox"],
    ["maildir", "a Maildir with its folders", importMaildir, "/home/alice/Maildir"],
  ] as const;
  for (const [kind, description, run, example] of kinds) {
    withExamples(
      imports.command(`${kind} <path> <address>`)
        .description(`add ${description}; each mailbox comes as a whole or not at all`)
        .option("--mailbox <name>", "where to, instead of the mailbox's own name"),
      `postern import ${kind} ${example} alice@example.org`,
      `postern import ${kind} ${example} alice@example.org --mailbox Archive/Old`,
    ).action((path: string, address: string, _options, command: Command) => {
      const { mailbox } = command.optsWithGlobals<ImportOptions>();
      return transfer(command, address, (mail, onProgress) => run(mail, path, mailbox, onProgress));
    });
  }

  withExamples(
    imports.command("imap <url> <address>")
      .description("add what is on another IMAP server; run it again to go on, or to follow")
      .option("--password-file <file>", "take the password from the first line of FILE")
      .option("--stdin", "take the password from one line of standard input")
      .option("--insecure", "allow a connection without TLS, or with a certificate nobody signed")
      .addHelpText(
        "after",
        "\nURL: imaps://USER@HOST[:PORT]/ or imap://USER@HOST[:PORT]/ (STARTTLS). USER may hold an @\n" +
          "as %40. Without an option the password is asked for.",
      ),
    "postern import imap imaps://alice%40example.org@old.example.org/ alice@example.org",
  ).action((url: string, address: string, _options, command: Command) => {
    const options = command.optsWithGlobals<ImapOptions>();
    return transfer(command, address, async (mail, onProgress, { config }, id) => {
      const source = await parseImapUrl(url, options);
      return await importImap(mail, source, `${config.dataDir}/imports/${id}`, onProgress);
    });
  });
}

/** Runs `work` on an account's mail, shows how far it is, and prints what came over. */
async function transfer(
  command: Command,
  address: string,
  work: (
    mail: AccountStore,
    onProgress: Progress,
    data: OpenData,
    id: AccountId,
  ) => Promise<MailboxResult[]>,
): Promise<void> {
  const { config, json } = command.optsWithGlobals<GlobalOptions>();
  const progress = await showProgress();
  let results: MailboxResult[];
  try {
    results = await withData(config, async (data) => {
      const account = await requireAccount(data.directory, address);
      const mail = await data.store.openAccount(account.id);
      return await work(mail, progress.update, data, account.id);
    });
  } finally {
    progress.end();
  }
  for (const { mailbox, warnings } of results) {
    for (const warning of warnings) printError(`postern: warning: ${mailbox}: ${warning}`);
  }
  if (json) printJson(results);
  else {
    printTable(
      ["MAILBOX", "MESSAGES"],
      results.map(({ mailbox, messages }) => [mailbox, String(messages)]),
    );
  }
}
