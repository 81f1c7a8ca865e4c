import type { Command } from "commander";
import { requireAccount, withData } from "../data.ts";
import { addGroup, type GlobalOptions, withExamples } from "./options.ts";

/** `address add` and `address remove`. */
export function addAddressCommands(program: Command): void {
  const address = addGroup(program, "address", "more addresses for an account");

  withExamples(
    address.command("add <alias> <address>")
      .description('have mail for ALIAS go to the account ADDRESS; "@domain" is a catch-all'),
    "postern address add sales@example.org alice@example.org",
    "postern address add @example.org alice@example.org",
  ).action(async (alias: string, owner: string, _options, command: Command) => {
    await withData(command.optsWithGlobals<GlobalOptions>().config, async ({ directory }) => {
      await directory.addAddress(alias, (await requireAccount(directory, owner)).id);
    });
  });

  withExamples(
    address.command("remove <alias>").description("stop taking mail for ALIAS"),
    "postern address remove sales@example.org",
  ).action(async (alias: string, _options, command: Command) => {
    await withData(
      command.optsWithGlobals<GlobalOptions>().config,
      ({ directory }) => directory.removeAddress(alias),
    );
  });
}
