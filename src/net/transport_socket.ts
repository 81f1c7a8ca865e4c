import { Duplex } from "node:stream";
import type { Bytes } from "../base/mod.ts";
import { READER_TIMEOUT_MS } from "./limits.ts";
import type { Transport } from "./transport.ts";

/**
 * A transport in the shape of a `net.Socket`, as far as smtp-server and `node:http` look
 * at one. Unlike there, the
 * end of the peer's input does not end ours: what it sent before is still answered.
 */
export class TransportSocket extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Octets that were read so far. */
  bytesRead = 0;
  #transport: Transport;
  #isReading = true;
  #idleMs = 0;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(transport: Transport) {
    super({ allowHalfOpen: true });
    const { remote, local } = transport.facts;
    this.remoteAddress = remote.address;
    this.remotePort = remote.port;
    this.localAddress = local.address;
    this.localPort = local.port;
    this.#transport = transport;
  }

  /** `open` for as long as answers can be written. */
  get readyState(): string {
    return this.writable && !this.#transport.broken ? "open" : "closed";
  }

  /** Emits `timeout` when nothing was read or written for so long; 0 for never. */
  setTimeout(ms: number, onTimeout?: () => void): this {
    this.#idleMs = ms;
    if (onTimeout !== undefined) this.once("timeout", onTimeout);
    this.#touch();
    return this;
  }

  /** Ends itself when the destination has taken, and so answered, all that there was to read. */
  override pipe<Destination extends NodeJS.WritableStream>(
    destination: Destination,
    options?: { end?: boolean },
  ): Destination {
    destination.once("finish", () => this.end());
    return super.pipe(destination, options);
  }

  /** Reads nothing more of the transport, whose input then waits for somebody else. */
  stopReading(): void {
    this.#isReading = false;
    this.#transport.onReadable = undefined;
  }

  /** Has nothing more to do with the transport, which stays open. */
  release(): void {
    this.stopReading();
    clearTimeout(this.#idleTimer);
    this.#idleMs = 0;
    this.removeAllListeners();
  }

  override _read(): void {
    if (!this.#isReading) return;
    const bytes = this.#transport.tryRead();
    if (bytes === undefined) {
      this.#transport.onReadable = () => {
        this.#transport.onReadable = undefined;
        if (!this.destroyed) this._read();
      };
      return;
    }
    this.#touch();
    this.bytesRead += bytes?.length ?? 0;
    this.push(bytes);
  }

  override _write(chunk: Bytes, _encoding: string, done: (error?: Error | null) => void): void {
    this.#touch();
    this.#transport.write(new Uint8Array(chunk));
    this.#transport.drain(READER_TIMEOUT_MS).then((isDrained) => {
      this.#touch();
      if (!isDrained) this.#transport.destroy();
      // A peer that is gone is no error: reading ends, and with it everything else.
      done();
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    clearTimeout(this.#idleTimer);
    // Reading ends by itself then, and with both ends the stream.
    this.#transport.close().then(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#idleTimer);
    this.#transport.onReadable = undefined;
    this.#transport.destroy();
    done(error);
  }

  #touch(): void {
    clearTimeout(this.#idleTimer);
    if (this.#idleMs > 0 && !this.destroyed) {
      this.#idleTimer = setTimeout(() => this.emit("timeout"), this.#idleMs);
    }
  }
}
