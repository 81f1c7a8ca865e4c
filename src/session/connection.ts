import { logger, metrics, othersTurn } from "../base/mod.ts";
import {
  bad,
  capabilityText,
  type ConnectionFacts,
  type LiteralReceiver,
  type Login,
  no,
  type NotifyWish,
  type Registry,
  type ServerEntries,
  type Session,
  type SessionLimits,
} from "../imap/mod.ts";
import type { Transport } from "../net/mod.ts";
import type { SelectedMailbox } from "../store/mod.ts";
import { type Frame, type LiteralHeader, WireError } from "../wire/mod.ts";
import { dispatch, type Outcome } from "./dispatch.ts";
import { Following } from "./following.ts";
import { type HostLogin, Identity } from "./identity.ts";
import { Input, type WaitResult } from "./input.ts";
import { MAX_BAD_COMMANDS, MAX_BAD_COMMANDS_BEFORE_LOGIN, TURN_MS } from "./limits.ts";
import { type Heading, LiteralTooBig, readHeading } from "./literals.ts";
import { Modes } from "./modes.ts";
import { ConnectionLost, Responder } from "./responder.ts";
import type { SessionServices } from "./services.ts";
import { Standing } from "./standing.ts";
import { Uploads } from "./uploads.ts";
import type { View } from "./view.ts";

const log = logger("session");

/**
 * Speaks IMAP on a connection until it ends; resolves then and never rejects. `login`: who is
 * logged in from the start (PREAUTH). `begun` is given the session before anything is said.
 */
export function serveConnection(
  transport: Transport,
  services: SessionServices,
  login?: HostLogin,
  begun?: (session: LiveSession) => void,
): Promise<void> {
  const connection = new Connection(transport, services);
  begun?.(connection);
  return connection.run(login);
}

/** What a session shows of itself while it runs. */
export interface LiveSession extends Pick<Session, "login" | "view"> {
  /** What the client said it is (RFC 2971), "" when it said nothing. */
  readonly client: string;
  /** Name of the command that runs or is received, "" between two. */
  readonly activity: string;
  /** Has it end with this BYE, once a command that runs is done. */
  end(reason: string): void;
}

/** A browser's first line: it would wait for a page, and its other lines must not become commands. */
function isHttpRequest({ parts: [line] }: Frame): boolean {
  return typeof line === "string" && /^[A-Z]{3,7} \S+ HTTP\/1\.[01]$/.test(line);
}

/** What the connection turns into after the tagged OK of the command that asked for it. */
type Next = "startTls" | "startCompression" | "unauthenticate" | "logOut" | undefined;

/** Takes commands and answers them, one after the other; and is what they see of the session. */
class Connection implements Session, LiveSession {
  modes: Modes;
  activity = "";
  readonly out: Responder;
  readonly #transport: Transport;
  readonly #services: SessionServices;
  readonly #input: Input;
  readonly #uploads: Uploads;
  readonly #identity: Identity;
  readonly #standing: Standing;
  readonly #following: Following;
  /** What follows the tagged OK of the command that runs. */
  #next: Next;
  #tag = "*";
  /**
   * For how long commands have run since others had their turn, milliseconds. Waiting for bytes is
   * no turn of theirs: while there are some, reading goes on at once.
   */
  #busyMs = 0;
  #badCommands = 0;

  constructor(transport: Transport, services: SessionServices) {
    this.#transport = transport;
    this.#services = services;
    const { times, clock } = services;
    this.modes = new Modes(services.registry);
    this.out = new Responder(transport, times.writeMs);
    this.#input = new Input(transport, this.out, clock);
    this.#uploads = new Uploads(this.#input, this.out, times.inCommandMs);
    this.#following = new Following(this);
    this.#standing = new Standing(this, services);
    this.#identity = new Identity(transport, services, {
      following: this.#following,
      standing: this.#standing,
      input: this.#input,
    });
    this.#input.mayGoOn = () => this.#standing.mayGoOn();
  }

  async run(login: HostLogin | undefined): Promise<void> {
    const wake = () => this.#input.wake();
    this.#services.shutdown.addEventListener("abort", wake);
    const service = this.#transport.facts.tls ? "imaps" : "imap";
    metrics.add("postern_imap_connection_total", { service });
    try {
      if (login) await this.#identity.admit(login);
      else if (!await this.#checkCertificate({ mayLogIn: true })) return;
      this.out.untagged(
        `${this.login ? "PREAUTH" : "OK"} [${capabilityText(this)}] IMAP server ready`,
      );
      await this.#serve();
    } catch (error) {
      if (!(error instanceof ConnectionLost)) log.error("session failed: {error}", { error });
    } finally {
      this.#services.shutdown.removeEventListener("abort", wake);
      this.#identity.close();
      await this.#uploads.discard().catch((error: unknown) =>
        log.error("could not discard an upload: {error}", { error })
      );
      this.out.send();
      await this.#transport.close();
    }
  }

  async #serve(): Promise<void> {
    for (;;) {
      const frame = await this.#nextFrame();
      if (!frame) return;
      const began = performance.now();
      await this.#handle(frame);
      if (this.#next === "logOut") return;
      if (this.#next) await this.#turnInto(this.#next);
      // Commands that came together are answered together, but not more than is good to hold.
      await this.out.relieve();
      this.#busyMs += performance.now() - began;
      if (this.#busyMs >= TURN_MS) {
        // Waits for the client to read: on a busy machine every turn is short of what `relieve` sends.
        await this.out.flush();
        await othersTurn();
        this.#busyMs = 0;
        // A client that never pauses does not outlive its account or the server.
        if (!await this.#standing.mayGoOn()) return;
      }
    }
  }

  /** The next whole command, or undefined when the connection is over. */
  async #nextFrame(): Promise<Frame | undefined> {
    const { framer } = this.#input;
    for (;;) {
      const event = framer.next();
      if (event?.kind === "command") return event.frame;
      if (event) {
        if (!await this.#takeLiteral(event.frame, event.literal)) return undefined;
        continue;
      }
      if (!await this.#awaitBytes()) return;
    }
  }

  /** Waits for the client, telling it meanwhile what NOTIFY asked for; false when it is over. */
  async #awaitBytes(): Promise<boolean> {
    const { inCommandMs, idleMs, beforeLoginMs, keepAliveMs } = this.#services.times;
    const isInCommand = this.#input.framer.isInCommand;
    const timeoutMs = isInCommand ? inCommandMs : this.login ? idleMs : beforeLoginMs;
    const deadline = this.now() + timeoutMs;
    while (this.#following.isUnasked && !isInCommand) {
      await this.catchUp({ expunge: !this.#following.holdsExpunges });
      await this.out.flush();
      const left = deadline - this.now();
      const result = await this.waitForChange(Math.max(0, Math.min(left, keepAliveMs)));
      if (result === "input") return true;
      if (result === "closed") return false;
      // A nudge may have been lost, so now and then the log is read without one.
      if (result === "timeout" && left <= keepAliveMs) {
        this.out.untagged("BYE Inactive for too long");
        return false;
      }
    }
    await this.out.flush();
    return await this.#input.waitForBytes(timeoutMs);
  }

  /** Deals with one literal; false when the connection is over. */
  async #takeLiteral(frame: Frame, literal: LiteralHeader): Promise<boolean> {
    const heading = this.#heading(frame);
    this.activity = heading?.spec?.name ?? "";
    let receiver: LiteralReceiver | undefined;
    try {
      receiver = await this.#uploads.open(this, heading, frame, literal);
    } catch (error) {
      if (error instanceof ConnectionLost) throw error;
      this.#uploads.refusal = error;
      return await this.#refuseLiteral(frame, literal);
    }
    await this.#uploads.take(literal, receiver);
    return true;
  }

  /**
   * A synchronizing literal is refused by answering at once; one that is under way is read over and
   * the answer given when the command is whole, unless it is so large that the client must go.
   */
  async #refuseLiteral(frame: Frame, literal: LiteralHeader): Promise<boolean> {
    const { framer } = this.#input;
    if (literal.isSynchronizing) {
      framer.abandonCommand();
      await this.#handle(frame);
      await this.out.relieve();
      return this.#next !== "logOut";
    }
    if (this.#uploads.refusal instanceof LiteralTooBig) {
      this.out.untagged("BYE [ALERT] Literal is larger than this server accepts");
      await this.#handle(frame);
      return false;
    }
    framer.skipLiteral();
    return true;
  }

  async #handle(frame: Frame): Promise<void> {
    if (!this.login && isHttpRequest(frame)) {
      this.out.untagged("BYE This is a mail server; it does not speak HTTP here");
      return this.logOut();
    }
    const heading = this.#heading(frame);
    const refusal = frame.tooLong
      ? new WireError("The command is too long", "TOOBIG")
      : this.#uploads.refusal;
    try {
      if (heading) {
        this.#tag = heading.tag;
        this.activity = heading.spec?.name ?? "";
        this.#countBad(await dispatch(this, heading, refusal));
      } else {
        this.out.untagged("BAD A command begins with a tag and a space");
        this.#countBad("badsyntax");
      }
    } finally {
      this.activity = "";
      await this.#uploads.discard();
    }
  }

  /** Tag and name of the command; undefined when there is no tag to answer to. */
  #heading(frame: Frame): Heading | undefined {
    try {
      return readHeading(frame, this.registry, this.modes.nameMode);
    } catch (error) {
      if (error instanceof WireError) return undefined;
      throw error;
    }
  }

  #countBad(outcome: Outcome): void {
    this.#badCommands = outcome === "badsyntax" ? this.#badCommands + 1 : 0;
    const most = this.login ? MAX_BAD_COMMANDS : MAX_BAD_COMMANDS_BEFORE_LOGIN;
    if (this.#badCommands < most) return;
    this.out.untagged("BYE Too many bad commands");
    this.logOut();
  }

  /** Whether the client may stay with the certificate that it has, if any. Says BYE if not. */
  async #checkCertificate(options: { mayLogIn: boolean }): Promise<boolean> {
    const farewell = await this.#identity.checkCertificate(options);
    if (farewell !== undefined) this.out.untagged(`BYE ${farewell}`);
    return farewell === undefined;
  }

  waitForChange(timeoutMs: number): Promise<WaitResult> {
    return this.#input.wait(timeoutMs, () => this.#following.isNudged);
  }

  nextLine(): string | undefined {
    return this.#input.nextLine();
  }

  ask(text: string): Promise<string> {
    return this.#input.ask(text, this.#services.times.inCommandMs);
  }

  // Who it is.

  get login(): Login | undefined {
    return this.#identity.login;
  }

  get account(): Login {
    if (!this.login) throw bad("Log in first");
    return this.login;
  }

  logIn(username: string, password: string): Promise<void> {
    return this.#identity.logIn(username, password);
  }

  authenticate(mechanism: string, initial: string | undefined): Promise<void> {
    return this.#identity.authenticate(mechanism, initial, (challenge) => this.ask(challenge));
  }

  // What is selected.

  get view(): View | undefined {
    return this.#following.view;
  }

  get selected(): View {
    if (!this.view) throw bad("Select a mailbox first");
    if (this.view.isDeleted) throw no("The selected mailbox was deleted", "NONEXISTENT");
    return this.view;
  }

  select(selected: SelectedMailbox, isReadOnly: boolean): View {
    return this.#following.select(selected, isReadOnly);
  }

  unselect(): void {
    this.#following.unselect();
  }

  catchUp({ expunge }: { expunge: boolean }): Promise<void> {
    return this.#following.catchUp(expunge);
  }

  notify(wish: NotifyWish): Promise<void> {
    return this.#following.notify(wish);
  }

  enableCondstore(): void {
    if (this.modes.condstore) return;
    this.modes.enable("CONDSTORE");
    if (this.view) this.out.untagged(`OK [HIGHESTMODSEQ ${this.view.modSeq}] CONDSTORE is on`);
  }

  // The connection itself.

  get registry(): Registry {
    return this.#services.registry;
  }

  get limits(): SessionLimits {
    return this.#services.limits;
  }

  get serverEntries(): ServerEntries | undefined {
    return this.#services.serverEntries;
  }

  get facts(): ConnectionFacts {
    const { tls, compressed } = this.#transport.facts;
    return {
      isTls: tls !== undefined,
      isCompressed: compressed,
      canStartTls: tls === undefined && this.#services.tls !== undefined,
      mechanisms: this.#identity.mechanisms(),
      allowsPlaintext: this.#identity.allowsClearPassword,
    };
  }

  get tag(): string {
    return this.#tag;
  }

  get signal(): AbortSignal {
    return this.#input.signal;
  }

  get keepAliveMs(): number {
    return this.#services.times.keepAliveMs;
  }

  get idleLimitMs(): number {
    return this.#services.times.idleMs;
  }

  hangUp(reason?: string): never {
    if (reason !== undefined) this.out.untagged(`BYE ${reason}`);
    throw new ConnectionLost();
  }

  now(): number {
    return this.#services.clock.now();
  }

  identify(userAgent: string): void {
    this.#identity.client = userAgent;
  }

  get client(): string {
    return this.#identity.client;
  }

  end(reason: string): void {
    this.#standing.end(reason);
    this.#input.wake();
  }

  startTls(): void {
    this.#next = "startTls";
  }

  startCompression(): void {
    this.#next = "startCompression";
  }

  unauthenticate(): void {
    this.#next = "unauthenticate";
  }

  logOut(): void {
    this.#next = "logOut";
  }

  /** Forgets everything that a login and the commands after it made of the connection. */
  #forgetLogin(): void {
    this.#identity.forget();
    this.#standing.beginAnew();
    this.#following.forget();
    this.modes = new Modes(this.registry);
  }

  async #turnInto(next: "startTls" | "startCompression" | "unauthenticate"): Promise<void> {
    this.#next = undefined;
    if (next === "unauthenticate") {
      this.#forgetLogin();
      if (!this.#transport.facts.compressed) return;
      await this.out.flush();
      return this.#transport.stopCompression();
    }
    await this.out.flush();
    this.#transport.unread(this.#input.framer.takeRest());
    if (next === "startCompression") return this.#transport.startCompression();
    const { tls } = this.#services;
    if (!tls) throw new Error("STARTTLS without a certificate");
    try {
      await this.#transport.upgradeTls(tls);
    } catch (error) {
      log.info("STARTTLS failed: {error}", { error });
      throw new ConnectionLost();
    }
    if (!await this.#checkCertificate({ mayLogIn: false })) throw new ConnectionLost();
  }
}
