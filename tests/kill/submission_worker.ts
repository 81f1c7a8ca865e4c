import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { RelaySink } from "../delivery/relay_sink.ts";
import { bytesOf, type Random } from "./model.ts";
import { identify, LineSocket, PASSWORD, type Sender, type Server } from "./workers.ts";

/** Who sends; the messages say that they are from here. */
export const SENDER = "kill@example.org";
/** Somebody whose mail goes through the relay. */
const FAR = "far@example.net";

/** Longest time until the relay has what waited when the server was killed. */
const RELAY_MS = 60_000;
/** What did not go by itself in this time was put off by a failed attempt, and is tried again. */
const RETRY_MS = 10_000;
/** Longest time that the relay takes for a message. */
const HOLD_MS = 200;

/** Sends each message to somebody here and to somebody far away. */
export class SubmissionWorker implements Sender {
  readonly #name: string;
  readonly #accepted = new Set<string>();
  /** Those, and what was delivered here when the server was killed before it could be queued. */
  readonly #delivered = new Set<string>();
  #underWay: string | undefined;
  #count = 0;

  constructor(name: string, readonly recipient: string) {
    this.#name = name;
  }

  get acknowledged(): number {
    return this.#accepted.size;
  }

  /** Keys that were acknowledged, and so must reach the one far away too. */
  get accepted(): ReadonlySet<string> {
    return this.#accepted;
  }

  delivered(_address: string): Set<string> {
    return this.#delivered;
  }

  get underWay(): string | undefined {
    return this.#underWay;
  }

  async run(server: Server): Promise<void> {
    const lines = new LineSocket(server.submissionPort);
    try {
      await lines.expect("220");
      await lines.say("EHLO kill.example", "250");
      await lines.say(`AUTH PLAIN ${btoa(`\0${SENDER}\0${PASSWORD}`)}`, "235");
      for (;;) {
        const key = `${this.#name}-${++this.#count}`;
        await lines.say(`MAIL FROM:<${SENDER}>`, "250");
        for (const to of [this.recipient, FAR]) await lines.say(`RCPT TO:<${to}>`, "250");
        this.#underWay = key;
        const bytes = bytesOf(key);
        if (this.#count % 2 === 0) {
          await lines.say("DATA", "354");
          lines.write(bytes.toString("latin1").replaceAll(/^\./gm, ".."));
          lines.write(".\r\n");
        } else {
          const half = bytes.length >> 1;
          lines.write(`BDAT ${half}\r\n${bytes.subarray(0, half).toString("latin1")}`);
          await lines.expect("250");
          lines.write(`BDAT ${bytes.length - half} LAST\r\n`);
          lines.write(bytes.subarray(half).toString("latin1"));
        }
        await lines.expect("250");
        this.#accepted.add(key);
        this.#delivered.add(key);
      }
    } catch (error) {
      if (!server.isKilled || error instanceof assert.AssertionError) throw error;
    } finally {
      lines.close();
    }
  }
}

/** What the relay got, over all rounds. */
export class RelayWatch {
  readonly #sink: RelaySink;
  readonly #times = new Map<string, number>();
  /** What the queue said when messages had to be tried again. */
  readonly putOff: string[] = [];
  /** What was not acknowledged, and may have been accepted all the same. */
  readonly #tried = new Set<string>();
  #seen = 0;

  constructor(sink: RelaySink, random: Random) {
    this.#sink = sink;
    // So that there is always something in the queue when the server is killed.
    sink.hold = () => new Promise((resolve) => setTimeout(resolve, random() * HOLD_MS));
  }

  get count(): number {
    return this.#times.size;
  }

  /** Messages that came again, since the server was killed before it noted that they had gone. */
  get twice(): number {
    return [...this.#times.values()].filter((times) => times > 1).length;
  }

  /** Waits until all that was acknowledged has come; nothing else may, and nothing that is not whole. */
  async verify(
    workers: readonly SubmissionWorker[],
    queue: (command: "list" | "retry") => Promise<string>,
  ): Promise<void> {
    const expected = workers.flatMap((worker) => [...worker.accepted]);
    const end = performance.now() + RELAY_MS;
    let retryAt = performance.now() + RETRY_MS;
    for (;;) {
      this.#read();
      const missing = expected.filter((key) => !this.#times.has(key));
      if (missing.length === 0) break;
      const now = performance.now();
      if (now > end) {
        const others = [...this.#times.keys()].filter((key) => !expected.includes(key));
        assert.fail(
          `accepted and not sent on: ${missing}; sent on besides: ${others}; queued:\n` +
            await queue("list"),
        );
      }
      if (now > retryAt) {
        retryAt = now + RETRY_MS;
        this.putOff.push(await queue("list"));
        await queue("retry");
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const { underWay } of workers) if (underWay !== undefined) this.#tried.add(underWay);
    const allowed = new Set([...expected, ...this.#tried]);
    for (const key of this.#times.keys()) assert.ok(allowed.has(key), `${key} was never sent`);
  }

  #read(): void {
    for (const { from, to, text } of this.#sink.messages.slice(this.#seen)) {
      assert.deepEqual([from, to], [SENDER, [FAR]]);
      // Trace fields come before it.
      const bytes = Buffer.from(text, "latin1");
      const key = identify(bytes.subarray(Math.max(0, bytes.indexOf(`From: ${SENDER}\r\n`))));
      this.#times.set(key, (this.#times.get(key) ?? 0) + 1);
    }
    this.#seen = this.#sink.messages.length;
  }
}
