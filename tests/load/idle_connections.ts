/**
 * What idle connections cost: a server in a process of its own, connections through its ALPN
 * listener, each logged in to an account of its own and in IDLE.
 *
 *     deno run -A tests/load/idle_connections.ts [--first 2000] [--count 3000] [--kinds idle,compressed]
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { constants, deflateRawSync } from "node:zlib";
import { makeVerifier } from "../../src/auth/mod.ts";
import { makeSelfSigned } from "../../src/net/mod.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { V8_FLAGS } from "../app/postern_process.ts";
import type { ProbedMemory } from "./memory_probe.ts";

/** How a connection is left idle. */
export type IdleKind =
  /** TLS, logged in, INBOX selected, in IDLE. */
  | "idle"
  /** The same compressed. */
  | "compressed"
  /** The same in clear. */
  | "clear"
  /** TLS, logged in and nothing else. */
  | "loggedIn"
  /** TLS, before login. */
  | "stranger";

export const IDLE_KINDS: readonly IdleKind[] = [
  "stranger",
  "loggedIn",
  "idle",
  "compressed",
  "clear",
];

/** What each connection costs, in KiB where it is memory. */
export interface IdleCost {
  readonly rss: number;
  readonly heap: number;
  readonly external: number;
  /** Open files of the process, of each connection. */
  readonly files: number;
  /** Processor time from connecting to IDLE, milliseconds. */
  readonly cpuMs: number;
}

const PASSWORD = "idle password";
const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const PROBE = new URL("memory_probe.ts", import.meta.url).pathname;

const PROBE_FLAGS = [...V8_FLAGS, "--v8-flags=--expose-gc"];

const AT_A_TIME = 20;

/** How many connections are measured, and how. */
export interface IdlePlan {
  /**
   * Connections before those that are measured. They pay for what all share, such as databases that
   * stay open and room for new objects: 60 MB after 2,000 of them.
   */
  readonly first: number;
  readonly count: number;
  /** Flags of `deno run` for the server, in the place of those that the probe needs. */
  readonly runFlags?: readonly string[];
}

/** Measures connections of each kind, each kind in a server of its own. */
export async function* measureIdle(
  kinds: readonly IdleKind[],
  plan: IdlePlan,
): AsyncGenerator<{ readonly kind: IdleKind; readonly cost: IdleCost }> {
  const folder = await Deno.makeTempDir({ prefix: "postern-idle-" });
  try {
    const certificate = await prepare(folder, plan.first + plan.count);
    for (const kind of kinds) {
      yield { kind, cost: await measureKind(folder, certificate, kind, plan) };
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Makes certificate, configuration and accounts. Gives the certificate. */
async function prepare(folder: string, accounts: number): Promise<string> {
  const made = await makeSelfSigned(["localhost"], Date.now());
  await Deno.writeTextFile(join(folder, "certificate.pem"), made.certificate);
  await Deno.writeTextFile(join(folder, "key.pem"), made.privateKey);
  await Deno.writeTextFile(
    join(folder, "postern.toml"),
    `hostname = "localhost"
data_dir = "data"
[auth]
allow_plaintext = true
[log]
level = "warn"
[tls]
certificate_file = "certificate.pem"
private_key_file = "key.pem"
[limits]
connections_per_minute = 0
connections_per_address = 0
[[listener]]
kind = "alpn"
address = "127.0.0.1:0"
[listener.routes]
imap = "imap"
[[listener]]
kind = "imap"
address = "127.0.0.1:0"
`,
  );
  const store = await openSqliteStore({ dataDir: join(folder, "data") });
  try {
    // A hash that costs nothing: logging in is not what is measured.
    const cheap = { slow: 1, scram: { "SHA-1": 4096, "SHA-256": 4096 } };
    const verifier = await makeVerifier(PASSWORD, cheap);
    await store.directory.addDomain("idle.example");
    for (let i = 0; i < accounts; i++) {
      const { id } = await store.directory.addAccount(`u${i}@idle.example`, verifier);
      await store.openAccount(id);
    }
  } finally {
    await store.close();
  }
  return made.certificate;
}

async function measureKind(
  folder: string,
  certificate: string,
  kind: IdleKind,
  { first, count, runFlags = PROBE_FLAGS }: IdlePlan,
): Promise<IdleCost> {
  const server = await startServer(folder, runFlags);
  try {
    const port = server.port(kind === "clear" ? "imap" : "alpn");
    const connections: Deno.Conn[] = [];
    const open = async (until: number) => {
      let next = connections.length;
      const worker = async () => {
        while (next < until) {
          const number = next++;
          connections.push(await beginIdle(kind, port, certificate, number));
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, worker));
    };
    await open(first);
    const before = await server.memory();
    const [files, cpu] = [server.openFiles(), server.cpuMs()];
    await open(first + count);
    const cpuMs = (server.cpuMs() - cpu) / count;
    const after = await server.memory();
    const kib = (field: keyof ProbedMemory) => (after[field] - before[field]) / 1024 / count;
    const cost = {
      rss: kib("rss"),
      heap: kib("heapUsed"),
      external: kib("external"),
      files: (server.openFiles() - files) / count,
      cpuMs,
    };
    for (const connection of connections) connection.close();
    return cost;
  } finally {
    await server.stop();
  }
}

async function beginIdle(
  kind: IdleKind,
  port: number,
  certificate: string,
  number: number,
): Promise<Deno.Conn> {
  const address = { hostname: "127.0.0.1", port };
  const tcp = await Deno.connect(address);
  tcp.setNoDelay(true);
  const conn = kind === "clear" ? tcp : await Deno.startTls(tcp, {
    hostname: "localhost",
    caCerts: [certificate],
    alpnProtocols: ["imap"],
  });
  const send = async (octets: Uint8Array) => {
    for (let rest = octets; rest.length > 0;) rest = rest.subarray(await conn.write(rest));
  };
  const buffer = new Uint8Array(4096);
  const until = async (end: string) => {
    for (let text = ""; !text.includes(end);) {
      const length = await conn.read(buffer);
      if (length === null) throw new Error(`the connection ended: ${text}`);
      text += Buffer.from(buffer.buffer, 0, length).toString("latin1");
    }
  };
  const ask = async (line: string, end: string) => {
    await send(Buffer.from(`${line}\r\n`));
    await until(end);
  };
  await until("* OK");
  if (kind === "stranger") return conn;
  await ask(`l LOGIN u${number}@idle.example "${PASSWORD}"`, "l OK");
  if (kind === "loggedIn") return conn;
  await ask("s SELECT INBOX", "s OK");
  if (kind === "compressed") {
    await ask("c COMPRESS DEFLATE", "c OK");
    const line = Buffer.from("i IDLE\r\n");
    await send(deflateRawSync(line, { finishFlush: constants.Z_SYNC_FLUSH }));
    await until("");
    await conn.read(buffer);
  } else {
    await ask("i IDLE", "+ ");
  }
  return conn;
}

async function startServer(folder: string, runFlags: readonly string[]) {
  const args = ["run", "-A", ...runFlags, "--preload", PROBE, MAIN];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args, "serve", "--config", join(folder, "postern.toml")],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdout = new Output(child.stdout);
  const stderr = new Output(child.stderr);
  const started = await stdout.until(/^ready$/m).catch((error: unknown) => {
    throw new Error(`the server did not start: ${stderr.text}`, { cause: error });
  });
  const { pid } = child;
  return {
    port(kind: string): number {
      return Number(new RegExp(`^listening ${kind} .*:(\\d+)$`, "m").exec(started)?.[1]);
    },
    async memory(): Promise<ProbedMemory> {
      // What the last connections began is over by then.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      stderr.forget();
      child.kill("SIGUSR2");
      const text = await stderr.until(/^memory (.*)$/m);
      return JSON.parse(/^memory (.*)$/m.exec(text)?.[1] ?? "");
    },
    openFiles(): number {
      return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
    },
    cpuMs(): number {
      const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    async stop(): Promise<void> {
      child.kill("SIGTERM");
      await Promise.all([child.status, stdout.ended, stderr.ended]);
    },
  };
}

/** Text that a process prints. */
class Output {
  readonly ended: Promise<void>;
  text = "";
  #wake = () => {};

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.ended = this.#read(stream);
  }

  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.text)) {
      const more = new Promise<void>((resolve) => this.#wake = resolve);
      const isOver = await Promise.race([more, this.ended.then(() => true)]);
      if (isOver) throw new Error(`the server ended: ${this.text}`);
    }
    return this.text;
  }

  forget(): void {
    this.text = "";
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      this.text += piece;
      this.#wake();
    }
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      first: { type: "string", default: "2000" },
      count: { type: "string", default: "3000" },
      kinds: { type: "string", default: IDLE_KINDS.join() },
      "run-flags": { type: "string", default: PROBE_FLAGS.join(" ") },
    },
  });
  const kinds = values.kinds.split(",") as IdleKind[];
  const plan = {
    first: Number(values.first),
    count: Number(values.count),
    runFlags: values["run-flags"].split(" "),
  };
  for await (const { kind, cost } of measureIdle(kinds, plan)) {
    const numbers = Object.entries(cost).map(([name, value]) => `${name} ${value.toFixed(2)}`);
    // deno-lint-ignore no-console -- a program for the terminal
    console.log(`${kind.padEnd(12)} ${numbers.join("  ")}`);
  }
}
