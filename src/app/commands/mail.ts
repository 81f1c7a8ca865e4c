import type { Command } from "commander";
import { systemClock } from "../../base/mod.ts";
import { deliverMessage, type DeliveryResult, resolveRecipient } from "../../delivery/mod.ts";
import { incomingHooks } from "../chatmail.ts";
import { ConfigError } from "../config/load.ts";
import { requireAccount, withData } from "../data.ts";
import { describeError } from "../describe_error.ts";
import { ExitCode, Failure } from "../failure.ts";
import { printJson, printLine } from "../terminal.ts";
import { type GlobalOptions, withExamples } from "./options.ts";

/** `deliver` and `check`. */
export function addMailCommands(program: Command): void {
  withExamples(
    program.command("deliver <address>")
      .description("store one message, read from standard input, for a pipe transport")
      .option("--mailbox <name>", "where to", "INBOX")
      .option("--create", "make the mailbox when it is missing")
      .addHelpText("after", "\nExit code 75: not now, try again later."),
    "postern deliver alice@example.org < message.eml",
    "postern deliver alice@example.org --mailbox Lists/Deno --create < message.eml",
  ).action(async (address: string, target: TargetOptions, command: Command) => {
    try {
      await deliver(command.optsWithGlobals<GlobalOptions>().config, address, target);
    } catch (error) {
      if (error instanceof Failure || error instanceof ConfigError) throw error;
      // Whatever is wrong with the store or with us, it is no reason to lose the message.
      throw new Failure(describeError(error).message, ExitCode.tryAgain);
    }
  });

  withExamples(
    program.command("check [address]")
      .description("check every invariant of the stored mail, of one account or of all")
      .option("--repair", "mend what can be mended, and keep a copy of what was"),
    "postern check",
    "postern check alice@example.org --repair",
  ).action(async (address: string | undefined, { repair }: CheckOptions, command: Command) => {
    const { config, json } = command.optsWithGlobals<GlobalOptions>();
    const found: { account: string; breach: string }[] = [];
    const mended: { account: string; done: string }[] = [];
    await withData(config, async ({ directory, store }) => {
      const accounts = address === undefined
        ? await directory.listAccounts()
        : [await requireAccount(directory, address)];
      for (const { id, address: account } of accounts) {
        const mail = await store.openAccount(id);
        if (repair) {
          for await (const done of mail.repair()) {
            mended.push({ account, done });
            if (!json) printLine(`${account}: ${done}`);
          }
        }
        for await (const breach of mail.check()) {
          found.push({ account, breach });
          if (!json) printLine(`${account}: ${breach}`);
        }
      }
    });
    if (json) printJson(repair ? { mended, breaches: found } : found);
    if (found.length > 0) {
      const advice = repair ? "restore a backup" : 'mend what can be mended with "--repair"';
      throw new Failure(`${found.length} invariants are broken: ${advice}`);
    }
    if (!json) printLine("every invariant holds");
  });
}

interface CheckOptions {
  readonly repair?: boolean;
}

interface TargetOptions {
  readonly mailbox: string;
  readonly create?: boolean;
}

/** What may be different in a while: the mail system that runs us should try again. */
const TEMPORARY: ReadonlySet<DeliveryResult["kind"]> = new Set([
  "domain-disabled",
  "over-quota",
  "unavailable",
]);

async function deliver(
  configFile: string | undefined,
  address: string,
  { mailbox, create = false }: TargetOptions,
): Promise<void> {
  await withData(configFile, async ({ store, config }) => {
    const { hostname, chatmail } = config;
    const hooks = chatmail && incomingHooks(chatmail);
    const services = { store, clock: systemClock, hostname, ...hooks };
    const recipient = await resolveRecipient(services, address);
    if ("kind" in recipient) throw refusal(address, recipient.kind, recipient.text);
    const [result] = await deliverMessage(
      services,
      [recipient],
      {
        sender: "",
        clientName: undefined,
        clientAddress: undefined,
        protocol: "local",
        isTraced: chatmail === undefined,
      },
      readMessage(config.maxMessageBytes),
      { mailbox, create },
    );
    if (result && result.kind !== "delivered") throw refusal(address, result.kind, result.text);
  });
}

function refusal(address: string, kind: DeliveryResult["kind"], text: string): Failure {
  const exitCode = TEMPORARY.has(kind) ? ExitCode.tryAgain : ExitCode.failed;
  return new Failure(`not delivered to ${address}: ${text}`, exitCode);
}

/** Standard input, up to the largest message that is taken. */
async function* readMessage(maxBytes: number): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const piece of Deno.stdin.readable) {
    total += piece.length;
    if (total > maxBytes) {
      throw new Failure(`the message is larger than limits.max_message_size, ${maxBytes} octets`);
    }
    yield piece;
  }
  if (total === 0) throw new Failure("no message: expected one on standard input", ExitCode.usage);
}
