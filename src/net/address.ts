import { isIPv6 } from "node:net";
import { NetError } from "./net_error.ts";

/** Where to listen or connect: a TCP port of a host, or a Unix socket. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** Longest path that fits a Unix socket's address on Linux, its NUL aside. */
const MAX_UNIX_PATH = 107;

/**
 * Reads `host:port`, `[v6]:port` or `unix:/path`; port 0 means any free one. Throws NetError
 * `address`.
 */
export function parseAddress(text: string): Address {
  if (text.startsWith("unix:")) {
    const path = text.slice(5);
    if (!path.startsWith("/") || path.includes("\0") || path.length > MAX_UNIX_PATH) {
      throw invalid(text);
    }
    return { kind: "unix", path };
  }
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65535 || (match?.[1] !== undefined && !isIPv6(host))) {
    throw invalid(text);
  }
  return { kind: "tcp", host, port };
}

function invalid(text: string): NetError {
  return new NetError(
    "address",
    `expected host:port, [v6]:port or unix:/path (at most ${MAX_UNIX_PATH} characters), found "${text}"`,
  );
}

/** The text that `parseAddress` reads. */
export function writeAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return isIPv6(address.host)
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}
