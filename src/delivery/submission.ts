import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerDataStream,
  type SMTPServerEnvelope,
  type SMTPServerSession,
} from "smtp-server";
import type { Authenticator, AuthSuccess } from "../auth/mod.ts";
import { type AccountId, logger, metrics } from "../base/mod.ts";
import type { TlsOptions, Transport } from "../net/mod.ts";
import { closeConnections } from "./closing.ts";
import { checkRoom, isLocalAddress, type MessageSource, resolveRecipient } from "./accept.ts";
import {
  IDLE_TIMEOUT_MS,
  MAX_COMMANDS_BEFORE_LOGIN,
  MAX_SUBMISSION_COMMAND_BYTES,
  MAX_SUBMISSION_RECIPIENTS,
} from "./limits.ts";
import { checkOwner, type IntakeServices, MessageIntake } from "./message_intake.ts";
import { REFUSAL_REPLIES } from "./outbox.ts";
import { RateLimit, type SendingRate } from "./rate_limit.ts";
import { type LiveSubmission, SubmissionConnection } from "./submission_connection.ts";
import type { SubmissionRefusal } from "./submission_policy.ts";

export interface SubmissionServices extends IntakeServices {
  readonly authenticator: Authenticator;
  /** How much each account may send. */
  readonly rate: SendingRate;
  /**
   * Has `told` called, until the function given is, when the account or its credentials may have
   * changed. Without it that is noticed at the next message.
   */
  readonly watchAccount?: (account: AccountId, told: () => void) => () => void;
}

const log = logger("delivery");

/** Takes mail that users send (RFC 6409): one for the process, all connections. */
export class SubmissionServer {
  readonly #services: SubmissionServices;
  readonly #smtp: SMTPServer;
  readonly #rate: RateLimit<AccountId>;
  /** Recipients accepted in a transaction, by what makes two of them one. */
  readonly #recipients = new WeakMap<SMTPServerEnvelope, Map<string, string>>();
  readonly #connections = new Map<string, SubmissionConnection>();
  /** Commands and messages that are being dealt with. */
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(services: SubmissionServices) {
    this.#services = services;
    this.#rate = new RateLimit(services.clock, services.rate);
    this.#smtp = new SMTPServer({
      name: services.hostname,
      size: services.maxMessageBytes,
      rejectOversized: true,
      maxRecipients: MAX_SUBMISSION_RECIPIENTS,
      // The one that reaches this number is refused.
      maxAllowedUnauthenticatedCommands: MAX_COMMANDS_BEFORE_LOGIN + 1,
      socketTimeout: IDLE_TIMEOUT_MS,
      hideENHANCEDSTATUSCODES: false,
      disableReverseLookup: true,
      // `_parseAddressCommand` of the connection is not.
      lenientAddressParsing: true,
      disabledCommands: ["WIZ", "SHELL", "KILL", "HELP", "XCLIENT", "XFORWARD"],
      authRequiredMessage: "5.7.0 Log in first",
      logger: false,
      maxCommandLength: MAX_SUBMISSION_COMMAND_BYTES,
      onConnect: (_session, done) => done(),
      onSecure: (_socket, _session, done) => done(),
      onMailFrom: (address, session, done) => {
        this.#answer(done, () => this.#checkSender(address, session));
      },
      onRcptTo: (address, session, done) => {
        this.#answer(done, () => this.#checkRecipient(address, session));
      },
      onData: (stream, session, done) => {
        this.#answer(done, () => this.#receive(stream, session));
      },
    });
    this.#smtp.on("error", (error) => {
      log.debug("submission connection: {error}", { error: error.message });
    });
  }

  /**
   * Speaks SMTP on a connection; resolves when it is gone, and never rejects. `begun` is given the
   * connection before anything is said.
   */
  async serve(
    transport: Transport,
    tls: TlsOptions,
    begun?: (connection: LiveSubmission) => void,
  ): Promise<void> {
    const login = this.#services.authenticator.forConnection(() => ({
      protocol: "submission",
      ...transport.facts,
    }));
    const house = {
      smtp: this.#smtp,
      maxMessageBytes: this.#services.maxMessageBytes,
      openIntake: (connection: SubmissionConnection) => this.#openIntake(connection),
      finish: (intake: MessageIntake) => this.#track(intake.finish()),
      admit: (connection: SubmissionConnection, user: AuthSuccess) => this.#admit(connection, user),
    };
    const connection = new SubmissionConnection(house, transport, login, tls);
    begun?.(connection);
    this.#connections.set(connection.id, connection);
    this.#smtp.connections.add(connection);
    connection.on("error", (error: Error) => this.#smtp.emit("error", error));
    await connection.run();
    this.#connections.delete(connection.id);
  }

  #admit(connection: SubmissionConnection, user: AuthSuccess): (() => void) | undefined {
    const { authenticator, watchAccount } = this.#services;
    const { account, credential } = user;
    const close = authenticator.openSession(account.id);
    if (close === undefined) return undefined;
    const unsubscribe = watchAccount?.(account.id, () => {
      authenticator.mayStay(account, credential).then((mayStay) => {
        if (!mayStay) connection.refuse(MUST_LEAVE);
      }).catch((error: unknown) => {
        // The next message asks again.
        log.error("whether a connection may stay is not known: {error}", { error });
      });
    });
    return () => {
      unsubscribe?.();
      close();
    };
  }

  /** Ends every connection with 421, after the messages under way, for which there is `graceMs`. */
  async close(graceMs: number): Promise<void> {
    await closeConnections(this.#smtp, this.#underWay, graceMs, "4.3.2 Server shutting down");
  }

  /** Runs a handler of smtp-server's, and has it answer with the refusal, if there is one. */
  #answer(
    done: (error?: Error | null) => void,
    work: () => Promise<SubmissionRefusal | undefined>,
  ): void {
    void this.#track(work()).catch((error: unknown): SubmissionRefusal => {
      log.error("submission failed: {error}", { error });
      return { code: 451, status: "4.3.0", text: "Something went wrong here; try again later" };
    }).then((refusal) => done(refusal ? replyError(refusal) : null));
  }

  #track<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
    return tracked;
  }

  /** The address of MAIL must be the account's, and the account may send yet another message. */
  async #checkSender(
    { address }: SMTPServerAddress,
    { id, envelope }: SMTPServerSession,
  ): Promise<SubmissionRefusal | undefined> {
    const user = this.#connections.get(id)?.user;
    if (user === undefined) return NOT_LOGGED_IN;
    const { authenticator, policy } = this.#services;
    const { account, credential } = user;
    if (!await authenticator.mayStay(account, credential)) return MUST_LEAVE;
    const refusal = needsUtf8(address, envelope) ??
      (address === "" ? undefined : await checkOwner(this.#services, account, address)) ??
      await policy.checkSender?.(account, address);
    if (refusal) return this.#refuse(refusal, "sender");
    if (this.#rate.take(account.id)) return undefined;
    return this.#refuse({
      code: 450,
      status: "4.7.1",
      text: "You send too many messages; wait a minute",
    }, "rate");
  }

  async #checkRecipient(
    { address }: SMTPServerAddress,
    { envelope }: SMTPServerSession,
  ): Promise<SubmissionRefusal | undefined> {
    const refusal = needsUtf8(address, envelope);
    if (refusal) return refusal;
    // "postmaster" needs no domain (RFC 5321 4.5.1).
    const full = address.includes("@") ? address : `${address}@${this.#services.hostname}`;
    const accepted = this.#recipients.get(envelope) ?? new Map<string, string>();
    if (await isLocalAddress(this.#services, full)) {
      const recipient = await resolveRecipient(this.#services, full);
      const problem = "kind" in recipient ? recipient : await checkRoom(this.#services, recipient);
      if (problem) {
        return this.#refuse({ ...REFUSAL_REPLIES[problem.kind], text: problem.text }, problem.kind);
      }
    } else if (!this.#services.outbox.hasRelay) {
      return this.#refuse({
        code: 550,
        status: "5.7.1",
        text: "This server sends no mail to other hosts: it has no relay",
      }, "no-relay");
    }
    this.#recipients.set(envelope, accepted.set(full.toLowerCase(), full));
    return undefined;
  }

  /** Takes the message that follows DATA. */
  async #receive(
    stream: SMTPServerDataStream,
    { id }: SMTPServerSession,
  ): Promise<SubmissionRefusal | undefined> {
    const connection = this.#connections.get(id);
    if (connection === undefined) return NOT_LOGGED_IN;
    const intake = this.#openIntake(connection);
    try {
      for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
        await intake.write(chunk);
      }
      if (!stream.readableEnded) throw new Error("the message was not received whole");
      return await intake.finish();
    } catch (error) {
      // The client is gone, and what it sent with it; others would be faults.
      if (!stream.destroyed) throw error;
      return undefined;
    } finally {
      await intake.discard();
    }
  }

  #openIntake({ user, session, transport, secure }: SubmissionConnection): MessageIntake {
    if (user === undefined) throw new Error("a message of nobody");
    const { envelope } = session;
    const { hidesClient = false } = this.#services.policy;
    const { address } = transport.facts.remote;
    const source: MessageSource = {
      sender: envelope.mailFrom ? envelope.mailFrom.address : "",
      clientName: session.hostNameAppearsAs || undefined,
      clientAddress: address.startsWith("unix:") ? undefined : address,
      // RFC 3848 and RFC 6531 4.3.
      protocol: `${envelope.smtpUtf8 ? "UTF8SMTP" : "ESMTP"}${secure ? "S" : ""}A`,
      isTraced: !hidesClient,
    };
    return new MessageIntake(this.#services, {
      account: user.account,
      source,
      recipients: [...this.#recipients.get(envelope)?.values() ?? []],
      isUtf8: envelope.smtpUtf8 === true,
    });
  }

  #refuse(refusal: SubmissionRefusal, reason: string): SubmissionRefusal {
    metrics.add("postern_submissions_refused_total", { reason });
    return refusal;
  }
}

const MUST_LEAVE: SubmissionRefusal = {
  code: 421,
  status: "4.7.13",
  text: "The account was disabled, removed or its credentials changed",
};
const NOT_LOGGED_IN: SubmissionRefusal = { code: 530, status: "5.7.0", text: "Log in first" };

/** An address beyond ASCII needs SMTPUTF8 (RFC 6531 3.4); its domain has another form. */
function needsUtf8(
  address: string,
  envelope: SMTPServerEnvelope,
): SubmissionRefusal | undefined {
  const local = address.slice(0, address.lastIndexOf("@"));
  if (envelope.smtpUtf8 || /^[ -~]*$/.test(local)) return undefined;
  return { code: 553, status: "5.6.7", text: "Such an address needs SMTPUTF8" };
}

function replyError({ code, status, text }: SubmissionRefusal): Error {
  return Object.assign(new Error(`${status} ${text}`), { responseCode: code });
}
