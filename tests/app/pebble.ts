import { makeSelfSigned } from "../../src/net/mod.ts";
import { isInstalled } from "../interop/programs.ts";

/** Debian's `pebble`, a certificate authority for tests, and its DNS server: every name is 127.0.0.1. */

export const HAS_PEBBLE = isInstalled("pebble") && isInstalled("pebble-challtestsrv");

export interface PebbleOptions {
  readonly folder: string;
  /** Where it connects to, to validate names by tls-alpn-01 and http-01. */
  readonly tlsPort: number;
  readonly httpPort: number;
  /** Where it listens; any free port unless given. */
  readonly port?: number;
  /** How long its certificates hold. */
  readonly validitySeconds?: number;
}

export interface Pebble {
  readonly directory: string;
  /** PEM that a client of the directory must trust. */
  readonly caFile: string;
  /** What it logged so far. */
  log(): string;
  stop(): Promise<void>;
}

/** A port that was free just now. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Writes what Pebble shows its clients; may be done before it runs. */
export async function writePebbleCertificate(folder: string): Promise<string> {
  const { certificate, privateKey } = await makeSelfSigned(["localhost"], Date.now());
  await Deno.writeTextFile(`${folder}/pebble.key.pem`, privateKey);
  await Deno.writeTextFile(`${folder}/pebble.pem`, certificate);
  return `${folder}/pebble.pem`;
}

/** Starts it; `folder` has what `writePebbleCertificate` writes. */
export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  const { folder, tlsPort, httpPort, port = freePort(), validitySeconds } = options;
  const caFile = `${folder}/pebble.pem`;
  await Deno.writeTextFile(
    `${folder}/pebble.json`,
    JSON.stringify({
      pebble: {
        listenAddress: `127.0.0.1:${port}`,
        managementListenAddress: "",
        certificate: caFile,
        privateKey: `${folder}/pebble.key.pem`,
        httpPort,
        tlsPort,
        ...(validitySeconds === undefined ? {} : { certificateValidityPeriod: validitySeconds }),
      },
    }),
  );
  const dnsPort = freePort();
  const dns = start("pebble-challtestsrv", [
    ...["-dns01", `127.0.0.1:${dnsPort}`, "-defaultIPv6", ""],
    ...["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", ""],
  ]);
  const server = start("pebble", [
    ...["-config", `${folder}/pebble.json`, "-dnsserver", `127.0.0.1:${dnsPort}`, "-strict"],
  ]);
  for (let tries = 0; !server.log().includes("ACME directory available"); tries++) {
    if (tries > 500) throw new Error(`pebble did not start: ${server.log()}${dns.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    directory: `https://localhost:${port}/dir`,
    caFile,
    log: server.log,
    async stop() {
      await Promise.all([server.stop(), dns.stop()]);
    },
  };
}

function start(program: string, args: readonly string[]) {
  const child = new Deno.Command(program, {
    args: [...args],
    env: { PEBBLE_VA_NOSLEEP: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const piece of stream) text += decoder.decode(piece, { stream: true });
  };
  const reading = [read(child.stdout), read(child.stderr)];
  return {
    log: () => text,
    async stop() {
      child.kill("SIGKILL");
      await Promise.all([child.status, ...reading]);
    },
  };
}
