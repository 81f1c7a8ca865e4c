import type { Bytes } from "../base/mod.ts";
import type { TlsOptions } from "./tls.ts";

/** What a listener speaks; also how a connection came in (`via`). */
export type ListenerKind =
  | "imap"
  | "imaps"
  | "alpn"
  | "lmtp"
  | "submission"
  | "submissions"
  | "web"
  | "metrics";

/** One end of a connection. On a Unix socket the address is `unix:` and its path, the port 0. */
export interface Endpoint {
  /** IPv4 or IPv6 address in text, IPv4-mapped IPv6 written as IPv4. */
  readonly address: string;
  readonly port: number;
}

/** What is known of a connection's TLS session. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** The cipher suite's standard name. */
  readonly cipher: string;
  /** The protocol agreed by ALPN (RFC 7301), if any. */
  readonly alpn: string | undefined;
  /** The host name that the client asked for (SNI), if any. */
  readonly sni: string | undefined;
  readonly resumed: boolean;
  /** DER of the certificate that this side presented. */
  readonly serverCertificate: Bytes | undefined;
  /** Channel binding data `tls-server-end-point` (RFC 5929 4.1); computed when first asked for. */
  readonly serverEndPoint: Bytes | undefined;
  /** DER of the certificate that the client presented; proven to be its own, otherwise unchecked. */
  readonly clientCertificate: Bytes | undefined;
}

/** What is known of a connection. */
export interface TransportFacts {
  readonly via: ListenerKind;
  /** The client; behind a trusted proxy, what the proxy says. */
  readonly remote: Endpoint;
  /** Where the client connected to; behind a trusted proxy, what the proxy says. */
  readonly local: Endpoint;
  /** The trusted proxy that the connection came through, if any. */
  readonly proxy: Endpoint | undefined;
  /** Undefined while the connection is in clear. */
  readonly tls: TlsFacts | undefined;
  readonly compressed: boolean;
}

/**
 * One connection, bytes in and bytes out. Nothing here throws because the other side went away: a
 * broken transport reads as ended and swallows what is written.
 */
export interface Transport {
  /** Changes after `upgradeTls`, `startCompression` and `stopCompression`: ask again rather than keep it. */
  readonly facts: TransportFacts;

  /**
   * All bytes that are here already; undefined when there are none yet; null when the peer has
   * ended or the connection is gone and everything was taken. Never waits.
   */
  tryRead(): Bytes | undefined | null;

  /**
   * Called when `tryRead` may give something new: data, the end, an error. One consumer; may be
   * called when there is nothing after all. `read` does not disturb it.
   */
  onReadable: (() => void) | undefined;

  /**
   * Waits for bytes: what `tryRead` gives once it is not undefined; undefined when `timeoutMs`
   * passed first. One reader at a time.
   */
  read(timeoutMs?: number): Promise<Bytes | undefined | null>;

  /** Puts bytes back in front of those not yet read. */
  unread(bytes: Bytes): void;

  /** Whether writing is of no use any more: the connection failed or was closed. */
  readonly broken: boolean;

  /**
   * Queues bytes, which must not change afterwards. Never waits and never throws; a caller with
   * much to say calls `drain` between writes. Under compression each call is one flush.
   */
  write(bytes: Bytes): void;

  /**
   * Resolves true when pending output is below the high-water mark (64 KiB), at once if it is;
   * false when the transport is broken or `timeoutMs` passed (a peer that does not read).
   */
  drain(timeoutMs: number): Promise<boolean>;

  /** Bytes written that the operating system has not taken yet. */
  readonly pendingBytes: number;

  /**
   * Speaks TLS from here on, as the server (RFC 9051 6.2.1, RFC 3207). Everything received after the
   * STARTTLS line, read from the socket or not, goes to the handshake and never to the
   * application, so that clear commands cannot slip in. The caller unreads nothing and keeps no
   * received bytes of its own: it hands rest bytes back with `unread` first.
   * Rejects with a NetError when the handshake fails or takes too long; the transport is then broken.
   */
  upgradeTls(options: TlsOptions): Promise<void>;

  /**
   * Compresses both ways from here on (RFC 4978): raw deflate, bytes not yet read included.
   * `level` 1 to 9 is for output. Input that is not deflate breaks the transport.
   */
  startCompression(level?: number): void;

  /**
   * Compresses neither way from here on (RFC 8437 4.1); nothing marks the end of what was compressed.
   * The peer must have sent nothing in clear yet: what it sent was taken for compressed.
   */
  stopCompression(): void;

  /** Sends what is pending, for a bounded time, then ends the connection. Never rejects. */
  close(): Promise<void>;

  /** Ends the connection at once; pending output is lost. */
  destroy(): void;
}

/** Sees the octets of a connection, as they are before encryption and compression. */
export interface TransportTap {
  received(bytes: Bytes): void;
  sent(bytes: Bytes): void;
}

/** What a listener hands out: a connection that is counted and can be looked into. */
export interface WatchedTransport extends Transport {
  /** Octets received and written so far, before encryption and compression. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Called for each piece, in the order in which they passed; it must not throw. */
  tap: TransportTap | undefined;
}
