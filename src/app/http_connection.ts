import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { getRequestListener, RequestError } from "@hono/node-server";
import { logger } from "../base/mod.ts";
import { type Transport, TransportSocket } from "../net/mod.ts";

/** Octets of a request line and its headers: browsers send about one KiB, cookies included. */
const MAX_REQUEST_HEAD_BYTES = 16 * 1024;
/** Time for the head of a request, counted from the connection's beginning or the last answer. */
const HEAD_TIMEOUT_MS = 10_000;
/** How long nothing need pass in a request or an answer: what sends events says something meanwhile. */
const IDLE_TIMEOUT_MS = 60_000;
/** Octets of a request's body in that time: the slowest phone sends more, who holds a connection less. */
const MIN_BODY_BYTES = 16 * 1024;
/** Requests that are sent ahead of their answers: browsers send none so, programs a few. */
export const MAX_WAITING_REQUESTS = 16;

export interface HttpOptions {
  /** Ends the connection between two requests. */
  readonly shutdown?: AbortSignal;
  readonly headTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
}

/** Speaks HTTP/1.1 on a connection until it ends, one request after the other. Never rejects. */
export async function serveHttp(
  transport: Transport,
  handle: (request: Request) => Response | Promise<Response>,
  { shutdown, headTimeoutMs = HEAD_TIMEOUT_MS, idleTimeoutMs = IDLE_TIMEOUT_MS }: HttpOptions = {},
): Promise<void> {
  const log = logger("app");
  const socket = new TransportSocket(transport);
  const answer = getRequestListener(handle, {
    overrideGlobalObjects: false,
    // A Host header that is none, or that is missing.
    hostname: "localhost",
    errorHandler: (error) => {
      if (error instanceof RequestError) return new Response("Bad request.\n", { status: 400 });
      log.error("an HTTP request failed: {error}", { error });
      return new Response("Something went wrong here.\n", { status: 500 });
    },
  });
  /** Requests that are not answered; the first of them is under way. */
  const waiting: [IncomingMessage, ServerResponse][] = [];
  const close = () => socket.destroy();
  const closeIfIdle = () => waiting.length === 0 && close();
  let deadline = setTimeout(close, headTimeoutMs);
  const answerNext = () => {
    clearTimeout(deadline);
    const [request, response] = waiting[0] ?? [];
    if (socket.destroyed) return;
    if (request === undefined || response === undefined) {
      if (shutdown?.aborted) close();
      else deadline = setTimeout(close, headTimeoutMs);
      return;
    }
    const needBody = (before: number) => {
      deadline = setTimeout(() => {
        if (request.complete) return;
        if (socket.bytesRead - before < MIN_BODY_BYTES) close();
        else needBody(socket.bytesRead);
      }, idleTimeoutMs);
    };
    needBody(socket.bytesRead);
    if (shutdown?.aborted) response.setHeader("connection", "close");
    if (hasTwoHosts(request)) response.writeHead(400, { connection: "close" }).end();
    else void answer(request, response);
  };
  const server = createServer({ maxHeaderSize: MAX_REQUEST_HEAD_BYTES }, (request, response) => {
    if (waiting.length >= MAX_WAITING_REQUESTS) close();
    if (socket.destroyed) return;
    response.once("close", () => {
      waiting.shift();
      answerNext();
    });
    if (waiting.push([request, response]) === 1) answerNext();
  });
  server.setTimeout(idleTimeoutMs);
  // A server that does not listen itself ends each connection after one answer.
  Object.defineProperty(server, "listening", { value: true });
  shutdown?.addEventListener("abort", closeIfIdle);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  server.emit("connection", socket);
  await closed;
  clearTimeout(deadline);
  shutdown?.removeEventListener("abort", closeIfIdle);
  await transport.close();
}

/** RFC 9112 3.2: which of them a proxy in front went by is not known. */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "host").length > 1;
}
