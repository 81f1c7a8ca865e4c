import type { Command } from "commander";

/** The options that every command takes. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** Adds examples to a command's help. */
export function withExamples(command: Command, ...examples: readonly string[]): Command {
  const lines = examples.map((example) => `  $ ${example}`);
  const title = examples.length === 1 ? "Example:" : "Examples:";
  return command.addHelpText("after", `\n${title}\n${lines.join("\n")}`);
}

/** Says where a command that holds others has its examples. */
export function withExamplesBelow(command: Command): Command {
  return command.addHelpText("after", ({ command }) => {
    const names = [];
    for (let each = command; each.parent; each = each.parent) names.unshift(each.name());
    return `\nEach has an example: postern help ${[...names, "COMMAND"].join(" ")}`;
  });
}

/** A command that only holds others. */
export function addGroup(parent: Command, name: string, description: string): Command {
  return withExamplesBelow(parent.command(name).description(description).helpCommand(false));
}
