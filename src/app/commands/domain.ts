import type { Command } from "commander";
import { withData } from "../data.ts";
import { printJson, printTable } from "../terminal.ts";
import { addGroup, type GlobalOptions, withExamples } from "./options.ts";

/** `domain add`, `list`, `enable`, `disable` and `remove`. */
export function addDomainCommands(program: Command): void {
  const domain = addGroup(program, "domain", "domains that this server takes mail for");

  withExamples(
    domain.command("add <name>")
      .description("add a domain")
      .option("--disabled", "without mail until it is enabled"),
    "postern domain add example.org",
  ).action(async (name: string, { disabled = false }: { disabled?: boolean }, command: Command) => {
    await withData(configOf(command), ({ directory }) => directory.addDomain(name, { disabled }));
  });

  withExamples(domain.command("list").description("list the domains"), "postern domain list")
    .action(async (_options, command: Command) => {
      const domains = await withData(
        configOf(command),
        ({ directory }) => directory.listDomains(),
      );
      if (command.optsWithGlobals<GlobalOptions>().json) {
        printJson(domains.map(({ name, isDisabled }) => ({ name, disabled: isDisabled })));
      } else {
        printTable(
          ["DOMAIN", "STATUS"],
          domains.map(({ name, isDisabled }) => [name, isDisabled ? "disabled" : "enabled"]),
        );
      }
    });

  withExamples(
    domain.command("enable <name>").description("take mail for the domain again"),
    "postern domain enable example.org",
  ).action((name: string, _options, command: Command) => setDisabled(command, name, false));

  withExamples(
    domain.command("disable <name>")
      .description("have mail for the domain wait elsewhere; its accounts can still log in"),
    "postern domain disable example.org",
  ).action((name: string, _options, command: Command) => setDisabled(command, name, true));

  withExamples(
    domain.command("remove <name>").description("remove a domain that has no addresses left"),
    "postern domain remove example.org",
  ).action(async (name: string, _options, command: Command) => {
    await withData(configOf(command), ({ directory }) => directory.removeDomain(name));
  });
}

async function setDisabled(command: Command, name: string, disabled: boolean): Promise<void> {
  await withData(
    configOf(command),
    ({ directory }) => directory.setDomainDisabled(name, disabled),
  );
}

function configOf(command: Command): string | undefined {
  return command.optsWithGlobals<GlobalOptions>().config;
}
