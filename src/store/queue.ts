import type { Bytes } from "../base/mod.ts";

/** A message that waits to be sent on, and to whom. */
export interface QueuedMessage {
  readonly id: number;
  /** Its reverse-path; "" for none. */
  readonly sender: string;
  /** Seconds since 1970. */
  readonly queued: number;
  /** When those who did not get it by then are given up, in seconds since 1970. */
  readonly expires: number;
  /** Octets. */
  readonly size: number;
  /** Whether the client asked for SMTPUTF8 (RFC 6531). */
  readonly isUtf8: boolean;
  /** Whether the sender was told that it is late. */
  readonly isDelayTold: boolean;
  /** Those who did not get it yet; never empty. */
  readonly recipients: readonly QueuedRecipient[];
}

export interface QueuedRecipient {
  readonly id: number;
  readonly address: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** When it is to be tried, in seconds since 1970. */
  readonly due: number;
  /** What came of the last attempt; "" before the first. */
  readonly lastError: string;
}

export interface NewQueuedMessage
  extends Pick<QueuedMessage, "sender" | "queued" | "expires" | "isUtf8"> {
  readonly recipients: readonly Pick<QueuedRecipient, "address" | "due" | "lastError">[];
}

/** What came of an attempt for one recipient. */
export type QueueOutcome =
  /** The recipient has it, or was given up and that was reported. */
  | { readonly recipient: number; readonly kind: "done" }
  | {
    readonly recipient: number;
    readonly kind: "postponed";
    readonly due: number;
    readonly error: string;
  };

/**
 * Messages on their way out: one for the host. Every method is one durable transaction; content is
 * kept once for each message, and goes with its last recipient. Errors: StoreError.
 */
export interface MailQueue {
  /** Keeps a message; it is there when this resolves, and no trace of it when this rejects. */
  add(message: NewQueuedMessage, content: AsyncIterable<Bytes>): Promise<number>;
  /** Messages with recipients due at `now` (seconds since 1970), with those alone, oldest first. */
  listDue(now: number, limit: number): Promise<QueuedMessage[]>;
  /** When the next recipient is due, in seconds since 1970; undefined when the queue is empty. */
  nextDue(): Promise<number | undefined>;
  /** All messages with all recipients, oldest first. */
  list(): Promise<QueuedMessage[]>;
  /** How many messages there are, and when the oldest came, in seconds since 1970. */
  summary(): Promise<{ messages: number; oldest: number | undefined }>;
  get(id: number): Promise<QueuedMessage | undefined>;
  /** In pieces. Rejects with "message-not-found" when the message is removed meanwhile. */
  readContent(id: number): AsyncIterable<Bytes>;
  /** Notes what came of an attempt; unknown recipients are passed over. */
  settle(outcomes: readonly QueueOutcome[]): Promise<void>;
  /** The sender was told that the message is late. */
  noteDelayTold(id: number): Promise<void>;
  /** Has recipients of the message, or of all, tried at once; gives how many. */
  retry(id?: number): Promise<number>;
  /** Removes a message and all its recipients; false when there is none. */
  drop(id: number): Promise<boolean>;
  /**
   * The right to send what is queued, for one process at a time: undefined while another has it.
   * It ends with the process, however that ends.
   */
  claimRunner(): Promise<RunnerClaim | undefined>;
  close(): Promise<void>;
}

export interface RunnerClaim {
  release(): void;
}
