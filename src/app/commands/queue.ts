import type { Command } from "commander";
import { HOST, type Nudge, sendNudges } from "../../notify/mod.ts";
import type { MailQueue, QueuedMessage } from "../../store/mod.ts";
import { openSqliteQueue } from "../../store/sqlite/engine.ts";
import { toConfig } from "../config/config.ts";
import { readConfigFile } from "../config/load.ts";
import { nudgeSocketPath, openStore } from "../data.ts";
import { Failure, UsageError } from "../failure.ts";
import { printable, printJson, printLine, printTable } from "../terminal.ts";
import { addGroup, type GlobalOptions, withExamples } from "./options.ts";

/** `queue`: mail on its way to other hosts. */
export function addQueueCommands(program: Command): void {
  const queue = addGroup(program, "queue", "see and handle mail on its way out");

  withExamples(
    queue.command("list").description("list the messages that wait, and why"),
    "postern queue list",
  ).action((_options, command: Command) =>
    withQueue(command, async (mail, { json }) => {
      const messages = await mail.list();
      if (json) return printJson(messages.map(toJson));
      printTable(
        ["ID", "QUEUED", "SIZE", "SENDER", "RECIPIENT", "ATTEMPTS", "NEXT", "LAST ERROR"],
        messages.flatMap((message) =>
          message.recipients.map(({ address, attempts, due, lastError }) => [
            String(message.id),
            writeTime(message.queued),
            String(message.size),
            message.sender || "<>",
            address,
            String(attempts),
            writeTime(due),
            lastError,
          ])
        ),
      );
    })
  );

  withExamples(
    queue.command("show <id>")
      .description("show a message that waits")
      .option("--content", "print the whole message and nothing else"),
    "postern queue show 17",
    "postern queue show 17 --content > message.eml",
  ).action((id: string, { content }: { content?: boolean }, command: Command) =>
    withQueue(command, async (mail, { json }) => {
      const message = await requireMessage(mail, id);
      if (content) {
        for await (const piece of mail.readContent(message.id)) await writeOut(piece);
        return;
      }
      if (json) return printJson(toJson(message));
      const { sender, queued, expires, size, recipients } = message;
      printLine(`Sender   ${printable(sender) || "<>"}`);
      printLine(`Queued   ${writeTime(queued)}`);
      printLine(`Expires  ${writeTime(expires)}`);
      printLine(`Size     ${size}`);
      for (const { address, attempts, due, lastError } of recipients) {
        printLine(`To       ${printable(address)}: ${attempts} attempts, next ${writeTime(due)}`);
        if (lastError !== "") printLine(`         ${printable(lastError)}`);
      }
    })
  );

  withExamples(
    queue.command("retry [id]").description("have a message, or all, tried again now"),
    "postern queue retry 17",
    "postern queue retry",
  ).action((id: string | undefined, _options, command: Command) =>
    withQueue(command, async (mail, { json }, tell) => {
      const message = id === undefined ? undefined : await requireMessage(mail, id);
      const recipients = await mail.retry(message?.id);
      await tell();
      if (json) printJson({ recipients });
      else printLine(`${recipients} recipients will be tried again`);
    })
  );

  withExamples(
    queue.command("drop <id>").description("remove a message that waits; nobody is told"),
    "postern queue drop 17",
  ).action((id: string, _options, command: Command) =>
    withQueue(command, async (mail, { json }) => {
      const message = await requireMessage(mail, id);
      await mail.drop(message.id);
      if (json) printJson(toJson(message));
      else printLine(`dropped ${message.id}, for ${message.recipients.length} recipients`);
    })
  );
}

async function withQueue(
  command: Command,
  work: (
    queue: MailQueue,
    options: GlobalOptions,
    /** Has a running server look at the queue. */
    tell: () => Promise<unknown>,
  ) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>();
  const config = toConfig(await readConfigFile(options.config));
  // Makes the folder when it is missing, with the message that people need when it cannot.
  await (await openStore(config)).close();
  const queue = openSqliteQueue(config.dataDir);
  try {
    const path = nudgeSocketPath(config.dataDir);
    const nudge: Nudge = { account: HOST, kind: "changed" };
    await work(queue, options, () => sendNudges(path, [nudge]));
  } finally {
    await queue.close();
  }
}

async function requireMessage(queue: MailQueue, id: string): Promise<QueuedMessage> {
  if (!/^\d{1,15}$/.test(id)) throw new UsageError(`<id>: expected a number, found "${id}"`);
  const message = await queue.get(Number(id));
  if (!message) {
    throw new Failure(`no message ${id} is in the queue; "postern queue list" shows all`);
  }
  return message;
}

function toJson({ queued, expires, recipients, ...message }: QueuedMessage): unknown {
  return {
    ...message,
    queued: writeTime(queued),
    expires: writeTime(expires),
    recipients: recipients.map(({ address, attempts, due, lastError }) => ({
      address,
      attempts,
      due: writeTime(due),
      lastError,
    })),
  };
}

function writeTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000", "");
}

async function writeOut(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}
