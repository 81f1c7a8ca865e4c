import process from "node:process";
import { Failure, UsageError } from "./failure.ts";

/** What a command prints and reads. Results go to stdout, everything else to stderr. */

const encoder = new TextEncoder();

/** Prints a line to stdout. Throws Deno.errors.BrokenPipe when the reader is gone. */
export function printLine(text: string): void {
  writeAll(Deno.stdout, `${text}\n`);
}

/** Writes text to stdout as it is, for a terminal that is drawn on. */
export function writeStdout(text: string): void {
  writeAll(Deno.stdout, text);
}

/** Prints a line to stderr. */
export function printError(text: string): void {
  writeAll(Deno.stderr, `${text}\n`);
}

/** Prints a value as JSON, for scripts. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value, null, 2));
}

/** Prints rows under headings, in columns as wide as they need; nothing when there are no rows. */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  if (rows.length === 0) return;
  const cells = [headings, ...rows].map((row) => row.map(printable));
  const widths = headings.map((_, i) => Math.max(...cells.map((row) => width(row[i] ?? ""))));
  for (const row of cells) {
    printLine(row.map((cell, i) => cell + pad(cell, widths[i] ?? 0)).join("  ").trimEnd());
  }
}

/** Shows control characters instead of sending them to somebody's terminal. */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function width(text: string): number {
  return [...text].length;
}

function pad(text: string, to: number): string {
  return " ".repeat(Math.max(0, to - width(text)));
}

function writeAll(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(text);
  for (let written = 0; written < bytes.length;) written += to.writeSync(bytes.subarray(written));
}

/** Longest line that is read from stdin: a password. */
const MAX_LINE_BYTES = 4096;

/** The first line of stdin without its line end. Throws UsageError when there is none. */
export async function readLine(what: string): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  const bytes = new Uint8Array(1024);
  try {
    for (let count; (count = await Deno.stdin.read(bytes)) !== null;) {
      text += decoder.decode(bytes.subarray(0, count), { stream: true });
      if (text.includes("\n")) break;
      if (text.length > MAX_LINE_BYTES) throw new UsageError(`the ${what} is too long`);
    }
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`the ${what} is not UTF-8`);
    throw error;
  }
  const line = text.split("\n")[0]?.replace(/\r$/, "") ?? "";
  if (line === "") throw new UsageError(`no ${what}: expected one line on standard input`);
  return line;
}

/** Asks a person at a terminal for a secret. */
export async function askSecret(question: string): Promise<string> {
  // Only people wait for it: scripts that give the password on stdin do not load it.
  const { isCancel, password } = await import("@clack/prompts");
  const answer = await password({ message: question, output: process.stderr });
  if (isCancel(answer)) throw new Failure("nothing was changed");
  return answer;
}

/** Asks a person at a terminal for a new password, twice. */
export async function askPassword(question: string): Promise<string> {
  const first = await askSecret(question);
  if (first !== await askSecret("Once more")) {
    throw new Failure("the two passwords differ; nothing was changed");
  }
  return first;
}
