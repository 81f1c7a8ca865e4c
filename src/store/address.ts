import { domainToASCII, domainToUnicode } from "node:url";
import { StoreError } from "./store_error.ts";

/** Longest address in octets of UTF-8: a path of RFC 5321 4.5.3.1.3 without its brackets. */
export const MAX_ADDRESS_BYTES = 254;

export interface Address {
  /** NFC and lower case: addresses that differ in case only are one, as people expect. "" in a catch-all. */
  readonly local: string;
  /** As `parseDomain` gives it. */
  readonly domain: string;
  /** To show: the local part in NFC as given, and the domain. */
  readonly display: string;
  /** To compare: local part and domain. */
  readonly key: string;
}

/** Reads "local@domain", or with `allowCatchAll` "@domain". Throws StoreError "invalid-name". */
export function parseAddress(address: string, options: { allowCatchAll?: boolean } = {}): Address {
  const at = address.lastIndexOf("@");
  if (at < 0) throw new StoreError("invalid-name", "An address has an @.");
  const given = address.slice(0, at).normalize("NFC");
  if (given === "" && !options.allowCatchAll) {
    throw new StoreError("invalid-name", "The address has nothing before the @.");
  }
  if (!given.isWellFormed() || /[\s\p{Cc}]/u.test(given)) {
    throw new StoreError("invalid-name", "The address contains a space or control character.");
  }
  const domain = parseDomain(address.slice(at + 1));
  const display = given + "@" + domain;
  if (new TextEncoder().encode(display).length > MAX_ADDRESS_BYTES) {
    throw new StoreError("invalid-name", `The address has over ${MAX_ADDRESS_BYTES} octets.`);
  }
  const local = given.toLowerCase();
  return { local, domain, display, key: local + "@" + domain };
}

/**
 * A domain in the one form in which it is kept: lower case, NFC, internationalised labels in
 * Unicode; or an address literal such as "[192.0.2.1]". Throws StoreError "invalid-name".
 */
export function parseDomain(name: string): string {
  const lower = name.normalize("NFC").toLowerCase();
  if (/^\[[0-9a-z.:]+\]$/.test(lower)) return lower;
  const domain = /^[a-z0-9._-]+$/.test(lower) && !lower.includes("xn--")
    ? lower
    : domainToUnicode(domainToASCII(lower)).normalize("NFC");
  const labels = domain.split(".");
  if (domain.length > 253 || labels.some((label) => label === "" || /[\s\p{Cc}@/:]/u.test(label))) {
    throw new StoreError("invalid-name", "Not a domain name.");
  }
  return domain;
}
