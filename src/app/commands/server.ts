import type { Command } from "commander";
import { readConfigFile } from "../config/load.ts";
import { imapServe } from "../imap_serve.ts";
import { demo, type DemoPorts } from "../demo.ts";
import { UsageError } from "../failure.ts";
import { serve } from "../serve.ts";
import { printJson, printLine } from "../terminal.ts";
import { versionFacts, versionText } from "../version.ts";
import { type GlobalOptions, withExamples } from "./options.ts";

/** `demo`, `serve`, `imapserve` and `version`. */
export function addServerCommands(program: Command): void {
  withExamples(
    program.command("demo")
      .description("run a complete server in one step, with an account and some mail")
      .option("--data <dir>", "where its data is", "./postern-demo")
      .option("--host <address>", "address to listen on", "127.0.0.1")
      .option(
        "--ports <list>",
        "ports for imap, imaps, alpn, submission and lmtp; 0 picks a free one",
        "1143,1993,1443,1587,1024",
      ),
    "postern demo",
    "postern demo --data /tmp/demo --ports 0,0,0,0,0",
  ).action(async ({ data, host, ports }: { data: string; host: string; ports: string }) => {
    if (!/^[\w.:-]+$/.test(host)) {
      throw new UsageError(`--host: expected an address or a host name, found "${host}"`);
    }
    await demo(data, host, parsePorts(ports));
  });

  withExamples(
    program.command("serve")
      .description("run the server that the configuration describes")
      .addHelpText(
        "after",
        "\nSIGTERM and SIGINT stop it; SIGHUP has it read certificates and configuration again.",
      ),
    "postern serve --config /etc/postern/postern.toml",
  ).action(async (_options, command: Command) => {
    await serve(await readConfigFile(command.optsWithGlobals<GlobalOptions>().config));
  });

  withExamples(
    program.command("imapserve <address>")
      .description("speak IMAP on standard input and output, logged in as the account")
      .addHelpText(
        "after",
        "\nNo password is asked for: whoever may read the data may run this. Works while the server\n" +
          "runs, and for accounts whose logins are disabled.",
      ),
    `mutt -e 'set tunnel="postern imapserve alice@example.org"' -f imap://localhost/`,
  ).action(async (address: string, _options, command: Command) => {
    await imapServe(command.optsWithGlobals<GlobalOptions>().config, address);
  });

  withExamples(
    program.command("version").description("print the version, Deno's, SQLite's and the target"),
    "postern version --json",
  ).action((_options, command: Command) => {
    if (command.optsWithGlobals<GlobalOptions>().json) printJson(versionFacts());
    else printLine(versionText());
  });
}

/** Reads the five ports. Throws UsageError. */
function parsePorts(text: string): DemoPorts {
  const ports = text.split(",").map((port) => /^\d{1,5}$/.test(port) ? Number(port) : NaN);
  const [imap, imaps, alpn, submission, lmtp] = ports;
  if (
    imap === undefined || imaps === undefined || alpn === undefined || submission === undefined ||
    lmtp === undefined || ports.length !== 5 || !ports.every((port) => port <= 65_535)
  ) {
    throw new UsageError(
      `--ports: expected five numbers from 0 to 65535 with commas between, found "${text}"`,
    );
  }
  return { imap, imaps, alpn, submission, lmtp };
}
