/**
 * net: sockets become transports. Laws: the only room that imports `node:net`, `node:tls` and
 * `node:zlib`; what one connection does never reaches another, nor the process; nothing throws
 * because a peer went away; everything a peer can make us hold has a limit; nobody above this room
 * sees a byte that came in clear after it asked for TLS.
 */
export type { Endpoint, ListenerKind, TlsFacts, Transport, TransportFacts } from "./transport.ts";
export { CertificateStore } from "./certificates.ts";
export type { TlsOptions } from "./tls.ts";
