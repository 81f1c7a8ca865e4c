/**
 * Who answers a TLS client, by the protocol that it offers (ALPN, RFC 7301) and the host name that
 * it asks for (SNI). Strict, as RFC 9325 3.8 wants it against cross-protocol attacks: an offer
 * without an entry is refused, never served by something else.
 */
import type { ClientHello } from "./client_hello.ts";
import { parseAddress } from "./address.ts";
import { lookUpName } from "./names.ts";
import { NetError } from "./net_error.ts";
import type { ValidationCertificate } from "./validation_handshake.ts";

/** Where a connection goes. */
export type RouteTarget =
  /** One of the server's own protocols: TLS ends here, `onConnection` gets the transport. */
  | {
    readonly kind: "own";
    readonly name: string;
  }
  /** A certificate authority that validates a name is answered (RFC 8737 3). */
  | {
    readonly kind: "validation";
    certificateFor(name: string): ValidationCertificate | undefined;
  }
  /** TLS ends here, the bytes go on in clear (`tcp`); or TLS is passed on untouched (`tls`). */
  | {
    readonly kind: "tcp" | "tls";
    readonly host: string;
    readonly port: number;
    /** Whether a PROXY v2 header goes in front. */
    readonly proxyHeader: boolean;
  };

/** Routes in the order in which they are tried: the client's own order does not matter. */
export interface Routes {
  readonly protocols: ReadonlyMap<string, RouteTarget>;
  /** For a client that offers nothing. */
  readonly none?: RouteTarget;
}

/** The routes of a listener. */
export interface RouteTable extends Routes {
  /** Routes that hold instead where the client asks for this name (or `*.example.org`). */
  readonly byName?: ReadonlyMap<string, Routes>;
}

/** A decision: the target, and the protocol to agree on. */
export interface Route {
  readonly target: RouteTarget;
  readonly alpn: string | undefined;
}

/** Entry of `protocols` that takes every offer no other entry takes; only for `tls` targets. */
export const ANY_PROTOCOL = "*";

/** Decides for one client; undefined: `no_application_protocol`. */
export function chooseRoute(table: RouteTable, hello: ClientHello): Route | undefined {
  const named = hello.sni === undefined || table.byName === undefined
    ? undefined
    : lookUpName(table.byName, hello.sni);
  const routes = named ?? table;
  if (hello.alpn.length === 0) {
    const target = routes.none ?? passThrough(routes);
    return target === undefined ? undefined : { target, alpn: undefined };
  }
  for (const [alpn, target] of routes.protocols) {
    if (hello.alpn.includes(alpn)) return { target, alpn };
  }
  const target = passThrough(routes);
  return target === undefined ? undefined : { target, alpn: undefined };
}

/** The target of `*`: TLS that does not end here, where it is not for us to agree on a protocol. */
function passThrough(routes: Routes): RouteTarget | undefined {
  const target = routes.protocols.get(ANY_PROTOCOL);
  return target?.kind === "tls" ? target : undefined;
}

/**
 * Reads a target as the configuration has it: the name of one of the server's protocols (`own`
 * lists them), `tcp://host:port` or `tls://host:port`, the last two with `?proxy=v2` where the
 * target wants a PROXY header. Throws NetError `address`.
 */
export function parseRouteTarget(text: string, own: readonly string[]): RouteTarget {
  if (own.includes(text)) return { kind: "own", name: text };
  const match = /^(tcp|tls):\/\/([^/?]+)(\?proxy=v2)?$/.exec(text);
  if (match === null) {
    throw new NetError(
      "address",
      `expected one of ${own.join(", ")}, tcp://host:port or tls://host:port, found "${text}"`,
    );
  }
  const address = parseAddress(match[2]!);
  if (address.kind !== "tcp" || address.port === 0) {
    throw new NetError("address", `expected a port from 1 to 65535, found "${text}"`);
  }
  return {
    kind: match[1] === "tcp" ? "tcp" : "tls",
    host: address.host,
    port: address.port,
    proxyHeader: match[3] !== undefined,
  };
}
