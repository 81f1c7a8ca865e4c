import { type Bytes, concatBytes } from "../base/mod.ts";
import { MessageParser, type ParsedMessage } from "../message/mod.ts";
import { INLINE_RAW_BYTES, type MessageStage, type StagedMessage } from "./account_store.ts";

/** Octets of every piece but the last in which a message is given to an engine. */
export const CHUNK_BYTES = INLINE_RAW_BYTES;

const CR = 13;
const LF = 10;

/** What an engine does with a message that comes in. */
export interface StageSink {
  /** Keeps the next `CHUNK_BYTES` bytes; called only when more follow. */
  write(chunk: Bytes): Promise<void>;
  /** Ends the message with what is left: at most one chunk, and all of it when none was written. */
  finish(rest: Bytes, parsed: ParsedMessage): Promise<StagedMessage>;
  /** Forgets the chunks written; not called after `finish`. */
  discard(): Promise<void>;
}

/**
 * The way in that every engine shares: makes line ends CRLF, parses, and cuts into chunks, so that
 * what is derived from a message is the same whatever keeps it.
 */
export class IngestStage implements MessageStage {
  readonly #sink: StageSink;
  readonly #parser = new MessageParser();
  #pending: Bytes[] = [];
  #pendingBytes = 0;
  #size = 0;
  #endsInCr = false;
  #ended: StagedMessage | "discarded" | undefined;

  constructor(sink: StageSink) {
    this.#sink = sink;
  }

  get size(): number {
    return this.#size;
  }

  async write(chunk: Bytes): Promise<void> {
    if (this.#ended) throw new Error("written to a message that has ended");
    this.#take(toCrlf(chunk, this.#endsInCr));
    if (chunk.length > 0) this.#endsInCr = chunk[chunk.length - 1] === CR;
    // More than a chunk, not just one: a message of at most one chunk is never staged on disk.
    while (this.#pendingBytes > CHUNK_BYTES) {
      const whole = concatBytes(this.#pending);
      this.#pending = [whole.subarray(CHUNK_BYTES)];
      this.#pendingBytes -= CHUNK_BYTES;
      await this.#sink.write(whole.subarray(0, CHUNK_BYTES));
    }
  }

  async finish(): Promise<StagedMessage> {
    if (this.#ended) throw new Error("a message ends once");
    if (this.#endsInCr) this.#take(Uint8Array.of(LF));
    const rest = concatBytes(this.#pending);
    this.#pending = [];
    const staged = await this.#sink.finish(rest, this.#parser.end());
    this.#ended = staged;
    return staged;
  }

  async discard(): Promise<void> {
    const ended = this.#ended;
    if (ended === "discarded") return;
    this.#ended = "discarded";
    this.#pending = [];
    if (ended) await ended.discard();
    else await this.#sink.discard();
  }

  #take(bytes: Bytes): void {
    if (bytes.length === 0) return;
    this.#parser.write(bytes);
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#size += bytes.length;
  }
}

/**
 * A copy of `chunk` in which bare CR and bare LF are CRLF. A CR at the very end is left for the next
 * chunk (or the end of the message) to complete; `afterCr` says that the previous one ended so.
 */
function toCrlf(chunk: Bytes, afterCr: boolean): Bytes {
  let extra = 0;
  let previousIsCr = afterCr;
  for (let i = 0; i < chunk.length; i++) {
    const byte = chunk[i]!;
    if (byte === LF ? !previousIsCr : previousIsCr) extra++;
    previousIsCr = byte === CR;
  }
  // A copy even when nothing changes: the caller may use its buffer again.
  if (extra === 0) return chunk.slice();
  const out = new Uint8Array(chunk.length + extra);
  let at = 0;
  previousIsCr = afterCr;
  for (let i = 0; i < chunk.length; i++) {
    const byte = chunk[i]!;
    if (byte === LF && !previousIsCr) out[at++] = CR;
    else if (byte !== LF && previousIsCr) out[at++] = LF;
    out[at++] = byte;
    previousIsCr = byte === CR;
  }
  return out;
}
