import { Readable } from "node:stream";
import { domainToASCII } from "node:url";
import type { NodemailerError } from "nodemailer";
import SMTPPool from "nodemailer/lib/smtp-pool";
import type { Bytes } from "../base/mod.ts";
import { MAX_RELAY_CONNECTIONS, RELAY_TIMEOUT_MS } from "./limits.ts";

/** The host that takes mail for all other hosts. */
export interface RelayOptions {
  readonly host: string;
  readonly port: number;
  /** From the first octet, by STARTTLS, which must succeed, or not at all. */
  readonly tls: "implicit" | "starttls" | "none";
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
  /** PEM of whom to trust instead of the public authorities. */
  readonly caCertificates: string | undefined;
  /** What this host calls itself. */
  readonly hostname: string;
}

/** A message for some recipients. */
export interface RelayedMessage {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly size: number;
  content(): AsyncIterable<Bytes>;
}

/** What the other host made of a message for one recipient. */
export type RelayResult =
  | { readonly kind: "accepted" }
  /** `reply`: its answer; undefined when it did not get to answer, and `text` says why. */
  | {
    readonly kind: "refused" | "failed";
    readonly text: string;
    readonly reply: string | undefined;
  };

/** Sends mail to the configured host, over connections that are used again. */
export class Relay {
  readonly #pool: SMTPPool;
  readonly #closing = new AbortController();

  constructor(options: RelayOptions) {
    const { host, port, tls, credentials, caCertificates, hostname } = options;
    this.#pool = new SMTPPool({
      pool: true,
      host,
      port,
      name: hostname,
      secure: tls === "implicit",
      requireTLS: tls === "starttls",
      ignoreTLS: tls === "none",
      tls: { minVersion: "TLSv1.2", ...(caCertificates ? { ca: caCertificates } : {}) },
      ...(credentials ? { auth: { user: credentials.username, pass: credentials.password } } : {}),
      maxConnections: MAX_RELAY_CONNECTIONS,
      maxRequeues: 1,
      connectionTimeout: RELAY_TIMEOUT_MS,
      greetingTimeout: RELAY_TIMEOUT_MS,
      // RFC 5321 4.5.3.2.6: ten minutes for the answer to a message.
      socketTimeout: 10 * RELAY_TIMEOUT_MS,
      logger: false,
    });
  }

  /** Results in the order of the recipients. Never rejects. */
  async send({ sender, recipients, size, content }: RelayedMessage): Promise<RelayResult[]> {
    // Not by nodemailer's front, which would write the addresses in forms of its own.
    const to = recipients.map(relayedForm);
    let stream: Readable | undefined;
    const message = {
      getEnvelope: () => ({ from: relayedForm(sender), to: [...to], size, use8BitMime: true }),
      messageId: () => "",
      getHeader: () => "",
      createReadStream: () => {
        stream?.destroy();
        return stream = Readable.from(content(), { objectMode: false });
      },
    };
    const { failure, accepted, refusals } = await new Promise<Outcome>((resolve) => {
      const data = { signal: this.#closing.signal };
      this.#pool.send({ data, message } as unknown as PooledMail, (error, info) => {
        const refusals = (error ?? info)?.rejectedErrors ?? [];
        resolve({ failure: error, accepted: info?.accepted ?? [], refusals });
      });
    });
    stream?.destroy();
    const taken = new Set(accepted);
    return to.map((recipient) => {
      if (taken.has(recipient)) return { kind: "accepted" };
      const own = refusals.find((each) => each.recipient === recipient);
      return resultOf(own ?? failure ?? new Error("no answer for the recipient"));
    });
  }

  /** Ends all connections; what is being sent has failed. */
  close(): void {
    this.#closing.abort();
    this.#pool.close({ force: true });
  }
}

type PooledMail = Parameters<SMTPPool["send"]>[0];

/** The address with its domain in ASCII, which every server takes; the local part has no other form. */
function relayedForm(address: string): string {
  const at = address.lastIndexOf("@") + 1;
  return address.slice(0, at) + (domainToASCII(address.slice(at)) || address.slice(at));
}

/** What came of a message. */
interface Outcome {
  readonly failure: NodemailerError | null;
  readonly accepted: readonly string[];
  readonly refusals: readonly NodemailerError[];
}

/** Commands whose refusal is about the message or a recipient, and not about this host. */
const ABOUT_MESSAGE = /^(MAIL FROM|RCPT TO|DATA)/;

function resultOf(error: NodemailerError): RelayResult {
  const { response, responseCode = 0, command = "", code } = error;
  // Without a reply: larger than its SIZE allows.
  const isRefused = ABOUT_MESSAGE.test(command) &&
    (responseCode >= 500 || (responseCode === 0 && code === "EMESSAGE"));
  return {
    kind: isRefused ? "refused" : "failed",
    text: isRefused ? "The next mail server refused the message" : error.message,
    reply: responseCode === 0 ? undefined : response?.replace(/\s+/g, " "),
  };
}
