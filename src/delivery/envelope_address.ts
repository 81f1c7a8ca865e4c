import { parseAddress, StoreError } from "../store/mod.ts";

/**
 * Whether an address may stand in MAIL and RCPT (RFC 5321 4.1.2); "" for no sender, and
 * "postmaster", which needs no domain. Beyond the RFC a domain may have "_", as those of chatmail
 * hosts begin that have no certificate of an authority. Quoted local parts are not taken.
 */
export function isEnvelopeAddress(address: string): boolean {
  const at = address.lastIndexOf("@");
  if (at < 0) return address === "" || address.toLowerCase() === "postmaster";
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  if (/^\.|\.\.|\.$|["@]/.test(local)) return false;
  if (!/^\[[\w.:]+\]$/.test(domain) && !/^[\w\u0080-\uffff.-]+$/.test(domain)) return false;
  try {
    parseAddress(address);
    return !/(?:^|\.)-|-(?:\.|$)/.test(domain);
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}
