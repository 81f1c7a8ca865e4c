/**
 * net: sockets become transports. Laws: the only room that imports `node:net` and `node:tls`; what
 * one connection does never reaches another, nor the process; nothing throws because a peer went
 * away; everything a peer can make us hold has a limit (`limits.ts`); nobody above this room sees a
 * byte that came in clear after it asked for TLS; TLS with a protocol nobody routes is refused,
 * never served by another protocol.
 */
export { type Address, parseAddress, writeAddress } from "./address.ts";
export {
  ANY_PROTOCOL,
  parseRouteTarget,
  type Routes,
  type RouteTable,
  type RouteTarget,
} from "./alpn.ts";
export {
  Certificate,
  type CertificatePair,
  CertificateStore,
  type CertificateStoreOptions,
  type TlsVersion,
} from "./certificates.ts";
export { ConnectionBudget } from "./connection_budget.ts";
export { MAX_HANDSHAKES } from "./limits.ts";
export { listen, Listener, type ListenOptions } from "./listener.ts";
export { NetError, type NetErrorCode } from "./net_error.ts";
export { contains, type Network, normaliseAddress, parseNetwork, writeNetwork } from "./network.ts";
export { makeSelfSigned, SELF_SIGNED_DAYS } from "./self_signed.ts";
export { releaseSocket } from "./socket_transport.ts";
export type { TlsOptions } from "./tls.ts";
export { ACME_PROTOCOL, ValidationCertificate } from "./validation_handshake.ts";
export { TransportSocket } from "./transport_socket.ts";
export type {
  Endpoint,
  ListenerKind,
  TlsFacts,
  Transport,
  TransportFacts,
  TransportTap,
  WatchedTransport,
} from "./transport.ts";
