import type { Command } from "commander";
import { systemClock, writeSize } from "../../base/mod.ts";
import type { Finding, HostStatus } from "../../web/mod.ts";
import { connectControl } from "../control/client.ts";
import { toConfig } from "../config/config.ts";
import { readConfigFile } from "../config/load.ts";
import { writeSpan } from "../live/findings.ts";
import { type OfflineStatus, readOfflineStatus } from "../live/offline.ts";
import { printJson, printLine, printTable } from "../terminal.ts";
import { type GlobalOptions, withExamples } from "./options.ts";

/** `status`: how the host is. */
export function addStatusCommand(program: Command): void {
  withExamples(
    program.command("status")
      .description(
        "show how the host is: listeners, certificates, accounts, queue, disk, and what is wrong",
      )
      .addHelpText(
        "after",
        "\nWhile no server runs, what the files tell. The exit code is 0 whatever is found.",
      ),
    "postern status",
    `postern status --json | jq '.findings[] | select(.severity == "problem")'`,
  ).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    const config = toConfig(await readConfigFile(options.config));
    const server = await connectControl(config);
    try {
      const { status, findings } = server
        ? await server.ask<"status">({ command: "status" })
        : await readOfflineStatus(config);
      if (options.json) printJson({ running: server !== undefined, ...status, findings });
      else print(status, findings);
    } finally {
      server?.close();
    }
  });
}

function print(status: HostStatus | OfflineStatus, findings: readonly Finding[]): void {
  const { hostname, version, listeners, certificates, accounts, domains, queue, disk } = status;
  const now = systemClock.now();
  const running = "startedMs" in status
    ? `running for ${writeSpan(now - status.startedMs)} as process ${status.processId} with ` +
      writeSize(round(status.memoryBytes))
    : "no server runs";
  printLine(`postern ${version}, ${running}\n`);
  printTable(
    ["LISTENER", "ADDRESS", "OPEN", "ROUTES"],
    listeners.map(({ kind, address, connections, routes }) => [
      kind,
      address,
      String(connections),
      routes.map(({ protocol, target }) => `${protocol}=${target}`).join(" "),
    ]),
  );
  if (listeners.length > 0) printLine("");
  printTable(
    ["CERTIFICATE", "FROM", "ISSUER", "UNTIL"],
    certificates.map(({ names, source, issuer, notAfterMs }) => [
      names.join(" "),
      source,
      issuer,
      new Date(notAfterMs).toISOString().slice(0, 10),
    ]),
  );
  if (certificates.length > 0) printLine("");
  printTable(["HOST", hostname], [
    ["Accounts", `${accounts} in ${domains === 1 ? "one domain" : `${domains} domains`}`],
    ...("idleSessions" in status
      ? [["Connections", `${sumOf(status)} open, ${status.idleSessions} of them in IDLE`]]
      : []),
    [
      "Queue",
      queue.messages === 0
        ? "empty"
        : `${queue.messages} waiting, the oldest for ${writeSpan(now - (queue.oldestMs ?? now))}`,
    ],
    ...(disk
      ? [[
        "Disk",
        `${writeSize(round(disk.freeBytes))} of ${writeSize(round(disk.totalBytes))} free`,
      ]]
      : []),
  ]);
  printLine("");
  if (findings.length === 0) printLine("Nothing is wrong.");
  for (const { severity, text, advice } of findings) {
    printLine(`${severity}: ${text}`);
    if (advice !== "") printLine(`  ${advice}`);
  }
}

function sumOf({ listeners }: HostStatus): number {
  return listeners.reduce((sum, { connections }) => sum + connections, 0);
}

/** Whole megabytes, of which people think. */
function round(bytes: number): number {
  const megabyte = 1024 ** 2;
  return bytes < megabyte ? bytes : Math.round(bytes / megabyte) * megabyte;
}
