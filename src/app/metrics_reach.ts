import { contains, parseNetwork } from "../net/mod.ts";

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

/** Whether strangers may reach what listens on this address of the configuration. */
export function isReachedByStrangers(address: string): boolean {
  if (address.startsWith("unix:")) return false;
  const host = address.slice(0, address.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
  if (host === "localhost") return false;
  if (!/^[\d.]+$|:/.test(host)) return true;
  return !INNER_NETWORKS.some((network) => contains(parseNetwork(network), host));
}
