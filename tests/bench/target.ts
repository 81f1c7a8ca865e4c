import { cpuSeconds } from "./process_usage.ts";
import { RawClient } from "./raw_client.ts";

export const PASSWORD = "bench password";

/** A server under measurement. It has accounts `user@bench.example` and `other@bench.example`. */
export interface Target {
  readonly name: string;
  /** What the table's reader must know of how it is set up. */
  readonly setup: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly lmtpPort: number;
  readonly caCerts: readonly string[];
  /** Root of the server's processes. */
  readonly pid: number;
  /** Ends the processes and starts them on the same data; ports may change. */
  restart(): Promise<void>;
  /** Ends the processes and removes the data. */
  stop(): Promise<void>;
}

/** A logged-in connection. */
export async function logIn(
  target: Target,
  options: { tls?: boolean; mailbox?: string; user?: string; bufferBytes?: number } = {},
): Promise<RawClient> {
  const { tls, mailbox, user = "user", bufferBytes } = options;
  const client = await RawClient.connect(tls ? target.tlsPort : target.port, {
    ...(tls ? { caCerts: target.caCerts } : {}),
    ...(bufferBytes === undefined ? {} : { bufferBytes }),
  });
  await client.command(`LOGIN ${user}@bench.example "${PASSWORD}"`);
  if (mailbox !== undefined) await client.command(`SELECT ${mailbox}`);
  return client;
}

/** Waits until the server has no work left from before, such as filling an index. */
export async function settle(target: Target, limitMs: number): Promise<number> {
  const started = performance.now();
  for (let quiet = 0; quiet < 3 && performance.now() - started < limitMs;) {
    const before = cpuSeconds(target.pid);
    await delay(100);
    quiet = cpuSeconds(target.pid) - before > 0.01 ? 0 : quiet + 1;
  }
  return performance.now() - started - 300;
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A port that was free just now. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
