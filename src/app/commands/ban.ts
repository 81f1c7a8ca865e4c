import type { Command } from "commander";
import { HOST } from "../../notify/mod.ts";
import type { LoginLog } from "../../store/mod.ts";
import { openSqliteLoginLog } from "../../store/sqlite/engine.ts";
import { withData } from "../data.ts";
import { Failure, UsageError } from "../failure.ts";
import { networksOverlap, readNetwork } from "../network_names.ts";
import { printJson, printTable } from "../terminal.ts";
import { addGroup, type GlobalOptions, withExamples } from "./options.ts";

/** `ban list`, `remove`, `allow` and `disallow`. */
export function addBanCommands(program: Command): void {
  const ban = addGroup(program, "ban", "networks that must wait, and networks that never have to");

  withExamples(
    ban.command("list").description("list the networks that must wait, why and until when"),
    "postern ban list",
  ).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    const { banned, allowed } = await withData(options.config, async ({ config, directory }) => ({
      banned: (await withLog(config.dataDir, (log) => log.listNetworks()))
        .flatMap(({ network, ban }) => ban && ban.untilMs > Date.now() ? { network, ...ban } : []),
      allowed: await directory.listAllowedNetworks(),
    }));
    const facts = banned.map(({ network, reason, sinceMs, untilMs }) => ({
      network,
      since: new Date(sinceMs).toISOString(),
      until: new Date(untilMs).toISOString(),
      reason,
    }));
    if (options.json) return printJson({ banned: facts, allowed });
    const short = (time: string) => time.slice(0, 19).replace("T", " ");
    printTable(["NETWORK", "STATUS", "SINCE", "UNTIL", "WHY"], [
      ...facts.map(({ network, since, until, reason }) => [
        ...[network, "waits", short(since), short(until), reason],
      ]),
      ...allowed.map((network) => [network, "allowed", "", "", "ban allow"]),
    ]);
  });

  withExamples(
    ban.command("remove <network>")
      .description("forget what is held against an address or network, and those that it is in"),
    "postern ban remove 192.0.2.7",
  ).action(async (text: string, _options, command: Command) => {
    const network = parse(text);
    await withData(configOf(command), async ({ config, tellSecurity }) => {
      await withLog(config.dataDir, async (log) => {
        const held = (await log.listNetworks()).map((record) => record.network)
          .filter((other) => networksOverlap(network, other));
        if (held.length === 0) throw new Failure(`nothing is held against ${text}`);
        await log.forgetNetworks(held);
      });
      tellSecurity(HOST);
    });
  });

  withExamples(
    ban.command("allow <network>")
      .description("hold no limit of connections and failed logins against an address or network"),
    "postern ban allow 10.0.0.0/8",
  ).action(async (text: string, _options, command: Command) => {
    const network = parse(text);
    await withData(configOf(command), async ({ directory, tellSecurity }) => {
      await directory.addAllowedNetwork(network);
      tellSecurity(HOST);
    });
  });

  withExamples(
    ban.command("disallow <network>").description("take back what ban allow gave"),
    "postern ban disallow 10.0.0.0/8",
  ).action(async (text: string, _options, command: Command) => {
    const network = parse(text);
    await withData(configOf(command), async ({ directory, tellSecurity }) => {
      await directory.removeAllowedNetwork(network);
      tellSecurity(HOST);
    });
  });
}

async function withLog<T>(dataDir: string, work: (log: LoginLog) => Promise<T>): Promise<T> {
  const log = openSqliteLoginLog({ dataDir, durable: true });
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

function parse(text: string): string {
  const network = readNetwork(text);
  if (network !== undefined) return network;
  throw new UsageError(
    `expected a network such as 10.0.0.0/8 or 2001:db8::/32, found "${text}"`,
  );
}

function configOf(command: Command): string | undefined {
  return command.optsWithGlobals<GlobalOptions>().config;
}
