import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw } from "node:zlib";

/** Longest wait for an answer before a test fails. */
const TIMEOUT_MS = 10_000;

/** A literal in a command. Synchronizing unless told otherwise. */
export interface TestLiteral {
  readonly literal: Uint8Array;
  readonly nonSync?: boolean;
  readonly binary?: boolean;
}

/** One command as its parts: text and literals in turn. */
export type CommandText = string | readonly (string | TestLiteral)[];

/** The answer to a command. Texts have one character for each octet; see `utf8`. */
export interface Result {
  readonly status: "OK" | "NO" | "BAD";
  /** Response code without brackets, or undefined. */
  readonly code: string | undefined;
  readonly text: string;
  /** Untagged responses without "* ", literals as they came: `{3}\r\nabc`. */
  readonly untagged: readonly string[];
}

/** A literal from text (its UTF-8) or bytes. */
export function literal(
  content: string | Uint8Array,
  options: { nonSync?: boolean; binary?: boolean } = {},
): TestLiteral {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  return { literal: bytes, ...options };
}

/** Text of which each character is an octet, read as UTF-8. */
export function utf8(octets: string): string {
  return Buffer.from(octets, "latin1").toString("utf8");
}

/** A client's certificate and key in PEM. */
export interface TestIdentity {
  readonly cert: string;
  readonly key: string;
}

export interface TestConnectOptions {
  readonly tls?: boolean;
  readonly alpn?: readonly string[];
  readonly identity?: TestIdentity;
  readonly greeting?: boolean;
  /** Longest wait for an answer, where it is not the usual one. */
  readonly timeoutMs?: number;
}

/** A client for conversations with a server over a real socket. */
export class TestClient {
  greeting = "";
  #socket: Socket | TLSSocket;
  #buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #ended = false;
  #deflater: DeflateRaw | undefined;
  #tags = 0;
  readonly #timeoutMs: number;

  private constructor(socket: Socket | TLSSocket, timeoutMs = TIMEOUT_MS) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    // Or the last piece of a command would wait for the server's delayed acknowledgement.
    socket.setNoDelay(true);
    this.#listen(socket);
  }

  /** Connects, in clear or with TLS, and reads the greeting. */
  static async connect(
    port: number,
    options: TestConnectOptions = {},
  ): Promise<TestClient> {
    const socket = options.tls
      ? connectTls({
        host: "127.0.0.1",
        port,
        rejectUnauthorized: false,
        ALPNProtocols: [...options.alpn ?? []],
        ...options.identity,
      })
      : connectTcp({ host: "127.0.0.1", port });
    await new Promise<void>((resolve, reject) => {
      socket.once(options.tls ? "secureConnect" : "connect", () => resolve());
      socket.once("error", reject);
    });
    const client = new TestClient(socket, options.timeoutMs);
    if (options.greeting !== false) client.greeting = await client.response();
    return client;
  }

  /** Sends a command and reads up to its tagged answer. */
  async cmd(command: CommandText): Promise<Result> {
    const tag = this.begin();
    return await this.finish(tag, command);
  }

  /** A new tag. */
  begin(): string {
    return `t${++this.#tags}`;
  }

  /** Sends `command` under `tag` and reads up to its answer. */
  async finish(tag: string, command: CommandText): Promise<Result> {
    const untagged: string[] = [];
    const parts = typeof command === "string" ? [command] : command;
    let text = `${tag} `;
    for (const part of parts) {
      if (typeof part === "string") {
        text += part;
        continue;
      }
      const { literal, nonSync, binary } = part;
      this.send(`${text}${binary ? "~" : ""}{${literal.length}${nonSync ? "+" : ""}}\r\n`);
      text = "";
      if (!nonSync) {
        const line = await this.#until(
          (line) => line.startsWith("+") || this.#isTagged(tag, line),
          untagged,
        );
        if (!line.startsWith("+")) return parseTagged(tag, line, untagged);
      }
      this.send(literal);
    }
    this.send(`${text}\r\n`);
    return await this.answer(tag, untagged);
  }

  /** Reads up to the answer to `tag`. */
  async answer(tag: string, untagged: string[] = []): Promise<Result> {
    const line = await this.#until((line) => this.#isTagged(tag, line), untagged);
    return parseTagged(tag, line, untagged);
  }

  /** A command that must succeed. */
  async ok(command: CommandText): Promise<Result> {
    return await this.#expect("OK", command);
  }

  /** A command that must be refused with NO, and this response code if one is given. */
  async no(command: CommandText, code?: string): Promise<Result> {
    return await this.#expect("NO", command, code);
  }

  /** A command that must be refused with BAD. */
  async bad(command: CommandText, code?: string): Promise<Result> {
    return await this.#expect("BAD", command, code);
  }

  /** Appends a message and gives its UID. */
  async append(
    mailbox: string,
    message: string | Uint8Array,
    options: { flags?: string; date?: string } = {},
  ): Promise<number> {
    const flags = options.flags === undefined ? "" : `(${options.flags}) `;
    const date = options.date === undefined ? "" : `"${options.date}" `;
    const result = await this.ok([`APPEND ${mailbox} ${flags}${date}`, literal(message)]);
    const match = /^APPENDUID \d+ (\d+)$/.exec(result.code ?? "");
    assert.ok(match, `no APPENDUID in ${result.code}`);
    return Number(match[1]);
  }

  /** Starts IDLE. */
  async idle(): Promise<{ next: () => Promise<string>; done: () => Promise<Result> }> {
    const tag = this.begin();
    this.send(`${tag} IDLE\r\n`);
    const early: string[] = [];
    await this.#until((line) => line.startsWith("+"), early);
    return {
      next: async () => early.shift() ?? stripStar(await this.response()),
      done: async () => {
        this.send("DONE\r\n");
        return await this.answer(tag, early);
      },
    };
  }

  /** Sends bytes as they are. */
  send(bytes: string | Uint8Array): void {
    const octets = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    if (this.#deflater) this.#deflater.write(octets);
    else this.#socket.write(octets);
  }

  /**
   * COMPRESS DEFLATE (RFC 4978), flushing each write as `flush` says; `oneByOne` sends what comes
   * out of the compressor octet by octet.
   */
  async compress(
    flush: number = constants.Z_SYNC_FLUSH,
    { oneByOne = false }: { oneByOne?: boolean } = {},
  ): Promise<void> {
    await this.ok("COMPRESS DEFLATE");
    const socket = this.#socket;
    socket.removeAllListeners("data");
    const inflater = createInflateRaw();
    this.#take(inflater);
    inflater.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => inflater.write(chunk));
    this.#deflater = createDeflateRaw({ flush });
    this.#deflater.on("data", (chunk: Buffer) => {
      if (oneByOne) { for (const octet of chunk) socket.write(Uint8Array.of(octet)); }
      else socket.write(chunk);
    });
  }

  /** Sends and reads in clear again, as after UNAUTHENTICATE (RFC 8437 4.1). */
  endCompressionLayer(): void {
    this.#deflater = undefined;
    this.#socket.removeAllListeners("data");
    this.#take(this.#socket);
  }

  /** Ends the compressed stream, which flushes it. */
  endCompression(): void {
    this.#deflater?.end();
  }

  /** The next response of any kind, without its line end; throws when the connection ended. */
  async response(): Promise<string> {
    for (;;) {
      const end = this.#responseEnd();
      if (end > 0) {
        const response = this.#buffer.subarray(0, end - 2).toString("latin1");
        this.#buffer = this.#buffer.subarray(end);
        return response;
      }
      if (this.#ended) {
        throw new Error(`connection ended; left: ${this.#buffer.toString("latin1")}`);
      }
      await this.#more();
    }
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<string> {
    while (!this.#ended) await this.#more();
    const rest = this.#buffer.toString("latin1");
    this.#buffer = Buffer.alloc(0);
    return rest;
  }

  /** Whether nothing arrives for `ms` milliseconds. */
  async isQuiet(ms: number): Promise<boolean> {
    const deadline = Date.now() + ms;
    while (Date.now() < deadline) {
      if (this.#buffer.length > 0) return false;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this.#buffer.length === 0;
  }

  /** STARTTLS and the handshake; `injected` is sent in clear right behind the command. */
  async startTls(injected = "", identity: TestIdentity | undefined = undefined): Promise<void> {
    const tag = this.begin();
    this.send(`${tag} STARTTLS\r\n${injected}`);
    const result = await this.answer(tag);
    assert.equal(result.status, "OK");
    const plain = this.#socket as Socket;
    plain.removeAllListeners("data");
    const secure = connectTls({ socket: plain, rejectUnauthorized: false, ...identity });
    await new Promise<void>((resolve, reject) => {
      secure.once("secureConnect", () => resolve());
      secure.once("error", reject);
    });
    this.#socket = secure;
    this.#listen(secure);
  }

  get socket(): Socket | TLSSocket {
    return this.#socket;
  }

  /** Logs out and closes. */
  async logout(): Promise<void> {
    if (!this.#ended) await this.cmd("LOGOUT").catch(() => undefined);
    this.close();
  }

  close(): void {
    this.#socket.destroy();
  }

  async #expect(status: Result["status"], command: CommandText, code?: string): Promise<Result> {
    const result = await this.cmd(command);
    const shown = `${
      JSON.stringify(command).slice(0, 500)
    } gave ${result.status} [${result.code}] ${result.text}`;
    assert.equal(result.status, status, shown);
    if (code !== undefined) assert.equal(result.code, code, shown);
    return result;
  }

  #isTagged(tag: string, line: string): boolean {
    return line.startsWith(`${tag} `);
  }

  async #until(isLast: (line: string) => boolean, untagged: string[]): Promise<string> {
    for (;;) {
      const line = await this.response();
      if (isLast(line)) return line;
      if (!line.startsWith("* ")) throw new Error(`unexpected response: ${line}`);
      untagged.push(stripStar(line));
    }
  }

  /** Offset behind the first whole response in the buffer, or 0. */
  #responseEnd(): number {
    let from = 0;
    for (;;) {
      const lineEnd = this.#buffer.indexOf("\r\n", from);
      if (lineEnd < 0) return 0;
      const header = /\{(\d+)\}$/.exec(
        this.#buffer.subarray(Math.max(from, lineEnd - 24), lineEnd).toString("latin1"),
      );
      if (!header) return lineEnd + 2;
      from = lineEnd + 2 + Number(header[1]);
      if (from > this.#buffer.length) return 0;
    }
  }

  #listen(socket: Socket | TLSSocket): void {
    this.#take(socket);
    const end = () => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on("end", end);
    socket.on("close", end);
    socket.on("error", end);
  }

  #take(source: { on(event: "data", listener: (chunk: Buffer) => void): unknown }): void {
    source.on("data", (chunk) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      this.#wake?.();
    });
  }

  async #more(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve;
      timer = setTimeout(
        () => reject(new Error(`no answer; so far: ${this.#buffer.toString("latin1")}`)),
        this.#timeoutMs,
      );
    }).finally(() => clearTimeout(timer));
  }
}

function stripStar(line: string): string {
  return line.startsWith("* ") ? line.slice(2) : line;
}

function parseTagged(tag: string, line: string, untagged: readonly string[]): Result {
  const match = /^\S+ (OK|NO|BAD) (?:\[((?:[^\]"]|"(?:[^"\\]|\\.)*")*)\] ?)?(.*)$/s.exec(line);
  if (!match) throw new Error(`not an answer to ${tag}: ${line}`);
  return {
    status: match[1] as Result["status"],
    code: match[2],
    text: match[3] ?? "",
    untagged,
  };
}
