import type { Command } from "commander";
import { UsageError } from "../failure.ts";
import { generatePassword } from "../../auth/mod.ts";
import { askPassword, printJson, printLine, readLine } from "../terminal.ts";
import type { GlobalOptions } from "./options.ts";

/** The options of commands that set a password. */
export interface PasswordOptions extends GlobalOptions {
  readonly generate?: boolean;
  readonly stdin?: boolean;
}

export function withPasswordOptions(command: Command): Command {
  return command
    .option("--generate", "make up a password and print it")
    .option("--stdin", "read the password from one line of standard input");
}

export interface ChosenPassword {
  readonly text: string;
  readonly isGenerated: boolean;
}

/**
 * From stdin if asked for or if nobody sits at it; made up if asked for; else a person is asked
 * `question`.
 */
export async function choosePassword(
  question: string,
  options: PasswordOptions,
): Promise<ChosenPassword> {
  if (options.generate && options.stdin) {
    throw new UsageError("--generate and --stdin exclude each other");
  }
  if (options.generate) return { text: generatePassword(), isGenerated: true };
  const text = options.stdin || !Deno.stdin.isTerminal()
    ? await readLine("password")
    : await askPassword(question);
  return { text, isGenerated: false };
}

/** Prints a password that was made up; as JSON, beside `facts`. */
export function tellPassword(
  facts: Readonly<Record<string, string>>,
  password: ChosenPassword,
  options: PasswordOptions,
): void {
  if (options.json) {
    printJson({ ...facts, ...(password.isGenerated ? { password: password.text } : {}) });
  } else if (password.isGenerated) {
    printLine(password.text);
  }
}
