import { type Bytes, concatBytes } from "../../src/base/mod.ts";
import {
  type MailQueue,
  type NewQueuedMessage,
  type QueuedMessage,
  type QueueOutcome,
  type RunnerClaim,
  StoreError,
} from "../../src/store/mod.ts";

/** The queue as an array: what the engines are held to. */
export class ModelQueue implements MailQueue {
  #messages: (QueuedMessage & { content: Bytes })[] = [];
  #nextId = 1;
  #nextRecipient = 1;
  #isClaimed = false;

  async add(message: NewQueuedMessage, content: AsyncIterable<Bytes>): Promise<number> {
    const pieces: Bytes[] = [];
    for await (const piece of content) pieces.push(piece.slice());
    const whole = concatBytes(pieces);
    const recipients = message.recipients.map((each) => ({
      ...each,
      id: this.#nextRecipient++,
      attempts: 0,
    }));
    const id = this.#nextId++;
    const size = whole.length;
    this.#messages.push({ ...message, id, size, isDelayTold: false, content: whole, recipients });
    return id;
  }

  async listDue(now: number, limit: number): Promise<QueuedMessage[]> {
    return (await this.list()).map((message) => ({
      ...message,
      recipients: message.recipients.filter(({ due }) => due <= now),
    })).filter(({ recipients }) => recipients.length > 0).slice(0, limit);
  }

  async nextDue(): Promise<number | undefined> {
    const all = this.#messages.flatMap(({ recipients }) => recipients.map(({ due }) => due));
    return all.length > 0 ? Math.min(...all) : undefined;
  }

  async list(): Promise<QueuedMessage[]> {
    return this.#messages.map(({ content: _, ...message }) => message);
  }

  async summary(): Promise<{ messages: number; oldest: number | undefined }> {
    const all = await this.list();
    const oldest = all.length > 0 ? Math.min(...all.map(({ queued }) => queued)) : undefined;
    return { messages: all.length, oldest };
  }

  async get(id: number): Promise<QueuedMessage | undefined> {
    return (await this.list()).find((message) => message.id === id);
  }

  async *readContent(id: number): AsyncGenerator<Bytes> {
    const message = this.#messages.find((each) => each.id === id);
    if (!message) throw new StoreError("message-not-found", "There is no such message.");
    yield message.content;
  }

  async settle(outcomes: readonly QueueOutcome[]): Promise<void> {
    const byId = new Map(outcomes.map((outcome) => [outcome.recipient, outcome]));
    this.#messages = this.#messages.map((message) => ({
      ...message,
      recipients: message.recipients.flatMap((recipient) => {
        const outcome = byId.get(recipient.id);
        if (!outcome) return [recipient];
        if (outcome.kind === "done") return [];
        const { due, error } = outcome;
        return [{ ...recipient, attempts: recipient.attempts + 1, due, lastError: error }];
      }),
    })).filter(({ recipients }) => recipients.length > 0);
  }

  async noteDelayTold(id: number): Promise<void> {
    this.#messages = this.#messages.map((message) =>
      message.id === id ? { ...message, isDelayTold: true } : message
    );
  }

  async retry(id?: number): Promise<number> {
    let count = 0;
    this.#messages = this.#messages.map((message) => {
      if (id !== undefined && message.id !== id) return message;
      count += message.recipients.length;
      return { ...message, recipients: message.recipients.map((each) => ({ ...each, due: 0 })) };
    });
    return count;
  }

  async drop(id: number): Promise<boolean> {
    const before = this.#messages.length;
    this.#messages = this.#messages.filter((message) => message.id !== id);
    return this.#messages.length < before;
  }

  async claimRunner(): Promise<RunnerClaim | undefined> {
    if (this.#isClaimed) return undefined;
    this.#isClaimed = true;
    return { release: () => this.#isClaimed = false };
  }

  async close(): Promise<void> {}
}
