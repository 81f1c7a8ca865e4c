import { type Bytes, concatBytes } from "../../src/base/mod.ts";
import {
  NetError,
  type TlsFacts,
  type TlsOptions,
  type Transport,
  type TransportFacts,
} from "../../src/net/mod.ts";

/** How much an end takes without reading before its peer's output counts as pending. */
const DEFAULT_BUFFER = 64 * 1024;
const HIGH_WATER = 64 * 1024;

const CLEAR_FACTS: TransportFacts = {
  via: "imap",
  remote: { address: "192.0.2.1", port: 50_000 },
  local: { address: "192.0.2.2", port: 143 },
  proxy: undefined,
  tls: undefined,
  compressed: false,
};

/** Facts of an imagined TLS session. */
export function memoryTlsFacts(differing: Partial<TlsFacts> = {}): TlsFacts {
  return {
    version: "TLSv1.3",
    cipher: "TLS_AES_256_GCM_SHA384",
    alpn: undefined,
    sni: undefined,
    resumed: false,
    serverCertificate: undefined,
    serverEndPoint: undefined,
    clientCertificate: undefined,
    ...differing,
  };
}

/**
 * Two ends of a connection in memory, what one writes the other reads. TLS and compression are
 * only noted in the facts; clear bytes that wait when TLS starts break it, as on a socket.
 */
export function memoryTransportPair(
  facts: Partial<TransportFacts> = {},
  bufferBytes = DEFAULT_BUFFER,
): { server: MemoryTransport; client: MemoryTransport } {
  const whole = { ...CLEAR_FACTS, ...facts };
  const server = new MemoryTransport(whole, bufferBytes);
  const client = new MemoryTransport(
    { ...whole, remote: whole.local, local: whole.remote },
    bufferBytes,
  );
  server.join(client);
  client.join(server);
  return { server, client };
}

/** One end; made by `memoryTransportPair`. */
export class MemoryTransport implements Transport {
  onReadable: (() => void) | undefined;
  /** Facts that a successful `upgradeTls` gives. */
  tlsAfterUpgrade: TlsFacts = memoryTlsFacts();
  #facts: TransportFacts;
  #bufferBytes: number;
  #peer: MemoryTransport | undefined;
  #input: Bytes[] = [];
  #inputLength = 0;
  #peerEnded = false;
  #broken = false;
  #reader: (() => void) | undefined;
  #drainWaiters = new Set<(drained: boolean) => void>();

  constructor(facts: TransportFacts, bufferBytes: number) {
    this.#facts = facts;
    this.#bufferBytes = bufferBytes;
  }

  join(peer: MemoryTransport): void {
    this.#peer = peer;
  }

  get facts(): TransportFacts {
    return this.#facts;
  }

  get broken(): boolean {
    return this.#broken;
  }

  tryRead(): Bytes | undefined | null {
    if (this.#inputLength === 0) return this.#peerEnded || this.#broken ? null : undefined;
    const bytes = concatBytes(this.#input);
    this.#input = [];
    this.#inputLength = 0;
    this.#peer?.outputTaken();
    return bytes;
  }

  async read(timeoutMs?: number): Promise<Bytes | undefined | null> {
    let timedOut = false;
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => {
      timedOut = true;
      this.#reader?.();
    }, timeoutMs);
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

  write(bytes: Bytes): void {
    if (this.#broken || bytes.length === 0) return;
    this.#peer?.receive(bytes.slice());
  }

  drain(timeoutMs: number): Promise<boolean> {
    if (this.#broken) return Promise.resolve(false);
    if (this.pendingBytes < HIGH_WATER) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (drained: boolean) => {
        clearTimeout(timer);
        this.#drainWaiters.delete(settle);
        resolve(drained);
      };
      const timer = setTimeout(settle, timeoutMs, false);
      this.#drainWaiters.add(settle);
    });
  }

  get pendingBytes(): number {
    if (this.#broken || this.#peer === undefined) return 0;
    return Math.max(0, this.#peer.#inputLength - this.#bufferBytes);
  }

  upgradeTls(_options: TlsOptions): Promise<void> {
    if (this.#inputLength > 0) {
      this.destroy();
      return Promise.reject(new NetError("handshake", "clear bytes after STARTTLS"));
    }
    this.#facts = { ...this.#facts, tls: this.tlsAfterUpgrade };
    return Promise.resolve();
  }

  startCompression(_level?: number): void {
    this.#facts = { ...this.#facts, compressed: true };
  }

  stopCompression(): void {
    this.#facts = { ...this.#facts, compressed: false };
  }

  close(): Promise<void> {
    this.#input = [];
    this.#inputLength = 0;
    this.#break();
    this.#peer?.receiveEnd();
    return Promise.resolve();
  }

  destroy(): void {
    void this.close();
  }

  /** Ends only this end's output, as a client that has said everything does. */
  endOutput(): void {
    this.#peer?.receiveEnd();
  }

  /** What the peer wrote arrives, noticed a little later, as from a socket. */
  receive(bytes: Bytes): void {
    if (this.#broken) return;
    this.#input.push(bytes);
    this.#inputLength += bytes.length;
    queueMicrotask(() => this.#notify());
  }

  receiveEnd(): void {
    this.#peerEnded = true;
    queueMicrotask(() => this.#notify());
  }

  outputTaken(): void {
    if (this.pendingBytes >= HIGH_WATER) return;
    for (const settle of this.#drainWaiters) settle(true);
  }

  #break(): void {
    this.#broken = true;
    for (const settle of this.#drainWaiters) settle(false);
    this.#notify();
  }

  #notify(): void {
    const wake = this.#reader;
    this.#reader = undefined;
    wake?.();
    this.onReadable?.();
  }
}
