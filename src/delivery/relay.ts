import { Readable } from "node:stream";
import nodemailer, { type Transporter } from "nodemailer";
import { type Bytes, logger } from "../base/mod.ts";
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

const log = logger("delivery");

/** Sends mail to the configured host, over connections that are used again. */
export class Relay {
  readonly #transport: Transporter;

  constructor(options: RelayOptions) {
    const { host, port, tls, credentials, caCertificates, hostname } = options;
    this.#transport = nodemailer.createTransport(
      {
        pool: true,
        host,
        port,
        name: hostname,
        secure: tls === "implicit",
        requireTLS: tls === "starttls",
        ignoreTLS: tls === "none",
        tls: { minVersion: "TLSv1.2", ...(caCertificates ? { ca: caCertificates } : {}) },
        ...(credentials
          ? { auth: { user: credentials.username, pass: credentials.password } }
          : {}),
        maxConnections: MAX_RELAY_CONNECTIONS,
        maxMessages: 100,
        maxRequeues: 1,
        connectionTimeout: RELAY_TIMEOUT_MS,
        greetingTimeout: RELAY_TIMEOUT_MS,
        // RFC 5321 4.5.3.2.6: ten minutes for the answer to a message.
        socketTimeout: 10 * RELAY_TIMEOUT_MS,
        logger: false,
      } as Parameters<typeof nodemailer.createTransport>[0],
    );
  }

  /** Results in the order of the recipients. Never rejects. */
  async send({ sender, recipients, size, content }: RelayedMessage): Promise<RelayResult[]> {
    const raw = Readable.from(content(), { objectMode: false });
    try {
      const info = await this.#transport.sendMail({
        envelope: { from: sender, to: [...recipients], size, use8BitMime: true } as never,
        raw,
      }) as SentInfo;
      const errors = info.rejectedErrors ?? [];
      return recipients.map((recipient) => {
        const error = errors.find((each) => each.recipient === recipient);
        return error ? resultOf(error) : { kind: "accepted" };
      });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const { rejectedErrors = [] } = error as ReplyError;
      log.debug("the relay did not take a message: {error}", { error });
      return recipients.map((recipient) =>
        resultOf(rejectedErrors.find((each) => each.recipient === recipient) ?? error)
      );
    } finally {
      raw.destroy();
    }
  }

  close(): void {
    this.#transport.close();
  }
}

/** What nodemailer adds to its errors. */
interface ReplyError extends Error {
  readonly code?: string;
  readonly command?: string;
  readonly response?: string;
  readonly responseCode?: number;
  readonly recipient?: string;
  readonly rejectedErrors?: readonly ReplyError[];
}

interface SentInfo {
  readonly rejectedErrors?: readonly ReplyError[];
}

/** Commands whose refusal is about the message or a recipient, and not about this host. */
const ABOUT_MESSAGE = /^(MAIL FROM|RCPT TO|DATA)/;

function resultOf(error: ReplyError): RelayResult {
  const { response, responseCode = 0, command = "", code } = error;
  const isRefused = code === "EMESSAGE" && responseCode === 0 ||
    (responseCode >= 500 && ABOUT_MESSAGE.test(command));
  return {
    kind: isRefused ? "refused" : "failed",
    text: isRefused ? "The next mail server refused the message" : error.message,
    reply: responseCode === 0 ? undefined : response?.replace(/\s+/g, " "),
  };
}
