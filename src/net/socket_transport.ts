import type { Socket } from "node:net";
import { type Bytes, concatBytes, logger, metrics, othersTurn } from "../base/mod.ts";
import { DEFAULT_COMPRESSION_LEVEL, deflatePiece } from "./deflate.ts";
import { endPolitely, ignoreError } from "./ending.ts";
import { Inflate, InflateError } from "./inflate.ts";
import {
  HANDSHAKE_TIMEOUT_MS,
  INFLATED_HIGH_WATER,
  INFLATED_PER_TURN,
  INFLATED_PIECE,
  INPUT_HIGH_WATER,
  OUTPUT_HIGH_WATER,
} from "./limits.ts";
import { NetError } from "./net_error.ts";
import { Preread } from "./preread.ts";
import { acceptTls, readClientHello, type TlsOptions } from "./tls.ts";
import type { Transport, TransportFacts, TransportTap, WatchedTransport } from "./transport.ts";

/** A transport over a TCP, Unix or TLS socket, which must have `allowHalfOpen`. */
export class SocketTransport implements WatchedTransport {
  onReadable: (() => void) | undefined = undefined;
  tap: TransportTap | undefined = undefined;
  bytesIn = 0;
  bytesOut = 0;
  #socket: Socket;
  #facts: TransportFacts;
  readonly #protocol: string;
  #input: Bytes[] = [];
  #inputLength = 0;
  #peerEnded = false;
  #broken = false;
  #upgrading = false;
  /** Whether the socket, and what is left to inflate, waits for `tryRead`. */
  #paused = false;
  #inflate: Inflate | undefined = undefined;
  /** What was inflated since others had their turn. */
  #inflatedSinceRest = 0;
  #isResting = false;
  #compressionLevel = 0;
  #reader: (() => void) | undefined = undefined;
  #drainWaiters: Set<(drained: boolean) => void> | undefined = undefined;

  /** Counts what passes for `protocol`. `first`: bytes of the socket that were read before. */
  constructor(socket: Socket, facts: TransportFacts, protocol: string, first?: Bytes) {
    this.#socket = socket;
    this.#facts = facts;
    this.#protocol = protocol;
    if (first !== undefined && first.length > 0) this.#append(first);
    socket.on("error", ignoreError);
    this.#attach(socket);
  }

  get facts(): TransportFacts {
    return this.#facts;
  }

  tryRead(): Bytes | undefined | null {
    if (this.#upgrading) return this.#broken ? null : undefined;
    if (this.#inputLength === 0) return this.#isOver ? null : undefined;
    const bytes = concatBytes(this.#input);
    this.#input = [];
    this.#inputLength = 0;
    if (this.#paused) {
      this.#paused = false;
      if (this.#inflate === undefined) this.#socket.resume();
      else this.#inflateMore();
    }
    return bytes;
  }

  async read(timeoutMs?: number): Promise<Bytes | undefined | null> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let timedOut = false;
    if (timeoutMs !== undefined) {
      timer = setTimeout(() => {
        timedOut = true;
        this.#wakeReader();
      }, timeoutMs);
    }
    try {
      for (;;) {
        const bytes = this.tryRead();
        if (bytes !== undefined || timedOut) return bytes;
        await new Promise<void>((resolve) => this.#reader = resolve);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  unread(bytes: Bytes): void {
    if (bytes.length === 0) return;
    this.#input.unshift(bytes);
    this.#inputLength += bytes.length;
  }

  get broken(): boolean {
    return this.#broken;
  }

  write(bytes: Bytes): void {
    if (this.#broken || bytes.length === 0) return;
    this.bytesOut += bytes.length;
    this.tap?.sent(bytes);
    const sent = this.#facts.compressed ? deflatePiece(bytes, this.#compressionLevel) : bytes;
    metrics.add("postern_bytes_out_total", { protocol: this.#protocol }, sent.length);
    this.#socket.write(sent);
  }

  drain(timeoutMs: number): Promise<boolean> {
    if (this.#broken) return Promise.resolve(false);
    if (this.pendingBytes < OUTPUT_HIGH_WATER) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiters = this.#drainWaiters ??= new Set();
      const settle = (drained: boolean) => {
        clearTimeout(timer);
        waiters.delete(settle);
        resolve(drained);
      };
      const timer = setTimeout(settle, timeoutMs, false);
      waiters.add(settle);
    });
  }

  get pendingBytes(): number {
    return this.#broken ? 0 : this.#socket.writableLength;
  }

  async upgradeTls(options: TlsOptions): Promise<void> {
    if (this.#broken) throw new NetError("closed", "the connection is closed");
    if (this.#upgrading || this.#facts.tls !== undefined || this.#facts.compressed) {
      throw new Error("TLS can only be started once, in clear, and before compression");
    }
    // From here until TLS stands nothing can be read, and what was received in clear is taken away.
    this.#upgrading = true;
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      this.destroy();
    }, options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS);
    const raw = this.#socket;
    try {
      await this.#flushed();
      this.#detach(raw);
      const preread = new Preread(raw, concatBytes(this.#input));
      this.#input = [];
      this.#inputLength = 0;
      this.#paused = false;
      const hello = await readClientHello(preread);
      const session = await acceptTls(raw, preread, hello, options);
      this.#socket = session.socket;
      this.#facts = { ...this.#facts, tls: session.facts };
      this.#attach(session.socket);
      this.#upgrading = false;
      this.#notify();
    } catch (error) {
      this.#break();
      // A refusal has ended the socket and is still on its way.
      if (!raw.writableEnded) raw.destroy();
      throw timedOut ? new NetError("timeout", "the TLS handshake took too long") : error;
    } finally {
      clearTimeout(timer);
    }
  }

  startCompression(level: number = DEFAULT_COMPRESSION_LEVEL): void {
    if (this.#facts.compressed) throw new Error("compression can only be started once");
    this.#compressionLevel = level;
    this.#facts = { ...this.#facts, compressed: true };
    this.#paused = false;
    if (this.#inputLength === 0) return;
    const received = concatBytes(this.#input);
    this.#input = [];
    this.#inputLength = 0;
    this.#takeCompressed(received);
  }

  stopCompression(): void {
    if (!this.#facts.compressed) throw new Error("the connection is not compressed");
    this.#facts = { ...this.#facts, compressed: false };
    this.#inflate = undefined;
    this.#paused = false;
    if (!this.#broken) this.#socket.resume();
  }

  close(): Promise<void> {
    if (this.#upgrading) this.destroy();
    if (this.#broken) return Promise.resolve();
    this.#detach(this.#socket);
    this.#input = [];
    this.#inputLength = 0;
    this.#break();
    return endPolitely(this.#socket);
  }

  destroy(): void {
    this.#socket.destroy();
    this.#input = [];
    this.#inputLength = 0;
    this.#break();
  }

  /** See `releaseSocket`. */
  release(): Socket {
    if (this.#facts.compressed || this.#upgrading) throw new Error("the socket is in use");
    const socket = this.#socket;
    const received = concatBytes(this.#input);
    this.#input = [];
    this.#inputLength = 0;
    this.#detach(socket);
    socket.pause();
    if (received.length > 0 && !socket.readableEnded) socket.unshift(received);
    // As fresh from accept(): who is given it now starts its flow by listening, which would not
    // start it after a pause.
    (socket as { readableFlowing: boolean | null }).readableFlowing = null;
    this.#break();
    return socket;
  }

  /** Whether nothing more can come, whatever there is still to read. */
  get #isOver(): boolean {
    if (this.#broken) return true;
    if (this.#inflate?.isEnded) return true;
    return this.#peerEnded && !this.#inflate?.mayHaveOutput;
  }

  #attach(socket: Socket): void {
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onClose);
    socket.on("drain", this.#onDrain);
    if (socket.readableEnded) this.#peerEnded = true;
    else socket.resume();
  }

  #detach(socket: Socket): void {
    socket.off("data", this.#onData);
    socket.off("end", this.#onEnd);
    socket.off("close", this.#onClose);
    socket.off("drain", this.#onDrain);
  }

  #onData = (chunk: Uint8Array): void => {
    // A plain view: Buffer's own slice() and toString() would surprise the rooms above.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    metrics.add("postern_bytes_in_total", { protocol: this.#protocol }, bytes.length);
    if (this.#facts.compressed) {
      this.#takeCompressed(bytes);
      this.#notify();
      return;
    }
    this.#append(bytes);
    if (this.#inputLength > INPUT_HIGH_WATER) {
      this.#paused = true;
      this.#socket.pause();
    }
    this.#notify();
  };

  #onEnd = (): void => {
    this.#peerEnded = true;
    this.#notify();
  };

  #onClose = (): void => {
    // What arrived before a failure may still be read; there is just nobody to answer.
    this.#break();
  };

  #onDrain = (): void => {
    this.#settleDrains(true);
  };

  #append(bytes: Bytes): void {
    this.bytesIn += bytes.length;
    this.tap?.received(bytes);
    this.#input.push(bytes);
    this.#inputLength += bytes.length;
  }

  #takeCompressed(bytes: Bytes): void {
    this.#inflate ??= new Inflate();
    this.#inflate.feed(bytes);
    this.#inflateMore();
  }

  /** Inflates as much as may be held; the socket waits while something is left. */
  #inflateMore(): void {
    const inflate = this.#inflate;
    if (inflate === undefined || this.#isResting) return;
    try {
      while (inflate.mayHaveOutput && this.#inputLength < INFLATED_HIGH_WATER) {
        if (this.#inflatedSinceRest >= INFLATED_PER_TURN) {
          void this.#restFromInflating();
          break;
        }
        const bytes = inflate.read(INFLATED_PIECE);
        if (bytes.length > 0) this.#append(bytes);
        // What stopped before the end of the input did a piece of work, whatever came out.
        this.#inflatedSinceRest += inflate.mayHaveOutput ? INFLATED_PIECE : bytes.length;
      }
    } catch (error) {
      if (!(error instanceof InflateError)) throw error;
      logger("net").debug("not deflate from {remote}: {error}", {
        remote: this.#facts.remote.address,
        error: error.message,
      });
      this.destroy();
      return;
    }
    this.#paused = inflate.mayHaveOutput;
    if (this.#paused) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Lets other connections have their turn: left alone, one piece after another would come out. */
  async #restFromInflating(): Promise<void> {
    this.#isResting = true;
    await othersTurn();
    this.#isResting = false;
    this.#inflatedSinceRest = 0;
    this.#inflateMore();
    this.#notify();
  }

  /** Waits until the operating system has taken all output. */
  async #flushed(): Promise<void> {
    if (this.#socket.writableLength === 0) return;
    await new Promise<void>((resolve) => {
      this.#socket.once("close", resolve);
      this.#socket.write(new Uint8Array(0), () => resolve());
    });
    if (this.#broken) throw new NetError("closed", "closed before the handshake");
  }

  #break(): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#inflate = undefined;
    this.#settleDrains(false);
    this.#notify();
  }

  #settleDrains(drained: boolean): void {
    this.#drainWaiters?.forEach((settle) => settle(drained));
  }

  #wakeReader(): void {
    const wake = this.#reader;
    this.#reader = undefined;
    wake?.();
  }

  #notify(): void {
    this.#wakeReader();
    try {
      this.onReadable?.();
    } catch (error) {
      // Thrown out of an event handler it would end the process, and every other connection.
      logger("net").error("a connection's consumer failed: {error}", { error });
      this.#socket.destroy();
    }
  }
}

/**
 * Hands out the socket of a transport, not flowing, with what was not read in front, for libraries
 * that must have one (`node:http`, smtp-server). The transport is broken afterwards. Behind a trusted
 * proxy the socket's `remoteAddress` and `remotePort` are the client's. The transport must come
 * from a listener, and be neither compressed nor in the midst of a handshake.
 */
export function releaseSocket(transport: Transport): Socket {
  if (!(transport instanceof SocketTransport)) throw new Error("the transport has no socket");
  const socket = transport.release();
  const { remote, proxy } = transport.facts;
  if (proxy !== undefined) {
    Object.defineProperty(socket, "remoteAddress", { value: remote.address });
    Object.defineProperty(socket, "remotePort", { value: remote.port });
  }
  return socket;
}
