import config from "../../deno.json" with { type: "json" };

/** Runs the program as `deno task postern` does: in a process of its own, with its permissions. */

const ROOT = new URL("../../", import.meta.url);

/** The flags of the task, so that the tests see what users see when a permission is missing. */
export const FLAGS: readonly string[] = config.tasks.postern.command.split(" ").slice(1, -1);

/** Those of them that are not permissions: how the memory of the program is laid out. */
export const V8_FLAGS: readonly string[] = FLAGS.filter((flag) => flag.startsWith("--v8-flags="));

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Text for stdin; nothing unless given. */
  readonly stdin?: string;
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** The limit of open files that the process has; this one's unless given. */
  readonly openFiles?: number;
  /** Words in front of the command line, such as `setpriv` with what it is to take away. */
  readonly through?: readonly string[];
  /** What runs instead of the sources: a bundle, with Deno's flags for it, or else a binary. */
  readonly program?: { readonly file: string; readonly flags?: readonly string[] };
}

export function posternCommand(
  args: readonly string[],
  { openFiles, through = [], program, ...options }: Deno.CommandOptions & Omit<RunOptions, "stdin">,
): Deno.Command {
  if (program?.flags) {
    const { file, flags } = program;
    return new Deno.Command(Deno.execPath(), {
      args: ["run", ...flags, file, ...args],
      ...options,
    });
  }
  if (program) return new Deno.Command(program.file, { args: [...args], ...options });
  const limit = openFiles === undefined
    ? []
    : ["sh", "-c", `ulimit -n ${openFiles}; exec "$@"`, "sh"];
  const [first = "", ...rest] = [
    ...through,
    ...limit,
    Deno.execPath(),
    ...FLAGS.slice(0, 1),
    "--config",
    new URL("deno.json", ROOT).pathname,
    ...FLAGS.slice(1),
    new URL("main.ts", ROOT).pathname,
    ...args,
  ];
  return new Deno.Command(first, {
    args: rest,
    ...options,
    // Whatever the machine has must not change what a test sees.
    env: { POSTERN_CONFIG: "", ...options.env },
  });
}

/** Runs a command to its end. */
export async function runPostern(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Result> {
  const { stdin, ...rest } = options;
  const child = posternCommand(args, {
    ...rest,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    // A command that reads no stdin may be gone before it is written.
    await writer.write(new TextEncoder().encode(stdin)).catch(() => undefined);
    await writer.close().catch(() => undefined);
  }
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A server process that printed "ready". */
export interface ServerProcess {
  /** Address of the first listener of that kind. */
  address(kind: string): string;
  readonly lines: readonly string[];
  readonly msUntilReady: number;
  readonly pid: number;
  /** What came on stderr so far. */
  stderr(): string;
  kill(signal: Deno.Signal): void;
  /** Sends the signal, if one is given, and waits for the end. */
  stop(signal?: Deno.Signal): Promise<{ code: number; stdout: string; stderr: string; ms: number }>;
}

/** Starts a command that serves, and waits for "ready". Throws with its output when it ends first. */
export async function startPostern(
  args: readonly string[],
  options: Omit<RunOptions, "stdin"> = {},
): Promise<ServerProcess> {
  const started = performance.now();
  const child = posternCommand(args, {
    ...options,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let stdout = "";
  let stderr = "";
  const ready = Promise.withResolvers<void>();
  const readStdout = (async () => {
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
      stdout += piece;
      if (/^ready$/m.test(stdout)) ready.resolve();
    }
    ready.reject(new Error("ended before it was ready"));
  })();
  const readStderr = (async () => {
    for await (const piece of child.stderr.pipeThrough(new TextDecoderStream())) stderr += piece;
  })();
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  try {
    await ready.promise;
  } catch (error) {
    await Promise.all([readStdout, readStderr, child.status]);
    throw new Error(`${(error as Error).message}: ${stdout}${stderr}`);
  } finally {
    clearTimeout(timer);
  }
  const lines = stdout.split("\n");
  return {
    lines,
    msUntilReady: performance.now() - started,
    address(kind) {
      const line = lines.find((each) => each.startsWith(`listening ${kind} `));
      return line?.split(" ")[2] ?? "";
    },
    pid: child.pid,
    stderr: () => stderr,
    kill: (signal) => child.kill(signal),
    async stop(signal) {
      const asked = performance.now();
      if (signal) child.kill(signal);
      const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
      const [{ code }] = await Promise.all([child.status, readStdout, readStderr]);
      clearTimeout(timer);
      return { code, stdout, stderr, ms: performance.now() - asked };
    },
  };
}

/** A folder with a configuration and an empty data directory, removed afterwards. */
export async function withFolder(
  run: (folder: { readonly path: string; readonly config: string }) => Promise<void>,
  toml = "",
): Promise<void> {
  const path = await Deno.makeTempDir();
  const config = `${path}/postern.toml`;
  await Deno.writeTextFile(config, `hostname = "mail.example.org"\ndata_dir = "data"\n${toml}`);
  try {
    await run({ path, config });
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}
