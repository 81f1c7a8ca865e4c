import { domainToASCII } from "node:url";
import {
  type Bytes,
  concatBytes,
  decodeLatin1,
  decodeUtf8,
  EMPTY_BYTES,
  encodeLatin1,
  encodeUtf8,
  randomHex,
} from "../base/mod.ts";
import { headerFields, MAX_ADDRESSES, parseAddresses, parseHeader } from "../message/mod.ts";
import { mailDate } from "./trace_header.ts";

/** Fields that no recipient may see (RFC 5322 3.6.3 and 3.6.6, RFC 6409 8). */
const HIDDEN_FIELDS = ["Bcc", "Resent-Bcc", "Return-Path"];
/** Fields by which clients and webmail tell of themselves and of where they are. */
const CLIENT_FIELDS = [
  "Received",
  "X-Originating-IP",
  "X-Originating-Client",
  "X-Sender-IP",
  "X-Forwarded-For",
  "X-Mailer",
  "User-Agent",
];

/** The header of a message that was submitted. */
export interface SubmittedHeader {
  /** As it will be sent: whole fields, without the empty line. */
  readonly bytes: Bytes;
  /** How many From fields there are. */
  readonly fromFields: number;
  /** Their addresses; a group or a mailbox without domain is "". */
  readonly from: readonly string[];
}

/** What a host changes in the header of a message, beyond what everybody must. */
export interface HeaderPolicy {
  /** Whether nothing shall tell of the client. */
  readonly hidesClient?: boolean;
  /** Values that replace those of fields, whose names are in lower case, where there are such. */
  readonly replacedFields?: ReadonlyMap<string, string>;
}

/**
 * Where the header ends and the empty line before the body begins, looked for from `from` on.
 * Undefined while it is not there.
 */
export function findHeaderEnd(bytes: Bytes, from = 0): number | undefined {
  if (from === 0 && isLineEnd(bytes, 0)) return 0;
  for (let at = from; (at = bytes.indexOf(10, at)) >= 0; at++) {
    if (isLineEnd(bytes, at + 1)) return at + 1;
  }
  return undefined;
}

/** The header of a message in whole lines, cut where it is longer than `maxBytes`. */
export async function readHeader(content: AsyncIterable<Bytes>, maxBytes: number): Promise<Bytes> {
  let head: Bytes = EMPTY_BYTES;
  for await (const piece of content) {
    head = concatBytes([head, piece]);
    const end = findHeaderEnd(head);
    if (end !== undefined && end <= maxBytes) return head.subarray(0, end);
    if (head.length > maxBytes) break;
  }
  return head.subarray(0, head.lastIndexOf(10, maxBytes - 1) + 1);
}

function isLineEnd(bytes: Bytes, at: number): boolean {
  return bytes[at] === 10 || (bytes[at] === 13 && bytes[at + 1] === 10);
}

/**
 * Makes the header fit to be sent (RFC 6409 8): takes out what recipients must not see, and puts
 * Date and Message-ID in front where they are missing. Other fields stay as they are, octet by octet.
 */
export function prepareHeader(
  fields: Bytes,
  sender: { readonly domain: string; readonly time: number },
  policy: HeaderPolicy,
): SubmittedHeader {
  const header = parseHeader(decodeLatin1(fields));
  const removed = [...HIDDEN_FIELDS, ...(policy.hidesClient ? CLIENT_FIELDS : [])];
  const added: string[] = [];
  for (const [name, value] of policy.replacedFields ?? []) {
    const field = header.fields.find((each) => each.name.toLowerCase() === name);
    if (field === undefined) continue;
    removed.push(name);
    added.push(`${field.name}: ${value}\r\n`);
  }
  if (header.first("date") === undefined) added.push(`Date: ${mailDate(sender.time)}\r\n`);
  if (header.first("message-id") === undefined) {
    const domain = domainToASCII(sender.domain) || sender.domain;
    added.push(`Message-ID: <${randomHex(16)}@${domain}>\r\n`);
  }
  // Without the empty line that it ends with.
  const kept = headerFields(fields, removed, true).subarray(0, -2);
  return {
    bytes: concatBytes([encodeUtf8(added.join("")), kept]),
    fromFields: header.all("from").length,
    from: header.all("from").flatMap(addressesOf),
  };
}

function addressesOf(raw: string): string[] {
  return parseAddresses(raw, MAX_ADDRESSES).map(({ mailbox, host }) =>
    mailbox && host ? decodeUtf8(encodeLatin1(`${mailbox}@${host}`)) : ""
  );
}
