import { type Address, parseAddresses } from "./address.ts";
import type { Header } from "./header.ts";
import { wireNstring, wireString } from "./wire_form.ts";

/** The address lists of an envelope; an absent or empty field gives an empty list. */
export interface EnvelopeAddresses {
  readonly from: readonly Address[];
  readonly sender: readonly Address[];
  readonly replyTo: readonly Address[];
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
}

/**
 * Address lists of a header, at most `limit` addresses in all. Repeated To, Cc and Bcc fields are
 * taken together (RFC 5322 4.5.3), of the others the first counts.
 */
export function readAddresses(header: Header, limit: number): EnvelopeAddresses {
  let left = limit;
  const take = (raw: string): Address[] => {
    const addresses = raw === "" ? [] : parseAddresses(raw, left);
    left = Math.max(0, left - addresses.length);
    return addresses;
  };
  const from = take(header.first("from") ?? "");
  const sender = take(header.first("sender") ?? "");
  const replyTo = take(header.first("reply-to") ?? "");
  return {
    from,
    sender: sender.length > 0 ? sender : from,
    replyTo: replyTo.length > 0 ? replyTo : from,
    to: take(header.all("to").join(",")),
    cc: take(header.all("cc").join(",")),
    bcc: take(header.all("bcc").join(",")),
  };
}

/** ENVELOPE (RFC 9051 7.5.2) in wire form, as raw text. Nothing in it is decoded. */
export function writeEnvelope(header: Header, addresses: EnvelopeAddresses): string {
  return `(${
    [
      wireNstring(header.first("date")),
      wireNstring(header.first("subject")),
      writeAddresses(addresses.from),
      writeAddresses(addresses.sender),
      writeAddresses(addresses.replyTo),
      writeAddresses(addresses.to),
      writeAddresses(addresses.cc),
      writeAddresses(addresses.bcc),
      wireNstring(header.first("in-reply-to")),
      wireNstring(header.first("message-id")),
    ].join(" ")
  })`;
}

function writeAddresses(addresses: readonly Address[]): string {
  if (addresses.length === 0) return "NIL";
  let text = "(";
  for (const { name, route, mailbox, host } of addresses) {
    text += `(${wireNstring(name)} ${wireNstring(route)} ${wireNstring(mailbox)} `;
    text += host === undefined ? "NIL)" : `${wireString(host)})`;
  }
  return `${text})`;
}
