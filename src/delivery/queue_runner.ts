import { logger, metrics, traced } from "../base/mod.ts";
import type { MailQueue, QueuedMessage, QueuedRecipient, QueueOutcome } from "../store/mod.ts";
import {
  deliverMessage,
  type DeliveryServices,
  isLocalAddress,
  resolveRecipient,
} from "./accept.ts";
import { type FailedRecipient, sendBounce } from "./bounce.ts";
import {
  DELAY_NOTICE_SECONDS,
  MAX_RELAY_CONNECTIONS,
  QUEUE_LOOK_MS,
  RELAY_STOP_MS,
  RETRY_SECONDS,
} from "./limits.ts";
import { describe, isTemporary, REFUSAL_REPLIES } from "./outbox.ts";
import type { Relay, RelayResult } from "./relay.ts";

/** What came of an attempt for one recipient. */
type Attempt =
  | { readonly kind: "done" }
  | { readonly kind: "later"; readonly error: string }
  | { readonly kind: "never"; readonly failure: Omit<FailedRecipient, "address"> };

const log = logger("delivery");

/**
 * Sends what is queued, a few messages at a time, until it is stopped. A recipient leaves the queue
 * only when somebody else has the message, or the sender was told: after a crash one may get it
 * twice, but none is lost.
 */
export class QueueRunner {
  readonly #services: DeliveryServices;
  readonly #queue: MailQueue;
  readonly #relay: Relay | undefined;
  readonly #tellsOfDelays: boolean;
  /** Messages being sent. */
  readonly #busy = new Map<number, Promise<void>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;
  #mustLookAgain = false;
  #isStopped = false;

  /** With `tellsOfDelays`, which holds unless given, senders hear once of mail that is late. */
  constructor(
    services: DeliveryServices,
    queue: MailQueue,
    relay: Relay | undefined,
    { tellsOfDelays = true }: { readonly tellsOfDelays?: boolean } = {},
  ) {
    this.#tellsOfDelays = tellsOfDelays;
    this.#services = services;
    this.#queue = queue;
    this.#relay = relay;
  }

  /** Looks for what is due, now. */
  wake(): void {
    this.#look().catch((error: unknown) => {
      log.error("the queue cannot be read: {error}", { error });
      this.#wakeIn(QUEUE_LOOK_MS);
    });
  }

  /** Begins nothing more; what is under way has a moment to come to its end. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    const ended = Promise.allSettled(this.#busy.values());
    const timer = setTimeout(() => this.#relay?.close(), RELAY_STOP_MS);
    await ended;
    clearTimeout(timer);
    this.#relay?.close();
  }

  async #look(): Promise<void> {
    this.#mustLookAgain = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      while (this.#mustLookAgain && !this.#isStopped) {
        this.#mustLookAgain = false;
        const free = MAX_RELAY_CONNECTIONS - this.#busy.size;
        if (free > 0) {
          const due = await this.#queue.listDue(this.#now(), MAX_RELAY_CONNECTIONS * 2);
          for (const message of due.filter(({ id }) => !this.#busy.has(id)).slice(0, free)) {
            this.#begin(message);
          }
        }
      }
    } finally {
      this.#isLooking = false;
    }
    // Another process may have asked for an attempt, so the queue is looked at now and then.
    this.#wakeIn(QUEUE_LOOK_MS);
  }

  #wakeIn(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#isStopped) this.#timer = setTimeout(() => this.wake(), ms);
  }

  #begin(message: QueuedMessage): void {
    const work = this.#send(message)
      .catch((error: unknown) =>
        log.error("queued message {id} failed: {error}", { id: message.id, error })
      )
      .finally(() => {
        this.#busy.delete(message.id);
        this.wake();
      });
    this.#busy.set(message.id, work);
  }

  async #send(message: QueuedMessage): Promise<void> {
    const local: QueuedRecipient[] = [];
    const remote: QueuedRecipient[] = [];
    for (const recipient of message.recipients) {
      const isLocal = await isLocalAddress(this.#services, recipient.address);
      (isLocal ? local : remote).push(recipient);
    }
    const late: FailedRecipient[] = [];
    for (const recipient of local) {
      late.push(
        ...await this.#settle(message, [[recipient, await this.#deliver(message, recipient)]]),
      );
    }
    if (remote.length > 0) late.push(...await this.#sendOn(message, remote));
    await this.#tellOfDelay(message, late);
  }

  async #sendOn(
    message: QueuedMessage,
    remote: readonly QueuedRecipient[],
  ): Promise<FailedRecipient[]> {
    const results = await traced("relay", async (note) => {
      const results = await this.#relay?.send({
        sender: message.sender,
        recipients: remote.map(({ address }) => address),
        size: message.size,
        isUtf8: message.isUtf8,
        content: () => this.#queue.readContent(message.id),
      });
      const accepted = results?.filter(({ kind }) => kind === "accepted").length ?? 0;
      note({ "postern.recipients": remote.length, "postern.delivered": accepted });
      return results;
    });
    // Then it was this host that ended the attempt, which does not count.
    if (this.#isStopped && results?.every(({ kind }) => kind === "failed")) return [];
    return await this.#settle(
      message,
      remote.map((recipient, i) => [recipient, attemptOf(results?.[i])]),
    );
  }

  async #deliver(message: QueuedMessage, { address }: QueuedRecipient): Promise<Attempt> {
    const recipient = await resolveRecipient(this.#services, address);
    const [result] = "kind" in recipient ? [recipient] : await deliverMessage(
      this.#services,
      [recipient],
      {
        sender: message.sender,
        clientName: undefined,
        clientAddress: undefined,
        protocol: "local",
        // It has that of when it was submitted.
        isTraced: false,
      },
      this.#queue.readContent(message.id),
    );
    if (result === undefined || result.kind === "delivered") return { kind: "done" };
    if (isTemporary(result)) return { kind: "later", error: describe(result) };
    const { status } = REFUSAL_REPLIES[result.kind];
    return { kind: "never", failure: { status, text: result.text, reply: undefined } };
  }

  /** The sender hears once of those who do not have the message after some hours. */
  async #tellOfDelay(message: QueuedMessage, late: readonly FailedRecipient[]): Promise<void> {
    const { id, sender, expires, isDelayTold } = message;
    const isDue = this.#now() >= message.queued + DELAY_NOTICE_SECONDS;
    if (!this.#tellsOfDelays || isDelayTold || !isDue || late.length === 0 || sender === "") return;
    const content = () => this.#queue.readContent(id);
    if (await sendBounce(this.#services, { sender, triedUntil: expires, content }, late)) {
      await this.#queue.noteDelayTold(id);
    }
  }

  /**
   * Notes what came of an attempt, after the sender was told of what failed for good. Gives those
   * for whom there will be another one.
   */
  async #settle(
    message: QueuedMessage,
    attempts: readonly (readonly [QueuedRecipient, Attempt])[],
  ): Promise<FailedRecipient[]> {
    const now = this.#now();
    const outcomes: QueueOutcome[] = [];
    const late: FailedRecipient[] = [];
    const failed: { id: number; failure: FailedRecipient }[] = [];
    for (const [{ id, address, attempts: before }, attempt] of attempts) {
      const isOver = attempt.kind === "later" && now >= message.expires;
      metrics.add("postern_queue_attempts_total", { result: isOver ? "expired" : attempt.kind });
      if (attempt.kind === "done") {
        outcomes.push({ recipient: id, kind: "done" });
      } else if (attempt.kind === "later" && !isOver) {
        const due = Math.min(now + retrySeconds(before), message.expires);
        outcomes.push({ recipient: id, kind: "postponed", due, error: attempt.error });
        late.push({ address, ...delayOf(attempt.error) });
      } else {
        const failure = attempt.kind === "never" ? attempt.failure : {
          status: "4.4.7",
          text: "It could not be delivered in time",
          reply: /^\d{3} /.test(attempt.error) ? attempt.error : undefined,
        };
        failed.push({ id, failure: { address, ...failure } });
      }
    }
    if (failed.length > 0) {
      const isTold = await sendBounce(this.#services, {
        sender: message.sender,
        triedUntil: undefined,
        content: () => this.#queue.readContent(message.id),
      }, failed.map(({ failure }) => failure));
      for (const { id, failure } of failed) {
        outcomes.push(
          isTold ? { recipient: id, kind: "done" } : {
            recipient: id,
            kind: "postponed",
            due: now + retrySeconds(0),
            error: failure.reply ?? failure.text,
          },
        );
      }
    }
    await this.#queue.settle(outcomes);
    log.info("queued message {id}: {outcomes}", {
      id: message.id,
      outcomes: outcomes.map(({ kind }) => kind).join(" "),
    });
    return late;
  }

  #now(): number {
    return Math.floor(this.#services.clock.now() / 1000);
  }
}

/** Why a recipient has to wait: what the other host said, when it said something. */
function delayOf(error: string): Omit<FailedRecipient, "address"> {
  return {
    status: /^4\d\d[ -](4\.\d{1,3}\.\d{1,3}) /.exec(error)?.[1] ?? "4.4.1",
    text: "The next mail server does not take the message at present",
    reply: /^\d{3} /.test(error) ? error : undefined,
  };
}

/** How long to wait after an attempt, by how many there were before. */
function retrySeconds(attempts: number): number {
  return RETRY_SECONDS[Math.min(attempts, RETRY_SECONDS.length - 1)] ?? 0;
}

function attemptOf(result: RelayResult | undefined): Attempt {
  if (result === undefined) return { kind: "later", error: "no relay is configured" };
  switch (result.kind) {
    case "accepted":
      return { kind: "done" };
    case "failed":
      return { kind: "later", error: result.reply ?? result.text };
    case "refused": {
      const status = result.status ??
        /^5\d\d[ -](5\.\d{1,3}\.\d{1,3}) /.exec(result.reply ?? "")?.[1] ?? "5.0.0";
      return { kind: "never", failure: { status, text: result.text, reply: result.reply } };
    }
  }
}
