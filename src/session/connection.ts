import { setImmediate } from "node:timers";
import type { AuthSuccess, ConnectionLogin } from "../auth/mod.ts";
import { Latch, logger, metrics } from "../base/mod.ts";
import {
  bad,
  capabilityText,
  type ConnectionFacts,
  type LiteralReceiver,
  type Login,
  no,
  type Registry,
  type Session,
  type SessionLimits,
} from "../imap/mod.ts";
import type { Transport } from "../net/mod.ts";
import type { SelectedMailbox } from "../store/mod.ts";
import {
  type Frame,
  Framer,
  type LiteralHeader,
  MAX_CONTINUATION_BYTES,
  WireError,
} from "../wire/mod.ts";
import { runExchange, successOf } from "./authentication.ts";
import { dispatch, type Outcome } from "./dispatch.ts";
import {
  COMMANDS_PER_TURN,
  LITERAL_PIECE_BYTES,
  LOOK_AGAIN_MS,
  MAX_BAD_COMMANDS,
  MAX_BAD_COMMANDS_BEFORE_LOGIN,
} from "./limits.ts";
import {
  checkHeldLiteral,
  type Heading,
  LiteralTooBig,
  readHeading,
  Receivers,
} from "./literals.ts";
import { Modes } from "./modes.ts";
import { ConnectionLost, Responder } from "./responder.ts";
import type { SessionServices } from "./services.ts";
import { applyChanges } from "./updates.ts";
import { View } from "./view.ts";

const log = logger("session");

/**
 * Speaks IMAP on a connection until it ends; resolves then and never rejects. `login`: who is
 * logged in from the start (PREAUTH).
 */
export async function serveConnection(
  transport: Transport,
  services: SessionServices,
  login?: Login,
): Promise<void> {
  await new Connection(transport, services).run(login);
}

/** Lets other connections have their turn. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What the connection turns into after the tagged OK of the command that asked for it. */
type Next = "startTls" | "startCompression" | "logOut" | undefined;

class Connection implements Session {
  readonly modes: Modes;
  readonly out: Responder;
  #transport: Transport;
  #services: SessionServices;
  #framer = new Framer();
  #receivers = new Receivers();
  /** Why a literal of the present command was refused; its outcome once the command is whole. */
  #refusal: unknown;
  #wake = new Latch();
  #gone: AbortController | undefined;
  #auth: ConnectionLogin;
  #login: Login | undefined;
  #unsubscribe: (() => void) | undefined;
  #view: View | undefined;
  #next: Next;
  #tag = "*";
  /** The account changed since the log was last read. */
  #isNudged = false;
  /** Password, keys or status of the account changed: may this session go on? */
  #mustRecheck = false;
  #lastLook = 0;
  #badCommands = 0;

  constructor(transport: Transport, services: SessionServices) {
    this.#transport = transport;
    this.#services = services;
    this.#auth = services.authenticator.forConnection(() => ({
      protocol: "imap",
      ...this.#transport.facts,
    }));
    this.modes = new Modes(services.registry);
    this.out = new Responder(transport, services.times.writeMs);
  }

  async run(login: Login | undefined): Promise<void> {
    const wake = () => {
      if (this.#transport.broken) this.#gone?.abort();
      this.#wake.set();
    };
    this.#transport.onReadable = wake;
    this.#services.shutdown.addEventListener("abort", wake);
    metrics.add("imap_connections", {}, 1);
    try {
      if (login) this.#enter(login);
      this.out.untagged(`${login ? "PREAUTH" : "OK"} [${capabilityText(this)}] IMAP server ready`);
      await this.#serve();
    } catch (error) {
      if (!(error instanceof ConnectionLost)) log.error("session failed: {error}", { error });
    } finally {
      metrics.add("imap_connections", {}, -1);
      this.#services.shutdown.removeEventListener("abort", wake);
      this.#unsubscribe?.();
      await this.#receivers.discard().catch((error: unknown) =>
        log.error("could not discard an upload: {error}", { error })
      );
      this.out.send();
      await this.#transport.close();
    }
  }

  async #serve(): Promise<void> {
    for (let turn = 1;; turn++) {
      const frame = await this.#nextFrame();
      if (!frame) return;
      await this.#handle(frame);
      if (this.#next === "logOut") return;
      if (this.#next) await this.#changeTransport(this.#next);
      if (turn % COMMANDS_PER_TURN === 0) await nextTurn();
    }
  }

  async #handle(frame: Frame): Promise<void> {
    const refusal = frame.tooLong
      ? new WireError("The command is too long", "TOOBIG")
      : this.#refusal;
    this.#refusal = undefined;
    try {
      const heading = this.#heading(frame);
      this.#tag = heading?.tag ?? "*";
      const outcome = heading ? await dispatch(this, heading, refusal) : "bad";
      if (!heading) this.out.untagged("BAD A command begins with a tag and a space");
      this.#countBad(outcome);
    } finally {
      await this.#receivers.discard();
    }
  }

  #heading(frame: Frame): Heading | undefined {
    try {
      return readHeading(frame, this.registry, this.modes.nameMode);
    } catch (error) {
      if (error instanceof WireError) return undefined;
      throw error;
    }
  }

  #countBad(outcome: Outcome): void {
    this.#badCommands = outcome === "bad" ? this.#badCommands + 1 : 0;
    const most = this.#login ? MAX_BAD_COMMANDS : MAX_BAD_COMMANDS_BEFORE_LOGIN;
    if (this.#badCommands < most) return;
    this.out.untagged("BYE Too many bad commands");
    this.logOut();
  }

  // What comes in.

  /** The next whole command, or undefined when the connection is over. */
  async #nextFrame(): Promise<Frame | undefined> {
    for (;;) {
      const event = this.#framer.next();
      if (event?.kind === "command") return event.frame;
      if (event) {
        if (!await this.#takeLiteral(event.frame, event.literal)) return undefined;
        continue;
      }
      await this.out.flush();
      const { times } = this.#services;
      const waitMs = this.#framer.isInCommand
        ? times.inCommandMs
        : this.#login
        ? times.idleMs
        : times.beforeLoginMs;
      if (await this.#waitForInput(waitMs) !== "input") return undefined;
    }
  }

  /** Deals with one literal; false when the connection is over. */
  async #takeLiteral(frame: Frame, literal: LiteralHeader): Promise<boolean> {
    let receiver: LiteralReceiver | undefined;
    try {
      if (this.#refusal !== undefined) throw this.#refusal;
      receiver = await this.#receiverFor(frame, literal);
    } catch (error) {
      if (error instanceof ConnectionLost) throw error;
      return await this.#refuseLiteral(frame, literal, error);
    }
    if (literal.isSynchronizing) {
      this.out.writer.raw("+ Ready for literal data\r\n");
      await this.out.flush();
    }
    if (!receiver) {
      this.#framer.holdLiteral();
      return true;
    }
    this.#receivers.add(receiver);
    this.#framer.streamLiteral();
    for (;;) {
      const bytes = this.#framer.takeLiteralBytes(LITERAL_PIECE_BYTES);
      if (bytes === undefined) break;
      if (bytes.length === 0) {
        if (await this.#waitForInput(this.#services.times.inCommandMs) !== "input") return false;
      } else if (this.#refusal === undefined) {
        await receiver.write(bytes).catch((error: unknown) => this.#refusal = error);
      }
    }
    const streamed = this.#refusal === undefined
      ? await receiver.end().catch((error: unknown) => void (this.#refusal = error))
      : undefined;
    this.#framer.endStreamedLiteral(streamed);
    return true;
  }

  async #receiverFor(frame: Frame, literal: LiteralHeader): Promise<LiteralReceiver | undefined> {
    const heading = this.#heading(frame);
    if (!heading?.spec) throw new WireError("Unknown command");
    if (frame.tooLong) throw new WireError("The command is too long", "TOOBIG");
    const receiver = await heading.spec.receiveLiteral?.(this, frame, literal);
    if (!receiver) checkHeldLiteral(frame, literal, this.#login !== undefined);
    return receiver;
  }

  /**
   * A synchronizing literal is refused by answering at once; one that is under way is read over and
   * the answer given when the command is whole, unless it is so large that the client must go.
   */
  async #refuseLiteral(frame: Frame, literal: LiteralHeader, refusal: unknown): Promise<boolean> {
    if (literal.isSynchronizing) {
      this.#framer.abandonCommand();
      this.#refusal = refusal;
      await this.#handle(frame);
      return true;
    }
    if (refusal instanceof LiteralTooBig) {
      this.out.untagged("BYE [ALERT] Literal is larger than this server accepts");
      this.#refusal = refusal;
      await this.#handle(frame);
      return false;
    }
    this.#refusal = refusal;
    this.#framer.skipLiteral();
    return true;
  }

  /** Waits for bytes and gives them to the framer. */
  async #waitForInput(timeoutMs: number): Promise<"input" | "closed"> {
    const deadline = this.now() + timeoutMs;
    for (;;) {
      const cause = await this.#wait(deadline);
      if (cause === "input") return "input";
      if (cause === "closed") return "closed";
      if (cause === "timeout") {
        this.out.untagged("BYE Inactive for too long");
        return "closed";
      }
    }
  }

  /**
   * Waits until there is input (taken into the framer), a nudge, the end of the connection, of the
   * server or of this session's right to be here, or the deadline in milliseconds since 1970.
   */
  async #wait(deadline: number): Promise<"input" | "nudge" | "closed" | "timeout"> {
    for (;;) {
      const bytes = this.#transport.tryRead();
      if (bytes) {
        this.#framer.push(bytes);
        return "input";
      }
      if (bytes === null) return "closed";
      if (this.#services.shutdown.aborted) {
        this.out.untagged("BYE Server is shutting down");
        return "closed";
      }
      if (this.#mustRecheck && !await this.#mayGoOn()) return "closed";
      const left = deadline - this.now();
      if (left <= 0) return "timeout";
      const timer = setTimeout(() => this.#wake.set(), left);
      await this.#wake.wait();
      clearTimeout(timer);
      if (this.#isNudged && this.#isWatching) return "nudge";
    }
  }

  /** Whether a nudge is of interest while waiting: in IDLE. */
  #isWatching = false;

  async waitForChange(timeoutMs: number): Promise<"input" | "change" | "closed" | "timeout"> {
    if (this.#isNudged) return "change";
    this.#isWatching = true;
    const cause = await this.#wait(this.now() + timeoutMs);
    this.#isWatching = false;
    return cause === "nudge" ? "change" : cause;
  }

  nextLine(): string | undefined {
    const line = this.#framer.nextLine(MAX_CONTINUATION_BYTES);
    if (line === "too-long") throw new WireError("Line is too long", "TOOBIG");
    return line;
  }

  async ask(text: string): Promise<string> {
    this.out.writer.raw(`+ ${text}\r\n`);
    await this.out.flush();
    for (;;) {
      const line = this.nextLine();
      if (line !== undefined) return line;
      if (await this.#waitForInput(this.#services.times.inCommandMs) !== "input") {
        throw new ConnectionLost();
      }
    }
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

  async #admit({ account, address }: AuthSuccess): Promise<void> {
    const store = await this.#services.store.openAccount(account.id);
    this.#enter({ account, address, store });
  }

  #enter(login: Login): void {
    this.#login = login;
    this.#badCommands = 0;
    this.#unsubscribe = this.#services.notifier.subscribe(login.account.id, (kind) => {
      if (kind === "security") this.#mustRecheck = true;
      this.#isNudged = true;
      if (this.#isWatching || kind === "security") this.#wake.set();
    });
  }

  /** Whether the account is still as it was at login in what sessions rely on; says BYE if not. */
  async #mayGoOn(): Promise<boolean> {
    this.#mustRecheck = false;
    if (!this.#login) return true;
    const { id, securityVersion } = this.#login.account;
    const account = await this.#services.store.directory.getAccount(id);
    if (account && account.securityVersion === securityVersion) return true;
    this.out.untagged("BYE Account was disabled, removed or its credentials changed");
    return false;
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
    this.#lastLook = this.now();
    return this.#view = new View(selected, isReadOnly);
  }

  unselect(): void {
    this.#view = undefined;
  }

  async catchUp({ expunge }: { expunge: boolean }): Promise<void> {
    const view = this.#view;
    if (!view || view.isDeleted) return;
    const isDue = this.#isNudged || this.now() - this.#lastLook >= LOOK_AGAIN_MS ||
      (expunge && !view.pendingExpunges.isEmpty);
    if (!isDue) return;
    this.#isNudged = false;
    this.#lastLook = this.now();
    for (let more = true; more;) {
      const changes = await this.account.store.messageChanges({
        mailbox: view.mailboxId,
        since: view.cursor,
        afterUid: view.highestUid,
        claimRecent: !this.modes.rev2 && !view.isReadOnly,
      });
      applyChanges(view, changes, this.modes, this.out, { expunge });
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
    this.#gone ??= new AbortController();
    if (this.#transport.broken) this.#gone.abort();
    return this.#gone.signal;
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

  startTls(): void {
    this.#next = "startTls";
  }

  startCompression(): void {
    this.#next = "startCompression";
  }

  logOut(): void {
    this.#next = "logOut";
  }

  async #changeTransport(next: "startTls" | "startCompression"): Promise<void> {
    this.#next = undefined;
    await this.out.flush();
    this.#transport.unread(this.#framer.takeRest());
    if (next === "startCompression") return this.#transport.startCompression();
    const { tls } = this.#services;
    if (!tls) throw new Error("STARTTLS without a certificate");
    try {
      await this.#transport.upgradeTls(tls);
    } catch (error) {
      log.info("STARTTLS failed: {error}", { error });
      throw new ConnectionLost();
    }
  }
}
