import { Latch } from "../base/mod.ts";
import type { Clock } from "../base/mod.ts";
import type { Transport } from "../net/mod.ts";
import { Framer, MAX_CONTINUATION_BYTES, WireError } from "../wire/mod.ts";
import { ConnectionLost, type Responder } from "./responder.ts";

/** Why a wait is over: bytes are in the framer, what was watched for changed, or it is the end. */
export type WaitResult = "input" | "change" | "closed" | "timeout";

/** First octet of a TLS ClientHello, and of nothing that an IMAP client sends. */
const TLS_HANDSHAKE = 0x16;

/** What comes in on a connection: bytes become lines and commands; waiting happens here alone. */
export class Input {
  readonly framer = new Framer();
  /** Asked before each sleep, and after each waking, whether the session may go on. */
  mayGoOn: () => Promise<boolean> | true = () => true;
  #transport: Transport;
  #out: Responder;
  #clock: Clock;
  #wake = new Latch();
  #gone: AbortController | undefined;
  #hasBegun = false;

  constructor(transport: Transport, out: Responder, clock: Clock) {
    this.#transport = transport;
    this.#out = out;
    this.#clock = clock;
    transport.onReadable = () => {
      if (transport.broken) this.#gone?.abort();
      this.wake();
    };
  }

  /** Ends a sleep, so that `mayGoOn` and what is watched are looked at anew. */
  wake(): void {
    this.#wake.set();
  }

  /** Aborted when the connection has ended. Made when first asked for: few commands are long. */
  get signal(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#transport.broken) this.#gone.abort();
    return this.#gone.signal;
  }

  /** Waits for bytes, for `watched` to be true, or for the end of the time or the session. */
  async wait(timeoutMs: number, watched: () => boolean = () => false): Promise<WaitResult> {
    const deadline = this.#clock.now() + timeoutMs;
    for (;;) {
      const bytes = this.#transport.tryRead();
      if (bytes) {
        const isFirst = !this.#hasBegun;
        this.#hasBegun = true;
        if (isFirst && bytes[0] === TLS_HANDSHAKE) {
          // Else it would wait for an answer to its ClientHello, and we for the end of a line.
          this.#out.untagged("BYE This port begins in clear; use STARTTLS, or the port for TLS");
          return "closed";
        }
        this.framer.push(bytes);
        return "input";
      }
      if (bytes === null) return "closed";
      const mayGoOn = this.mayGoOn();
      if (mayGoOn !== true && !await mayGoOn) return "closed";
      if (watched()) return "change";
      const left = deadline - this.#clock.now();
      if (left <= 0) return "timeout";
      const timer = setTimeout(() => this.wake(), left);
      await this.#wake.wait();
      clearTimeout(timer);
    }
  }

  /** Waits for bytes. Says BYE and gives false when none come in time. */
  async waitForBytes(timeoutMs: number): Promise<boolean> {
    const result = await this.wait(timeoutMs);
    if (result === "timeout") this.#out.untagged("BYE Inactive for too long");
    return result === "input";
  }

  /** A line outside a command, if it is there whole. */
  nextLine(): string | undefined {
    const line = this.framer.nextLine(MAX_CONTINUATION_BYTES);
    if (line === "too-long") throw new WireError("Line is too long", "TOOBIG");
    return line;
  }

  /** Sends a continuation request and waits for the line that answers it. */
  async ask(text: string, timeoutMs: number): Promise<string> {
    this.#out.writer.raw(`+ ${text}\r\n`);
    await this.#out.flush();
    for (;;) {
      const line = this.nextLine();
      if (line !== undefined) return line;
      if (!await this.waitForBytes(timeoutMs)) throw new ConnectionLost();
    }
  }
}
