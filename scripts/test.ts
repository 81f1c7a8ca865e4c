/**
 * The whole test suite, as `deno task test`: most files side by side, on every processor, then one
 * after the other those that measure time or memory. The last line counts both parts, in the form
 * of `deno test`.
 *
 * Arguments are files and folders under tests/, and options of `deno test` (`--filter=word`).
 */

/** What measures time or memory: it has the machine alone. */
const ALONE = [
  "tests/app/latency_test.ts",
  "tests/imap/slow_reader_test.ts",
  "tests/load/",
  "tests/message/scanner_test.ts",
  "tests/net/compression_test.ts",
];

/** What one run of `deno test` counted. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

/**
 * The counts in what `deno test` printed, whose exit code was `code`. A run that failed has at least
 * one failure, also when it ended before it could count: a crash, a module that does not load.
 */
export function countTests(output: string, code: number): Counts {
  // deno-lint-ignore no-control-regex -- a terminal's colours
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  // "ok | 11 passed (3 steps) | 0 failed | 2 ignored (31ms)"
  const summary = plain.match(/^(?:ok|FAILED) \| .*$/gm)?.at(-1) ?? "";
  const count = (what: string) => Number(new RegExp(`(\\d+) ${what}`).exec(summary)?.[1] ?? 0);
  const failed = count("failed");
  const isCounted = summary !== "" && (code === 0 || failed > 0);
  return {
    passed: count("passed"),
    failed: isCounted ? failed : failed + 1,
    ignored: count("ignored"),
  };
}

/** The entries of `ALONE` that lie in `path`, or `path` itself when it lies in one of them. */
export function aloneIn(path: string): readonly string[] {
  const named = path.replace(/^\.\//, "");
  const folder = named.endsWith("/") ? named : `${named}/`;
  if (ALONE.some((each) => each === named || each.endsWith("/") && folder.startsWith(each))) {
    return [named];
  }
  return ALONE.filter((each) => each.startsWith(folder));
}

async function runTests(args: readonly string[]): Promise<Counts> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--no-check", "--no-prompt", "--allow-all", "--permit-no-files", ...args],
    // More files than processors at a time: many of them wait for a server or a mail program.
    env: { DENO_JOBS: String(navigator.hardwareConcurrency + 2) },
    stdout: "piped",
  }).spawn();
  const decoder = new TextDecoder();
  let output = "";
  for await (const bytes of child.stdout) {
    output += decoder.decode(bytes, { stream: true });
    for (let written = 0; written < bytes.length;) {
      written += Deno.stdout.writeSync(bytes.subarray(written));
    }
  }
  return countTests(output, (await child.status).code);
}

if (import.meta.main) {
  const started = performance.now();
  const args = Deno.args.filter((each) => each !== "--");
  const options = args.filter((each) => each.startsWith("-"));
  const named = args.filter((each) => !each.startsWith("-"));
  const paths = named.length > 0 ? named : ["tests/"];
  const alone = paths.flatMap(aloneIn);

  const parts = [await runTests(["--parallel", ...options, `--ignore=${ALONE.join()}`, ...paths])];
  if (alone.length > 0) parts.push(await runTests([...options, ...alone]));

  const sum = (what: keyof Counts) => parts.reduce((total, each) => total + each[what], 0);
  const failed = sum("failed");
  const isWell = failed === 0 && sum("passed") > 0;
  const seconds = Math.round((performance.now() - started) / 1000);
  // deno-lint-ignore no-console -- a program for the terminal
  console.log(
    `${isWell ? "ok" : "FAILED"} | ${sum("passed")} passed | ${failed} failed | ` +
      `${sum("ignored")} ignored (${Math.floor(seconds / 60)}m${seconds % 60}s)`,
  );
  Deno.exit(isWell ? 0 : 1);
}
