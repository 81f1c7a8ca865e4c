/**
 * `deno task compile [--target TARGET] [--output FILE]`: makes one binary of the program, with the
 * permissions of the task `postern` baked in and no others.
 *
 * First a bundle, then a binary of it: deno compile of the 1,400 modules themselves overflows its
 * stack (Deno 2.9.6), and the bundle starts in half the time. It is not minified, which would save
 * three per cent and make the stacks in the log unreadable. Two steps and not `compile --bundle`,
 * since that puts a random name into each binary.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import project from "../deno.json" with { type: "json" };
import { printError, printLine } from "../src/app/terminal.ts";

/** What binaries are made for; Deno has a runtime for each. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

export type Target = typeof TARGETS[number];

const ROOT = new URL("..", import.meta.url);

/** The flags of the program's own task: permissions, and nothing that asks for more. */
export const FLAGS: readonly string[] = project.tasks.postern.command.split(" ").slice(2, -1);

/**
 * Makes the bundle, one file with all libraries, pages and styles in it. Equal sources of equal date
 * (seconds since 1970) give equal bundles, and equal binaries.
 */
export async function bundle(file: string, dateSeconds: number): Promise<void> {
  const problem = await runDeno("bundle", "--quiet", "--output", file, "main.ts");
  if (problem !== undefined) throw new Error(`deno bundle: ${problem}`);
  await Deno.utime(file, dateSeconds, dateSeconds);
}

/** Makes a binary of a bundle. Gives undefined when it worked, else why it did not, in one line. */
export async function compile(
  bundleFile: string,
  target: Target | undefined,
  output: string,
): Promise<string | undefined> {
  const targeted = target === undefined ? [] : ["--target", target];
  const problem = await runDeno(
    // The bundle needs nothing of deno.json but what is unstable.
    ...["compile", "--quiet", "--no-config", "--no-check", "--no-npm"],
    ...project.unstable.map((feature) => `--unstable-${feature}`),
    ...[...FLAGS, ...targeted, "--output", output, bundleFile],
  );
  if (problem === undefined || !problem.includes("dl.deno.land")) return problem;
  return "Deno's runtime for it is not at hand, and dl.deno.land could not be reached; DENORT_BIN " +
    "may name the file";
}

/** The date of the sources: of the last commit, unless `SOURCE_DATE_EPOCH` says otherwise. */
export async function sourceDate(): Promise<number> {
  const given = Number(Deno.env.get("SOURCE_DATE_EPOCH") ?? NaN);
  if (Number.isSafeInteger(given)) return given;
  const { stdout } = await new Deno.Command("git", {
    args: ["log", "-1", "--format=%ct"],
    cwd: ROOT,
    stderr: "null",
  }).output();
  return Number(new TextDecoder().decode(stdout)) || 1_700_000_000;
}

async function runDeno(...args: string[]): Promise<string | undefined> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return undefined;
  return new TextDecoder().decode(stderr).replace(/Stack backtrace[^]*/, "").trim()
    .replace(/^error: /, "").replaceAll(/\s+/g, " ");
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      target: { type: "string" },
      output: { type: "string", default: "dist/postern" },
    },
  });
  const target = TARGETS.find((each) => each === values.target);
  if (values.target !== undefined && target === undefined) {
    printError(`--target: expected one of ${TARGETS.join(", ")}`);
    return 2;
  }
  const folder = await Deno.makeTempDir();
  try {
    const bundleFile = join(folder, "postern.js");
    await bundle(bundleFile, await sourceDate());
    const problem = await compile(bundleFile, target, values.output);
    const name = target ?? Deno.build.target;
    if (problem === undefined) printLine(`${values.output} for ${name}`);
    else printError(`no binary for ${name}: ${problem}`);
    return problem === undefined ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main());
