import { type AccountId, accountId, Latch } from "../../base/mod.ts";
import type { TraceLine } from "../live/tracer.ts";
import type { JsonLines } from "./json_lines.ts";
import { MAX_WAITING_BYTES } from "./limits.ts";
import type { TraceMessage } from "./protocol.ts";

export interface TraceSource {
  /** Has `listener` told all that is said on connections of the account, until the end is called. */
  trace(account: AccountId, listener: (line: TraceLine) => void): () => void;
}

/** Sends a trace to one who may read slowly: what there is no room for is left out and counted. */
export class TraceSender {
  readonly #lines: JsonLines;
  readonly #source: TraceSource;
  readonly #wake = new Latch();
  #waiting: TraceMessage[] = [];
  #waitingBytes = 0;
  #omitted = 0;
  #isOver = false;

  constructor(lines: JsonLines, source: TraceSource) {
    this.#lines = lines;
    this.#source = source;
  }

  /** Sends until the client ends or is gone. */
  async run(account: number): Promise<void> {
    const stop = this.#source.trace(accountId(account), (line) => this.#add(line));
    const reading = this.#awaitEnd();
    try {
      for (;;) {
        await this.#wake.wait();
        if (this.#isOver) return;
        await this.#sendWaiting();
      }
    } finally {
      stop();
      this.#lines.close();
      await reading;
    }
  }

  #add(line: TraceLine): void {
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#omitted++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.text.length + LINE_COST;
    this.#wake.set();
  }

  async #sendWaiting(): Promise<void> {
    while ((this.#waiting.length > 0 || this.#omitted > 0) && !this.#isOver) {
      const waiting = this.#waiting;
      const waitingBytes = this.#waitingBytes;
      const omitted = this.#omitted;
      this.#waiting = [];
      this.#omitted = 0;
      for (const message of waiting) await this.#lines.write(message);
      // Until they are written they are in memory too.
      this.#waitingBytes -= waitingBytes;
      if (omitted > 0) await this.#lines.write({ omitted } satisfies TraceMessage);
    }
  }

  async #awaitEnd(): Promise<void> {
    try {
      for await (const _ of this.#lines.read());
    } catch {
      // Whatever it said or how it went: it is over.
    }
    this.#isOver = true;
    this.#wake.set();
  }
}

/** Octets that a line takes beside its text, about. */
const LINE_COST = 100;
