import type { AuthSuccess, ConnectionLogin } from "../auth/mod.ts";
import { logger, metrics, othersTurn } from "../base/mod.ts";
import {
  bad,
  capabilityText,
  type ConnectionFacts,
  ImapError,
  type LiteralReceiver,
  type Login,
  no,
  NO_NOTICES,
  type NotifyWish,
  type Registry,
  type SelectedWish,
  type ServerEntries,
  type Session,
  type SessionLimits,
  tellFollowed,
  writeNewMessages,
} from "../imap/mod.ts";
import type { Transport } from "../net/mod.ts";
import type { SelectedMailbox } from "../store/mod.ts";
import { type Frame, type LiteralHeader, WireError } from "../wire/mod.ts";
import { runExchange, successOf } from "./authentication.ts";
import { dispatch, type Outcome } from "./dispatch.ts";
import { Input, type WaitResult } from "./input.ts";
import {
  LOOK_AGAIN_MS,
  MAX_BAD_COMMANDS,
  MAX_BAD_COMMANDS_BEFORE_LOGIN,
  TURN_MS,
  WAIT_FOR_ID_MS,
} from "./limits.ts";
import { type Heading, LiteralTooBig, readHeading } from "./literals.ts";
import { Modes } from "./modes.ts";
import { Notices } from "./notices.ts";
import { ConnectionLost, Responder } from "./responder.ts";
import type { SessionServices } from "./services.ts";
import { applyChanges } from "./updates.ts";
import { Uploads } from "./uploads.ts";
import { View } from "./view.ts";

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

/** Whom this host vouches for. */
export type HostLogin = Pick<Login, "account" | "address">;

/** A browser's first line: it would wait for a page, and its other lines must not become commands. */
function isHttpRequest({ parts: [line] }: Frame): boolean {
  return typeof line === "string" && /^[A-Z]{3,7} \S+ HTTP\/1\.[01]$/.test(line);
}

/** What the connection turns into after the tagged OK of the command that asked for it. */
type Next = "startTls" | "startCompression" | "unauthenticate" | "logOut" | undefined;

class Connection implements Session, LiveSession {
  modes: Modes;
  activity = "";
  /** With which BYE it was told to end. */
  #farewell: string | undefined;
  readonly out: Responder;
  #transport: Transport;
  #services: SessionServices;
  #input: Input;
  #uploads: Uploads;
  #auth: ConnectionLogin;
  #login: Login | undefined;
  /** Undoes what the login did to things that sessions share. */
  #leave = () => {};
  #view: View | undefined;
  #notices = new Notices();
  /** What follows the tagged OK of the command that runs. */
  #next: Next;
  #tag = "*";
  /** The account changed since the log was last read. */
  #isNudged = false;
  /** Password, keys or status of the account changed: may this session go on? */
  #mustRecheck = false;
  #lastLook = 0;
  /**
   * For how long commands have run since others had their turn, milliseconds. Waiting for bytes is
   * no turn of theirs: while there are some, reading goes on at once.
   */
  #busyMs = 0;
  /** Since when nobody is logged in, milliseconds since 1970. */
  #strangerSince: number;
  #badCommands = 0;

  constructor(transport: Transport, services: SessionServices) {
    this.#transport = transport;
    this.#services = services;
    const { times, clock } = services;
    this.modes = new Modes(services.registry);
    this.out = new Responder(transport, times.writeMs);
    this.#input = new Input(transport, this.out, clock);
    this.#strangerSince = clock.now();
    this.#input.mayGoOn = () => this.#mayGoOn();
    this.#uploads = new Uploads(this.#input, this.out, times.inCommandMs);
    this.#auth = services.authenticator.forConnection(
      () => ({ protocol: "imap", ...this.#transport.facts }),
      { waitForIdMs: WAIT_FOR_ID_MS },
    );
  }

  async run(login: HostLogin | undefined): Promise<void> {
    const wake = () => this.#input.wake();
    this.#services.shutdown.addEventListener("abort", wake);
    const service = this.#transport.facts.tls ? "imaps" : "imap";
    metrics.add("postern_imap_connection_total", { service });
    try {
      if (login) await this.#admit(login);
      else if (!await this.#checkCertificate(true)) return;
      this.out.untagged(
        `${this.#login ? "PREAUTH" : "OK"} [${capabilityText(this)}] IMAP server ready`,
      );
      await this.#serve();
    } catch (error) {
      if (!(error instanceof ConnectionLost)) log.error("session failed: {error}", { error });
    } finally {
      this.#services.shutdown.removeEventListener("abort", wake);
      this.#leave();
      this.#auth.close();
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
        if (!await this.#mayGoOn()) return;
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
    const timeoutMs = isInCommand ? inCommandMs : this.#login ? idleMs : beforeLoginMs;
    const deadline = this.now() + timeoutMs;
    while (this.#notices.isActive && !isInCommand) {
      await this.catchUp({ expunge: !this.#notices.wish?.selected?.isDelayed });
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
    if (!this.#login && isHttpRequest(frame)) {
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
    const most = this.#login ? MAX_BAD_COMMANDS : MAX_BAD_COMMANDS_BEFORE_LOGIN;
    if (this.#badCommands < most) return;
    this.out.untagged("BYE Too many bad commands");
    this.logOut();
  }

  /** Whether the server stays up and the account is still as it was at login. Says BYE if not. */
  #mayGoOn(): Promise<boolean> | true {
    if (
      this.#mustRecheck || this.#services.shutdown.aborted || this.#farewell !== undefined ||
      this.#isStrangerTooLong
    ) {
      return this.#checkStanding();
    }
    return true;
  }

  /** Each octet starts the wait for the next one anew, so all of them together have a limit too. */
  get #isStrangerTooLong(): boolean {
    return !this.#login && this.now() - this.#strangerSince >= this.#services.times.untilLoginMs;
  }

  async #checkStanding(): Promise<boolean> {
    if (this.#services.shutdown.aborted) {
      this.out.untagged("BYE Server is shutting down");
      return false;
    }
    if (this.#farewell !== undefined) {
      this.out.untagged(`BYE ${this.#farewell}`);
      return false;
    }
    if (this.#isStrangerTooLong) {
      this.out.untagged("BYE Logging in took too long");
      return false;
    }
    this.#mustRecheck = false;
    if (!this.#login) return true;
    const { account, credential } = this.#login;
    const mayStay = credential
      ? await this.#services.authenticator.mayStay(account, credential)
      : await this.#services.store.directory.getAccount(account.id) !== undefined;
    if (mayStay) return true;
    this.out.untagged("BYE Account was disabled, removed or its credentials changed");
    return false;
  }

  waitForChange(timeoutMs: number): Promise<WaitResult> {
    return this.#input.wait(timeoutMs, () => this.#isNudged);
  }

  nextLine(): string | undefined {
    return this.#input.nextLine();
  }

  ask(text: string): Promise<string> {
    return this.#input.ask(text, this.#services.times.inCommandMs);
  }

  // Who it is.

  get login(): Login | undefined {
    return this.#login;
  }

  get account(): Login {
    if (!this.#login) throw bad("Log in first");
    return this.#login;
  }

  async logIn(username: string, password: string): Promise<void> {
    await this.#admit(successOf(await this.#auth.verifyPassword(username, password)));
  }

  async authenticate(mechanism: string, initial: string | undefined): Promise<void> {
    const ask = (challenge: string) => this.ask(challenge);
    await this.#admit(await runExchange(this.#auth, mechanism, initial, ask));
  }

  async #admit({ account, address, credential }: HostLogin & Partial<AuthSuccess>): Promise<void> {
    // Whom this host vouches for, it does not count.
    const close = credential ? this.#services.authenticator.openSession(account.id) : () => {};
    if (!close) throw no("This account has too many connections; close some first", "LIMIT");
    try {
      const store = await this.#services.store.openAccount(account.id, {
        onOwnChange: (modSeq) => this.#notices.addOwn(modSeq),
      });
      this.#enter({ account, address, store, ...(credential ? { credential } : {}) }, close);
    } catch (error) {
      close();
      throw error;
    }
  }

  /**
   * Looks at the client's certificate, if it has one. False, with BYE said, when it may not stay
   * with that.
   */
  async #checkCertificate(mayLogIn: boolean): Promise<boolean> {
    const outcome = await this.#auth.checkCertificate({ mayLogIn });
    try {
      if (outcome?.kind === "ok") await this.#admit(outcome);
    } catch (error) {
      if (!(error instanceof ImapError)) throw error;
      this.out.untagged(`BYE [${error.code ?? "ALERT"}] ${error.message}`);
      return false;
    }
    if (outcome === undefined || outcome.kind === "ok") return true;
    this.out.untagged(`BYE [ALERT] ${outcome.text}`);
    return false;
  }

  #enter(login: Login, close: () => void): void {
    this.#login = login;
    this.#badCommands = 0;
    // What it rests on may have been taken away before anybody could tell us.
    this.#mustRecheck = true;
    const unsubscribe = this.#services.notifier.subscribe(login.account.id, (kind) => {
      if (kind === "security") this.#mustRecheck = true;
      this.#isNudged = true;
      this.#input.wake();
    });
    this.#leave = () => {
      unsubscribe();
      close();
      this.#leave = () => {};
    };
  }

  /** Forgets everything that a login and the commands after it made of the connection. */
  #forgetLogin(): void {
    this.#leave();
    this.#login = undefined;
    this.#strangerSince = this.now();
    this.#view = undefined;
    this.#notices = new Notices();
    this.modes = new Modes(this.registry);
    this.#isNudged = false;
    this.#mustRecheck = false;
    this.#badCommands = 0;
  }

  // What is selected.

  get view(): View | undefined {
    return this.#view;
  }

  get selected(): View {
    if (!this.#view) throw bad("Select a mailbox first");
    if (this.#view.isDeleted) throw no("The selected mailbox was deleted", "NONEXISTENT");
    return this.#view;
  }

  select(selected: SelectedMailbox, isReadOnly: boolean): View {
    this.unselect();
    this.#lastLook = this.now();
    return this.#view = new View(selected, isReadOnly);
  }

  unselect(): void {
    if (this.#view) this.#notices.leave(this.#view);
    // What was not told of the mailbox is told now that it is one of the others.
    this.#isNudged ||= this.#notices.isActive;
    this.#view = undefined;
  }

  async catchUp({ expunge }: { expunge: boolean }): Promise<void> {
    if (!this.#login) return;
    // From ENABLE on, also when nothing is due then.
    if (this.modes.enabled.has("METADATA")) await this.#notices.begin(this);
    const isDue = this.#isNudged || this.now() - this.#lastLook >= LOOK_AGAIN_MS ||
      (expunge && this.#view && !this.#view.pendingExpunges.isEmpty);
    if (!isDue) return;
    this.#isNudged = false;
    this.#lastLook = this.now();
    try {
      await this.#readLog(expunge);
    } catch (error) {
      // It is to be looked at again, though nobody nudges again.
      this.#isNudged = true;
      throw error;
    }
  }

  async #readLog(expunge: boolean): Promise<void> {
    await this.#notices.tell(this);
    const { wish } = this.#notices;
    if (!wish) await this.#catchUpView({ expunge, flags: true });
    else if (wish.selected) {
      await this.#catchUpView({ expunge, flags: wish.selected.flags }, wish.selected);
    }
    await tellFollowed(this);
    this.#notices.forgetOwn();
  }

  async notify(wish: NotifyWish): Promise<void> {
    if (wish !== NO_NOTICES) {
      // What the wish until now kept back, too: it is as if NOOP had been sent before.
      await this.#notices.tell(this);
      this.#view?.rewind();
      await this.#catchUpView({ expunge: true, flags: true });
    }
    await this.#notices.follow(wish, this);
  }

  /** Moves the view up to the end of the log; `selected`: what NOTIFY asked for of new messages. */
  async #catchUpView(
    told: { expunge: boolean; flags: boolean },
    selected?: SelectedWish,
  ): Promise<void> {
    const view = this.#view;
    if (!view || view.isDeleted) return;
    for (let more = true; more;) {
      const changes = await this.account.store.messageChanges({
        mailbox: view.mailboxId,
        since: view.cursor,
        afterUid: view.highestUid,
        claimRecent: !this.modes.rev2 && !view.isReadOnly,
      });
      applyChanges(view, changes, this.modes, this.out, told);
      if (selected) {
        const others = changes.appended.filter(({ modSeq }) => !this.#notices.isOwn(modSeq));
        await writeNewMessages(this, view, others, selected.items);
      }
      more = changes.more && !view.isDeleted;
      await this.out.relieve();
    }
  }

  enableCondstore(): void {
    if (this.modes.condstore) return;
    this.modes.enable("CONDSTORE");
    if (this.#view) this.out.untagged(`OK [HIGHESTMODSEQ ${this.#view.modSeq}] CONDSTORE is on`);
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
      mechanisms: this.#auth.mechanisms(),
      allowsPlaintext: this.#auth.allowsClearPassword,
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
    this.#auth.identify(userAgent);
  }

  get client(): string {
    return this.#auth.userAgent ?? "";
  }

  end(reason: string): void {
    this.#farewell = reason;
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
    if (!await this.#checkCertificate(false)) throw new ConnectionLost();
  }
}
