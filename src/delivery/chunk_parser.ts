import { SMTPStream } from "smtp-server/lib/smtp-stream.js";
import type { Bytes } from "../base/mod.ts";

/** smtp-server's parser, and the octets that follow a BDAT command (RFC 3030 2). */
export class ChunkParser extends SMTPStream {
  #chunk: Chunk | undefined;

  /** Has the next octets read as a chunk, which has at least one. */
  readChunk(chunk: Chunk): void {
    this.#chunk = chunk;
    this._dataMode = true;
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
      chunk.end(() => this._write(rest, "buffer", next));
    });
  }
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
