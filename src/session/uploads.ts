import { type LiteralReceiver, no, type Session } from "../imap/mod.ts";
import { type Frame, type LiteralHeader, MAX_LITERALS, WireError } from "../wire/mod.ts";
import type { Input } from "./input.ts";
import { LITERAL_PIECE_BYTES } from "./limits.ts";
import { checkHeldLiteral, type Heading } from "./literals.ts";
import { ConnectionLost, type Responder } from "./responder.ts";

/**
 * Takes the literals of one command after the other: held in memory within limits, or passed on to
 * the receiver that the command names. A literal that is refused never makes the connection lose
 * its place: `refusal` says why, and the command is answered with it.
 */
export class Uploads {
  /** Why a literal of the present command was not taken. */
  refusal: unknown;
  #receivers: LiteralReceiver[] = [];

  constructor(
    private readonly input: Input,
    private readonly out: Responder,
    private readonly timeoutMs: number,
  ) {}

  /**
   * Decides where the literal goes. Throws why it goes nowhere; then the caller skips it or gives
   * the command up.
   */
  async open(
    session: Session,
    heading: Heading | undefined,
    frame: Frame,
    literal: LiteralHeader,
  ): Promise<LiteralReceiver | undefined> {
    if (this.refusal !== undefined) throw this.refusal;
    if (!heading?.spec) throw new WireError("Unknown command");
    if (frame.tooLong) throw new WireError("The command is too long", "TOOBIG");
    const receiver = await heading.spec.receiveLiteral?.(session, frame, literal);
    if (!receiver) checkHeldLiteral(frame, literal, session.login !== undefined);
    else if (this.#receivers.push(receiver) > MAX_LITERALS) throw no("Too many messages", "LIMIT");
    return receiver;
  }

  /** Takes the octets of the literal. Throws ConnectionLost when they stop coming. */
  async take(literal: LiteralHeader, receiver: LiteralReceiver | undefined): Promise<void> {
    if (literal.isSynchronizing) {
      this.out.writer.raw("+ Ready for literal data\r\n");
      await this.out.flush();
    }
    const { framer } = this.input;
    if (!receiver) return framer.holdLiteral();
    framer.streamLiteral();
    for (let bytes; (bytes = framer.takeLiteralBytes(LITERAL_PIECE_BYTES));) {
      if (bytes.length === 0) {
        if (!await this.input.waitForBytes(this.timeoutMs)) throw new ConnectionLost();
      } else if (this.refusal === undefined) {
        const piece = bytes;
        await this.#try(() => receiver.write(piece));
      }
    }
    const streamed = this.refusal === undefined ? await this.#try(() => receiver.end()) : undefined;
    framer.endStreamedLiteral(streamed);
  }

  /** Forgets what was received for the command, whatever came of it. */
  async discard(): Promise<void> {
    this.refusal = undefined;
    const receivers = this.#receivers;
    if (receivers.length === 0) return;
    this.#receivers = [];
    for (const receiver of receivers) await receiver.discard();
  }

  /** The octets are on their way: what fails here is told when the command is whole. */
  async #try<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.refusal = error;
      return undefined;
    }
  }
}
