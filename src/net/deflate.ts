import { constants, createInflateRaw, deflateRawSync, type InflateRaw } from "node:zlib";
import { type Bytes, othersTurn } from "../base/mod.ts";
import { INFLATED_PER_TURN } from "./limits.ts";

/** Level of compressed output unless asked otherwise: nearly the ratio of 6 at 1.6 times its speed. */
export const DEFAULT_COMPRESSION_LEVEL = 3;

/** Output buffer of an inflater, which it keeps while the connection is idle. */
const INFLATE_CHUNK = 4096;

/**
 * `bytes` as a piece of a raw deflate stream that ends on a byte boundary, so that the peer can
 * read all of it at once (RFC 4978 4). Each piece refers to nothing before it: that costs some
 * compression, and saves keeping 230 KiB of compressor for every idle connection.
 */
export function deflatePiece(bytes: Bytes, level: number): Bytes {
  const piece = deflateRawSync(bytes, { level, finishFlush: constants.Z_SYNC_FLUSH });
  return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
}

/** Who gets what an inflater makes. */
export interface InflaterSink {
  onInflated(bytes: Bytes): void;
  /** The input is not deflate. */
  onInflateError(error: Error): void;
  /** Input may be fed again, or everything fed has come out. */
  onInflateIdle(): void;
}

/**
 * Decompresses a raw deflate stream as it comes, however the peer flushes (RFC 4978 4). After an
 * error, or after the stream's own end, it takes nothing more.
 */
export class Inflater {
  readonly #stream: InflateRaw;
  #underWay = 0;
  #ended = false;
  /** Whether the sink wants more. */
  #isWanted = true;
  /** What has come out since the last rest. */
  #sinceRest = 0;
  #isResting = false;

  constructor(sink: InflaterSink) {
    this.#stream = createInflateRaw({ chunkSize: INFLATE_CHUNK });
    this.#stream.on("data", (chunk: Uint8Array) => {
      this.#sinceRest += chunk.length;
      if (this.#sinceRest >= INFLATED_PER_TURN && !this.#isResting) void this.#takeRest();
      sink.onInflated(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    });
    this.#stream.on("error", (error: Error) => {
      this.#ended = true;
      sink.onInflateError(error);
    });
    this.#stream.on("end", () => {
      this.#ended = true;
      sink.onInflateIdle();
    });
    this.#stream.on("drain", () => sink.onInflateIdle());
    this.#written = () => {
      this.#underWay--;
      if (this.#underWay === 0) sink.onInflateIdle();
    };
  }

  readonly #written: () => void;

  /** Whether the stream is over, by its own end or by an error. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether everything that was fed has come out. */
  get isIdle(): boolean {
    return this.#ended || (this.#underWay === 0 && this.#stream.readableLength === 0);
  }

  /** Feeds input; false when no more is wanted until `onInflateIdle`. */
  feed(bytes: Bytes): boolean {
    if (this.#ended) return true;
    this.#underWay++;
    return this.#stream.write(bytes, this.#written);
  }

  pause(): void {
    this.#isWanted = false;
    this.#stream.pause();
  }

  resume(): void {
    this.#isWanted = true;
    if (!this.#isResting) this.#stream.resume();
  }

  destroy(): void {
    this.#ended = true;
    this.#stream.destroy();
  }

  /** Lets other connections have their turn: left alone, one piece after another would come out. */
  async #takeRest(): Promise<void> {
    this.#sinceRest = 0;
    this.#isResting = true;
    this.#stream.pause();
    await othersTurn();
    this.#isResting = false;
    if (this.#isWanted && !this.#ended) this.#stream.resume();
  }
}
