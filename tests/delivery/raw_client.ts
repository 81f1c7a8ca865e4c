import net from "node:net";
import tls from "node:tls";
import { parseAddress } from "../../src/net/mod.ts";

/** A client that speaks to a socket by lines. */
export class RawClient {
  #socket: net.Socket;
  #received = "";
  #wake = () => {};
  ended = false;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  #listen(socket: net.Socket): void {
    socket.on("data", (chunk) => {
      this.#received += chunk.toString();
      this.#wake();
    });
    const end = () => {
      this.ended = true;
      this.#wake();
    };
    socket.on("end", () => {
      end();
      socket.end();
    });
    socket.on("close", end);
    socket.on("error", end);
  }

  static async connectTls(port: number, options: tls.ConnectionOptions = {}): Promise<RawClient> {
    const socket = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
    await secured(socket);
    return new RawClient(socket);
  }

  /** Speaks TLS from here on. */
  async startTls(options: tls.ConnectionOptions = {}): Promise<void> {
    const before = this.#socket;
    before.removeAllListeners("data");
    before.removeAllListeners("end");
    const socket = tls.connect({ socket: before, rejectUnauthorized: false, ...options });
    await secured(socket);
    this.#socket = socket;
    this.#received = "";
    this.#listen(socket);
  }

  static async connect(address: string): Promise<RawClient> {
    const where = parseAddress(address);
    const socket = where.kind === "unix"
      ? net.connect({ path: where.path, allowHalfOpen: true })
      : net.connect({ host: where.host, port: where.port, allowHalfOpen: true });
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RawClient(socket);
  }

  send(text: string | Uint8Array): void {
    this.#socket.write(text);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The next reply, its lines joined; "" at the end of the connection. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(this.#received);
      if (match !== null) {
        this.#received = this.#received.slice(match[0].length);
        return match[0].trimEnd();
      }
      if (this.ended) return "";
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async replies(count: number): Promise<string[]> {
    const all: string[] = [];
    while (all.length < count) all.push(await this.reply());
    return all;
  }

  /** Sends a line and gives the reply. */
  async ask(line: string): Promise<string> {
    this.send(`${line}\r\n`);
    return await this.reply();
  }
}

function secured(socket: tls.TLSSocket): Promise<unknown> {
  return new Promise((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
}
