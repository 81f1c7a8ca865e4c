import { Buffer } from "node:buffer";
import { SMTPStream } from "smtp-server/lib/smtp-stream.js";
import { type Bytes, concatBytes, EMPTY_BYTES } from "../base/mod.ts";

/** Lines of commands that are taken in one turn of the event loop. */
const LINES_IN_ONE_TURN = 100;
/** Stands for a line that is none: no command, and no answer in an exchange. */
const NO_LINE = Buffer.from("?\r\n");

/**
 * smtp-server's parser, strict about lines (RFC 5321 2.3.8): they end with CRLF and have no other CR
 * or LF, nor NUL, and one that is cut off by the end of the connection is none. And the octets that
 * follow a BDAT command (RFC 3030 2).
 */
export class ChunkParser extends SMTPStream {
  readonly #maxLineBytes: number;
  #chunk: Chunk | undefined;
  /** What has come of the present line. */
  #line: Bytes = EMPTY_BYTES;
  #lines = 0;

  constructor(options: { readonly maxCommandLength: number }) {
    super(options);
    this.#maxLineBytes = options.maxCommandLength;
  }

  /** Has the next octets read as a chunk, which has at least one. */
  readChunk(chunk: Chunk): void {
    this.#chunk = chunk;
    this._dataMode = true;
  }

  /** One line at a time, since it may say that what follows is none. */
  override _write(
    bytes: Octets,
    encoding: BufferEncoding,
    next: (error?: Error | null) => void,
  ): void {
    if (this._dataMode || this.isClosed) return super._write(bytes, encoding, next);
    const end = bytes.indexOf(10) + 1;
    const line = this.#line = concatBytes([this.#line, end > 0 ? bytes.subarray(0, end) : bytes]);
    // With CRLF.
    if (line.length > this.#maxLineBytes + 2) {
      this.#line = EMPTY_BYTES;
      return next(new Error("Command line too long"));
    }
    if (end === 0) return next();
    this.#line = EMPTY_BYTES;
    const rest = bytes.subarray(end);
    super._write(isLine(line) ? Buffer.from(line) : NO_LINE, encoding, (error) => {
      if (error || rest.length === 0) return next(error);
      // A chunk may have thousands of commands, all of which are answered at once.
      if (++this.#lines % LINES_IN_ONE_TURN > 0) this._write(rest, encoding, next);
      else setImmediate(() => this._write(rest, encoding, next));
    });
  }

  override _feedDataStream(bytes: Octets, next: (error?: Error | null) => void): void {
    const chunk = this.#chunk;
    if (chunk === undefined) return super._feedDataStream(bytes, next);
    const piece = bytes.subarray(0, chunk.size);
    const rest = bytes.subarray(piece.length);
    void chunk.take(piece).then(() => {
      chunk.size -= piece.length;
      if (chunk.size > 0) return next();
      this.#chunk = undefined;
      this._dataMode = false;
      chunk.end(() => rest.length > 0 ? this._write(rest, "utf8", next) : next());
    });
  }

  /** smtp-server would run what is there of a command. */
  override _flushData(): void {}
}

/** Whether the octets, which end with the first LF, are a line. */
function isLine(bytes: Bytes): boolean {
  return bytes.indexOf(13) === bytes.length - 2 && bytes.length > 1 && !bytes.includes(0);
}

/** The octets of one BDAT command. */
export interface Chunk {
  /** How many are still to come. */
  size: number;
  /** Takes a piece of them; must not reject. */
  readonly take: (bytes: Bytes) => Promise<void>;
  /** Called after the last one; commands go on when `goOn` is called. */
  readonly end: (goOn: () => void) => void;
}

type Octets = Parameters<SMTPStream["_feedDataStream"]>[0];
