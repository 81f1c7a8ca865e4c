/**
 * The PROXY protocol, versions 1 (text) and 2 (binary), as HAProxy's specification has them: a
 * header in front of a connection that tells whom a proxy speaks for.
 */
import { isIPv4, isIPv6 } from "node:net";
import { type Bytes, decodeLatin1 } from "../base/mod.ts";
import { MAX_PROXY_V1_LINE, MAX_PROXY_V2_HEADER } from "./limits.ts";
import { parseIp, writeIp } from "./network.ts";
import type { Endpoint } from "./transport.ts";

/** A header's first `length` bytes say this. */
export interface ProxyHeader {
  readonly kind: "header";
  readonly length: number;
  /** Undefined when the proxy speaks for itself (a health check) or does not know. */
  readonly addresses: { readonly source: Endpoint; readonly destination: Endpoint } | undefined;
}

export type ProxyParse = ProxyHeader | { readonly kind: "needMore" } | { readonly kind: "invalid" };

const NEED_MORE = { kind: "needMore" } as const;
const INVALID = { kind: "invalid" } as const;

const V1_START = [0x50, 0x52, 0x4f, 0x58, 0x59, 0x20]; // "PROXY "
const V2_START = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

/** Reads a header from the front of what has arrived; bytes after it are not looked at. */
export function parseProxyHeader(bytes: Bytes): ProxyParse {
  if (startsLike(bytes, V2_START)) return bytes.length < 16 ? NEED_MORE : parseV2(bytes);
  if (startsLike(bytes, V1_START)) return parseV1(bytes);
  return INVALID;
}

/** Whether as many bytes as there are agree with `start`. */
function startsLike(bytes: Bytes, start: readonly number[]): boolean {
  const count = Math.min(bytes.length, start.length);
  for (let i = 0; i < count; i++) if (bytes[i] !== start[i]) return false;
  return true;
}

function parseV1(bytes: Bytes): ProxyParse {
  const end = bytes.subarray(0, MAX_PROXY_V1_LINE).indexOf(0x0a);
  if (end < 0) return bytes.length < MAX_PROXY_V1_LINE ? NEED_MORE : INVALID;
  const line = decodeLatin1(bytes.subarray(0, end + 1));
  const length = end + 1;
  if (/^PROXY UNKNOWN(?: [^\r\n]*)?\r\n$/.test(line)) {
    return { kind: "header", length, addresses: undefined };
  }
  const fields = /^PROXY (TCP[46]) ([^ \r\n]+) ([^ \r\n]+) (\d{1,5}) (\d{1,5})\r\n$/.exec(line);
  if (fields === null) return INVALID;
  const [, family, source, destination, sourcePort, destinationPort] = fields as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const isOfFamily = family === "TCP4" ? isIPv4 : isIPv6;
  if (!isOfFamily(source) || !isOfFamily(destination)) return INVALID;
  const from = endpoint(source, Number(sourcePort));
  const to = endpoint(destination, Number(destinationPort));
  if (from === undefined || to === undefined) return INVALID;
  return { kind: "header", length, addresses: { source: from, destination: to } };
}

function endpoint(text: string, port: number): Endpoint | undefined {
  const bytes = parseIp(text);
  return bytes === undefined || port > 65535 ? undefined : { address: writeIp(bytes), port };
}

function parseV2(bytes: Bytes): ProxyParse {
  const command = bytes[12]!;
  const size = bytes[14]! << 8 | bytes[15]!;
  const length = 16 + size;
  if (command >> 4 !== 2 || (command & 0xf) > 1 || length > MAX_PROXY_V2_HEADER) return INVALID;
  if (bytes.length < length) return NEED_MORE;
  const family = bytes[13]!;
  // LOCAL (0), or a family that carries no IP addresses of a stream: the connection's own count.
  const width = family === 0x11 ? 4 : family === 0x21 ? 16 : 0;
  if ((command & 0xf) === 0 || width === 0) {
    return { kind: "header", length, addresses: undefined };
  }
  if (size < 2 * width + 4) return INVALID;
  const at = (offset: number) => {
    const address = new Uint8Array(16);
    if (width === 4) address.fill(0xff, 10, 12);
    address.set(bytes.subarray(offset, offset + width), 16 - width);
    return writeIp(address);
  };
  const portAt = (offset: number) => bytes[offset]! << 8 | bytes[offset + 1]!;
  return {
    kind: "header",
    length,
    addresses: {
      source: { address: at(16), port: portAt(16 + 2 * width) },
      destination: { address: at(16 + width), port: portAt(18 + 2 * width) },
    },
  };
}

/**
 * A version 2 header that says a stream came from `source` to `destination`. Two addresses of
 * different families are both written as IPv6; when one is not an IP address, LOCAL is written.
 */
export function writeProxyHeader(source: Endpoint, destination: Endpoint): Uint8Array<ArrayBuffer> {
  const from = parseIp(source.address);
  const to = parseIp(destination.address);
  if (from === undefined || to === undefined) {
    return Uint8Array.from([...V2_START, 0x20, 0x00, 0, 0]);
  }
  const ipv4 = isIPv4(source.address) && isIPv4(destination.address);
  const width = ipv4 ? 4 : 16;
  const size = 2 * width + 4;
  const header = new Uint8Array(16 + size);
  header.set(V2_START);
  header[12] = 0x21;
  header[13] = ipv4 ? 0x11 : 0x21;
  header[15] = size;
  header.set(from.subarray(16 - width), 16);
  header.set(to.subarray(16 - width), 16 + width);
  const view = new DataView(header.buffer);
  view.setUint16(16 + 2 * width, source.port);
  view.setUint16(18 + 2 * width, destination.port);
  return header;
}
