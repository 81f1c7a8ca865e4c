import type { Socket } from "node:net";
import { type Bytes, concatBytes, EMPTY_BYTES } from "../base/mod.ts";

/** Bytes held at most before the socket is paused; the parsers in front give up earlier. */
const MAX_HELD = 128 * 1024;

/**
 * The first bytes of a socket, read before it is known who shall have the rest. After `release`
 * the socket is paused and somebody else's.
 */
export class Preread {
  readonly #socket: Socket;
  #parts: Bytes[];
  #length: number;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket, first: Bytes) {
    this.#socket = socket;
    this.#parts = first.length === 0 ? [] : [first];
    this.#length = first.length;
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onEnd);
    socket.resume();
  }

  /** Everything that is here. */
  get bytes(): Bytes {
    if (this.#parts.length > 1) this.#parts = [concatBytes(this.#parts)];
    return this.#parts[0] ?? EMPTY_BYTES;
  }

  /** Waits until there are `count` bytes; false when the peer ended or the socket closed before. */
  async holds(count: number): Promise<boolean> {
    while (this.#length < count) {
      if (this.#ended) return false;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return true;
  }

  /** Takes `count` bytes from the front. */
  skip(count: number): void {
    const rest = this.bytes.subarray(count);
    this.#parts = [rest];
    this.#length = rest.length;
  }

  /** Lets go of the socket, paused, and gives what was read and not taken. */
  release(): Bytes {
    this.#socket.off("data", this.#onData);
    this.#socket.off("end", this.#onEnd);
    this.#socket.off("close", this.#onEnd);
    this.#socket.pause();
    return this.bytes;
  }

  #onData = (chunk: Uint8Array): void => {
    this.#parts.push(chunk);
    this.#length += chunk.length;
    if (this.#length > MAX_HELD) this.#socket.pause();
    this.#notify();
  };

  #onEnd = (): void => {
    this.#ended = true;
    this.#notify();
  };

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
