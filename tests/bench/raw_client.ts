const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

/** Octets kept of the end of an answer: more than any tagged line, CAPABILITY code and all. */
const TAIL_BYTES = 4096;

/**
 * A client that does as little as possible, so that the server is what is measured: it sends, and
 * reads up to the tagged line without looking at what comes before it. One command at a time.
 */
export class RawClient {
  readonly #conn: Deno.Conn;
  readonly #buffer: Uint8Array;
  #tail = "";
  #tags = 0;

  private constructor(conn: Deno.Conn, bufferBytes: number) {
    this.#conn = conn;
    this.#buffer = new Uint8Array(bufferBytes);
  }

  /** Connects to 127.0.0.1 and reads the greeting. `caCerts`: with TLS, trusting these. */
  static async connect(
    port: number,
    options: { caCerts?: readonly string[]; bufferBytes?: number } = {},
  ): Promise<RawClient> {
    const address = { hostname: "127.0.0.1", port };
    const tcp = await Deno.connect(address);
    // Before TLS: or the parts of the handshake wait for the server's delayed acknowledgement.
    tcp.setNoDelay(true);
    const { caCerts } = options;
    const conn = caCerts
      ? await Deno.startTls(tcp, { hostname: "127.0.0.1", caCerts: [...caCerts] })
      : tcp;
    const client = new RawClient(conn, options.bufferBytes ?? 512 * 1024);
    await client.readUntil((tail) => tail.endsWith("\r\n"));
    return client;
  }

  /** Sends text or bytes as they are. */
  async send(data: string | Uint8Array): Promise<void> {
    let rest = typeof data === "string" ? encoder.encode(data) : data;
    while (rest.length > 0) rest = rest.subarray(await this.#conn.write(rest));
  }

  /** Runs a command that must succeed; gives the octets of its answer. */
  async command(...parts: readonly (string | Uint8Array)[]): Promise<number> {
    const tag = `T${++this.#tags}`;
    if (parts.every((part) => typeof part === "string")) {
      await this.send(`${tag} ${parts.join("")}\r\n`);
    } else {
      await this.send(join([`${tag} `, ...parts, "\r\n"]));
    }
    return await this.readAnswer(tag);
  }

  /** Reads up to the tagged OK. */
  async readAnswer(tag: string): Promise<number> {
    const start = `${tag} `;
    let line = "";
    const length = await this.readUntil((tail) => {
      if (!tail.endsWith("\r\n")) return false;
      line = tail.slice(tail.lastIndexOf("\n", tail.length - 2) + 1);
      return line.startsWith(start);
    });
    if (!line.startsWith(`${start}OK`)) throw new Error(line);
    return length;
  }

  /** Reads until what came last satisfies `isEnd`; gives the octets read. */
  async readUntil(isEnd: (tail: string) => boolean): Promise<number> {
    let length = 0;
    this.#tail = "";
    do {
      const count = await this.#conn.read(this.#buffer);
      if (count === null) throw new Error(`connection ended: ${this.#tail}`);
      length += count;
      const piece = decoder.decode(this.#buffer.subarray(Math.max(0, count - TAIL_BYTES), count));
      this.#tail = (this.#tail + piece).slice(-TAIL_BYTES);
    } while (!isEnd(this.#tail));
    return length;
  }

  close(): void {
    this.#conn.close();
  }
}

/** Text and bytes as one array, so that they leave in one write. */
export function join(parts: readonly (string | Uint8Array)[]): Uint8Array {
  const arrays = parts.map((part) => typeof part === "string" ? encoder.encode(part) : part);
  const whole = new Uint8Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const array of arrays) {
    whole.set(array, offset);
    offset += array.length;
  }
  return whole;
}
