import { Command, CommanderError } from "commander";
import { addAccountCommands } from "./commands/account.ts";
import { addAdminCommands } from "./commands/admin.ts";
import { addAddressCommands } from "./commands/address.ts";
import { addBanCommands } from "./commands/ban.ts";
import { addBackupCommands } from "./commands/backup.ts";
import { addConfigCommands } from "./commands/config.ts";
import { addDomainCommands } from "./commands/domain.ts";
import { addLiveCommands } from "./commands/live.ts";
import { addLoginsCommand } from "./commands/logins.ts";
import { addMailCommands } from "./commands/mail.ts";
import { addQueueCommands } from "./commands/queue.ts";
import { addQuickstartCommand } from "./commands/quickstart.ts";
import { addServerCommands } from "./commands/server.ts";
import { addStatusCommand } from "./commands/status.ts";
import { addTlsKeyCommands } from "./commands/tls_key.ts";
import { addTopCommand } from "./commands/top.ts";
import { addTransferCommands } from "./commands/transfer.ts";
import { ConfigError } from "./config/load.ts";
import { ExitCode, Failure } from "./failure.ts";
import { describeError } from "./describe_error.ts";
import { withExamples, withExamplesBelow } from "./commands/options.ts";
import { printError, printLine } from "./terminal.ts";
import { versionText } from "./version.ts";

/**
 * Runs one command line and gives the exit code: 0 done, 1 failed, 2 wrong usage or configuration.
 * Never rejects.
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...args], { from: "user" });
    return ExitCode.done;
  } catch (error) {
    return report(error);
  }
}

function createProgram(): Command {
  const program = new Command("postern")
    .description("A mail server in one program: IMAP, submission, LMTP and web pages.")
    .option(
      "--config <file>",
      "configuration file (default: $POSTERN_CONFIG, ./postern.toml, /etc/postern/postern.toml)",
    )
    .option("--json", "print results as JSON")
    .version(versionText(), "--version", "print the version")
    .helpOption("--help", "print what a command does, with an example")
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({ writeOut: (text) => printLine(text.trimEnd()), writeErr: () => {} })
    .exitOverride();
  addServerCommands(program);
  addQuickstartCommand(program);
  addStatusCommand(program);
  addTopCommand(program);
  addLiveCommands(program);
  addConfigCommands(program);
  addDomainCommands(program);
  addAccountCommands(program);
  addAdminCommands(program);
  addAddressCommands(program);
  addTlsKeyCommands(program);
  addLoginsCommand(program);
  addBanCommands(program);
  addMailCommands(program);
  addQueueCommands(program);
  addTransferCommands(program);
  addBackupCommands(program);
  withExamples(
    program.command("help [command...]")
      .description("print what a command does, with an example")
      .action((names: string[]) => findCommand(program, names).outputHelp()),
    "postern help account add",
  );
  return withExamplesBelow(program);
}

/** The command that `names` lead to, such as ["account", "add"]. Throws Failure when none does. */
function findCommand(program: Command, names: readonly string[]): Command {
  let command = program;
  for (const name of names) {
    const next = command.commands.find((each) => each.name() === name);
    if (!next) {
      const message = `there is no command "${names.join(" ")}"; see "postern help"`;
      throw new Failure(message, ExitCode.usage);
    }
    command = next;
  }
  return command;
}

/** Says on stderr what went wrong, and gives the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return ExitCode.done;
    printError(`postern: ${usageProblem(error)}`);
    return ExitCode.usage;
  }
  // Nobody reads the output any more, as in "postern account list | head -1".
  if (error instanceof Deno.errors.BrokenPipe) return ExitCode.done;
  const { message, exitCode } = describeError(error);
  for (const line of message.split("\n")) printError(`postern: ${line}`);
  return error instanceof ConfigError ? ExitCode.usage : exitCode;
}

function usageProblem(error: CommanderError): string {
  if (error.code === "commander.help") return 'a command is missing; see "postern help"';
  return `${error.message.replace(/^error: /, "").replaceAll("\n", " ")}; see "postern help"`;
}
