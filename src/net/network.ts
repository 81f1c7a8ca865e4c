import { isIPv4, isIPv6 } from "node:net";
import type { Bytes } from "../base/mod.ts";
import { NetError } from "./net_error.ts";

/** A block of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address. */
export interface Network {
  /** 16 bytes; IPv4 as IPv4-mapped IPv6. Bits after the prefix are zero. */
  readonly address: Bytes;
  /** Leading bits that count, of 128. */
  readonly prefixBits: number;
}

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * The 16 bytes of an address in text, IPv4 as IPv4-mapped IPv6; undefined when it is none. A zone
 * (`%eth0`) is ignored.
 */
export function parseIp(text: string): Bytes | undefined {
  if (isIPv4(text)) return Uint8Array.from([...MAPPED_PREFIX, ...text.split(".").map(Number)]);
  const zone = text.indexOf("%");
  let address = zone < 0 ? text : text.slice(0, zone);
  if (!isIPv6(address)) return undefined;
  const dotted = address.slice(address.lastIndexOf(":") + 1);
  if (dotted.includes(".")) {
    const [a, b, c, d] = dotted.split(".").map(Number) as [number, number, number, number];
    const words = `${(a << 8 | b).toString(16)}:${(c << 8 | d).toString(16)}`;
    address = address.slice(0, -dotted.length) + words;
  }
  const [head = "", tail] = address.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const bytes = new Uint8Array(16);
  first.forEach((word, i) => setWord(bytes, i, word));
  last.forEach((word, i) => setWord(bytes, 8 - last.length + i, word));
  return bytes;
}

function setWord(bytes: Uint8Array, index: number, word: string): void {
  const value = parseInt(word, 16);
  bytes[index * 2] = value >> 8;
  bytes[index * 2 + 1] = value & 0xff;
}

function isMapped(bytes: Bytes): boolean {
  return MAPPED_PREFIX.every((byte, i) => bytes[i] === byte);
}

/** Text of a 16-byte address, in the one canonical spelling; IPv4-mapped as IPv4. */
export function writeIp(bytes: Bytes): string {
  if (isMapped(bytes)) return bytes.subarray(12).join(".");
  const words: number[] = [];
  for (let i = 0; i < 16; i += 2) words.push(bytes[i]! << 8 | bytes[i + 1]!);
  // The longest run of two or more zero words, the first of equals, becomes "::".
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (words[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (part: number[]) => part.map((word) => word.toString(16)).join(":");
  if (best.length < 2) return text(words);
  return `${text(words.slice(0, best.start))}::${text(words.slice(best.start + best.length))}`;
}

/** The canonical spelling of an address in text; anything else comes back as it is. */
export function normaliseAddress(text: string): string {
  const bytes = parseIp(text);
  return bytes === undefined ? text : writeIp(bytes);
}

/**
 * A network in CIDR notation, or a single address. Bits after the prefix are dropped. Throws
 * NetError `address`.
 */
export function parseNetwork(text: string): Network {
  const slash = text.indexOf("/");
  const host = slash < 0 ? text : text.slice(0, slash);
  const address = parseIp(host);
  const ipv4 = isIPv4(host);
  const width = ipv4 ? 32 : 128;
  const suffix = slash < 0 ? String(width) : text.slice(slash + 1);
  if (address === undefined || !/^\d{1,3}$/.test(suffix) || Number(suffix) > width) {
    throw new NetError(
      "address",
      `expected a network such as 10.0.0.0/8 or 2001:db8::/32, found "${text}"`,
    );
  }
  const prefixBits = Number(suffix) + 128 - width;
  const masked = address.map((byte, i) => byte & prefixMask(prefixBits, i));
  return { address: masked, prefixBits };
}

/** The bits of byte `index` that belong to a prefix of `prefixBits`. */
function prefixMask(prefixBits: number, index: number): number {
  const bits = Math.min(Math.max(prefixBits - index * 8, 0), 8);
  return 0xff << (8 - bits) & 0xff;
}

/** CIDR notation of a network, IPv4 where it lies within IPv4. */
export function writeNetwork(network: Network): string {
  const ipv4 = network.prefixBits >= 96 && isMapped(network.address);
  return `${writeIp(network.address)}/${network.prefixBits - (ipv4 ? 96 : 0)}`;
}

/** Whether `address`, in text, lies within the network; false for what is no IP address. */
export function contains(network: Network, address: string): boolean {
  const bytes = parseIp(address);
  return bytes !== undefined &&
    network.address.every((byte, i) => byte === (bytes[i]! & prefixMask(network.prefixBits, i)));
}
