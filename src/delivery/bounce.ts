import {
  type Bytes,
  concatBytes,
  decodeUtf8,
  encodeUtf8,
  logger,
  metrics,
  randomHex,
} from "../base/mod.ts";
import { deliverMessage, type DeliveryServices, resolveRecipient } from "./accept.ts";
import { MAX_REPORTED_HEADER_BYTES } from "./limits.ts";
import { readHeader } from "./submitted_header.ts";
import { mailDate } from "./trace_header.ts";

/** Somebody who does not get a message, for good or for now. */
export interface FailedRecipient {
  readonly address: string;
  /** Enhanced status code (RFC 3463). */
  readonly status: string;
  /** Why, for people. */
  readonly text: string;
  /** What the other mail server answered, if it was one. */
  readonly reply: string | undefined;
}

/** What a report is about. */
export interface ReportedMessage {
  readonly sender: string;
  /** When it is given up, in seconds since 1970, if it is tried again; undefined: it is given up. */
  readonly triedUntil: number | undefined;
  content(): AsyncIterable<Bytes>;
}

const log = logger("delivery");

/**
 * Tells the sender, who has a mailbox here, that a message was not delivered, or not yet (RFC 3464).
 * Nobody is told of messages without sender, so that reports cannot go in circles. Gives whether the
 * report is durable, or nobody is there to be told; if not: try again.
 */
export async function sendBounce(
  services: DeliveryServices,
  message: ReportedMessage,
  failed: readonly FailedRecipient[],
): Promise<boolean> {
  if (message.sender === "") return true;
  const recipient = await resolveRecipient(services, message.sender);
  if ("kind" in recipient) {
    log.warn("a report of failed delivery has nowhere to go: {reason}", { reason: recipient.kind });
    return recipient.kind !== "unavailable";
  }
  const header = await readHeader(message.content(), MAX_REPORTED_HEADER_BYTES);
  const report = writeBounce({
    hostname: services.hostname,
    time: services.clock.now(),
    sender: message.sender,
    triedUntil: message.triedUntil,
    header,
    failed,
  });
  const [result] = await deliverMessage(
    services,
    [recipient],
    {
      sender: "",
      clientName: undefined,
      clientAddress: undefined,
      protocol: "local",
      isTraced: false,
    },
    (async function* () {
      yield report;
    })(),
  );
  if (message.triedUntil === undefined) {
    metrics.add("postern_bounces_total", { result: result?.kind ?? "unavailable" });
  }
  // No room for the report: nothing can be done, as for any other message.
  return result?.kind === "delivered" || result?.kind === "over-quota" ||
    result?.kind === "too-large" || result?.kind === "unknown-recipient";
}

/** A multipart/report (RFC 6522) with a delivery status (RFC 3464 2) and the message's header. */
function writeBounce(about: {
  readonly hostname: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly sender: string;
  readonly triedUntil: number | undefined;
  /** Of the message, whole fields. */
  readonly header: Bytes;
  readonly failed: readonly FailedRecipient[];
}): Bytes {
  const { hostname, time, sender, triedUntil, header, failed } = about;
  const boundary = `report-${randomHex(12)}`;
  const isUtf8 = [sender, ...failed.map(({ address }) => address)].some((text) => !isAscii(text));
  const kind = isUtf8 ? "global-delivery-status" : "delivery-status";
  const people = failed.map(({ address, text, reply }) =>
    `  <${oneLine(address)}>\r\n    ${oneLine(text)}${reply ? `\r\n    ${oneLine(reply)}` : ""}\r\n`
  ).join("\r\n");
  const machines = failed.map(({ address, status, reply }) =>
    `Final-Recipient: ${isAscii(address) ? "rfc822" : "utf-8"}; ${oneLine(address)}\r\n` +
    `Action: ${triedUntil === undefined ? "failed" : "delayed"}\r\nStatus: ${status}\r\n` +
    (reply ? `Diagnostic-Code: smtp; ${oneLine(reply)}\r\n` : "") +
    (triedUntil === undefined ? "" : `Will-Retry-Until: ${mailDate(triedUntil * 1000)}\r\n`)
  ).join("\r\n");
  const start = `From: Mail Delivery System <mailer-daemon@${hostname}>\r\n` +
    `To: <${oneLine(sender)}>\r\n` +
    `Subject: Your message ${triedUntil === undefined ? "was not delivered" : "is late"}\r\n` +
    `Date: ${mailDate(time)}\r\n` +
    `Message-ID: <${randomHex(16)}@${hostname}>\r\n` +
    `Auto-Submitted: auto-replied\r\n` +
    `MIME-Version: 1.0\r\n` +
    `Content-Type: multipart/report; report-type=${kind};\r\n\tboundary="${boundary}"\r\n\r\n` +
    `--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `Content-Transfer-Encoding: 8bit\r\n\r\n` +
    (triedUntil === undefined
      ? "Your message could not be delivered to these recipients, and will not be tried again:"
      : "Your message could not be delivered to these recipients yet. There is nothing to do for " +
        `you: it is tried until\r\n${mailDate(triedUntil * 1000)}.`) +
    `\r\n\r\n` +
    `${people}\r\n` +
    `--${boundary}\r\nContent-Type: message/${kind}\r\n` +
    `Content-Transfer-Encoding: 8bit\r\n\r\n` +
    `Reporting-MTA: dns; ${hostname}\r\n\r\n${machines}\r\n` +
    `--${boundary}\r\nContent-Type: text/rfc822-headers\r\n` +
    `Content-Transfer-Encoding: 8bit\r\n\r\n`;
  return concatBytes([encodeUtf8(start), header, encodeUtf8(`\r\n--${boundary}--\r\n`)]);
}

function isAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

/** Text that cannot add a line, and no line is too long of. */
function oneLine(text: string): string {
  return decodeUtf8(encodeUtf8(text.replace(/\p{Cc}+/gu, " ")).subarray(0, 900));
}
