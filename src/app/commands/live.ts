import type { Command } from "commander";
import { ROOMS } from "../../base/mod.ts";
import { LOG_LEVELS } from "../../web/mod.ts";
import { type ControlClient, requireControl } from "../control/client.ts";
import type { Results } from "../control/protocol.ts";
import { toConfig } from "../config/config.ts";
import { readConfigFile } from "../config/load.ts";
import { requireAccount, withData } from "../data.ts";
import { Failure, UsageError } from "../failure.ts";
import { stopSignal } from "../signals.ts";
import { printable, printError, printJson, printTable } from "../terminal.ts";
import { addGroup, type GlobalOptions, withExamples } from "./options.ts";

/** `trace`, `log level` and `connection end`: what only a running server can do. */
export function addLiveCommands(program: Command): void {
  addTraceCommand(program);
  addLogCommands(program);
  addConnectionCommands(program);
}

/** Runs a command's work with the running server. Throws Failure when none runs. */
async function withServer(
  { config }: GlobalOptions,
  work: (server: ControlClient) => Promise<void>,
): Promise<void> {
  const server = await requireControl(toConfig(await readConfigFile(config)));
  try {
    await work(server);
  } finally {
    server.close();
  }
}

function addTraceCommand(program: Command): void {
  withExamples(
    program.command("trace <address>")
      .description("show on standard error what an account's clients and the server say")
      .addHelpText(
        "after",
        "\nAll connections, open ones and new ones, until Ctrl-C. Passwords and what login mechanisms\n" +
          "say are masked; messages are shown as their size. < is from the client, > is to it.",
      ),
    "postern trace alice@example.org",
    "postern trace alice@example.org 2> trace.txt",
  ).action(async (address: string, _options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    const { id } = await withData(
      options.config,
      ({ directory }) => requireAccount(directory, address),
    );
    await withServer(options, async (server) => {
      let isStopped = false;
      void stopSignal().then(() => {
        isStopped = true;
        server.close();
      });
      for await (const message of server.trace(id)) {
        if ("omitted" in message) {
          printError(`... ${message.omitted} lines were left out: they came too fast`);
          continue;
        }
        const { timeMs, connection, direction, text } = message;
        const time = new Date(timeMs).toISOString();
        printError(`${time} #${connection} ${direction} ${printable(text)}`);
      }
      if (!isStopped) throw new Failure("the server ended");
    });
  });
}

function addLogCommands(program: Command): void {
  const log = addGroup(program, "log", "what the running server logs");

  withExamples(
    log.command("level [room] [level]")
      .description("show how much is logged, or change it until the server restarts or reloads")
      .addHelpText(
        "after",
        `\nLevels: ${LOG_LEVELS.join(", ")}; "default" goes back to what holds otherwise.\n` +
          `Rooms, for a level of their own: ${ROOMS.join(", ")}.`,
      ),
    "postern log level",
    "postern log level debug",
    "postern log level imap trace",
    "postern log level imap default",
  ).action(async (...[first, second, , command]: LevelArguments) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    const [room, level] = readLevelArguments(first, second);
    await withServer(options, async (server) => {
      if (level !== undefined) {
        await server.ask<"setLogLevel">({
          command: "setLogLevel",
          level: level === "default" ? null : level,
          ...(room === undefined ? {} : { room }),
        });
        return;
      }
      const levels = await server.ask<"logLevels">({ command: "logLevels" });
      if (options.json) printJson(levels);
      else printLevels(levels, room);
    });
  });
}

type LevelArguments = [string | undefined, string | undefined, unknown, Command];
type Level = typeof LOG_LEVELS[number] | "default";
type Room = typeof ROOMS[number];

/** Which room, if one, and which level, if one. Throws UsageError. */
function readLevelArguments(
  first: string | undefined,
  second: string | undefined,
): [Room | undefined, Level | undefined] {
  const levels: readonly Level[] = [...LOG_LEVELS, "default"];
  const asLevel = (text: string | undefined) => levels.find((level) => level === text);
  if (first === undefined) return [undefined, undefined];
  const level = asLevel(first);
  if (level !== undefined && second === undefined) return [undefined, level];
  const room = ROOMS.find((room) => room === first);
  if (room === undefined) {
    throw new UsageError(
      `expected a level (${levels.join(", ")}) or a room (${ROOMS.join(", ")}), found "${first}"`,
    );
  }
  if (second === undefined) return [room, undefined];
  const ofRoom = asLevel(second);
  if (ofRoom === undefined) {
    throw new UsageError(`expected a level (${levels.join(", ")}), found "${second}"`);
  }
  return [room, ofRoom];
}

function printLevels({ level, rooms }: Results["logLevels"], room: Room | undefined): void {
  const own = Object.entries(rooms).filter(([name]) => room === undefined || name === room);
  const isCommon = room === undefined || own.length === 0;
  printTable(["ROOM", "LEVEL"], [
    ...(isCommon ? [[room ?? "all", level]] : []),
    ...own,
  ]);
}

function addConnectionCommands(program: Command): void {
  const connection = addGroup(program, "connection", "connections that are open now");

  withExamples(
    connection.command("end <id>")
      .description(
        'end a connection, a mail client\'s with a farewell; "postern top" has its number',
      )
      .addHelpText(
        "after",
        '\nMost programs connect again at once: "postern account disable" keeps an account out.',
      ),
    "postern connection end 1207",
  ).action(async (id: string, _options, command: Command) => {
    if (!/^\d{1,15}$/.test(id)) throw new UsageError(`<id>: expected a number, found "${id}"`);
    await withServer(command.optsWithGlobals<GlobalOptions>(), async (server) => {
      const { isEnded } = await server.ask<"end">({ command: "end", connection: Number(id) });
      if (!isEnded) throw new Failure(`there is no connection ${id}; "postern top" shows all`);
    });
  });
}
