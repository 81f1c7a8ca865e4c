import { decodeUtf8, encodeUtf8 } from "../../base/mod.ts";

const LF = 0x0a;

/** A connection on which each line is a JSON value. */
export class JsonLines {
  readonly #connection: Deno.Conn;
  readonly #maxLineBytes: number;

  constructor(connection: Deno.Conn, maxLineBytes: number) {
    this.#connection = connection;
    this.#maxLineBytes = maxLineBytes;
  }

  /** Values until the other side ends. Throws SyntaxError at the first line that is none. */
  async *read(): AsyncGenerator<unknown> {
    const buffer = new Uint8Array(16 * 1024);
    let parts: Uint8Array[] = [];
    let length = 0;
    for (let count; (count = await this.#connection.read(buffer)) !== null;) {
      for (let at = 0; at < count;) {
        const end = buffer.subarray(0, count).indexOf(LF, at);
        const part = buffer.slice(at, end < 0 ? count : end);
        parts.push(part);
        length += part.length;
        if (length > this.#maxLineBytes) throw new SyntaxError("a line is too long");
        at += part.length + 1;
        if (end < 0) break;
        const line = new Uint8Array(length);
        let to = 0;
        for (const piece of parts) {
          line.set(piece, to);
          to += piece.length;
        }
        parts = [];
        length = 0;
        yield JSON.parse(decodeUtf8(line));
      }
    }
  }

  /** Waits until the other side took it, or its system did. */
  async write(value: unknown): Promise<void> {
    const bytes = encodeUtf8(`${JSON.stringify(value)}\n`);
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  close(): void {
    try {
      this.#connection.close();
    } catch {
      // Closed already, by a timer or the other side's end.
    }
  }
}
