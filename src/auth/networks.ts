/** The prefix lengths of the networks that an address counts to, narrowest first. */
const PREFIXES = { 4: [32, 26, 21], 6: [64, 48, 32] } as const;

/**
 * The networks that an address counts to, narrowest first, in CIDR notation; none for a Unix socket,
 * the loopback network, and what is not an address.
 */
export function networksOf(address: string): string[] {
  const v4 = parseIpv4(address);
  if (v4 !== undefined) return v4 >> 24n === 127n ? [] : prefixes(v4, 32, PREFIXES[4]);
  const v6 = parseIpv6(address);
  return v6 === undefined || v6 === 1n ? [] : prefixes(v6, 128, PREFIXES[6]);
}

function prefixes(value: bigint, width: 32 | 128, lengths: readonly number[]): string[] {
  return lengths.map((length) => {
    const rest = BigInt(width - length);
    return `${writeAddress(value >> rest << rest, width)}/${length}`;
  });
}

function writeAddress(value: bigint, width: 32 | 128): string {
  const [bits, base, separator] = width === 32 ? [8n, 10, "."] as const : [16n, 16, ":"] as const;
  const parts: string[] = [];
  for (let shift = BigInt(width) - bits; shift >= 0n; shift -= bits) {
    parts.push((value >> shift & (1n << bits) - 1n).toString(base));
  }
  // Half of an IPv6 address is never part of a network here: zeros at its end.
  return parts.join(separator).replace(/(:0)+$/, "::");
}

function parseIpv4(text: string): bigint | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const octets = text.split(".").map(Number);
  if (octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((value, octet) => value << 8n | BigInt(octet), 0n);
}

/** IPv6 text without an IPv4 tail, which `net` never writes; a zone index is left out. */
function parseIpv6(text: string): bigint | undefined {
  const bare = text.split("%", 1)[0] ?? "";
  if (!/^[0-9a-f:]*:[0-9a-f:]*$/i.test(bare)) return undefined;
  const [head = "", tail, ...more] = bare.split("::");
  if (more.length > 0) return undefined;
  const split = (part: string) => part === "" ? [] : part.split(":");
  const before = split(head);
  const after = tail === undefined ? [] : split(tail);
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...Array<string>(missing).fill("0"), ...after];
  if (groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((value, group) => value << 16n | BigInt(parseInt(group, 16)), 0n);
}
