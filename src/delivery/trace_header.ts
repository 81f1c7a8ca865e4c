import { decodeUtf8, encodeUtf8 } from "../base/mod.ts";
import type { MessageSource } from "./accept.ts";
import { MAX_RECEIVED_NAME_BYTES } from "./limits.ts";

/** How a message came here, for its trace fields. */
export interface TraceInfo extends MessageSource {
  /** This host. */
  readonly hostname: string;
  /** What the log calls the transaction. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/**
 * The fields that final delivery puts in front of a message (RFC 5321 4.4): Return-Path,
 * Delivered-To and Received, each ended by CRLF. Nothing that a peer said can add a line.
 */
export function traceHeader(info: TraceInfo, recipient: string): Uint8Array {
  const { isTraced = true } = info;
  return encodeUtf8(
    `Return-Path: <${oneLine(info.sender)}>\r\nDelivered-To: ${oneLine(recipient)}\r\n` +
      (isTraced ? receivedField(info, recipient) : ""),
  );
}

/** A Received field (RFC 5321 4.4), ended by CRLF; with the recipient where there is one. */
export function receivedField(info: TraceInfo, recipient?: string): string {
  const { clientName, clientAddress, hostname, protocol, id } = info;
  const name = domainWord(clientName);
  const literal = clientAddress === undefined
    ? ""
    : ` ([${clientAddress.includes(":") ? "IPv6:" : ""}${oneLine(clientAddress)}])`;
  const from = name === undefined && literal === ""
    ? ""
    : `from ${name ?? "unknown"}${literal}\r\n\t`;
  const goal = recipient === undefined ? "" : `\r\n\tfor <${oneLine(recipient)}>`;
  return `Received: ${from}by ${hostname} with ${protocol} id ${id}${goal}` +
    `${goal === "" ? ";\r\n\t" : "; "}${mailDate(info.time)}\r\n`;
}

/** `date-time` of RFC 5322 3.3, in UTC. */
export function mailDate(time: number): string {
  return new Date(time).toUTCString().replace("GMT", "+0000");
}

/** The name when it can stand in a Received field, where it says who the client claims to be. */
function domainWord(name: string | undefined): string | undefined {
  if (name === undefined || !/^[\w.:[\]\u0080-\uffff-]+$/.test(name)) return undefined;
  return decodeUtf8(encodeUtf8(name).subarray(0, MAX_RECEIVED_NAME_BYTES));
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, "");
}
