import { buildClientHello } from "../net/support.ts";
import { isInstalled } from "../interop/programs.ts";
import { measure, type Measurement } from "./measure.ts";
import { cpuSeconds } from "./process_usage.ts";
import type { Column } from "./table.ts";
import { delay, freePort } from "./target.ts";

/**
 * The door: handshakes, what the router adds to them, and what relays cost, beside a plain copy loop
 * and, where it is installed, Debian's nginx with ssl_preread doing the same.
 */

/** How much is done. */
export interface DoorScale {
  readonly limitMs: number;
  readonly relayBytes: number;
}

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const BACKEND = new URL("relay_backend.ts", import.meta.url).pathname;

/** Something that relays. */
interface Relay {
  readonly name: string;
  readonly setup: string;
  readonly pid: number;
  /** Ports that pass TLS on, and that end it; 0: not to be had. */
  readonly ports: Readonly<Record<"source" | "echo" | "sourceEnded" | "echoEnded", number>>;
  /** Whether a client offers the port's name by ALPN, as one port serves all. */
  readonly hasRoutes: boolean;
}

/** Measures; `folder` has certificate.pem and key.pem. */
export async function measureDoor(folder: string, scale: DoorScale): Promise<Column[]> {
  const [source, echo] = [freePort(), freePort()];
  const children = [
    startDeno([BACKEND, "source", `${source}`]),
    startDeno([BACKEND, "echo", `${echo}`]),
  ];
  try {
    await Promise.all([source, echo].map(waitFor));
    const caCerts = [await Deno.readTextFile(`${folder}/certificate.pem`)];
    const postern = await startPostern(folder, source, echo);
    children.push(postern.child);
    const columns: Column[] = [{
      target: postern.relay,
      measurements: [
        ...await handshakes(postern.relay.pid, postern.imaps, postern.relay.ports.echo, scale),
        ...await relayed(postern.relay, caCerts, scale),
      ],
    }];
    const nginx = await startNginx(folder, source, echo);
    if (nginx) {
      children.push(nginx.child);
      columns.push({
        target: nginx.relay,
        measurements: await relayed(nginx.relay, caCerts, scale),
      });
    }
    const loop = await startCopyLoop(source, echo);
    children.push(loop.child);
    columns.push({ target: loop.relay, measurements: await relayed(loop.relay, caCerts, scale) });
    return columns;
  } finally {
    for (const child of children) child.kill("SIGTERM");
    await Promise.all(children.map(({ status }) => status));
  }
}

/** Handshakes by Python, whose sessions resume, one after the other. */
async function handshakes(
  pid: number,
  imaps: number,
  alpn: number,
  { limitMs }: DoorScale,
): Promise<Measurement[]> {
  if (!isInstalled("python3")) return [];
  const found: Measurement[] = [];
  const seconds = limitMs / 1000;
  for (
    const [name, port, args] of [
      ["TLS handshake to greeting, full", imaps, ["full"]],
      ["TLS handshake to greeting, full, through the router", alpn, ["full"]],
      ["TLS handshake to greeting, resumed", imaps, ["resumed"]],
      ["TLS handshake to greeting, resumed, through the router", alpn, ["resumed"]],
    ] as const
  ) {
    const before = cpuSeconds(pid);
    const { stdout } = await new Deno.Command("python3", {
      args: ["-c", HANDSHAKES, `${port}`, `${seconds}`, ...args],
    }).output();
    const [count = 0, p50 = 0, p99 = 0] = new TextDecoder().decode(stdout).split(" ").map(Number);
    const cpuMs = (cpuSeconds(pid) - before) * 1000 / count;
    found.push({ name, p50Ms: p50, p99Ms: p99, cpuMs, rate: count / seconds, unit: "/s" });
  }
  return found;
}

const HANDSHAKES = `
import socket, ssl, sys, time
port, seconds, kind = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.set_alpn_protocols(["imap"])
def greet(session):
    raw = socket.create_connection(("127.0.0.1", port))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(raw, server_hostname="localhost", session=session) as connection:
        connection.recv(4096)
        assert connection.session_reused == (session is not None)
        return connection.session
session = greet(None)
took = []
end = time.monotonic() + seconds
while time.monotonic() < end:
    begin = time.monotonic()
    session = greet(session if kind == "resumed" else None)
    took.append((time.monotonic() - begin) * 1000)
took.sort()
print(len(took), took[len(took) // 2], took[len(took) * 99 // 100])
`;

/** Round trips and throughput through a relay, TLS passed on and TLS ended. */
async function relayed(
  relay: Relay,
  caCerts: string[],
  { limitMs, relayBytes }: DoorScale,
): Promise<Measurement[]> {
  const found: Measurement[] = [];
  const connect = async (kind: keyof Relay["ports"]) => {
    const address = { hostname: "localhost", port: relay.ports[kind] };
    const alpnProtocols = relay.hasRoutes ? [kind] : [];
    if (kind.endsWith("Ended")) {
      return await Deno.connectTls({ ...address, caCerts, alpnProtocols });
    }
    const conn = await Deno.connect({ ...address, hostname: "127.0.0.1" });
    conn.setNoDelay(true);
    // TLS is not for the relay to look into: after the ClientHello anything will do.
    await conn.write(buildClientHello({ alpn: [kind] }));
    return conn;
  };
  for (
    const [what, source, echo] of [
      ["TLS passed on", "source", "echo"],
      ["TLS ended", "sourceEnded", "echoEnded"],
    ] as const
  ) {
    if (relay.ports[source] === 0) continue;
    const bytes = new Uint8Array(64);
    const conn = await connect(echo);
    const buffer = new Uint8Array(512 * 1024);
    // What the echo has of the ClientHello is no round trip.
    await conn.write(bytes);
    await delay(50);
    await conn.read(buffer);
    found.push(
      await measure(
        relay,
        { name: `${what}: 64 bytes there and back`, runs: 20_000, limitMs, warmUp: 100 },
        async () => {
          await conn.write(bytes);
          for (let count = 0; count < bytes.length;) count += await conn.read(buffer) ?? Infinity;
        },
      ),
    );
    conn.close();
    found.push(
      await measure(
        relay,
        { name: `${what}: ${relayBytes / 1e6} MB`, runs: 3, limitMs: Infinity, throughput: true },
        async () => {
          const conn = await connect(source);
          if (source === "sourceEnded") await conn.write(bytes);
          let count = 0;
          while (count < relayBytes) count += await conn.read(buffer) ?? Infinity;
          conn.close();
          return count;
        },
      ),
    );
  }
  return found;
}

async function startPostern(folder: string, source: number, echo: number) {
  const [alpn, imaps] = [freePort(), freePort()];
  const config = `${folder}/door.toml`;
  await Deno.writeTextFile(
    config,
    `hostname = "localhost"
data_dir = "door"
[tls]
certificate_file = "certificate.pem"
private_key_file = "key.pem"
[log]
level = "warn"
[[listener]]
kind = "imaps"
address = "127.0.0.1:${imaps}"
[[listener]]
kind = "alpn"
address = "127.0.0.1:${alpn}"
[listener.routes]
imap = "imap"
source = "tls://127.0.0.1:${source}"
echo = "tls://127.0.0.1:${echo}"
sourceEnded = "tcp://127.0.0.1:${source}"
echoEnded = "tcp://127.0.0.1:${echo}"
`,
  );
  const child = startDeno([MAIN, "serve", "--config", config]);
  await waitFor(alpn);
  const relay: Relay = {
    name: "Postern",
    setup: "an alpn listener with routes to tls:// and tcp://",
    pid: child.pid,
    ports: { source: alpn, echo: alpn, sourceEnded: alpn, echoEnded: alpn },
    hasRoutes: true,
  };
  return { child, relay, imaps };
}

const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

/** Debian's nginx with one worker; undefined when it is not installed. */
async function startNginx(folder: string, source: number, echo: number) {
  try {
    await Deno.stat(STREAM_MODULE);
  } catch {
    return undefined;
  }
  const [preread, sourceEnded, echoEnded] = [freePort(), freePort(), freePort()];
  const ended = (port: number, to: number) =>
    `server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${folder}/certificate.pem;
    ssl_certificate_key ${folder}/key.pem;
    proxy_pass 127.0.0.1:${to};
  }`;
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `load_module ${STREAM_MODULE};
daemon off;
${Deno.uid() === 0 ? "user root;" : ""}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log;
events {}
stream {
  map $ssl_preread_alpn_protocols $target {
    source 127.0.0.1:${source};
    echo 127.0.0.1:${echo};
  }
  server {
    listen 127.0.0.1:${preread};
    ssl_preread on;
    proxy_pass $target;
  }
  ${ended(sourceEnded, source)}
  ${ended(echoEnded, echo)}
}
`,
  );
  const child = new Deno.Command("nginx", {
    args: ["-c", `${folder}/nginx.conf`, "-e", `${folder}/nginx.log`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await waitFor(preread);
  const relay: Relay = {
    name: "nginx",
    setup: "ssl_preread and ssl of its stream module, one worker",
    pid: child.pid,
    ports: { source: preread, echo: preread, sourceEnded, echoEnded },
    hasRoutes: false,
  };
  return { child, relay };
}

async function startCopyLoop(source: number, echo: number) {
  const ports = { source: freePort(), echo: freePort(), sourceEnded: 0, echoEnded: 0 };
  const pairs = [ports.source, source, ports.echo, echo].map(String);
  const child = startDeno([BACKEND, "copy", ...pairs]);
  await Promise.all([waitFor(ports.source), waitFor(ports.echo)]);
  const relay: Relay = {
    name: "copy loop",
    setup: "a plain loop over Deno.Conn, which looks at nothing",
    pid: child.pid,
    ports,
    hasRoutes: false,
  };
  return { child, relay };
}

function startDeno(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

async function waitFor(port: number): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await delay(20);
    }
  }
  throw new Error(`nobody listens on port ${port}`);
}
