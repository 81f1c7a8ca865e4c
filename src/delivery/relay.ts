import { Readable } from "node:stream";
import { domainToASCII } from "node:url";
import type { NodemailerError } from "nodemailer";
import SMTPPool from "nodemailer/lib/smtp-pool";
import type { Bytes } from "../base/mod.ts";
import { MAX_RELAY_CONNECTIONS, MAX_SUBMITTED_HEADER_BYTES, RELAY_TIMEOUT_MS } from "./limits.ts";
import { readHeader } from "./submitted_header.ts";
import { type Outcome, sendUtf8 } from "./utf8_connection.ts";

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
  /** Whether it came with SMTPUTF8, so that addresses and header may need it. */
  readonly isUtf8: boolean;
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
    /** Enhanced status code (RFC 3463) where it is this host that knows. */
    readonly status?: string;
  };

/** Sends mail to the configured host, over connections that are used again. */
export class Relay {
  readonly #options: Parameters<typeof sendUtf8>[0];
  readonly #login: Parameters<typeof sendUtf8>[1];
  readonly #pool: SMTPPool;
  readonly #closing = new AbortController();

  constructor(options: RelayOptions) {
    const { credentials } = options;
    this.#options = connectionOptions(options);
    this.#login = credentials && {
      credentials: { user: credentials.username, pass: credentials.password },
    };
    this.#pool = new SMTPPool({
      ...this.#options,
      pool: true,
      ...(credentials ? { auth: { user: credentials.username, pass: credentials.password } } : {}),
      maxConnections: MAX_RELAY_CONNECTIONS,
      maxRequeues: 1,
    });
  }

  /** Results in the order of the recipients. Never rejects. */
  async send(message: RelayedMessage): Promise<RelayResult[]> {
    const { sender, recipients, isUtf8, content } = message;
    let isUtf8Whole;
    try {
      isUtf8Whole = isUtf8 &&
        (needsUtf8(sender) || hasUtf8(await readHeader(content(), MAX_SUBMITTED_HEADER_BYTES)));
    } catch (error) {
      return recipients.map(() => resultOf(error as NodemailerError));
    }
    const isSpecial = (address: string) => isUtf8Whole || needsUtf8(address);
    const special = recipients.filter(isSpecial);
    const others = recipients.filter((address) => !isSpecial(address));
    const results = new Map<string, RelayResult>();
    for (const [to, send] of [[special, this.#sendUtf8], [others, this.#sendPooled]] as const) {
      if (to.length === 0) continue;
      const sent = await send.call(this, { ...message, recipients: to });
      to.forEach((address, i) => results.set(address, sent[i] ?? NO_ANSWER));
    }
    return recipients.map((address) => results.get(address) ?? NO_ANSWER);
  }

  async #sendPooled({ sender, recipients, size, content }: RelayedMessage): Promise<RelayResult[]> {
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
    const outcome = await new Promise<Outcome>((resolve) => {
      const data = { signal: this.#closing.signal };
      this.#pool.send({ data, message } as unknown as PooledMail, (error, info) => {
        const refusals = (error ?? info)?.rejectedErrors ?? [];
        resolve({ failure: error, accepted: info?.accepted ?? [], refusals });
      });
    });
    stream?.destroy();
    return resultsOf(to, outcome);
  }

  async #sendUtf8({ sender, recipients, size, content }: RelayedMessage): Promise<RelayResult[]> {
    const to = recipients.map(relayedForm);
    const outcome = await sendUtf8(this.#options, this.#login, {
      envelope: { from: relayedForm(sender), to: [...to], size, use8BitMime: true },
      message: Readable.from(content(), { objectMode: false }),
      signal: this.#closing.signal,
    });
    if (outcome !== "unsupported") return resultsOf(to, outcome);
    const isAddress = needsUtf8(sender);
    return to.map((address) => ({
      kind: "refused",
      status: isAddress || needsUtf8(address) ? "5.6.7" : "5.6.9",
      text: "The next mail server takes no addresses and headers beyond ASCII",
      reply: undefined,
    }));
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

function connectionOptions(
  { host, port, tls, caCertificates, hostname }: RelayOptions,
): Parameters<typeof sendUtf8>[0] {
  return {
    host,
    port,
    name: hostname,
    secure: tls === "implicit",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    tls: { minVersion: "TLSv1.2", ...(caCertificates ? { ca: caCertificates } : {}) },
    connectionTimeout: RELAY_TIMEOUT_MS,
    greetingTimeout: RELAY_TIMEOUT_MS,
    // RFC 5321 4.5.3.2.6: ten minutes for the answer to a message.
    socketTimeout: 10 * RELAY_TIMEOUT_MS,
    logger: false,
  };
}

/** Whether an address has no form in ASCII: its local part, as a domain has one. */
function needsUtf8(address: string): boolean {
  return /[^ -~]/.test(address.slice(0, address.lastIndexOf("@") + 1));
}

function hasUtf8(header: Bytes): boolean {
  return header.some((octet) => octet >= 0x80);
}

const NO_ANSWER: RelayResult = {
  kind: "failed",
  text: "no answer for the recipient",
  reply: undefined,
};

function resultsOf(
  to: readonly string[],
  { failure, accepted, refusals }: Outcome,
): RelayResult[] {
  const taken = new Set(accepted);
  return to.map((recipient) => {
    if (taken.has(recipient)) return { kind: "accepted" };
    const own = refusals.find((each) => each.recipient === recipient) ?? failure;
    return own ? resultOf(own) : NO_ANSWER;
  });
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
