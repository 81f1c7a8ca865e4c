/** The way of one connection from its socket to whoever shall have it. */
import type { Socket } from "node:net";
import { type Bytes, encodeUtf8, logger, metrics } from "../base/mod.ts";
import { chooseRoute, type RouteTarget } from "./alpn.ts";
import { answerToClearText } from "./clear_text.ts";
import { endPolitely } from "./ending.ts";
import { CLEAR_LINE_TIMEOUT_MS, MAX_CLEAR_LINE } from "./limits.ts";
import type { Listener } from "./listener.ts";
import { NetError } from "./net_error.ts";
import { contains, normaliseAddress } from "./network.ts";
import { Preread } from "./preread.ts";
import { parseProxyHeader, type ProxyHeader, writeProxyHeader } from "./proxy_protocol.ts";
import { connectTarget, relay } from "./relay.ts";
import { SocketTransport } from "./socket_transport.ts";
import { acceptTls, HelloError, readClientHello, refuseTls, TlsAlert } from "./tls.ts";
import type { TlsOptions } from "./tls.ts";
import type { Endpoint, TransportFacts } from "./transport.ts";
import { answerValidation, type ValidationCertificate } from "./validation_handshake.ts";

/** Takes a fresh socket in. Its failures end it and nothing else. */
export function admit(listener: Listener, socket: Socket, unixPath: string | undefined): void {
  const peer = unixPath === undefined
    ? endpoint(socket.remoteAddress, socket.remotePort)
    : { address: `unix:${unixPath}`, port: 0 };
  const local = unixPath === undefined ? endpoint(socket.localAddress, socket.localPort) : peer;
  if (peer === undefined || local === undefined) {
    socket.destroy(); // gone before we looked
    return;
  }
  const facts: TransportFacts = {
    via: listener.kind,
    remote: peer,
    local,
    proxy: undefined,
    tls: undefined,
    compressed: false,
  };
  const proxies = listener.options.trustedProxies ?? [];
  const proxied = unixPath === undefined
    ? proxies.some((network) => contains(network, peer.address))
    : proxies.length > 0;
  if (!proxied && listener.options.tls === undefined) {
    if (mayPass(listener, socket, facts)) handOver(listener, socket, facts, listener.kind);
    return;
  }
  listener.beginHandshake(socket);
  introduce(listener, socket, facts, proxied)
    .catch((error: unknown) => onFailure(listener, socket, facts, error))
    .finally(() => listener.endHandshake(socket));
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  if (address === undefined || port === undefined) return undefined;
  return { address: normaliseAddress(address), port };
}

/** What must be read before anyone can have the connection: PROXY header, ClientHello. */
async function introduce(
  listener: Listener,
  socket: Socket,
  direct: TransportFacts,
  proxied: boolean,
): Promise<void> {
  const preread = new Preread(socket, new Uint8Array(0));
  const facts = proxied ? factsBehindProxy(direct, await readProxyHeader(preread)) : direct;
  if (!mayPass(listener, socket, facts)) return;
  const { tls, routes } = listener.options;
  if (tls === undefined) {
    handOver(listener, socket, facts, listener.kind, preread.release());
    return;
  }
  let hello;
  try {
    hello = await readClientHello(preread);
  } catch (error) {
    if (!(error instanceof HelloError)) throw error;
    await answerNoHello(socket, preread, error);
    throw error;
  }
  if (routes === undefined) {
    const session = await acceptTls(socket, preread, hello, tls);
    handOver(listener, session.socket, { ...facts, tls: session.facts }, listener.kind);
    return;
  }
  const route = chooseRoute(routes, hello);
  if (route === undefined) {
    preread.release();
    refuseTls(socket, TlsAlert.noApplicationProtocol);
    throw new NetError("handshake", `no route for ${JSON.stringify(hello.alpn.slice(0, 8))}`);
  }
  const { target } = route;
  if (target.kind === "tls") {
    const received = preread.release();
    let upstream: Socket;
    try {
      upstream = await connectRelay(listener, target, facts);
    } catch (error) {
      refuseTls(socket, TlsAlert.internalError);
      throw error;
    }
    countOpen(listener, socket, "relay");
    relay(socket, upstream, received);
    return;
  }
  if (target.kind === "validation") {
    await answerAuthority(socket, preread, target.certificateFor(hello.sni ?? ""));
    return;
  }
  const ownTls: TlsOptions = {
    certificates: tls.certificates,
    requestClientCertificate: tls.requestClientCertificate ?? false,
    ...(route.alpn === undefined ? {} : { alpn: [route.alpn] }),
  };
  const session = await acceptTls(socket, preread, hello, ownTls);
  if (target.kind === "own") {
    handOver(listener, session.socket, { ...facts, tls: session.facts }, target.name);
    return;
  }
  let upstream: Socket;
  try {
    upstream = await connectRelay(listener, target, facts);
  } catch (error) {
    session.socket.destroy();
    throw error;
  }
  countOpen(listener, session.socket, "relay");
  relay(session.socket, upstream, new Uint8Array(0));
}

/** Shows a certificate authority what it validates. It goes away by itself when it has seen it. */
async function answerAuthority(
  socket: Socket,
  preread: Preread,
  certificate: ValidationCertificate | undefined,
): Promise<void> {
  const answer = certificate === undefined
    ? TlsAlert.unrecognizedName
    : answerValidation(preread.bytes, certificate);
  if (typeof answer === "number") {
    preread.release();
    refuseTls(socket, answer);
    throw new NetError("handshake", `a validation was refused with alert ${answer}`);
  }
  preread.skip(preread.bytes.length);
  socket.write(answer);
  await preread.holds(Infinity);
  preread.release();
  await endPolitely(socket);
}

/** Reads and takes the header. Throws NetError `handshake` or `closed`. */
async function readProxyHeader(preread: Preread): Promise<ProxyHeader> {
  for (;;) {
    const parsed = parseProxyHeader(preread.bytes);
    if (parsed.kind === "header") {
      preread.skip(parsed.length);
      return parsed;
    }
    if (parsed.kind === "invalid") {
      throw new NetError("handshake", "a trusted proxy sent no valid PROXY header");
    }
    if (!await preread.holds(preread.bytes.length + 1)) {
      throw new NetError("closed", "closed before a PROXY header");
    }
  }
}

function factsBehindProxy(direct: TransportFacts, header: ProxyHeader): TransportFacts {
  if (header.addresses === undefined) return direct;
  const { source, destination } = header.addresses;
  return { ...direct, remote: source, local: destination, proxy: direct.remote };
}

/** Asks the gate. A connection that passes counts until it closes. */
function mayPass(listener: Listener, socket: Socket, facts: TransportFacts): boolean {
  const { accept, closed, tls } = listener.options;
  const answer = accept?.(facts.remote) ?? true;
  if (answer === true) {
    metrics.add("postern_connections_total", { listener: listener.kind });
    socket.once("close", () => closed?.(facts.remote));
    return true;
  }
  listener.count("postern_connections_refused_total", "gate");
  if (typeof answer === "string" && tls === undefined) {
    socket.write(encodeUtf8(answer + "\r\n"));
    void endPolitely(socket);
  } else socket.destroy();
  return false;
}

function handOver(
  listener: Listener,
  socket: Socket,
  facts: TransportFacts,
  target: string,
  first?: Bytes,
): void {
  const protocol = protocolOf(target);
  countOpen(listener, socket, protocol);
  const transport = new SocketTransport(socket, facts, protocol, first);
  try {
    listener.options.onConnection(transport, target);
  } catch (error) {
    logger("net").error("a new connection's consumer failed: {error}", { error });
    transport.destroy();
  }
}

/** Counts a connection while it is open, and the protocol that is spoken on it. */
function countOpen(listener: Listener, socket: Socket, protocol: string): void {
  const labels = { protocol, listener: listener.kind };
  metrics.add("postern_connections_count", labels);
  socket.once("close", () => metrics.add("postern_connections_count", labels, -1));
}

/** What is spoken, whether TLS began at once or not. */
function protocolOf(target: string): string {
  return target === "imaps" || target === "submissions" ? target.slice(0, -1) : target;
}

async function connectRelay(
  listener: Listener,
  target: RouteTarget & { kind: "tcp" | "tls" },
  facts: TransportFacts,
): Promise<Socket> {
  const upstream = await connectTarget(target.host, target.port, listener.options.budget);
  if (target.proxyHeader) upstream.write(writeProxyHeader(facts.remote, facts.local));
  return upstream;
}

/** Tells a client that did not begin TLS what is wrong, where that is safe, and ends it. */
async function answerNoHello(socket: Socket, preread: Preread, error: HelloError): Promise<void> {
  if (error.reason !== "notTls") {
    preread.release();
    refuseTls(socket, TlsAlert.decodeError);
    return;
  }
  const timer = setTimeout(() => socket.destroy(), CLEAR_LINE_TIMEOUT_MS);
  while (preread.bytes.length < MAX_CLEAR_LINE && !preread.bytes.includes(0x0a)) {
    if (!await preread.holds(preread.bytes.length + 1)) break;
  }
  clearTimeout(timer);
  const answer = answerToClearText(preread.release().subarray(0, MAX_CLEAR_LINE));
  if (answer === undefined || socket.destroyed) {
    socket.destroy();
    return;
  }
  socket.write(answer);
  void endPolitely(socket);
}

function onFailure(
  listener: Listener,
  socket: Socket,
  facts: TransportFacts,
  error: unknown,
): void {
  if (!socket.writableEnded) socket.destroy();
  const log = logger("net");
  const about = { kind: listener.kind, remote: facts.remote.address };
  if (error instanceof NetError) {
    listener.count("postern_handshakes_failed_total", error.code);
    log.debug("{kind} {remote}: {reason}", { ...about, reason: error.message });
  } else {
    log.error("{kind} {remote}: {error}", { ...about, error });
  }
}
