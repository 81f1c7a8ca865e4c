import type { Command } from "commander";
import type { Directory, LoginCursor, LoginEntry, LoginLog } from "../../store/mod.ts";
import { openSqliteLoginLog } from "../../store/sqlite/engine.ts";
import { requireAccount, withData } from "../data.ts";
import { UsageError } from "../failure.ts";
import { printError, printJson, printTable } from "../terminal.ts";
import { type GlobalOptions, withExamples } from "./options.ts";

const DEFAULT_LIMIT = 20;
/** Entries read at a time when all are asked for. */
const PAGE = 1000;

interface LoginsOptions extends GlobalOptions {
  readonly all?: boolean;
  readonly limit?: string;
  readonly before?: string;
  readonly search?: string;
}

/** `logins`. */
export function addLoginsCommand(program: Command): void {
  withExamples(
    program.command("logins [address]")
      .description("list attempts to log in of the last 30 days, the newest first")
      .option("--all", "all of them, not a page")
      .option("--limit <n>", `so many at most (default: ${DEFAULT_LIMIT})`)
      .option("--before <cursor>", "go on behind the entry with this cursor, or before a time")
      .option("--search <text>", "those with TEXT in name, address, client, mechanism or result"),
    "postern logins alice@example.org",
    "postern logins --search badpassword --limit 100",
  ).action(async (address: string | undefined, _options, command: Command) => {
    const options = command.optsWithGlobals<LoginsOptions>();
    const limit = options.all ? PAGE : parseLimit(options.limit);
    let before = options.before === undefined ? undefined : parseCursor(options.before);
    await withData(options.config, async ({ config, directory }) => {
      const account = address === undefined ? undefined : await requireAccount(directory, address);
      const names = await accountNames(directory);
      const log = openSqliteLoginLog({ dataDir: config.dataDir });
      const found: LoginEntry[] = [];
      try {
        for (;;) {
          const page = await readPage(log, { account: account?.id, before, limit }, options);
          found.push(...page);
          before = page.at(-1);
          if (!options.all || page.length < limit) break;
        }
      } finally {
        await log.close();
      }
      if (options.json) printJson(found.map((entry) => entryFacts(entry, names)));
      else printEntries(found, names);
      if (!options.json && !options.all && found.length === limit && before) {
        printError(`older ones: --before ${writeCursor(before)}`);
      }
    });
  });
}

function readPage(
  log: LoginLog,
  { account, before, limit }: {
    account: LoginEntry["accountId"];
    before: LoginCursor | undefined;
    limit: number;
  },
  { search }: LoginsOptions,
): Promise<LoginEntry[]> {
  return log.list({
    limit,
    ...(account === undefined ? {} : { accountId: account }),
    ...(before === undefined ? {} : { before }),
    ...(search === undefined ? {} : { search }),
  });
}

async function accountNames(directory: Directory): Promise<ReadonlyMap<number, string>> {
  return new Map((await directory.listAccounts()).map(({ id, address }) => [id, address]));
}

function printEntries(entries: readonly LoginEntry[], names: ReadonlyMap<number, string>): void {
  printTable(
    ["LAST", "COUNT", "RESULT", "ACCOUNT", "LOGIN", "FROM", "BY", "TLS", "CLIENT"],
    entries.map((entry) => [
      new Date(entry.lastMs).toISOString().slice(0, 19).replace("T", " "),
      String(entry.count),
      entry.result,
      nameOf(entry, names),
      entry.username || "-",
      entry.remote,
      `${entry.protocol} ${entry.mechanism}`,
      entry.tls.split(" ")[0] || "none",
      entry.userAgent || "-",
    ]),
  );
}

function entryFacts(entry: LoginEntry, names: ReadonlyMap<number, string>) {
  const { id: _, accountId: __, firstMs, lastMs, isFailure, ...facts } = entry;
  return {
    cursor: writeCursor(entry),
    first: new Date(firstMs).toISOString(),
    last: new Date(lastMs).toISOString(),
    account: entry.accountId === undefined ? null : nameOf(entry, names),
    failed: isFailure,
    ...facts,
  };
}

/** The account's address; "-" for none, its number when it was removed. */
function nameOf({ accountId }: LoginEntry, names: ReadonlyMap<number, string>): string {
  return accountId === undefined ? "-" : names.get(accountId) ?? `#${accountId}`;
}

function writeCursor({ lastMs, id }: LoginCursor): string {
  return `${lastMs}.${id}`;
}

/** Reads what `writeCursor` wrote, or a time. Throws UsageError. */
function parseCursor(text: string): LoginCursor {
  const [, lastMs, id] = /^(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
  if (lastMs !== undefined && id !== undefined) return { lastMs: Number(lastMs), id: Number(id) };
  const time = Date.parse(text);
  if (/^\d{4}-/.test(text) && !Number.isNaN(time)) return { lastMs: time, id: 0 };
  throw new UsageError(`--before: expected a cursor or a time like 2026-11-24, found "${text}"`);
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1) return limit;
  throw new UsageError(`--limit: expected a number from 1 to 999999, found "${text}"`);
}
