import type { Command } from "commander";
import { systemClock } from "../../base/mod.ts";
import { checkCertificates } from "../certificates.ts";
import { toConfig } from "../config/config.ts";
import { readConfigFile } from "../config/load.ts";
import { maskedContent, writeConfig } from "../config/show.ts";
import { reachWarning } from "../metrics_reach.ts";
import { readRelay } from "../outgoing_mail.ts";
import { printError, printJson, printLine } from "../terminal.ts";
import { addGroup, type GlobalOptions, withExamples } from "./options.ts";

/** `config check` and `config show`. */
export function addConfigCommands(program: Command): void {
  const config = addGroup(program, "config", "check and show the configuration");
  withExamples(
    config.command("check").description("check the configuration file"),
    "postern config check --config /etc/postern/postern.toml",
  ).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    const loaded = await readConfigFile(options.config);
    const effective = toConfig(loaded);
    await checkCertificates(effective, systemClock);
    if (effective.relay) await readRelay(effective.relay, effective.hostname);
    const warnings = effective.listeners.flatMap((listener) => reachWarning(listener) ?? []);
    for (const warning of warnings) printError(`postern: warning: ${warning}`);
    if (options.json) printJson({ file: loaded.file, valid: true, warnings });
    else printLine(`${loaded.file} is valid`);
  });
  withExamples(
    config.command("show")
      .description("print the effective configuration, defaults filled in and secrets masked"),
    "postern config show --json",
  ).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    const loaded = await readConfigFile(options.config);
    if (options.json) printJson(maskedContent(loaded));
    else printLine(writeConfig(loaded).trimEnd());
  });
}
