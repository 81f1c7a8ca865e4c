import type { Command } from "commander";
import { systemClock } from "../../base/mod.ts";
import { type ControlClient, requireControl } from "../control/client.ts";
import type { Results } from "../control/protocol.ts";
import { toConfig } from "../config/config.ts";
import { readConfigFile } from "../config/load.ts";
import { UsageError } from "../failure.ts";
import { openScreen } from "../live/screen.ts";
import { renderTop } from "../live/top_view.ts";
import { printJson, printLine } from "../terminal.ts";
import { type GlobalOptions, withExamples } from "./options.ts";

/** Lines of a snapshot that goes into a file or another program: all there are. */
const SNAPSHOT_SIZE = { columns: 160, rows: 100_000 };

/** `top`: who is connected and what they do. */
export function addTopCommand(program: Command): void {
  withExamples(
    program.command("top")
      .description("show connections and the commands they run, the liveliest first, until q")
      .option("--interval <seconds>", "how often it is looked", "2")
      .addHelpText("after", "\nWhere standard output is no terminal: once, all connections."),
    "postern top",
    "postern top --json | jq '.connections[] | select(.account == null)'",
  ).action(async ({ interval }: { interval: string }, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    const seconds = Number(interval);
    if (!(seconds >= .2 && seconds <= 60)) {
      throw new UsageError(`--interval: expected 0.2 to 60 seconds, found "${interval}"`);
    }
    const config = toConfig(await readConfigFile(options.config));
    const server = await requireControl(config);
    try {
      if (!options.json && Deno.stdout.isTerminal()) {
        return await watch(server, config.hostname, seconds * 1000);
      }
      const now = await ask(server, SNAPSHOT_SIZE.rows);
      if (options.json) {
        const connections = now.connections.map(({ sinceMs, isCompressed, ...rest }) => ({
          ...rest,
          compressed: isCompressed,
          since: new Date(sinceMs).toISOString(),
        }));
        return printJson({ ...now, connections });
      }
      const facts = { hostname: config.hostname, nowMs: systemClock.now(), now, before: undefined };
      for (const line of renderTop(facts, SNAPSHOT_SIZE).slice(1)) printLine(line);
    } finally {
      server.close();
    }
  });
}

async function watch(server: ControlClient, hostname: string, intervalMs: number): Promise<void> {
  const screen = openScreen();
  try {
    let before: { connections: Results["connections"]; atMs: number } | undefined;
    while (!screen.isLeft) {
      // No more than can be seen is asked for.
      const connections = await ask(server, Math.max(1, screen.size.rows));
      const atMs = systemClock.now();
      const facts = {
        hostname,
        nowMs: atMs,
        now: connections,
        before: before && { connections: before.connections, agoMs: atMs - before.atMs },
      };
      screen.draw((size) => renderTop(facts, size));
      before = { connections, atMs };
      await screen.wait(intervalMs);
    }
  } finally {
    screen.close();
  }
}

function ask(server: ControlClient, limit: number): Promise<Results["connections"]> {
  return server.ask<"connections">({ command: "connections", limit });
}
