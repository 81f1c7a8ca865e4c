import { Buffer } from "node:buffer";
import type { SMTPServer } from "smtp-server";
import { SMTPConnection } from "smtp-server/lib/smtp-connection.js";
import type { AuthFailureKind, AuthSuccess, ConnectionLogin, Exchange } from "../auth/mod.ts";
import { type Bytes, EMPTY_BYTES, logger } from "../base/mod.ts";
import { type TlsOptions, type Transport, TransportSocket } from "../net/mod.ts";
import { ChunkParser } from "./chunk_parser.ts";
import { isEnvelopeAddress } from "./envelope_address.ts";
import { MAX_SUBMISSION_COMMAND_BYTES } from "./limits.ts";
import type { MessageIntake } from "./message_intake.ts";
import type { SubmissionRefusal } from "./submission_policy.ts";

const log = logger("delivery");

/** What a submission connection asks of its server. */
export interface SubmissionHouse {
  readonly smtp: SMTPServer;
  readonly maxMessageBytes: number;
  /**
   * Counts a session of who logged in on the connection until the function given is called;
   * undefined when the account has as many as it may.
   */
  admit(connection: SubmissionConnection, user: AuthSuccess): (() => void) | undefined;
  /** Begins to receive the message of the connection's transaction. */
  openIntake(connection: SubmissionConnection): MessageIntake;
  /** Finishes it, and has the server wait for that when it stops. */
  finish(intake: MessageIntake): Promise<SubmissionRefusal | undefined>;
}

/** What a connection shows of itself while it runs. */
export interface LiveSubmission {
  /** Who is logged in. */
  readonly user: AuthSuccess | undefined;
  /** The command that takes its time, "" when none does. */
  readonly activity: string;
  /** Ends it with 421 and this text; a message that is only half here is not taken. */
  end(reason: string): void;
}

/**
 * One connection of a client that sends (RFC 6409): smtp-server's, with the login mechanisms of this
 * house, TLS by its own transports, and BDAT.
 */
export class SubmissionConnection extends SMTPConnection implements LiveSubmission {
  readonly transport: Transport;
  readonly #house: SubmissionHouse;
  readonly #login: ConnectionLogin;
  readonly #tls: TlsOptions;
  #user: AuthSuccess | undefined;
  #leave = () => {};
  #exchange: Exchange | undefined;
  /** A message that comes in chunks. */
  #intake: MessageIntake | undefined;
  readonly #gone = Promise.withResolvers<void>();

  constructor(
    house: SubmissionHouse,
    transport: Transport,
    login: ConnectionLogin,
    tls: TlsOptions,
  ) {
    super(house.smtp, socketOf(transport));
    this.transport = transport;
    this.#house = house;
    this.#login = login;
    this.#tls = tls;
    this.session.secure = this.secure = transport.facts.tls !== undefined;
  }

  /** Who is logged in. */
  get user(): AuthSuccess | undefined {
    return this.#user;
  }

  get activity(): string {
    if (this._dataStream) return "DATA";
    if (this.#intake) return "BDAT";
    return this.#exchange ? "AUTH" : "";
  }

  end(reason: string): void {
    this.send(421, `4.3.2 ${reason}`);
  }

  /** Speaks until the connection is gone; never rejects. */
  async run(): Promise<void> {
    this.init();
    await this.#gone.promise;
  }

  /** Greets at once: mail programs do not talk too soon. */
  override init(): void {
    this._setListeners(() => {
      this.#checkCertificate().then((mayGoOn) => mayGoOn && this.connectionReady()).catch(
        (error: unknown) => this.#fail(error),
      );
    });
  }

  override _createParser(): ChunkParser {
    const parser = new ChunkParser({ maxCommandLength: MAX_SUBMISSION_COMMAND_BYTES });
    parser.oncommand = (command, callback) => this._onCommand(command, callback);
    parser.on("error", (error) => this.send(421, `5.5.2 ${error.message}`));
    return parser;
  }

  /** Takes the enhanced code (RFC 3463) from the front of the text, where there is one. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const hasStatus = typeof data === "string" && /^[245]\.\d{1,3}\.\d{1,3} /.test(data);
    super.send(code, data, hasStatus ? false : context);
  }

  refuse({ code, status, text }: SubmissionRefusal): void {
    this.send(code, `${status} ${text}`);
  }

  /** smtp-server's own rules leave out domains with "_". */
  override _parseAddressCommand(
    name: string,
    command: Command,
  ): ReturnType<SMTPConnection["_parseAddressCommand"]> {
    const parsed = super._parseAddressCommand(name, command);
    return parsed && isEnvelopeAddress(parsed.address) ? parsed : false;
  }

  override handler_EHLO(command: Command, callback: () => void): void {
    const [, name = "", ...more] = wordsOf(command);
    if (name === "" || more.length > 0 || name.length > 255 || /\p{Cc}/u.test(name)) {
      this.send(501, "Syntax: EHLO hostname", false);
      return callback();
    }
    this.hostNameAppearsAs = name.toLowerCase();
    this._resetSession();
    const mechanisms = this.#mayLogIn && !this.#user ? this.#login.mechanisms() : [];
    this.send(250, [
      this.name,
      "PIPELINING",
      "8BITMIME",
      "SMTPUTF8",
      "CHUNKING",
      "ENHANCEDSTATUSCODES",
      `SIZE ${this.#house.maxMessageBytes}`,
      ...(this.secure ? [] : ["STARTTLS"]),
      ...(mechanisms.length > 0 ? [`AUTH ${mechanisms.join(" ")}`] : []),
    ], false);
    callback();
  }

  // Logging in (RFC 4954).

  /** smtp-server would answer some lines of an exchange as if they were commands. */
  override _onCommand(command: Command, callback?: () => void): void {
    const isAnswer = this._nextHandler !== false;
    const looksLikeCommand = /^(?:MAIL|RCPT|DATA)(?: |$)/i.test(command.toString("latin1"));
    super._onCommand(isAnswer && looksLikeCommand ? NO_ANSWER : command, callback);
  }

  /** Within TLS only, whatever the mechanism, unless the host allows what shows passwords. */
  get #mayLogIn(): boolean {
    return this.#login.allowsClearPassword;
  }

  override handler_AUTH(command: Command, callback: () => void): void {
    const [, mechanism = "", initial, ...more] = wordsOf(command);
    const refusal = this.#user
      ? { code: 503, status: "5.5.1", text: "You are logged in already" }
      : this.session.envelope.mailFrom
      ? { code: 503, status: "5.5.1", text: "Not during a transaction" }
      : !this.#mayLogIn
      ? { code: 538, status: "5.7.11", text: "Begin TLS first, with STARTTLS" }
      : mechanism === "" || more.length > 0
      ? { code: 501, status: "5.5.4", text: "Syntax: AUTH mechanism [initial-response]" }
      : undefined;
    if (refusal) {
      this.refuse(refusal);
      return callback();
    }
    this.#exchange = this.#login.begin(mechanism);
    this.#converse(this.#exchange, initial, callback).catch((error: unknown) => this.#fail(error));
  }

  async #converse(
    exchange: Exchange,
    initial: string | undefined,
    release: () => void,
  ): Promise<void> {
    // "=" is an initial response of no octets.
    let line = initial === "=" ? "" : initial;
    for (;;) {
      const response = line === undefined ? undefined : decodeBase64(line);
      if (response === "invalid") {
        exchange.abort();
        this.send(501, "5.5.2 That is not base64");
        break;
      }
      const step = line === "*" ? exchange.abort() : await exchange.step(response);
      if (step.kind === "ok") {
        this.#admit(step);
        break;
      }
      if (step.kind !== "challenge") {
        const { code, status } = AUTH_REPLIES[step.kind];
        this.send(code, `${status} ${step.text}`);
        break;
      }
      this.send(334, step.challenge.toBase64());
      const answer = Promise.withResolvers<[Command, () => void]>();
      this._nextHandler = (command, callback) => answer.resolve([command, callback]);
      release();
      let command;
      [command, release] = await answer.promise;
      line = command.toString().trim();
    }
    this.#exchange = undefined;
    release();
  }

  #admit(user: AuthSuccess): void {
    // The client may have gone while its password was looked at.
    if (this._closed) return;
    const leave = this.#house.admit(this, user);
    if (leave === undefined) {
      this.send(454, "4.7.0 This account has too many connections; close some first");
      return;
    }
    this.#leave = leave;
    this.#user = user;
    // Looked at by smtp-server, and shown to nobody.
    this.session.user = String(user.account.id);
    this.send(235, "2.7.0 Welcome");
  }

  /** False when the connection ends because of its certificate. */
  async #checkCertificate(): Promise<boolean> {
    const outcome = await this.#login.checkCertificate({ mayLogIn: false });
    if (outcome === undefined || outcome.kind === "ok") return true;
    this.send(554, outcome.text, false);
    this.close();
    return false;
  }

  // TLS (RFC 3207).

  override handler_STARTTLS(command: Command, callback: () => void): void {
    if (wordsOf(command).length > 1 || this.secure) {
      if (this.secure) this.send(503, "5.5.1 TLS is active already");
      else this.send(501, "5.5.4 Syntax: STARTTLS");
      return callback();
    }
    this.#startTls(callback).catch((error: unknown) => {
      log.debug("STARTTLS failed: {error}", { error });
      this._onClose();
    });
  }

  async #startTls(callback: () => void): Promise<void> {
    const socket = this._socket;
    const before = this._parser;
    if (before === false) return;
    // What came in clear after the command is never looked at: its parser is closed, and the new
    // one sees nothing but what comes through TLS.
    socket.unpipe(before);
    before.isClosed = true;
    this.#transportSocket.stopReading();
    await new Promise<void>((resolve) => {
      socket.write("220 2.0.0 Ready to start TLS\r\n", () => resolve());
    });
    this._upgrading = true;
    this.#transportSocket.release();
    callback();
    await this.transport.upgradeTls(this.#tls);
    this._upgrading = false;
    // Nothing that was said in clear holds any more (RFC 3207 4.2).
    this._socket = socketOf(this.transport);
    this._parser = this._createParser();
    this.session.secure = this.secure = true;
    this.hostNameAppearsAs = false;
    this.openingCommand = false;
    this._resetSession();
    this._setListeners(() => {});
    await this.#checkCertificate();
  }

  get #transportSocket(): TransportSocket {
    return this._socket as unknown as TransportSocket;
  }

  // Parameters (RFC 5321 4.1.1.11).

  override handler_MAIL(command: Command, callback: () => void): void {
    if (this.#hasUnknown("mail from", command, MAIL_PARAMETERS, callback)) return;
    super.handler_MAIL(command, callback);
  }

  /** Answers a command with parameters that EHLO did not announce: they ask for what is not done. */
  #hasUnknown(
    name: string,
    command: Command,
    known: ReadonlySet<string>,
    callback: () => void,
  ): boolean {
    const parsed = this._parseAddressCommand(name, command);
    const unknown = parsed && Object.keys(parsed.args || {}).find((key) => !known.has(key));
    if (!unknown) return false;
    this.send(555, "5.5.4 A parameter is not known here");
    callback();
    return true;
  }

  // Messages in chunks (RFC 3030).

  handler_BDAT(command: Command, callback: () => void): void {
    const match = /^BDAT (\d{1,15})( LAST)?$/i.exec(command.toString().trim());
    const parser = this._parser;
    if (match === null || !(parser instanceof ChunkParser)) {
      // How much follows cannot be known, and none of it must be taken for commands.
      this.send(421, "5.5.4 Syntax: BDAT size [LAST]");
      return;
    }
    const isLast = match[2] !== undefined;
    const intake = this.#openIntake();
    const end = (goOn: () => void) => {
      this.#endChunk(intake, isLast).catch((error: unknown) => this.#fail(error)).finally(goOn);
    };
    const size = Number(match[1]);
    if (intake === undefined && size > this.#house.maxMessageBytes) {
      this.send(421, "5.5.1 MAIL and RCPT come first");
      return;
    }
    if (size === 0) return end(callback);
    const take = async (bytes: Bytes) => await intake?.write(bytes);
    parser.readChunk({ size, take, end });
    callback();
  }

  /** Undefined when there is no transaction that a message could belong to. */
  #openIntake(): MessageIntake | undefined {
    if (!this.#user || this.session.envelope.rcptTo.length === 0) return undefined;
    return this.#intake ??= this.#house.openIntake(this);
  }

  async #endChunk(intake: MessageIntake | undefined, isLast: boolean): Promise<void> {
    if (intake === undefined) {
      if (!this.#user) this.send(530, "5.7.0 Log in first");
      else this.send(503, "5.5.1 MAIL and RCPT come first");
      return;
    }
    if (intake.refusal === undefined && !isLast) {
      this.send(250, `2.0.0 ${intake.size} octets received`);
      return;
    }
    const refusal = intake.refusal ?? await this.#house.finish(intake);
    this._resetSession();
    if (refusal) this.refuse(refusal);
    else this.send(250, "2.6.0 Accepted");
  }

  override handler_RCPT(command: Command, callback: () => void): void {
    if (this.#isBetweenChunks(callback)) return;
    if (this.#hasUnknown("rcpt to", command, RCPT_PARAMETERS, callback)) return;
    super.handler_RCPT(command, callback);
  }

  override handler_DATA(command: Command, callback: () => void): void {
    if (this.#isBetweenChunks(callback)) return;
    super.handler_DATA(command, callback);
  }

  #isBetweenChunks(callback: () => void): boolean {
    if (this.#intake === undefined) return false;
    this.send(503, "5.5.1 BDAT or RSET must follow");
    callback();
    return true;
  }

  // The end.

  override _resetSession(): void {
    this.#dropIntake();
    super._resetSession();
  }

  override _onClose(): void {
    this.#exchange?.abort();
    this.#exchange = undefined;
    this.#dropIntake();
    this.#leave();
    this.#leave = () => {};
    super._onClose();
    this.#gone.resolve();
  }

  #dropIntake(): void {
    void this.#intake?.discard();
    this.#intake = undefined;
  }

  /** A fault of this program: this connection ends, and no other. */
  #fail(error: unknown): void {
    log.error("submission failed: {error}", { error });
    this.send(421, "4.3.0 Something went wrong here");
  }
}

/** Replies of RFC 4954 6 to a login that failed. */
const AUTH_REPLIES: Readonly<Record<AuthFailureKind, { code: number; status: string }>> = {
  credentials: { code: 535, status: "5.7.8" },
  disabled: { code: 535, status: "5.7.13" },
  authorization: { code: 535, status: "5.7.8" },
  privacy: { code: 538, status: "5.7.11" },
  mechanism: { code: 504, status: "5.5.4" },
  protocol: { code: 501, status: "5.5.2" },
  aborted: { code: 501, status: "5.7.0" },
  unavailable: { code: 454, status: "4.7.0" },
};

/** A line that no exchange understands. */
const NO_ANSWER = Buffer.from("?");

const MAIL_PARAMETERS = new Set(["SIZE", "BODY", "SMTPUTF8", "AUTH"]);
const RCPT_PARAMETERS: ReadonlySet<string> = new Set();

type Command = Parameters<SMTPConnection["handler_AUTH"]>[0];
/** What smtp-server wants; it uses no more of it than `TransportSocket` has. */
type SmtpSocket = ConstructorParameters<typeof SMTPConnection>[1];

function socketOf(transport: Transport): SmtpSocket {
  return new TransportSocket(transport) as unknown as SmtpSocket;
}

function wordsOf(command: Command): string[] {
  return command.toString().trim().split(/ +/);
}

function decodeBase64(text: string): Bytes | "invalid" {
  if (text === "" || text === "*") return EMPTY_BYTES;
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    return "invalid";
  }
}
