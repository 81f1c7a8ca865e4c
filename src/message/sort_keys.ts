import type { Address } from "./address.ts";
import { decodeRaw } from "./charset.ts";
import { decodeWords } from "./encoded_word.ts";
import type { EnvelopeAddresses } from "./envelope.ts";
import { MAX_SORT_KEY_LENGTH } from "./limits.ts";
import type { SortKeys } from "./parsed_message.ts";
import { cutText } from "./raw_text.ts";

export function makeSortKeys(addresses: EnvelopeAddresses): SortKeys {
  return {
    from: mailboxKey(addresses.from[0]),
    to: mailboxKey(addresses.to[0]),
    cc: mailboxKey(addresses.cc[0]),
    displayFrom: displayKey(addresses.from[0]),
    displayTo: displayKey(addresses.to[0]),
  };
}

function mailboxKey(address: Address | undefined): string {
  return cutText(decodeRaw(address?.mailbox ?? ""), MAX_SORT_KEY_LENGTH);
}

/** RFC 5957 3. */
function displayKey(address: Address | undefined): string {
  if (address === undefined) return "";
  const { name, mailbox, host } = address;
  const decoded = name === undefined ? "" : decodeWords(name);
  if (decoded !== "") return cutText(decoded, MAX_SORT_KEY_LENGTH);
  // A host that the message left out is as good as NIL.
  const text = host ? `${mailbox ?? ""}@${host}` : mailbox ?? "";
  return cutText(decodeRaw(text), MAX_SORT_KEY_LENGTH);
}
