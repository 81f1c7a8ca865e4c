/**
 * Stores and fetches one message of any size through a server in a process of its own, and watches
 * that process's memory: `deno run -A tests/load/large_message.ts [octets]`, 2.2 GB unless given.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { withServerProcess } from "./server_process.ts";

const PIECE = 1024 * 1024;

export interface LargeMessageReport {
  /** The most that the server's memory grew while it took and gave the message, MB. */
  readonly grownMb: number;
  readonly appendSeconds: number;
  readonly fetchSeconds: number;
}

export async function transferLargeMessage(octets: number): Promise<LargeMessageReport> {
  return await withServerProcess(
    `[limits]\nmax_message_size = "${Math.ceil(octets / 2 ** 20) + 1}M"\n`,
    async (server) => {
      const socket = connect({ host: "127.0.0.1", port: server.port });
      const reader = new OctetReader(socket);
      await reader.until(/^\* OK/);
      // Once, so that what a first message needs is there.
      socket.write(`l LOGIN ${server.user} "${server.password}"\r\ns SELECT INBOX\r\n`);
      await reader.until(/^s OK/);
      socket.write(
        "w APPEND INBOX {300000+}\r\n" + "x".repeat(300_000) + "\r\nv FETCH 1 BODY[]\r\n",
      );
      await reader.until(/^v OK/);
      const before = server.rssMb();
      let highest = before;
      const watch = setInterval(() => highest = Math.max(highest, server.rssMb()), 50);

      const started = performance.now();
      const header = Buffer.from("Subject: large\r\n\r\n");
      socket.write(`a APPEND INBOX {${octets}+}\r\n`);
      await write(socket, header);
      for (let at = header.length; at < octets; at += PIECE) {
        await write(socket, piece(at, Math.min(octets, at + PIECE)));
      }
      socket.write("\r\n");
      await reader.until(/^a OK/);
      const appended = performance.now();

      socket.write("f FETCH 2 (RFC822.SIZE BODY.PEEK[])\r\n");
      const head = await reader.until(/BODY\[\] \{\d+\}$/);
      assert.match(head, new RegExp(`RFC822.SIZE ${octets} `));
      let at = 0;
      while (at < octets) {
        const bytes = await reader.some(octets - at);
        for (let from = 0; from < bytes.length;) {
          if (at + from < header.length) {
            assert.equal(bytes[from], header[at + from]);
            from++;
            continue;
          }
          // Piece by piece, as it was sent.
          const position = at + from;
          const end = Math.min(octets, position - (position - header.length) % PIECE + PIECE);
          const expected = piece(position, Math.min(end, at + bytes.length));
          assert.ok(
            Buffer.compare(bytes.subarray(from, from + expected.length), expected) === 0,
            `octets about ${position}`,
          );
          from += expected.length;
        }
        at += bytes.length;
      }
      await reader.until(/^f OK/);
      const fetched = performance.now();
      clearInterval(watch);
      socket.destroy();
      return {
        grownMb: highest - before,
        appendSeconds: (appended - started) / 1000,
        fetchSeconds: (fetched - appended) / 1000,
      };
    },
  );
}

const LINE = Buffer.from(
  Array.from(
    { length: 1024 },
    (_, i) => `${i.toString(36).padStart(4, "0")} of a long line of text that goes on.\r\n`,
  )
    .join(""),
);

/** Octets `start` to `end` of the endless text that the message is made of. */
function piece(start: number, end: number): Buffer {
  const bytes = Buffer.alloc(end - start);
  for (let at = 0; at < bytes.length;) {
    const from = (start + at) % LINE.length;
    at += LINE.copy(bytes, at, from, Math.min(LINE.length, from + bytes.length - at));
  }
  return bytes;
}

async function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (!socket.write(bytes)) await new Promise<void>((resolve) => socket.once("drain", resolve));
}

/** Lines and octets of a socket, without keeping more than it has to. */
class OctetReader {
  readonly #iterator: AsyncIterator<Buffer>;
  #rest = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#iterator = socket[Symbol.asyncIterator]();
  }

  /** Reads lines up to one that matches, which it gives. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#rest.subarray(0, end).toString("latin1");
        this.#rest = this.#rest.subarray(end + 2);
        if (pattern.test(line)) return line;
        if (/^\w+ (NO|BAD)/.test(line)) throw new Error(line);
        continue;
      }
      this.#rest = Buffer.concat([this.#rest, await this.#next()]);
    }
  }

  /** The next octets, at most `most`. */
  async some(most: number): Promise<Buffer> {
    if (this.#rest.length === 0) this.#rest = await this.#next();
    const bytes = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  async #next(): Promise<Buffer<ArrayBuffer>> {
    const { value, done } = await this.#iterator.next();
    if (done) throw new Error(`the connection ended; left: ${this.#rest}`);
    return value as Buffer<ArrayBuffer>;
  }
}

if (import.meta.main) {
  const octets = Number(Deno.args[0] ?? 2_200_000_000);
  const { grownMb, appendSeconds, fetchSeconds } = await transferLargeMessage(octets);
  // deno-lint-ignore no-console -- a program for the terminal
  console.log(
    `${octets} octets: stored in ${appendSeconds.toFixed(1)} s, fetched in ` +
      `${fetchSeconds.toFixed(1)} s; the server grew by at most ${grownMb.toFixed(0)} MB`,
  );
}
