import { V8_FLAGS } from "../app/postern_process.ts";
import { PASSWORD, type Target } from "./target.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

const CONFIG = `hostname = "localhost"
data_dir = "data"
[tls]
certificate_file = "certificate.pem"
private_key_file = "key.pem"
[[listener]]
kind = "imap"
address = "127.0.0.1:0"
[[listener]]
kind = "imaps"
address = "127.0.0.1:0"
[[listener]]
kind = "lmtp"
address = "127.0.0.1:0"
[auth]
allow_plaintext = true
[log]
level = "warn"
`;

/** `postern serve` in a process of its own; `folder` has certificate.pem and key.pem. */
export async function startPostern(
  folder: string,
  options: { readonly runFlags: readonly string[] },
): Promise<Target> {
  await Deno.writeTextFile(`${folder}/postern.toml`, CONFIG);
  const command = (args: readonly string[], stdin: "piped" | "null") =>
    new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        ...V8_FLAGS,
        ...options.runFlags,
        MAIN,
        "--config",
        `${folder}/postern.toml`,
        ...args,
      ],
      cwd: folder,
      stdin,
      stdout: "piped",
      stderr: "inherit",
    });

  const run = async (args: readonly string[], input = "") => {
    const child = command(args, "piped").spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
    if (!(await child.output()).success) throw new Error(`postern ${args.join(" ")} failed`);
  };
  await run(["domain", "add", "bench.example"]);
  for (const user of ["user", "other"]) {
    await run(["account", "add", `${user}@bench.example`, "--stdin"], `${PASSWORD}\n`);
  }

  let server: Server = await serve(command(["serve"], "null"));
  const port = (kind: string) => server.ports.get(kind) ?? 0;
  return {
    name: "Postern",
    setup: "deno run -A main.ts serve; SQLite, synchronous=FULL",
    get port() {
      return port("imap");
    },
    get tlsPort() {
      return port("imaps");
    },
    get lmtpPort() {
      return port("lmtp");
    },
    caCerts: [await Deno.readTextFile(`${folder}/certificate.pem`)],
    get pid() {
      return server.child.pid;
    },
    async restart() {
      await end(server);
      server = await serve(command(["serve"], "null"));
    },
    stop: () => end(server),
  };
}

/** A server that is ready. */
export interface Server {
  readonly child: Deno.ChildProcess;
  /** By kind of listener. */
  readonly ports: ReadonlyMap<string, number>;
  /** Ends with the process. */
  readonly output: Promise<void>;
}

/** Starts the server and waits until it says "ready". */
export async function serve(command: Deno.Command): Promise<Server> {
  const child = command.spawn();
  const ports = new Map<string, number>();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ""; !/^ready$/m.test(text);) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the server did not start: ${text}`);
    text += value;
    for (const [, kind, port] of text.matchAll(/^listening (\w+) .*:(\d+)$/gm)) {
      ports.set(kind!, Number(port));
    }
  }
  const output = (async () => {
    while (!(await reader.read()).done);
  })();
  return { child, ports, output };
}

async function end({ child, output }: Server): Promise<void> {
  child.kill("SIGTERM");
  await Promise.all([child.status, output]);
}
