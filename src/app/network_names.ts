import { contains, NetError, parseNetwork, writeNetwork } from "../net/mod.ts";

/** A network or single address in canonical CIDR notation; undefined when the text is neither. */
export function readNetwork(text: string): string | undefined {
  try {
    return writeNetwork(parseNetwork(text));
  } catch (error) {
    if (error instanceof NetError) return undefined;
    throw error;
  }
}

/** Whether one of two networks, in CIDR notation, lies within the other. Throws NetError. */
export function networksOverlap(a: string, b: string): boolean {
  const holds = (outer: string, inner: string) =>
    contains(parseNetwork(outer), inner.split("/")[0] ?? "");
  return holds(a, b) || holds(b, a);
}
