import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerDataStream,
  type SMTPServerEnvelope,
  type SMTPServerSession,
} from "smtp-server";
import { SMTPConnection } from "smtp-server/lib/smtp-connection.js";
import { logger, metrics } from "../base/mod.ts";
import { type Transport, TransportSocket } from "../net/mod.ts";
import {
  checkRoom,
  deliverMessage,
  type DeliveryResult,
  type DeliveryServices,
  type Recipient,
  type Refusal,
  resolveRecipient,
} from "./accept.ts";
import { closeConnections } from "./closing.ts";
import { isEnvelopeAddress } from "./envelope_address.ts";
import { IDLE_TIMEOUT_MS, MAX_COMMAND_BYTES, MAX_RECIPIENTS } from "./limits.ts";
import type { LiveSubmission } from "./submission_connection.ts";
import { REFUSAL_REPLIES } from "./outbox.ts";

export interface LmtpServices extends DeliveryServices {
  /** Octets of the largest message that is taken. */
  readonly maxMessageBytes: number;
  /** Whether messages get a Received field here; they do unless this is false. */
  readonly isTraced?: boolean;
}

const log = logger("delivery");

/** Takes mail by LMTP (RFC 2033): one for the process, all connections. */
export class LmtpServer {
  readonly #services: LmtpServices;
  readonly #smtp: SMTPServer;
  /** Recipients accepted in a transaction; smtp-server makes a new envelope for each. */
  readonly #recipients = new WeakMap<SMTPServerEnvelope, Recipient[]>();
  readonly #transports = new Map<string, Transport>();
  /** Messages that are being received. */
  readonly #underWay = new Set<Promise<void>>();

  constructor(services: LmtpServices) {
    this.#services = services;
    this.#smtp = new SMTPServer({
      lmtp: true,
      name: services.hostname,
      size: services.maxMessageBytes,
      rejectOversized: true,
      maxRecipients: MAX_RECIPIENTS,
      maxCommandLength: MAX_COMMAND_BYTES,
      socketTimeout: IDLE_TIMEOUT_MS,
      hideENHANCEDSTATUSCODES: false,
      disableReverseLookup: true,
      // `_parseAddressCommand` of the connection is not.
      lenientAddressParsing: true,
      authOptional: true,
      disabledCommands: ["AUTH", "STARTTLS", "WIZ", "SHELL", "KILL", "HELP"],
      logger: false,
      onConnect: (_session, done) => done(),
      onRcptTo: (address, session, done) => {
        void this.#accept(address, session).catch((error: unknown) => {
          logFault(error);
          return replyError(NOT_RECEIVED);
        }).then(done);
      },
      onData: (stream, session, done) => {
        const received = this.#receive(stream, session)
          .then((answers) => done(null, answers))
          .catch(logFault)
          .finally(() => this.#underWay.delete(received));
        this.#underWay.add(received);
      },
    });
    this.#smtp.on("error", (error) => {
      log.debug("LMTP connection: {error}", { error: error.message });
    });
  }

  /**
   * Speaks LMTP on a connection; resolves when it is gone, and never rejects. `begun` is given the
   * connection before anything is said.
   */
  async serve(
    transport: Transport,
    begun?: (connection: Omit<LiveSubmission, "user">) => void,
  ): Promise<void> {
    const socket = new TransportSocket(transport);
    const connection = new PromptConnection(this.#smtp, socket as unknown as SmtpSocket);
    begun?.(connection);
    this.#transports.set(connection.id, transport);
    this.#smtp.connections.add(connection);
    connection.on("error", (error: Error) => this.#smtp.emit("error", error));
    await new Promise<void>((resolve) => {
      socket.once("close", resolve);
      connection.init();
    });
    this.#transports.delete(connection.id);
  }

  /**
   * Ends every connection with 421, after the messages that are under way, for which there is
   * `graceMs`. A message whose last reply is 421 may come twice, but is never lost.
   */
  async close(graceMs: number): Promise<void> {
    await closeConnections(this.#smtp, this.#underWay, graceMs, "Server shutting down");
  }

  async #accept(
    { address }: SMTPServerAddress,
    { envelope }: SMTPServerSession,
  ): Promise<Error | null> {
    // "postmaster" needs no domain (RFC 5321 4.5.1).
    const full = address.includes("@") ? address : `${address}@${this.#services.hostname}`;
    const recipient = await resolveRecipient(this.#services, full);
    if ("kind" in recipient) return refused(recipient);
    const refusal = await checkRoom(this.#services, recipient);
    if (refusal !== undefined) return refused(refusal);
    const accepted = this.#recipients.get(envelope) ?? [];
    // smtp-server does not count equal recipients.
    if (accepted.length >= MAX_RECIPIENTS) return replyError(TOO_MANY);
    this.#recipients.set(envelope, [...accepted, recipient]);
    return null;
  }

  /** The replies after the final dot, one for each RCPT that was accepted (RFC 2033 4.2). */
  async #receive(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
  ): Promise<(string | Error)[]> {
    const { envelope } = session;
    const recipients = this.#recipients.get(envelope) ?? [];
    // smtp-server keeps one of several equal recipients, but each needs its reply.
    envelope.rcptTo = recipients.map(({ address }) => ({ address, args: false }));
    const remote = this.#transports.get(session.id)?.facts.remote.address;
    const { maxMessageBytes } = this.#services;
    try {
      const results = await deliverMessage(
        this.#services,
        recipients,
        {
          sender: envelope.mailFrom ? envelope.mailFrom.address : "",
          clientName: session.hostNameAppearsAs,
          clientAddress: remote?.startsWith("unix:") ? undefined : remote,
          protocol: envelope.smtpUtf8 ? "UTF8LMTP" : "LMTP",
          isTraced: this.#services.isTraced ?? true,
        },
        bounded(stream, maxMessageBytes),
      );
      return results.map(replyTo);
    } catch (error) {
      // smtp-server answers for a message that is too large; nobody is there to hear of a break.
      if (!stream.sizeExceeded && !stream.destroyed) logFault(error);
      return recipients.map(() => replyError(NOT_RECEIVED));
    } finally {
      stream.resume();
    }
  }
}

function refused(refusal: Refusal): Error {
  metrics.add("postern_deliveries_refused_total", { reason: refusal.kind });
  return replyError(refusal);
}

/** What smtp-server wants; it uses no more of it than `TransportSocket` has. */
type SmtpSocket = ConstructorParameters<typeof SMTPConnection>[1];

const TOO_MANY: Refusal = { kind: "over-quota", text: "Too many recipients" };
const NOT_RECEIVED: Refusal = { kind: "unavailable", text: "The message was not received" };

/** smtp-server greets after 100 ms, to catch those who talk too soon; LMTP clients are no such. */
class PromptConnection extends SMTPConnection {
  override init(): void {
    this._setListeners(() => this.connectionReady());
  }

  get activity(): string {
    return this._dataStream ? "DATA" : "";
  }

  end(reason: string): void {
    this.send(421, `4.3.2 ${reason}`);
  }

  /** smtp-server's own rules leave out domains with "_". */
  override _parseAddressCommand(
    name: string,
    command: Parameters<SMTPConnection["_parseAddressCommand"]>[1],
  ): ReturnType<SMTPConnection["_parseAddressCommand"]> {
    const parsed = super._parseAddressCommand(name, command);
    return parsed && isEnvelopeAddress(parsed.address) ? parsed : false;
  }

  /** The enhanced code (RFC 3463) may stand in front of the text already. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const hasStatus = typeof data === "string" && /^[245]\.\d{1,3}\.\d{1,3} /.test(data);
    super.send(code, data, hasStatus ? false : context);
  }
}

/** The message, until it is known to be too large. */
async function* bounded(
  stream: SMTPServerDataStream,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  const iterator = stream.iterator({ destroyOnReturn: false });
  for await (const chunk of iterator) {
    if (stream.sizeExceeded) throw new Error(`The message has over ${maxBytes} octets.`);
    yield chunk;
  }
  if (stream.sizeExceeded) throw new Error(`The message has over ${maxBytes} octets.`);
}

function logFault(error: unknown): void {
  log.error("LMTP failed: {error}", { error });
}

function replyTo(result: DeliveryResult): string | Error {
  return result.kind === "delivered" ? "Delivered" : replyError(result);
}

function replyError({ kind, text }: Refusal): Error {
  const { code, status } = REFUSAL_REPLIES[kind];
  return Object.assign(new Error(`${status} ${text}`), { responseCode: code });
}
