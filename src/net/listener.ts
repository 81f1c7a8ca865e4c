import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { logger, metrics } from "../base/mod.ts";
import { type Address, parseAddress, writeAddress } from "./address.ts";
import type { RouteTable } from "./alpn.ts";
import type { ConnectionBudget } from "./connection_budget.ts";
import { ignoreError } from "./ending.ts";
import { admit } from "./intake.ts";
import { HANDSHAKE_TIMEOUT_MS, KEEP_ALIVE_MS, LISTEN_BACKLOG, MAX_HANDSHAKES } from "./limits.ts";
import { NetError } from "./net_error.ts";
import { type Network, normaliseAddress } from "./network.ts";
import type { TlsOptions } from "./tls.ts";
import type { Endpoint, ListenerKind, WatchedTransport } from "./transport.ts";
import { clearStaleSocket, removeSocket } from "./unix_socket.ts";

/** What a listener does with those who connect. */
export interface ListenOptions {
  /** Becomes `facts.via`; what is spoken depends on `tls` and `routes`. */
  readonly kind: ListenerKind;
  /** `host:port`, `[v6]:port` (`[::]` takes IPv4 too) or `unix:/path`; port 0 means any free one. */
  readonly address: string;
  /** TLS from the first byte. Left out: clear text (which `upgradeTls` can change). */
  readonly tls?: TlsOptions;
  /** Where TLS clients go, by ALPN and SNI; needs `tls`, whose `alpn` then counts for nothing. */
  readonly routes?: RouteTable;
  /**
   * Peers that must send a PROXY header; nobody else's is read. On a Unix socket any entry makes
   * every peer such a one.
   */
  readonly trustedProxies?: readonly Network[];
  /** Permissions of a Unix socket; 0o660 unless given. */
  readonly unixMode?: number;
  /** Time for PROXY header and TLS handshake together, in milliseconds; 60,000 unless given. */
  readonly handshakeTimeoutMs?: number;
  /** Connections that may be at that stage; when there are more, the oldest is dropped. */
  readonly maxHandshakes?: number;
  readonly budget?: ConnectionBudget;
  /**
   * Asked as soon as the client's real address is known, before TLS. False closes the connection;
   * a string is sent first, as a line, where the listener speaks in clear.
   */
  readonly accept?: (remote: Endpoint) => boolean | string;
  /** Called once for each accepted connection, relayed ones too, when it is gone. */
  readonly closed?: (remote: Endpoint) => void;
  /** `target`: the route's name on a listener with routes, elsewhere the kind. */
  readonly onConnection: (transport: WatchedTransport, target: string) => void;
}

/** Starts listening. Rejects with NetError `address` or `in_use`. */
export async function listen(options: ListenOptions): Promise<Listener> {
  if (options.routes !== undefined && options.tls === undefined) {
    throw new Error("a listener with routes needs TLS");
  }
  const address = parseAddress(options.address);
  if (address.kind === "unix") await clearStaleSocket(address.path);
  const listener = new Listener(options, address);
  await listener.bind();
  return listener;
}

/** A port, or a Unix socket, that is listened on. */
export class Listener {
  readonly options: ListenOptions;
  /** Connections before the end of their handshake, oldest first. */
  readonly #handshakes = new Map<Socket, ReturnType<typeof setTimeout>>();
  readonly #server: Server;
  #address: Address;
  #closed = false;

  constructor(options: ListenOptions, address: Address) {
    this.options = options;
    this.#address = address;
    // Half-open: a client may end its side and still read our answers.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#onSocket(socket));
  }

  /** The address really bound, as `parseAddress` reads it. */
  get address(): string {
    return writeAddress(this.#address);
  }

  get kind(): ListenerKind {
    return this.options.kind;
  }

  async bind(): Promise<void> {
    const address = this.#address;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error) => reject(bindError(error, writeAddress(address))));
      const where = address.kind === "unix"
        ? { path: address.path }
        : { host: address.host, port: address.port };
      this.#server.listen({ ...where, backlog: LISTEN_BACKLOG }, resolve);
    });
    if (address.kind === "unix") {
      chmodSync(address.path, this.options.unixMode ?? 0o660);
    } else {
      const bound = this.#server.address();
      if (bound !== null && typeof bound !== "string") {
        this.#address = { kind: "tcp", host: normaliseAddress(bound.address), port: bound.port };
      }
    }
    this.#server.on("error", (error) => {
      logger("net").error("listener {kind} {address}: {error}", {
        kind: this.kind,
        address: this.address,
        error,
      });
    });
  }

  /**
   * Stops accepting and drops those still before the end of their handshake; established
   * connections go on.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    if (this.#address.kind === "unix") removeSocket(this.#address.path);
    for (const socket of this.#handshakes.keys()) socket.destroy();
  }

  /** Gives a socket its time for a handshake. */
  beginHandshake(socket: Socket): void {
    const { handshakeTimeoutMs, maxHandshakes } = this.options;
    const timer = setTimeout(() => {
      this.count("postern_handshakes_failed_total", "timeout");
      socket.destroy();
    }, handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS);
    this.#handshakes.set(socket, timer);
    if (this.#handshakes.size > (maxHandshakes ?? MAX_HANDSHAKES)) {
      // The oldest: an honest client is through in a moment, one that floods is not.
      const [oldest] = this.#handshakes.keys();
      this.count("postern_handshakes_failed_total", "crowded_out");
      oldest?.destroy();
      if (oldest !== undefined) this.endHandshake(oldest);
    }
  }

  endHandshake(socket: Socket): void {
    clearTimeout(this.#handshakes.get(socket));
    this.#handshakes.delete(socket);
  }

  count(
    metric: "postern_connections_refused_total" | "postern_handshakes_failed_total",
    reason: string,
  ): void {
    metrics.add(metric, { listener: this.kind, reason });
  }

  #onSocket(socket: Socket): void {
    socket.on("error", ignoreError);
    if (this.#closed) {
      socket.destroy();
      return;
    }
    if (this.options.budget?.take(socket) === false) {
      this.count("postern_connections_refused_total", "full");
      return;
    }
    if (this.#address.kind === "tcp") {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
    }
    const unixPath = this.#address.kind === "unix" ? this.#address.path : undefined;
    admit(this, socket, unixPath);
  }
}

function bindError(error: Error & { code?: string }, address: string): NetError {
  switch (error.code) {
    case "EADDRINUSE":
      return new NetError("in_use", `another program listens on ${address}`, { cause: error });
    case "EACCES":
    case "EPERM":
      return new NetError("address", `not permitted to listen on ${address}`, { cause: error });
    case "EADDRNOTAVAIL":
    // What Deno 2.9.6 makes of it.
    case "EINVAL":
      return new NetError("address", `this machine has no address for ${address}`, {
        cause: error,
      });
    case "EAFNOSUPPORT":
      return new NetError("address", `this machine has no IPv6 for ${address}`, { cause: error });
    default:
      return new NetError("address", `cannot listen on ${address}: ${error.message}`, {
        cause: error,
      });
  }
}
