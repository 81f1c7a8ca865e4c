import { type Bytes, concatBytes, EMPTY_BYTES, logger, metrics } from "../base/mod.ts";
import type { Account } from "../store/mod.ts";
import { type DeliveryServices, type MessageSource, resolveRecipient } from "./accept.ts";
import { MAX_FROM_ADDRESSES, MAX_SUBMITTED_HEADER_BYTES } from "./limits.ts";
import { LineCheck } from "./line_check.ts";
import type { Outbox } from "./outbox.ts";
import { Spool } from "./spool.ts";
import type { SubmissionPolicy, SubmissionRefusal } from "./submission_policy.ts";
import { findHeaderEnd, prepareHeader } from "./submitted_header.ts";

/** What all intakes of a server share. */
export interface IntakeServices extends DeliveryServices {
  readonly outbox: Outbox;
  readonly policy: SubmissionPolicy;
  /** Octets of the largest message that is taken. */
  readonly maxMessageBytes: number;
  /** Where what comes in is kept until it was delivered. */
  readonly spoolFolder: string;
}

/** The transaction that a message belongs to. */
export interface Transaction {
  readonly account: Account;
  readonly source: MessageSource;
  /** In the order in which they were given. */
  readonly recipients: readonly string[];
  readonly isUtf8: boolean;
}

const TOO_LARGE = { code: 552, status: "5.3.4" };
const NO_LINES: SubmissionRefusal = {
  code: 554,
  status: "5.6.0",
  text: "Lines of a message end with CR LF, and have no other CR or LF, nor NUL",
};
const NOT_NOW: SubmissionRefusal = {
  code: 451,
  status: "4.3.0",
  text: "The message cannot be stored now; try again later",
};

const log = logger("delivery");

/** A message on its way in, from its first octet until it was given on or refused. */
export class MessageIntake {
  readonly #services: IntakeServices;
  readonly #transaction: Transaction;
  readonly #spool: Spool;
  /** The header so far, until its end is found. */
  #head: Bytes = EMPTY_BYTES;
  #fields: Bytes | undefined;
  #size = 0;
  readonly #lines = new LineCheck();
  #refusal: SubmissionRefusal | undefined;
  /** Writing and finishing; `discard` comes after it. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(services: IntakeServices, transaction: Transaction) {
    this.#services = services;
    this.#transaction = transaction;
    this.#spool = new Spool(services.spoolFolder);
  }

  /** Why the message will not be accepted, as far as that is known. */
  get refusal(): SubmissionRefusal | undefined {
    return this.#refusal;
  }

  /** Octets so far. */
  get size(): number {
    return this.#size;
  }

  /** Takes some octets; those of a message that is refused already are let go. Never rejects. */
  write(bytes: Bytes): Promise<void> {
    this.#size += bytes.length;
    const { maxMessageBytes } = this.#services;
    if (this.#size > maxMessageBytes) {
      this.#refusal ??= { ...TOO_LARGE, text: `The message has over ${maxMessageBytes} octets` };
    }
    if (!this.#lines.write(bytes)) this.#refusal ??= NO_LINES;
    return this.#attempt(() => this.#store(bytes));
  }

  /** Gives the message on when it may be; undefined: it is durable with whoever has it now. */
  async finish(): Promise<SubmissionRefusal | undefined> {
    if (!this.#lines.end()) this.#refusal ??= NO_LINES;
    await this.#attempt(async () => {
      this.#refusal = await this.#giveOn();
    });
    metrics.add("postern_submissions_total", { result: this.#refusal ? "refused" : "accepted" });
    return this.#refusal;
  }

  /** Forgets what was received. Never rejects. */
  async discard(): Promise<void> {
    await this.#work;
    try {
      await this.#spool.discard();
    } catch (error) {
      log.error("what was received could not be removed: {error}", { error });
    }
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(async () => {
      if (this.#refusal) return;
      try {
        await work();
      } catch (error) {
        log.error("a submitted message could not be stored: {error}", { error });
        this.#refusal = NOT_NOW;
      }
    });
    this.#work = done;
    await done;
  }

  async #store(bytes: Bytes): Promise<void> {
    if (this.#fields) return await this.#spool.write(bytes);
    // The end may begin in what came before.
    const from = Math.max(0, this.#head.length - 3);
    this.#head = concatBytes([this.#head, bytes]);
    const end = findHeaderEnd(this.#head, from);
    if ((end ?? this.#head.length) > MAX_SUBMITTED_HEADER_BYTES) {
      this.#refusal = { ...TOO_LARGE, text: "The header of the message is too large" };
    } else if (end !== undefined) {
      this.#fields = this.#head.subarray(0, end);
      await this.#spool.write(this.#head.subarray(end));
      this.#head = EMPTY_BYTES;
    }
  }

  async #giveOn(): Promise<SubmissionRefusal | undefined> {
    const { clock, policy, outbox } = this.#services;
    const { account, source, recipients, isUtf8 } = this.#transaction;
    const header = prepareHeader(this.#fields ?? this.#head, {
      domain: account.address.slice(account.address.lastIndexOf("@") + 1),
      time: clock.now(),
    }, {
      hidesClient: policy.hidesClient ?? false,
      replacedFields: policy.replacedFields?.(account, recipients) ?? new Map(),
    });
    const { from } = header;
    const spool = this.#spool;
    const content = async function* () {
      yield header.bytes;
      yield* spool.content();
    };
    const { sender } = source;
    const refusal = await this.#checkFrom(header.fromFields, from) ??
      await policy.checkMessage?.({ account, sender, from, recipients, content });
    if (refusal) return refusal;
    return await outbox.post({
      source,
      recipients,
      isUtf8,
      size: header.bytes.length + spool.size,
      content,
    });
  }

  async #checkFrom(
    fields: number,
    addresses: readonly string[],
  ): Promise<SubmissionRefusal | undefined> {
    if (fields !== 1 || addresses.length === 0 || addresses.length > MAX_FROM_ADDRESSES) {
      return { code: 554, status: "5.6.0", text: "The message needs one From field" };
    }
    for (const address of new Set(addresses)) {
      const refusal = await checkOwner(this.#services, this.#transaction.account, address);
      if (refusal) return refusal;
    }
    return undefined;
  }
}

/** Whether an address belongs to the account, its own or one of those that lead to it. */
export async function checkOwner(
  services: DeliveryServices,
  account: Account,
  address: string,
): Promise<SubmissionRefusal | undefined> {
  const owner = await resolveRecipient(services, address);
  if (!("kind" in owner)) {
    if (owner.account.id === account.id) return undefined;
  } else if (owner.kind === "unavailable") {
    return NOT_NOW;
  }
  return { code: 550, status: "5.7.1", text: `You may not send as <${address}>` };
}
