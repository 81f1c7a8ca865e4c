import type { Session } from "../imap/mod.ts";
import type { SessionServices } from "./services.ts";

/** Whether a session may go on, and with which BYE it ends if not. */
export class Standing {
  /** With which BYE it was told to end. */
  #farewell: string | undefined;
  /** Password, keys or status of the account changed, or may have. */
  #mustRecheck = false;
  /** Since when nobody is logged in, milliseconds since 1970. */
  #strangerSince: number;

  constructor(
    private readonly session: Pick<Session, "login" | "out">,
    private readonly services: SessionServices,
  ) {
    this.#strangerSince = services.clock.now();
  }

  /** Has the session end with this BYE. */
  end(reason: string): void {
    this.#farewell = reason;
  }

  /** What the login rests on may have changed. */
  recheck(): void {
    this.#mustRecheck = true;
  }

  /** Nobody is logged in any more. */
  beginAnew(): void {
    this.#mustRecheck = false;
    this.#strangerSince = this.services.clock.now();
  }

  /**
   * Whether the server stays up, nobody wants the session to end, and the account is still as it was
   * at login. Says BYE if not.
   */
  mayGoOn(): Promise<boolean> | true {
    if (
      this.#mustRecheck || this.services.shutdown.aborted || this.#farewell !== undefined ||
      this.#isStrangerTooLong
    ) {
      return this.#check();
    }
    return true;
  }

  /** Each octet starts the wait for the next one anew, so all of them together have a limit too. */
  get #isStrangerTooLong(): boolean {
    const { clock, times } = this.services;
    return !this.session.login && clock.now() - this.#strangerSince >= times.untilLoginMs;
  }

  async #check(): Promise<boolean> {
    if (this.services.shutdown.aborted) return this.#sayBye("Server is shutting down");
    if (this.#farewell !== undefined) return this.#sayBye(this.#farewell);
    if (this.#isStrangerTooLong) return this.#sayBye("Logging in took too long");
    this.#mustRecheck = false;
    if (!this.session.login) return true;
    const { account, credential } = this.session.login;
    const mayStay = credential
      ? await this.services.authenticator.mayStay(account, credential)
      : await this.services.store.directory.getAccount(account.id) !== undefined;
    return mayStay || this.#sayBye("Account was disabled, removed or its credentials changed");
  }

  #sayBye(reason: string): false {
    this.session.out.untagged(`BYE ${reason}`);
    return false;
  }
}
