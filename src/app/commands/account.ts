import type { Command } from "commander";
import { makeVerifier, setPassword } from "../../auth/mod.ts";
import {
  DURATION_FORM,
  parseDurationMs,
  parseQuotaBytes,
  QUOTA_FORM,
  systemClock,
  writeSize,
} from "../../base/mod.ts";
import { disableUntilRemoval } from "../../chatmail/mod.ts";
import { createRegistry } from "../../imap/mod.ts";
import type { Account } from "../../store/mod.ts";
import { requireAccount, withData } from "../data.ts";
import { Failure, UsageError } from "../failure.ts";
import { printJson, printLine, printTable } from "../terminal.ts";
import { addAppPasswordCommands } from "./app_password.ts";
import { addGroup, withExamples } from "./options.ts";
import {
  choosePassword,
  type PasswordOptions,
  tellPassword,
  withPasswordOptions,
} from "./password.ts";

/** `account` and all that it does. */
export function addAccountCommands(program: Command): void {
  const account = addGroup(program, "account", "accounts: who may log in, and whose mail this is");
  addPasswordCommands(account);
  addListCommands(account);
  addAppPasswordCommands(account);

  withExamples(
    account.command("remove <address>")
      .description(
        "remove an account and all its mail: now, or after a time in which it is disabled",
      )
      .option("--after <duration>", 'such as "7d"; "account enable" keeps the account after all'),
    "postern account remove alice@example.org",
    "postern account remove alice@example.org --after 30d",
  ).action(async (address: string, { after }: { after?: string }, command: Command) => {
    const graceMs = after === undefined ? undefined : parseDurationMs(after);
    if (after !== undefined && graceMs === undefined) {
      throw new UsageError(`expected ${DURATION_FORM}, found "${after}"`);
    }
    await withData(options(command).config, async ({ directory, tellSecurity }) => {
      const { id } = await requireAccount(directory, address);
      if (graceMs === undefined) await directory.removeAccount(id);
      else await disableUntilRemoval(directory, id, systemClock.now() + graceMs);
      tellSecurity(id);
    });
  });

  withExamples(
    account.command("quota <address> <size>")
      .description('limit the mail of an account: SIZE is like "500M" or "2G", or "none"'),
    "postern account quota alice@example.org 2G",
  ).action(async (address: string, size: string, _options, command: Command) => {
    const quotaBytes = parseQuotaBytes(size);
    if (quotaBytes === undefined) throw new UsageError(`expected ${QUOTA_FORM}, found "${size}"`);
    await withData(options(command).config, async ({ directory }) => {
      const { id } = await requireAccount(directory, address);
      await directory.setAccountQuota(id, quotaBytes);
    });
  });

  withExamples(
    account.command("capabilities <address> [names...]")
      .description(
        "keep IMAP capabilities from the account's next sessions, for a program that trips over " +
          "them; without names: offer all again",
      ),
    "postern account capabilities alice@example.org UIDONLY NOTIFY",
    "postern account capabilities alice@example.org",
  ).action(async (address: string, names: string[], _options, command: Command) => {
    const known = createRegistry().capabilities.map(({ name }) => name.toUpperCase());
    const disabled = names.map((name) => name.toUpperCase());
    const unknown = disabled.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new UsageError(`expected capabilities of this server, found "${unknown}"`);
    }
    await withData(options(command).config, async ({ directory }) => {
      const { id } = await requireAccount(directory, address);
      await directory.setDisabledCapabilities(id, disabled);
    });
  });

  withExamples(
    account.command("disable <address>")
      .description("refuse logins with TEXT and end open sessions; mail is still taken")
      .requiredOption("--message <text>", "what is said after correct credentials"),
    'postern account disable alice@example.org --message "Please call the office."',
  ).action(async (address: string, { message }: { message: string }, command: Command) => {
    if (!/^[^\p{Cc}]{1,500}$/u.test(message)) {
      throw new UsageError("expected a message of one line of at most 500 characters");
    }
    await setDisabled(command, address, message);
  });

  withExamples(
    account.command("enable <address>").description("allow logins again"),
    "postern account enable alice@example.org",
  ).action((address: string, _options, command: Command) =>
    setDisabled(command, address, undefined)
  );
}

function options(command: Command): PasswordOptions {
  return command.optsWithGlobals<PasswordOptions>();
}

async function setDisabled(
  command: Command,
  address: string,
  message: string | undefined,
): Promise<void> {
  await withData(options(command).config, async ({ directory, tellSecurity }) => {
    const { id } = await requireAccount(directory, address);
    await directory.setAccountDisabled(id, message);
    tellSecurity(id);
  });
}

function addPasswordCommands(account: Command): void {
  withExamples(
    withPasswordOptions(account.command("add <address>").description("add an account")),
    "postern account add alice@example.org --generate",
    "postern account add alice@example.org --stdin < password.txt",
  ).action(async (address: string, _options, command: Command) => {
    const password = await choosePassword(`New password for ${address}`, options(command));
    const verifier = await makeVerifier(password.text);
    await withData(options(command).config, async ({ directory }) => {
      const domain = address.slice(address.lastIndexOf("@") + 1);
      if (address.includes("@") && !await directory.findDomain(domain)) {
        throw new Failure(`there is no domain ${domain}; first run "postern domain add ${domain}"`);
      }
      await directory.addAccount(address, verifier);
    });
    tellPassword({ address }, password, options(command));
  });

  withExamples(
    withPasswordOptions(
      account.command("password <address>")
        .description("set a new password and end the sessions that used the old one"),
    ),
    "postern account password alice@example.org --generate",
  ).action(async (address: string, _options, command: Command) => {
    const password = await choosePassword(`New password for ${address}`, options(command));
    await withData(options(command).config, async ({ directory, tellSecurity }) => {
      const { id } = await requireAccount(directory, address);
      await setPassword(directory, id, password.text);
      tellSecurity(id);
    });
    tellPassword({ address }, password, options(command));
  });
}

function addListCommands(account: Command): void {
  withExamples(account.command("list").description("list the accounts"), "postern account list")
    .action(async (_options, command: Command) => {
      const accounts = await withData(
        options(command).config,
        ({ directory }) => directory.listAccounts(),
      );
      if (options(command).json) printJson(accounts.map(accountFacts));
      else {
        printTable(
          ["ADDRESS", "STATUS", "QUOTA", "CREATED"],
          accounts.map((each) => [
            each.address,
            statusText(each),
            quotaText(each.quotaBytes),
            new Date(each.created * 1000).toISOString().slice(0, 10),
          ]),
        );
      }
    });

  withExamples(
    account.command("show <address>")
      .description("show an account: its addresses, its quota and its mailboxes"),
    "postern account show alice@example.org --json",
  ).action(async (address: string, _options, command: Command) => {
    const facts = await withData(options(command).config, async ({ directory, store }) => {
      const found = await requireAccount(directory, address);
      const mail = await store.openAccount(found.id);
      const { usedBytes } = await mail.quota();
      return {
        ...accountFacts(found),
        usedBytes,
        addresses: await directory.listAddresses(found.id),
        mailboxes: (await mail.listMailboxes()).map(({ name, counts }) => ({
          name,
          messages: counts.messages,
          unseen: counts.unseen,
          sizeBytes: counts.size,
        })),
      };
    });
    if (options(command).json) return printJson(facts);
    const withheld = facts.disabledCapabilities.join(" ");
    printTable(["ACCOUNT", facts.address], [
      ["Status", facts.disabled ? `disabled: ${facts.disabledMessage}` : "enabled"],
      ...(facts.removed === undefined ? [] : [["Removed", facts.removed]]),
      ["Quota", quotaText(facts.quotaBytes)],
      ["Used", writeSize(facts.usedBytes)],
      ["Created", facts.created],
      ["Capabilities", withheld === "" ? "all" : `all but ${withheld}`],
      ["Addresses", facts.addresses.join(", ") || "no others"],
    ]);
    printLine("");
    printTable(
      ["MAILBOX", "MESSAGES", "UNSEEN", "SIZE"],
      facts.mailboxes.map(({ name, messages, unseen, sizeBytes }) => [
        ...[name, String(messages), String(unseen), writeSize(sizeBytes)],
      ]),
    );
  });
}

/** An account as JSON shows it: `quotaBytes` null is no limit; left out, the configured default. */
function accountFacts(account: Account) {
  return {
    address: account.address,
    disabled: account.disabledMessage !== undefined,
    disabledMessage: account.disabledMessage,
    removed: account.removeAt === undefined
      ? undefined
      : new Date(account.removeAt * 1000).toISOString(),
    quotaBytes: account.quotaBytes,
    disabledCapabilities: account.disabledCapabilities,
    created: new Date(account.created * 1000).toISOString(),
  };
}

function statusText({ disabledMessage, removeAt }: Account): string {
  if (removeAt !== undefined) {
    return `to be removed ${new Date(removeAt * 1000).toISOString().slice(0, 10)}`;
  }
  return disabledMessage === undefined ? "enabled" : "disabled";
}

function quotaText(quotaBytes: number | null | undefined): string {
  if (quotaBytes === undefined) return "default";
  return quotaBytes === null ? "none" : writeSize(quotaBytes);
}
