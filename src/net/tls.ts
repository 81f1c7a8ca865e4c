import type { CertificateStore } from "./certificates.ts";

/** How to speak TLS as a server. */
export interface TlsOptions {
  readonly certificates: CertificateStore;
  /** Protocols to agree on by ALPN; a client that offers only others is refused (RFC 7301 3.2). */
  readonly alpn?: readonly string[];
  /** Whether to ask for a client certificate; one is never demanded nor checked here. */
  readonly requestClientCertificate?: boolean;
  /** Time for the handshake, in milliseconds; 60,000 unless given. */
  readonly handshakeTimeoutMs?: number;
}
