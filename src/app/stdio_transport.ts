import { type Bytes, Latch } from "../base/mod.ts";
import type { Transport, TransportFacts } from "../net/mod.ts";

/** Pending output above which `drain` waits, as on a socket. */
const OUTPUT_HIGH_WATER = 64 * 1024;
/** Unread input above which nothing more is read. */
const INPUT_HIGH_WATER = 256 * 1024;
/** How long `close` lets pending output flow out. */
const CLOSE_FLUSH_MS = 5_000;
const READ_BYTES = 64 * 1024;

/** What came in and goes out where somebody started this program: a pipe or a socket. */
export interface Streams {
  readonly input: { read(buffer: Uint8Array): Promise<number | null> };
  readonly output: { write(bytes: Uint8Array): Promise<number> };
}

/**
 * A connection whose other end is the process that started this one. It needs neither TLS nor
 * compression; saying that it is compressed keeps both from being offered.
 */
export class StdioTransport implements Transport {
  readonly facts: TransportFacts = {
    via: "imap",
    remote: { address: "unix:stdin", port: 0 },
    local: { address: "unix:stdout", port: 0 },
    proxy: undefined,
    tls: undefined,
    compressed: true,
  };
  onReadable: (() => void) | undefined;
  readonly #streams: Streams;
  #input: Bytes[] = [];
  #inputBytes = 0;
  #hasEnded = false;
  #isBroken = false;
  readonly #room = new Latch();
  readonly #arrival = new Latch();
  #output: Bytes[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | undefined;
  readonly #progress = new Set<() => void>();

  constructor(streams: Streams) {
    this.#streams = streams;
    void this.#readAll();
  }

  tryRead(): Bytes | undefined | null {
    const bytes = this.#input.shift();
    if (bytes) {
      this.#inputBytes -= bytes.length;
      this.#room.set();
      return bytes;
    }
    return this.#hasEnded || this.#isBroken ? null : undefined;
  }

  async read(timeoutMs?: number): Promise<Bytes | undefined | null> {
    const deadline = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
    for (;;) {
      const bytes = this.tryRead();
      if (bytes !== undefined) return bytes;
      const left = deadline - performance.now();
      if (left <= 0) return undefined;
      const timer = left === Infinity ? undefined : setTimeout(() => this.#arrival.set(), left);
      await this.#arrival.wait();
      clearTimeout(timer);
    }
  }

  unread(bytes: Bytes): void {
    if (bytes.length === 0) return;
    this.#input.unshift(bytes);
    this.#inputBytes += bytes.length;
  }

  get broken(): boolean {
    return this.#isBroken;
  }

  write(bytes: Bytes): void {
    if (this.#isBroken || bytes.length === 0) return;
    this.#output.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#writing ??= this.#writeAll();
  }

  async drain(timeoutMs: number): Promise<boolean> {
    await this.#waitForOutput(OUTPUT_HIGH_WATER, timeoutMs);
    return !this.#isBroken && this.#pendingBytes <= OUTPUT_HIGH_WATER;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  async upgradeTls(): Promise<void> {
    throw new Error("no TLS between a process and the one that started it");
  }

  startCompression(): void {
    throw new Error("no compression between a process and the one that started it");
  }

  stopCompression(): void {
    throw new Error("there is no compression to stop");
  }

  async close(): Promise<void> {
    await this.#waitForOutput(0, CLOSE_FLUSH_MS);
    this.destroy();
  }

  destroy(): void {
    this.#isBroken = true;
    this.#output = [];
    this.#pendingBytes = 0;
    this.#changed();
  }

  async #readAll(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    try {
      for (let count; (count = await this.#streams.input.read(buffer)) !== null;) {
        this.#input.push(buffer.slice(0, count));
        this.#inputBytes += count;
        this.#arrived();
        while (this.#inputBytes > INPUT_HIGH_WATER && !this.#isBroken) await this.#room.wait();
        if (this.#isBroken) return;
      }
      this.#hasEnded = true;
    } catch {
      this.#isBroken = true;
    }
    this.#arrived();
    this.#changed();
  }

  async #writeAll(): Promise<void> {
    try {
      for (let bytes; (bytes = this.#output.shift()) !== undefined;) {
        for (let rest = bytes; rest.length > 0 && !this.#isBroken;) {
          const count = await this.#streams.output.write(rest);
          rest = rest.subarray(count);
          this.#pendingBytes = Math.max(0, this.#pendingBytes - count);
          this.#changed();
        }
      }
    } catch {
      // The reader is gone: nobody is there to be told.
      this.destroy();
      this.#arrived();
    } finally {
      this.#writing = undefined;
    }
  }

  async #waitForOutput(mostBytes: number, timeoutMs: number): Promise<void> {
    if (this.#isBroken || this.#pendingBytes <= mostBytes) return;
    const latch = new Latch();
    const wake = () => latch.set();
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      wake();
    }, timeoutMs);
    this.#progress.add(wake);
    while (!this.#isBroken && !isOver && this.#pendingBytes > mostBytes) await latch.wait();
    this.#progress.delete(wake);
    clearTimeout(timer);
  }

  #arrived(): void {
    this.#arrival.set();
    this.onReadable?.();
  }

  #changed(): void {
    for (const wake of this.#progress) wake();
    this.#room.set();
  }
}
