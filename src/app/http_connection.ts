import { type Bytes, concatBytes, decodeLatin1, encodeUtf8, logger } from "../base/mod.ts";
import type { Transport } from "../net/mod.ts";

/** Octets of a request line and its headers: browsers send about one KiB, cookies included. */
export const MAX_REQUEST_HEAD_BYTES = 16 * 1024;
/** Time for the head of a request, and for the client to take the answer. */
const HTTP_TIMEOUT_MS = 10_000;

/**
 * Answers one HTTP/1.1 request without a body on a connection, then closes it.
 * Enough for pages that are only read; never rejects.
 */
export async function serveHttp(
  transport: Transport,
  handle: (request: Request) => Response | Promise<Response>,
): Promise<void> {
  try {
    const head = await readHead(transport);
    if (head === undefined) return;
    const request = head === "too-large" ? undefined : parseRequest(head);
    const response = head === "too-large"
      ? new Response("The request is too large.\n", { status: 431 })
      : request === undefined
      ? new Response("This is not an HTTP request.\n", { status: 400 })
      : await handle(request);
    transport.write(await writeResponse(response, request?.method === "HEAD"));
    await transport.drain(HTTP_TIMEOUT_MS);
  } catch (error) {
    logger("app").error("an HTTP request failed: {error}", { error });
  } finally {
    await transport.close();
  }
}

/** The head of a request up to its empty line; undefined when the client left or was too slow. */
async function readHead(transport: Transport): Promise<string | "too-large" | undefined> {
  const deadline = performance.now() + HTTP_TIMEOUT_MS;
  let bytes: Bytes = new Uint8Array(0);
  for (;;) {
    const left = deadline - performance.now();
    const more = left > 0 ? await transport.read(left) : undefined;
    if (!more) return undefined;
    bytes = concatBytes([bytes, more]);
    const text = decodeLatin1(bytes);
    const end = text.search(/\r?\n\r?\n/);
    if (end >= 0 && end <= MAX_REQUEST_HEAD_BYTES) return text.slice(0, end);
    if (bytes.length > MAX_REQUEST_HEAD_BYTES) return "too-large";
  }
}

/** A request from its head; undefined when it is none. */
export function parseRequest(head: string): Request | undefined {
  const [requestLine = "", ...fields] = head.split(/\r?\n/);
  const [, method, target] = /^([A-Z]{1,20}) (\/[\x21-\x7e]*) HTTP\/1\.[01]$/.exec(requestLine) ??
    [];
  if (method === undefined || target === undefined) return undefined;
  const headers = new Headers();
  try {
    for (const field of fields) {
      const colon = field.indexOf(":");
      headers.append(field.slice(0, colon), field.slice(colon + 1).trim());
    }
    return new Request(new URL(`http://localhost${target}`), { method, headers });
  } catch {
    return undefined;
  }
}

async function writeResponse(response: Response, isHead: boolean): Promise<Bytes> {
  const body = new Uint8Array(await response.arrayBuffer());
  const lines = [`HTTP/1.1 ${response.status} ${REASONS[response.status] ?? "Status"}`];
  for (const [name, value] of response.headers) lines.push(`${name}: ${value}`);
  lines.push(`content-length: ${body.length}`, "connection: close", "", "");
  return concatBytes([encodeUtf8(lines.join("\r\n")), ...(isHead ? [] : [body])]);
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  301: "Moved Permanently",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};
