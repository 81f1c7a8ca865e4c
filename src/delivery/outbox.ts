import { type AccountId, type Bytes, encodeUtf8, logger, metrics, randomHex } from "../base/mod.ts";
import type { MailQueue } from "../store/mod.ts";
import {
  deliverMessage,
  type DeliveryResult,
  type DeliveryServices,
  isLocalAddress,
  type MessageSource,
  type Recipient,
  type Refusal,
  type RefusalKind,
  resolveRecipient,
} from "./accept.ts";
import { LOCAL_BATCH, QUEUE_LIFE_SECONDS } from "./limits.ts";
import type { SubmissionRefusal } from "./submission_policy.ts";
import { receivedField } from "./trace_header.ts";

/** A message that was accepted by everybody who was asked. */
export interface OutgoingMessage {
  readonly source: MessageSource;
  readonly recipients: readonly string[];
  readonly isUtf8: boolean;
  readonly size: number;
  /** Without a Received field of this host; may be read again and again. */
  content(): AsyncIterable<Bytes>;
}

/** Replies for a refusal (RFC 5321 4.2.3, RFC 3463 3). */
export const REFUSAL_REPLIES: Readonly<Record<RefusalKind, { code: number; status: string }>> = {
  "unknown-recipient": { code: 550, status: "5.1.1" },
  "domain-disabled": { code: 451, status: "4.2.1" },
  "over-quota": { code: 452, status: "4.2.2" },
  "too-large": { code: 552, status: "5.2.3" },
  "mailbox-missing": { code: 550, status: "5.2.0" },
  "mailbox-invalid": { code: 550, status: "5.2.0" },
  "not-encrypted": { code: 523, status: "5.7.1" },
  "unavailable": { code: 451, status: "4.3.0" },
};

const NOT_NOW: SubmissionRefusal = {
  code: 451,
  status: "4.3.0",
  text: "The message cannot be stored now; try again later",
};

const log = logger("delivery");

/** Gives messages to their recipients: at once to those here, by the queue to all others. */
export class Outbox {
  readonly #services: DeliveryServices;
  readonly #queue: MailQueue;
  readonly #onQueued: () => void;
  /** Whether there is a host that takes mail for others. */
  readonly hasRelay: boolean;

  constructor(
    services: DeliveryServices,
    queue: MailQueue,
    options: { hasRelay: boolean; onQueued: () => void },
  ) {
    this.#services = services;
    this.#queue = queue;
    this.hasRelay = options.hasRelay;
    this.#onQueued = options.onQueued;
  }

  /**
   * Takes a message over; undefined when it is durable for every recipient, stored or queued. With a
   * refusal some recipients here may have it all the same, when the disk failed in between: they get
   * it twice when the client tries again.
   */
  async post(message: OutgoingMessage): Promise<SubmissionRefusal | undefined> {
    const { local, remote } = await this.#sort(message.recipients);
    const waiting = remote.map((address) => ({ address, lastError: "" }));
    let isDelivered = false;
    const refusals: Refusal[] = [];
    for (const { recipient, result } of await this.#deliver(message, local)) {
      if (result.kind === "delivered") {
        isDelivered = true;
        continue;
      }
      // The queue tries once more and, when it is for good, tells the sender.
      waiting.push({ address: recipient.address, lastError: describe(result) });
      refusals.push(result);
    }
    if (!isDelivered && remote.length === 0) {
      // Nobody has it, so that the client can be told: for now, if it is so for anybody.
      const refusal = refusals.find(isTemporary) ?? refusals[0];
      if (refusal) return { ...REFUSAL_REPLIES[refusal.kind], text: refusal.text };
    }
    if (waiting.length > 0 && !await this.#enqueue(message, waiting)) return NOT_NOW;
    return undefined;
  }

  async #sort(addresses: readonly string[]): Promise<{ local: Recipient[]; remote: string[] }> {
    const local: Recipient[] = [];
    const remote: string[] = [];
    for (const address of addresses) {
      const recipient = await isLocalAddress(this.#services, address)
        ? await resolveRecipient(this.#services, address)
        : undefined;
      // Of those who were here a moment ago, the queue finds out what became of them.
      if (recipient === undefined || "kind" in recipient) remote.push(address);
      else local.push(recipient);
    }
    return { local, remote };
  }

  /** Delivers to each account once, whatever addresses lead to it. */
  async #deliver(
    { source, content }: OutgoingMessage,
    recipients: readonly Recipient[],
  ): Promise<{ recipient: Recipient; result: DeliveryResult }[]> {
    const accounts = new Map<AccountId, Recipient>();
    for (const recipient of recipients) {
      if (!accounts.has(recipient.account.id)) accounts.set(recipient.account.id, recipient);
    }
    const each = [...accounts.values()];
    const all: { recipient: Recipient; result: DeliveryResult }[] = [];
    for (let at = 0; at < each.length; at += LOCAL_BATCH) {
      const batch = each.slice(at, at + LOCAL_BATCH);
      const results = await deliverMessage(this.#services, batch, source, content());
      batch.forEach((recipient, i) => {
        const result = results[i];
        if (result) all.push({ recipient, result });
      });
    }
    return all;
  }

  async #enqueue(
    { source, isUtf8, content }: OutgoingMessage,
    recipients: readonly { address: string; lastError: string }[],
  ): Promise<boolean> {
    const time = this.#services.clock.now();
    const now = Math.floor(time / 1000);
    const { hostname } = this.#services;
    const trace = source.isTraced === false
      ? ""
      : receivedField({ ...source, hostname, time, id: randomHex(8) });
    try {
      const id = await this.#queue.add({
        sender: source.sender,
        queued: now,
        expires: now + QUEUE_LIFE_SECONDS,
        isUtf8,
        recipients: recipients.map((each) => ({ ...each, due: now })),
      }, prefixed(trace, content()));
      metrics.add("postern_queue_messages_total");
      log.info("queued message {id} for {count} recipients", { id, count: recipients.length });
    } catch (error) {
      log.error("a message could not be queued: {error}", { error });
      return false;
    }
    this.#onQueued();
    return true;
  }
}

async function* prefixed(text: string, content: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  yield encodeUtf8(text);
  yield* content;
}

/** A refusal as the line that a mail server would answer. */
export function describe({ kind, text }: Refusal): string {
  const { code, status } = REFUSAL_REPLIES[kind];
  return `${code} ${status} ${text}`;
}

/** Whether a refusal may be no more in a while. */
export function isTemporary({ kind }: Refusal): boolean {
  return REFUSAL_REPLIES[kind].code < 500;
}
