import { contains, parseNetwork } from "../net/mod.ts";
import type { ListenerConfig } from "./config/config.ts";

/** Loopback, private and link-local networks. */
const INNER_NETWORKS = [
  "127.0.0.0/8",
  "::1",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "fc00::/7",
  "fe80::/10",
];

/** What to tell the admin of a metrics listener that strangers may reach. */
export function reachWarning({ kind, address }: ListenerConfig): string | undefined {
  if (kind !== "metrics" || !isReachedByStrangers(address)) return undefined;
  return `listener metrics ${address}: its numbers are for everybody who can reach it; a loopback ` +
    "or private address is better, or a firewall";
}

/** Whether strangers may reach what listens on this address of the configuration. */
export function isReachedByStrangers(address: string): boolean {
  if (address.startsWith("unix:")) return false;
  const host = address.slice(0, address.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
  if (host === "localhost") return false;
  if (!/^[\d.]+$|:/.test(host)) return true;
  return !INNER_NETWORKS.some((network) => contains(parseNetwork(network), host));
}
