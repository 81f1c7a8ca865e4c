import { type Bytes, othersTurn } from "../base/mod.ts";
import type { MessageStage, StagedMessage } from "../store/mod.ts";
import type { Literal, LiteralHeader } from "../wire/mod.ts";
import type { AppendItem, CatenatePart, PendingLiteral } from "./append_items.ts";
import type { LiteralReceiver } from "./command.ts";
import { type ImapError, no } from "./imap_error.ts";
import { readMessageUrl } from "./message_url.ts";
import type { Session } from "./session.ts";

/** Where a message goes, and what else the command does to the quota. */
export interface Destination {
  readonly name: string;
  /** Messages of the same command that come before it. */
  readonly earlier?: readonly AppendItem[];
  /** Octets that the command frees. */
  readonly freedBytes?: number;
}

/** A message on its way into the store, literal by literal and URL by URL. */
export class IncomingMessage {
  readonly #stage: MessageStage;
  readonly #maxBytes: number;

  private constructor(stage: MessageStage, maxBytes: number) {
    this.#stage = stage;
    this.#maxBytes = maxBytes;
  }

  /** Opens the way once it is clear that `bytes` more would be taken. */
  static async open(
    session: Session,
    destination: Destination,
    bytes: number,
  ): Promise<IncomingMessage> {
    const { maxMessageBytes } = session.limits;
    if (bytes > maxMessageBytes) throw tooBig(maxMessageBytes);
    const { store } = session.account;
    const { name, earlier = [], freedBytes = 0 } = destination;
    if (!await store.findMailbox(name)) throw no("No such mailbox", "TRYCREATE");
    const { usedBytes, limitBytes } = await store.quota();
    const earlierBytes = earlier.reduce((sum, item) => sum + sizeOf(item), 0);
    if (limitBytes !== undefined && usedBytes + earlierBytes + bytes - freedBytes > limitBytes) {
      throw no("The message does not fit into the quota", "OVERQUOTA");
    }
    return new IncomingMessage(store.stageMessage(), maxMessageBytes);
  }

  /** Octets so far, as they are stored: bare LF and CR grow to CRLF. */
  get size(): number {
    return this.#stage.size;
  }

  async write(bytes: Bytes): Promise<void> {
    await this.#stage.write(bytes);
    this.checkRoom(0);
  }

  /** Throws NO [TOOBIG] when `bytes` more are too many. */
  checkRoom(bytes: number): void {
    if (this.size + bytes > this.#maxBytes) throw tooBig(this.#maxBytes);
  }

  finish(): Promise<StagedMessage> {
    return this.#stage.finish();
  }

  discard(): Promise<void> {
    return this.#stage.discard();
  }
}

function tooBig(maxBytes: number): ImapError {
  return no(`A message may have at most ${maxBytes} octets`, "TOOBIG");
}

/**
 * Where a literal of a command that takes messages goes; undefined to hold it in memory. Pieces that
 * come before it in the same message are put in first, so that nothing but the URLs is kept.
 */
export async function receiveMessageLiteral(
  session: Session,
  destination: Destination,
  literal: LiteralHeader,
  { is, parts }: PendingLiteral,
): Promise<LiteralReceiver | undefined> {
  if (is === "held") return undefined;
  const begun = begunMessage(parts);
  const message = begun ?? await IncomingMessage.open(session, destination, literal.size);
  try {
    await writeUrls(session, message, parts);
    message.checkRoom(literal.size);
  } catch (error) {
    await message.discard();
    throw error;
  }
  return {
    write: (bytes) => message.write(bytes),
    end: async () => is === "message" ? await message.finish() : message,
    discard: () => message.discard(),
  };
}

/**
 * The message of `item`, complete. `opened` is told of a stage that no literal opened: the caller
 * discards it.
 */
export async function finishMessage(
  session: Session,
  destination: Destination,
  { content }: AppendItem,
  opened: (message: IncomingMessage) => void,
): Promise<StagedMessage> {
  if ("streamed" in content) return content.streamed as StagedMessage;
  let message = begunMessage(content);
  if (!message) {
    message = await IncomingMessage.open(session, destination, 0);
    opened(message);
  }
  await writeUrls(session, message, content);
  return await message.finish();
}

/** The message that the last literal among `parts` went into. */
function begunMessage(parts: readonly CatenatePart[]): IncomingMessage | undefined {
  return parts.findLast(isLiteral)?.streamed as IncomingMessage | undefined;
}

/** Puts in what the URLs behind the last literal name. */
async function writeUrls(
  session: Session,
  message: IncomingMessage,
  parts: readonly CatenatePart[],
): Promise<void> {
  for (const url of parts.slice(parts.findLastIndex(isLiteral) + 1) as readonly string[]) {
    for await (const piece of readMessageUrl(session, url)) {
      await message.write(piece);
      // No peer sets the pace here: others get their turn, and nothing is copied for nobody.
      await othersTurn();
      session.signal.throwIfAborted();
    }
  }
}

function isLiteral(part: CatenatePart): part is Literal {
  return typeof part !== "string";
}

/** Octets of a message as far as they have come. */
function sizeOf({ content }: AppendItem): number {
  return "streamed" in content ? content.size : begunMessage(content)?.size ?? 0;
}
