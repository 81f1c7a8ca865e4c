import type { Command } from "commander";
import { type Quickstart, quickstart, type QuickstartOptions } from "../quickstart/quickstart.ts";
import { printJson, printLine } from "../terminal.ts";
import { type GlobalOptions, withExamples } from "./options.ts";

/** `quickstart`. */
export function addQuickstartCommand(program: Command): void {
  withExamples(
    program.command("quickstart <domain>")
      .description(
        "write configuration and systemd unit of a new host, make its data and the admin's " +
          "password, and tell what is left to do",
      )
      .option("--dir <dir>", "where configuration and unit are written (default: /etc/postern)")
      .option("--data <dir>", "where mail is kept (default: /var/lib/postern, or data in --dir)")
      .option("--hostname <name>", "what clients connect to (default: mail.DOMAIN)")
      .option("--account <name>", "make the first account too, and print its password")
      .option("--chatmail", "a domain where accounts make themselves, for Delta Chat"),
    "postern quickstart example.org --account alice",
    "postern quickstart chat.example.org --chatmail",
    "postern quickstart example.org --dir ./try-it",
  ).action(async (domain: string, _options, command: Command) => {
    const options = command.optsWithGlobals<QuickstartOptions & GlobalOptions>();
    const made = await quickstart(domain, options);
    if (options.json) printJson(made);
    else printLine(describe(made));
  });
}

function describe(made: Quickstart): string {
  const { domain, files, dataDir, adminPassword, account, records, steps } = made;
  const widths = [
    Math.max(...records.map(({ name }) => name.length)),
    Math.max(...records.map(({ value }) => value.length)),
  ];
  const recordLines = records.map(({ name, type, value, note }) =>
    `  ${name.padEnd(widths[0] ?? 0)}  ${type.padEnd(5)}  ` +
    (note === undefined ? value : `${value.padEnd(widths[1] ?? 0)}  ; ${note}`)
  );
  const stepLines = steps.flatMap(({ text, commands }, i) => [
    `${i + 1}. ${text}`,
    ...commands.map((each) => `     ${each}`),
  ]);
  return [
    `Written for ${domain}:`,
    ...files.map((file) => `  ${file}`),
    `  ${dataDir} (data)`,
    "",
    `Admin's password (shown this once; "postern admin password" sets another):`,
    `  ${adminPassword}`,
    ...(account === undefined ? [] : [
      "",
      `Account ${account.address}, also postmaster@${domain}; its password:`,
      `  ${account.password}`,
    ]),
    "",
    "DNS records:",
    ...recordLines,
    "",
    "What is left to do, as root:",
    ...stepLines,
  ].join("\n");
}
