import { type Bytes, othersTurn } from "../base/mod.ts";
import {
  type AccountStore,
  MAX_KEYWORD_LENGTH,
  type MessageStage,
  type NewMessage,
  StoreError,
  type ZonedTime,
} from "../store/mod.ts";
import { IMPORT_TURN_MESSAGES, MAX_IMPORTED_MESSAGES } from "./limits.ts";
import { type MailboxResult, TransferError, TransferStopped } from "./result.ts";

const NO_KEYWORDS: readonly string[] = [];

/** What is known of a message beside its bytes. */
export interface MessageFacts {
  /** OR of `SystemFlag`. */
  readonly flags: number;
  readonly keywords: readonly string[];
  /** Undefined: the date that the message itself bears. */
  readonly internalDate: ZonedTime | undefined;
}

/** A keyword that IMAP can say (RFC 9051 9, flag-keyword). */
const KEYWORD = /^[!#$&'+,\-./0-9:;<=>?@A-Z[^_`a-z|}~]+$/;

/** Whether a keyword can be kept. */
export function isKeyword(keyword: string): boolean {
  return KEYWORD.test(keyword) && keyword.length <= MAX_KEYWORD_LENGTH;
}

/**
 * Gathers messages for one mailbox, on disk, and appends all of them in one step. Quota is looked at
 * as they come, so that the end is seen before hours have passed.
 */
export class MailboxImport {
  readonly mailbox: string;
  readonly #store: AccountStore;
  readonly #maxMessages: number;
  #messages: NewMessage[] = [];
  #stage: MessageStage | undefined;
  #leftBytes: number | undefined;
  readonly #badKeywords = new Set<string>();

  private constructor(
    store: AccountStore,
    mailbox: string,
    leftBytes: number | undefined,
    maxMessages: number,
  ) {
    this.#maxMessages = maxMessages;
    this.#store = store;
    this.mailbox = mailbox;
    this.#leftBytes = leftBytes;
  }

  static async begin(
    store: AccountStore,
    mailbox: string,
    maxMessages = MAX_IMPORTED_MESSAGES,
  ): Promise<MailboxImport> {
    const { limitBytes, usedBytes } = await store.quota();
    const left = limitBytes === undefined ? undefined : limitBytes - usedBytes;
    return new MailboxImport(store, mailbox, left, maxMessages);
  }

  /** Messages that are complete. */
  get count(): number {
    return this.#messages.length;
  }

  /** Their octets, as they will be stored. */
  get sizes(): number[] {
    return this.#messages.map(({ staged }) => staged.size);
  }

  /** Takes the next bytes of the message that is coming in. */
  async write(bytes: Bytes): Promise<void> {
    this.#stage ??= this.#store.stageMessage();
    await this.#stage.write(bytes);
  }

  /** Ends the message. Throws StoreError "over-quota", TransferError. */
  async end({ flags, keywords, internalDate }: MessageFacts): Promise<void> {
    if (this.count >= this.#maxMessages) {
      throw new TransferError(
        `mailbox ${this.mailbox} has more than ${this.#maxMessages} messages: import it in parts`,
      );
    }
    const stage = this.#stage ?? this.#store.stageMessage();
    this.#stage = stage;
    // Nothing of a small message waits for anything.
    if (this.count % IMPORT_TURN_MESSAGES === 0) await othersTurn();
    const whole = await stage.finish();
    const seconds = Math.floor((whole.parsed.sentDate ?? Date.now()) / 1000);
    const staged = await whole.park();
    this.#stage = undefined;
    this.#messages.push({
      staged,
      flags,
      keywords: this.#valid(keywords),
      internalDate: internalDate ?? { seconds, zoneMinutes: 0 },
    });
    if (this.#leftBytes === undefined) return;
    this.#leftBytes -= staged.size;
    if (this.#leftBytes >= 0) return;
    throw new StoreError("over-quota", `The quota would be exceeded by mailbox ${this.mailbox}.`);
  }

  /** Forgets the message that is coming in. */
  async drop(): Promise<void> {
    await this.#stage?.discard();
    this.#stage = undefined;
  }

  /** Puts everything into the mailbox, which is made when it is missing, and begins anew. */
  async commit(): Promise<{ firstUid: number | undefined; result: MailboxResult }> {
    const messages = this.#messages;
    let firstUid: number | undefined;
    if (messages.length > 0) {
      firstUid = (await this.#store.append(this.mailbox, messages, { create: true })).uids.first;
    } else if (!await this.#store.findMailbox(this.mailbox)) {
      await this.#store.createMailbox(this.mailbox);
    }
    this.#messages = [];
    const warnings = [...this.#badKeywords].map((keyword) =>
      `keyword ${JSON.stringify(keyword)} cannot be kept`
    );
    this.#badKeywords.clear();
    return { firstUid, result: { mailbox: this.mailbox, messages: messages.length, warnings } };
  }

  /** Forgets everything that was not committed. */
  async discard(): Promise<void> {
    await this.drop();
    for (const [i, { staged }] of this.#messages.entries()) {
      if (i % IMPORT_TURN_MESSAGES === 0) await othersTurn();
      await staged.discard();
    }
    this.#messages = [];
  }

  #valid(keywords: readonly string[]): readonly string[] {
    // The one empty list, since there may be very many messages.
    if (keywords.length === 0) return NO_KEYWORDS;
    return keywords.filter((keyword) => {
      if (isKeyword(keyword)) return true;
      // Bounded, since a file may have a new one in each message.
      if (this.#badKeywords.size < 20) this.#badKeywords.add(keyword.slice(0, 100));
      return false;
    });
  }
}

/** Runs `fill` and then commits, or discards when it fails. */
export async function importMailbox(
  store: AccountStore,
  mailbox: string,
  fill: (into: MailboxImport) => Promise<void>,
): Promise<MailboxResult> {
  const into = await MailboxImport.begin(store, mailbox);
  try {
    await fill(into);
    return (await into.commit()).result;
  } catch (error) {
    // Who stops the server does not wait: the store clears away later what is left.
    if (!(error instanceof TransferStopped)) await into.discard();
    throw error;
  }
}
