import type { Command } from "commander";
import { addAppPassword, APP_PASSWORD_SCOPES } from "../../auth/mod.ts";
import { requireAccount, withData } from "../data.ts";
import { UsageError } from "../failure.ts";
import { printJson, printLine, printTable } from "../terminal.ts";
import { addGroup, type GlobalOptions, withExamples } from "./options.ts";

/** `account apppassword add`, `list` and `remove`. */
export function addAppPasswordCommands(account: Command): void {
  const group = addGroup(
    account,
    "apppassword",
    "passwords for single programs, each of which can be taken back by itself",
  );

  withExamples(
    group.command("add <address> <name>")
      .description("make up a password for the program NAME and print it, once")
      .option("--scope <list>", `where it may be used: ${APP_PASSWORD_SCOPES.join(",")}`),
    'postern account apppassword add alice@example.org "old phone" --scope imap',
  ).action(
    async (address: string, name: string, { scope }: { scope?: string }, command: Command) => {
      checkName(name);
      const scopes = scope === undefined ? [] : parseScopes(scope);
      const password = await withData(configOf(command), async ({ directory }) => {
        const { id: accountId } = await requireAccount(directory, address);
        return await addAppPassword(directory, { accountId, name, scopes });
      });
      if (isJson(command)) printJson({ address, name, scopes, password });
      else printLine(password);
    },
  );

  withExamples(
    group.command("list <address>").description("list the app passwords of an account"),
    "postern account apppassword list alice@example.org",
  ).action(async (address: string, _options, command: Command) => {
    const found = await withData(configOf(command), async ({ directory }) => {
      const { id } = await requireAccount(directory, address);
      return await directory.credentials.listAppPasswords(id);
    });
    const facts = found.map(({ name, scopes, created, lastUsed }) => ({
      name,
      scopes,
      created: new Date(created * 1000).toISOString(),
      // Good to the hour, so no more is shown.
      lastUsed: lastUsed === undefined
        ? null
        : `${new Date(lastUsed * 1000).toISOString().slice(0, 13)}:00:00.000Z`,
    }));
    if (isJson(command)) return printJson(facts);
    printTable(
      ["NAME", "SCOPE", "CREATED", "LAST USE"],
      facts.map(({ name, scopes, created, lastUsed }) => [
        name,
        scopes.join(", ") || "everything",
        created.slice(0, 10),
        lastUsed?.slice(0, 16).replace("T", " ") ?? "never",
      ]),
    );
  });

  withExamples(
    group.command("remove <address> <name>")
      .description("take an app password back and end the sessions that it began"),
    'postern account apppassword remove alice@example.org "old phone"',
  ).action(async (address: string, name: string, _options, command: Command) => {
    await withData(configOf(command), async ({ directory, tellSecurity }) => {
      const { id } = await requireAccount(directory, address);
      await directory.credentials.removeAppPassword(id, name);
      tellSecurity(id);
    });
  });
}

/** Names stand in tables and logs. Throws UsageError. */
export function checkName(name: string): void {
  if (/^[^\p{Cc}]{1,100}$/u.test(name)) return;
  throw new UsageError("expected a name of one line of at most 100 characters");
}

function parseScopes(text: string): string[] {
  const scopes = text.split(",").map((scope) => scope.trim());
  const known: readonly string[] = APP_PASSWORD_SCOPES;
  if (scopes.every((scope) => known.includes(scope))) return [...new Set(scopes)];
  throw new UsageError(`--scope: expected some of ${known.join(",")}, found "${text}"`);
}

function configOf(command: Command): string | undefined {
  return command.optsWithGlobals<GlobalOptions>().config;
}

function isJson(command: Command): boolean {
  return command.optsWithGlobals<GlobalOptions>().json ?? false;
}
