import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { logger } from "../base/mod.ts";
import { type Transport, TransportSocket } from "../net/mod.ts";

/** Octets of a request line and its headers: browsers send about one KiB, cookies included. */
const MAX_REQUEST_HEAD_BYTES = 16 * 1024;
/** Time for the head of a request, counted from the connection's beginning or the last answer. */
const HEAD_TIMEOUT_MS = 10_000;
/** How long nothing need pass in a request or an answer: what sends events says something meanwhile. */
const IDLE_TIMEOUT_MS = 60_000;

export interface HttpOptions {
  /** Ends the connection between two requests. */
  readonly shutdown?: AbortSignal;
  readonly headTimeoutMs?: number;
}

/** Speaks HTTP/1.1 on a connection until it ends, one request after the other. Never rejects. */
export async function serveHttp(
  transport: Transport,
  handle: (request: Request) => Response | Promise<Response>,
  { shutdown, headTimeoutMs = HEAD_TIMEOUT_MS }: HttpOptions = {},
): Promise<void> {
  const log = logger("app");
  const socket = new TransportSocket(transport);
  const answer = getRequestListener(handle, {
    overrideGlobalObjects: false,
    // A Host header that is none, or that is missing.
    hostname: "localhost",
    errorHandler: (error) => {
      log.error("an HTTP request failed: {error}", { error });
      return new Response("Something went wrong here.\n", { status: 500 });
    },
  });
  let requests = 0;
  const close = () => socket.destroy();
  const closeIfIdle = () => requests === 0 && close();
  let deadline = setTimeout(close, headTimeoutMs);
  const server = createServer({ maxHeaderSize: MAX_REQUEST_HEAD_BYTES }, (request, response) => {
    clearTimeout(deadline);
    requests++;
    if (shutdown?.aborted) response.setHeader("connection", "close");
    response.once("close", () => {
      requests--;
      if (shutdown?.aborted) closeIfIdle();
      else deadline = setTimeout(close, headTimeoutMs);
    });
    void answer(request, response);
  });
  server.setTimeout(IDLE_TIMEOUT_MS);
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
