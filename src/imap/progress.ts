import { isDisabledFor } from "./extension.ts";
import type { Session } from "./session.ts";

/** How often a long command shows that it lives: RFC 9585 asks for no more than this. */
const INTERVAL_MS = 10_000;

/** Tells the client how far a long command has come: `OK [INPROGRESS …]` (RFC 9585). */
export class Progress {
  readonly #session: Session;
  #toldAt: number;
  #flushing: Promise<void> | undefined;

  constructor(session: Session) {
    this.#session = session;
    this.#toldAt = session.now();
  }

  /** Says that `done` of `goal` is behind us, if it is time to say something. Never waits. */
  report(done: number, goal: number): void {
    const { out, tag, login } = this.#session;
    const now = this.#session.now();
    // A client that does not read what it was told is told no more.
    if (now - this.#toldAt < INTERVAL_MS || this.#flushing) return;
    if (isDisabledFor(login?.account, "INPROGRESS")) return;
    this.#toldAt = now;
    // "]" would end the response code for a simple client.
    const name = tag.includes("]") ? "NIL" : `"${tag}"`;
    out.untagged(`OK [INPROGRESS (${name} ${Math.min(done, goal)} ${goal})] Still at it`);
    this.#flushing = out.flush();
    this.#flushing.then(() => this.#flushing = undefined, () => {});
  }

  /** To be awaited before anything else is written; rejects when the connection was lost. */
  async settle(): Promise<void> {
    await this.#flushing;
  }
}
