import { type Clock, encodeUtf8, logger, metrics } from "../base/mod.ts";
import type { Account, PushOutcome, PushStore, WaitingPush } from "../store/mod.ts";
import {
  MAX_PUSHES,
  PUSH_GIVE_UP_SECONDS,
  PUSH_LOOK_MS,
  PUSH_TIMEOUT_MS,
  TOKEN_LIFE_SECONDS,
} from "./limits.ts";

const log = logger("chatmail");

/**
 * Wakes devices up: gives their tokens to a service that knows how. What waits is kept on disk, so
 * that neither a restart nor a service that is down loses it.
 */
export class PushNotifier {
  readonly #push: PushStore;
  readonly #url: string;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(push: PushStore, url: string, clock: Clock) {
    this.#push = push;
    this.#url = url;
    this.#clock = clock;
  }

  /** Goes on with what waits. */
  start(): void {
    this.#wake();
  }

  /** Mail came for the account. Never rejects: mail is worth more than its announcement. */
  async notify({ id }: Account): Promise<void> {
    try {
      const now = this.#now;
      if (await this.#push.enqueue(id, now, now - TOKEN_LIFE_SECONDS) > 0) this.#wake();
    } catch (error) {
      log.error("devices of account {id} are not woken up: {error}", { id, error });
    }
  }

  /** Ends; what was not sent stays. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #wake(): void {
    clearTimeout(this.#timer);
    if (this.#stop.signal.aborted || this.#running) return;
    this.#running = this.#run()
      .catch((error) => log.error("devices are not woken up: {error}", { error }))
      .finally(() => {
        this.#running = undefined;
        if (this.#stop.signal.aborted) return;
        this.#timer = setTimeout(() => this.#wake(), PUSH_LOOK_MS);
        Deno.unrefTimer(this.#timer);
      });
  }

  async #run(): Promise<void> {
    await this.#push.dropBefore(this.#now - TOKEN_LIFE_SECONDS);
    while (!this.#stop.signal.aborted) {
      const due = await this.#push.listDue(this.#now, MAX_PUSHES);
      if (due.length === 0) return;
      await Promise.all(due.map(async (item) => {
        const outcome = await this.#send(item);
        if (outcome) await this.#push.settle(item.id, outcome);
      }));
    }
  }

  /** Undefined when it was broken off. */
  async #send({ token, queued, attempts }: WaitingPush): Promise<PushOutcome | undefined> {
    let status: number | undefined;
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        body: encodeUtf8(token),
        redirect: "error",
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(PUSH_TIMEOUT_MS)]),
      });
      status = response.status;
      await response.body?.cancel();
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      log.debug("the push service does not answer: {error}", { error });
    }
    const result = status === 200 ? "done" : status === 410 ? "gone" : "failed";
    metrics.add("postern_chatmail_pushes_total", { result });
    if (status === 200) return { kind: "done" };
    if (status === 410) return { kind: "gone" };
    const due = this.#now + 8 ** (attempts + 1);
    if (due - queued <= PUSH_GIVE_UP_SECONDS) return { kind: "postponed", due };
    log.info("a device could not be woken up ({status})", { status });
    return { kind: "done" };
  }

  get #now(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}
