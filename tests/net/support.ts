/** Listeners and clients on the loopback for the tests of net. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import {
  type CertificatePair,
  CertificateStore,
  listen,
  type Listener,
  type ListenOptions,
  makeSelfSigned,
  parseAddress,
  type Transport,
  type WatchedTransport,
} from "../../src/net/mod.ts";
import { mendTlsFlow } from "../../src/net/flow.ts";

/** A test over real sockets: what it opens through its scope is closed when it ends. */
export function netTest(name: string, run: (scope: Scope) => Promise<void>, ignore = false): void {
  Deno.test({
    name,
    ignore,
    fn: async () => {
      const scope = new Scope();
      try {
        await run(scope);
      } finally {
        await scope.close();
      }
    },
  });
}

/** What a test has opened. */
export class Scope {
  #closers: (() => unknown)[] = [];

  onClose(closer: () => unknown): void {
    this.#closers.push(closer);
  }

  async close(): Promise<void> {
    for (const closer of this.#closers.reverse()) await closer();
    await pause(20);
  }

  /** A listener whose connections queue up in `next`. */
  async listen(
    options: Partial<ListenOptions> = {},
  ): Promise<
    { listener: Listener; port: number; next: () => Promise<Arrival>; count: () => number }
  > {
    const arrivals: Arrival[] = [];
    const waiting: ((arrival: Arrival) => void)[] = [];
    let count = 0;
    const listener = await listen({
      kind: "imap",
      address: "127.0.0.1:0",
      onConnection: (transport, target) => {
        count++;
        this.onClose(() => transport.destroy());
        const waiter = waiting.shift();
        if (waiter === undefined) arrivals.push({ transport, target });
        else waiter({ transport, target });
      },
      ...options,
    });
    this.onClose(() => listener.close());
    const address = parseAddress(listener.address);
    return {
      listener,
      port: address.kind === "tcp" ? address.port : 0,
      next: () => {
        const arrival = arrivals.shift();
        if (arrival !== undefined) return Promise.resolve(arrival);
        return within(new Promise((resolve) => waiting.push(resolve)), "a connection");
      },
      count: () => count,
    };
  }

  /** A plain client. */
  async connect(port: number | string): Promise<Client> {
    const socket = typeof port === "string"
      ? net.connect({ path: port, allowHalfOpen: true })
      : net.connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    const client = new Client(socket);
    this.onClose(() => socket.destroy());
    await within(
      new Promise<void>((resolve, reject) => {
        socket.once("connect", resolve);
        socket.once("error", reject);
      }),
      "connect",
    );
    return client;
  }

  /** A TLS client that trusts anyone. Rejects when the handshake fails. */
  async connectTls(
    port: number,
    options: tls.ConnectionOptions = {},
  ): Promise<Client & { socket: tls.TLSSocket }> {
    // A socket of its own below, so that the client's reading can really be paused.
    const raw = net.connect({ host: "127.0.0.1", port });
    raw.on("error", () => {});
    const socket = tls.connect({
      socket: raw,
      rejectUnauthorized: false,
      servername: "localhost",
      ...options,
    });
    mendTlsFlow(socket);
    this.onClose(() => socket.destroy());
    const client = new Client(socket) as Client & { socket: tls.TLSSocket };
    await within(
      new Promise<void>((resolve, reject) => {
        socket.once("secureConnect", resolve);
        socket.once("error", reject);
        socket.once("close", () => reject(new Error("closed")));
      }),
      "TLS handshake",
    );
    return client;
  }

  /** A server of the test's own; gives its port. */
  async serve(onSocket: (socket: net.Socket) => void): Promise<number> {
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      this.onClose(() => socket.destroy());
      onSocket(socket);
    });
    this.onClose(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as net.AddressInfo).port;
  }
}

export interface Arrival {
  readonly transport: WatchedTransport;
  readonly target: string;
}

/** Collects what a socket receives. */
export class Client {
  readonly socket: net.Socket;
  received = Buffer.alloc(0);
  ended = false;
  closed = false;
  error: (Error & { code?: string }) | undefined;
  #wakers: (() => void)[] = [];

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Uint8Array) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#wake();
    });
    socket.on("end", () => {
      this.ended = true;
      this.#wake();
    });
    socket.on("close", () => {
      this.closed = true;
      this.#wake();
    });
    socket.on("error", (error) => {
      this.error = error;
      this.#wake();
    });
  }

  get text(): string {
    return this.received.toString("latin1");
  }

  send(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Waits until what was received satisfies `test`. */
  async until(test: (client: Client) => boolean, what: string): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (!test(this)) {
      if (Date.now() > deadline) assert.fail(`waited in vain for ${what}; have ${this.text}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#wakers.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  waitFor(text: string): Promise<void> {
    return this.until((client) => client.text.includes(text), JSON.stringify(text));
  }

  waitForEnd(): Promise<void> {
    return this.until((client) => client.ended || client.closed, "the end");
  }

  #wake(): void {
    for (const wake of this.#wakers.splice(0)) wake();
  }
}

/** Fails the test when `promise` takes more than ten seconds. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), 10_000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `test` holds. */
export async function eventually(test: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!test()) {
    if (Date.now() > deadline) assert.fail(`waited in vain for ${what}`);
    await pause(10);
  }
}

const pairs = new Map<string, Promise<CertificatePair>>();

/** A self-signed certificate for `hosts`, made once. */
export function pairFor(...hosts: [string, ...string[]]): Promise<CertificatePair> {
  const key = hosts.join();
  let pair = pairs.get(key);
  if (pair === undefined) pairs.set(key, pair = makeSelfSigned(hosts, Date.now()));
  return pair;
}

export async function storeFor(...hosts: [string, ...string[]]): Promise<CertificateStore> {
  return new CertificateStore([await pairFor(...hosts)]);
}

/** Reads text from a transport until it contains `text`. */
export async function readUntil(transport: Transport, text: string): Promise<string> {
  let all = "";
  while (!all.includes(text)) {
    const bytes = await transport.read(10_000);
    assert(bytes, `ended or silent; have ${JSON.stringify(all)}`);
    all += Buffer.from(bytes).toString("latin1");
  }
  return all;
}

export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Whether a program can be run here. */
export function hasProgram(name: string): boolean {
  try {
    return new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().code < 127;
  } catch {
    return false;
  }
}

/** Runs Python with a script and gives what it printed; its own failure is the test's. */
export async function python(script: string, ...args: string[]): Promise<string> {
  const output = await new Deno.Command("python3", { args: ["-c", script, ...args] }).output();
  const decoder = new TextDecoder();
  assert.equal(output.code, 0, decoder.decode(output.stderr));
  return decoder.decode(output.stdout).trim();
}

/** A ClientHello as bytes, in one record unless `recordSize` says otherwise. */
export function buildClientHello(
  options: { sni?: string; alpn?: readonly string[]; padding?: number; recordSize?: number } = {},
): Uint8Array {
  const u16 = (value: number) => [value >> 8, value & 0xff];
  const vector = (bytes: readonly number[]) => [...u16(bytes.length), ...bytes];
  const extensions: number[] = [];
  const extension = (type: number, data: readonly number[]) =>
    extensions.push(...u16(type), ...vector(data));
  if (options.padding !== undefined) extension(21, new Array(options.padding).fill(0));
  if (options.sni !== undefined) extension(0, vector([0, ...vector([...ascii(options.sni)])]));
  if (options.alpn !== undefined) {
    extension(16, vector(options.alpn.flatMap((name) => [name.length, ...ascii(name)])));
  }
  const body = [3, 3, ...new Array(32).fill(7), 0, ...vector([0x13, 1]), 1, 0];
  if (extensions.length > 0) { for (const byte of vector(extensions)) body.push(byte); }
  const message = [1, body.length >> 16, ...u16(body.length & 0xffff), ...body];
  const records: number[] = [];
  const size = options.recordSize ?? 16_384;
  for (let i = 0; i < message.length; i += size) {
    const piece = message.slice(i, i + size);
    records.push(22, 3, 1, ...u16(piece.length));
    for (const byte of piece) records.push(byte);
  }
  return Uint8Array.from(records);
}
