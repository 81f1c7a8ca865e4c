import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Bytes } from "../base/mod.ts";
import type { Certificate, CertificateStore } from "./certificates.ts";
import { type ClientHello, parseClientHello } from "./client_hello.ts";
import { endPolitely, ignoreError } from "./ending.ts";
import { mendTlsFlow } from "./flow.ts";
import { NetError } from "./net_error.ts";
import type { Preread } from "./preread.ts";
import type { TlsFacts } from "./transport.ts";

/** How to speak TLS as a server. */
export interface TlsOptions {
  readonly certificates: CertificateStore;
  /**
   * Protocols to agree on by ALPN, the first that the client offers too; a client that offers only
   * others is refused (RFC 7301 3.2), one that offers none is served.
   */
  readonly alpn?: readonly string[];
  /** Whether to ask for a client certificate; one is never demanded, nor checked here. */
  readonly requestClientCertificate?: boolean;
  /** Time for the handshake, in milliseconds; 60,000 unless given. */
  readonly handshakeTimeoutMs?: number;
}

/** Alerts by which a handshake is refused before it is begun. */
export const TlsAlert = {
  handshakeFailure: 40,
  illegalParameter: 47,
  decodeError: 50,
  protocolVersion: 70,
  internalError: 80,
  unrecognizedName: 112,
  noApplicationProtocol: 120,
} as const;
export type TlsAlert = typeof TlsAlert[keyof typeof TlsAlert];

/** Answers a ClientHello by a fatal alert and ends the connection. */
export function refuseTls(socket: Socket, alert: TlsAlert): void {
  socket.write(Uint8Array.of(21, 3, 3, 0, 2, 2, alert));
  void endPolitely(socket);
}

/**
 * Reads the ClientHello, leaving it in `preread`. Throws NetError `closed` when the peer went away
 * first, and HelloError.
 */
export async function readClientHello(preread: Preread): Promise<ClientHello> {
  for (let atLeast = 1;;) {
    if (!await preread.holds(atLeast)) throw new NetError("closed", "closed before a ClientHello");
    const parsed = parseClientHello(preread.bytes);
    if (parsed.kind === "hello") return parsed;
    if (parsed.kind !== "needMore") throw new HelloError(parsed.kind);
    atLeast = parsed.atLeast;
  }
}

/** What came is no ClientHello. */
export class HelloError extends NetError {
  readonly reason: "notTls" | "tooBig" | "malformed";

  constructor(reason: "notTls" | "tooBig" | "malformed") {
    super("handshake", `no acceptable ClientHello: ${reason}`);
    this.reason = reason;
  }
}

/** An established TLS session on a server. */
export interface TlsSession {
  /** Paused. */
  readonly socket: TLSSocket;
  readonly facts: TlsFacts;
}

/**
 * Answers a ClientHello that `preread` holds and completes the handshake. Takes the socket over
 * from `preread`. Rejects with NetError when the handshake fails or the socket closes, for which
 * the caller's deadline sees too; the socket is then closed or closing.
 */
export function acceptTls(
  raw: Socket,
  preread: Preread,
  hello: ClientHello,
  options: TlsOptions,
): Promise<TlsSession> {
  const received = preread.release();
  const refuse = (alert: TlsAlert, message: string) => {
    refuseTls(raw, alert);
    return Promise.reject(new NetError("handshake", message));
  };
  const certificate = options.certificates.forName(hello.sni);
  if (certificate === undefined) {
    return refuse(TlsAlert.unrecognizedName, "no certificate for the name asked for");
  }
  const alpn = options.alpn?.find((protocol) => hello.alpn.includes(protocol));
  if (options.alpn !== undefined && alpn === undefined && hello.alpn.length > 0) {
    return refuse(TlsAlert.noApplicationProtocol, "no protocol in common");
  }
  if (raw.destroyed || raw.readableEnded) {
    raw.destroy();
    return Promise.reject(new NetError("closed", "closed during the handshake"));
  }
  raw.unshift(received);
  const socket = new TLSSocket(raw, {
    isServer: true,
    secureContext: certificate.context,
    ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
    requestCert: options.requestClientCertificate ?? false,
    rejectUnauthorized: false,
  });
  mendTlsFlow(socket);
  return new Promise((resolve, reject) => {
    const onSecure = () => {
      settle();
      const clientCertificate = options.requestClientCertificate
        ? clientCertificateOf(socket)
        : undefined;
      resolve({
        socket,
        facts: new SessionFacts(socket, certificate, alpn, hello.sni, clientCertificate),
      });
    };
    const onError = (cause: Error) => fail(new NetError("handshake", cause.message, { cause }));
    const onClose = () => fail(new NetError("closed", "closed during the handshake"));
    const fail = (error: NetError) => {
      settle();
      socket.destroy();
      raw.destroy();
      reject(error);
    };
    const settle = () => {
      socket.off("secure", onSecure);
      socket.off("error", onError);
      socket.off("close", onClose);
      raw.off("close", onClose);
    };
    socket.on("error", ignoreError);
    socket.on("secure", onSecure);
    socket.on("error", onError);
    socket.on("close", onClose);
    raw.on("close", onClose);
  });
}

function clientCertificateOf(socket: TLSSocket): Bytes | undefined {
  const raw = socket.getPeerCertificate(true)?.raw;
  return raw === undefined ? undefined : new Uint8Array(raw);
}

class SessionFacts implements TlsFacts {
  readonly version: string;
  readonly cipher: string;
  readonly alpn: string | undefined;
  readonly sni: string | undefined;
  readonly resumed: boolean;
  readonly clientCertificate: Bytes | undefined;
  readonly #certificate: Certificate;

  constructor(
    socket: TLSSocket,
    certificate: Certificate,
    alpn: string | undefined,
    sni: string | undefined,
    clientCertificate: Bytes | undefined,
  ) {
    this.version = socket.getProtocol() ?? "unknown";
    this.cipher = socket.getCipher().standardName;
    this.alpn = alpn;
    this.sni = sni;
    this.resumed = socket.isSessionReused();
    this.clientCertificate = clientCertificate;
    this.#certificate = certificate;
  }

  get serverCertificate(): Bytes {
    return this.#certificate.der;
  }

  get serverEndPoint(): Bytes | undefined {
    return this.#certificate.endPoint;
  }
}
