import type { AuthSuccess, ConnectionLogin } from "../auth/mod.ts";
import { ImapError, type Login, no } from "../imap/mod.ts";
import type { Transport } from "../net/mod.ts";
import { runExchange, successOf } from "./authentication.ts";
import type { Following } from "./following.ts";
import type { Input } from "./input.ts";
import { WAIT_FOR_ID_MS } from "./limits.ts";
import type { SessionServices } from "./services.ts";
import type { Standing } from "./standing.ts";

/** Whom this host vouches for. */
export type HostLogin = Pick<Login, "account" | "address">;

/** What hears of the account that is logged in. */
interface Listeners {
  readonly following: Following;
  readonly standing: Standing;
  readonly input: Input;
}

/** Who is logged in on a connection, and how that comes about. */
export class Identity {
  readonly #services: SessionServices;
  readonly #listeners: Listeners;
  readonly #auth: ConnectionLogin;
  #login: Login | undefined;
  /** Undoes what the login did to things that sessions share. */
  #leave: (() => void) | undefined;

  constructor(transport: Transport, services: SessionServices, listeners: Listeners) {
    this.#services = services;
    this.#listeners = listeners;
    this.#auth = services.authenticator.forConnection(
      () => ({ protocol: "imap", ...transport.facts }),
      { waitForIdMs: WAIT_FOR_ID_MS },
    );
  }

  get login(): Login | undefined {
    return this.#login;
  }

  /** Names of the SASL mechanisms to announce now, best first. */
  mechanisms(): string[] {
    return this.#auth.mechanisms();
  }

  get allowsClearPassword(): boolean {
    return this.#auth.allowsClearPassword;
  }

  /** What the client said it is (RFC 2971), "" when it said nothing. */
  get client(): string {
    return this.#auth.userAgent ?? "";
  }

  set client(userAgent: string) {
    this.#auth.identify(userAgent);
  }

  async logIn(username: string, password: string): Promise<void> {
    await this.admit(successOf(await this.#auth.verifyPassword(username, password)));
  }

  /** `ask` sends a challenge and gives the client's line. */
  async authenticate(
    mechanism: string,
    initial: string | undefined,
    ask: (challenge: string) => Promise<string>,
  ): Promise<void> {
    await this.admit(await runExchange(this.#auth, mechanism, initial, ask));
  }

  async admit({ account, address, credential }: HostLogin & Partial<AuthSuccess>): Promise<void> {
    const { authenticator, store } = this.#services;
    // Whom this host vouches for, it does not count.
    const close = credential ? authenticator.openSession(account.id) : () => {};
    if (!close) throw no("This account has too many connections; close some first", "LIMIT");
    try {
      const { following } = this.#listeners;
      const opened = await store.openAccount(account.id, {
        onOwnChange: (modSeq) => following.addOwn(modSeq),
      });
      this.#enter(
        { account, address, store: opened, ...(credential ? { credential } : {}) },
        close,
      );
    } catch (error) {
      close();
      throw error;
    }
  }

  /**
   * Looks at the client's certificate, if it has one. Gives the BYE with which the connection must
   * end, if it may not stay with that.
   */
  async checkCertificate(options: { mayLogIn: boolean }): Promise<string | undefined> {
    const outcome = await this.#auth.checkCertificate(options);
    if (outcome === undefined) return undefined;
    if (outcome.kind !== "ok") return `[ALERT] ${outcome.text}`;
    try {
      await this.admit(outcome);
      return undefined;
    } catch (error) {
      if (!(error instanceof ImapError)) throw error;
      return `[${error.code ?? "ALERT"}] ${error.message}`;
    }
  }

  /** Nobody is logged in any more. */
  forget(): void {
    this.#leave?.();
    this.#leave = undefined;
    this.#login = undefined;
  }

  /** The connection ends. */
  close(): void {
    this.forget();
    this.#auth.close();
  }

  #enter(login: Login, close: () => void): void {
    this.#login = login;
    const { following, standing, input } = this.#listeners;
    // What it rests on may have been taken away before anybody could tell us.
    standing.recheck();
    const unsubscribe = this.#services.notifier.subscribe(login.account.id, (kind) => {
      if (kind === "security") standing.recheck();
      following.nudge();
      input.wake();
    });
    this.#leave = () => {
      unsubscribe();
      close();
    };
  }
}
