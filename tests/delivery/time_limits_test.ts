import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { encodeUtf8 } from "../../src/base/mod.ts";
import { Outbox, QueueRunner, Relay, type RelayOptions } from "../../src/delivery/mod.ts";
import { ModelQueue } from "../store/model_queue.ts";
import { HeldTimers } from "../support/held_timers.ts";
import { NOW, openHouse } from "./house.ts";
import { RawClient } from "./raw_client.ts";
import { RelaySink } from "./relay_sink.ts";
import { SubmissionHouse } from "./submission_house.ts";

const SOURCE = {
  sender: "alice@example.org",
  helo: "client.example",
  remote: { address: "192.0.2.7", port: 1 },
};

Deno.test("who delivers or submits may be silent for 5 min (IDLE_TIMEOUT_MS)", async () => {
  await using lmtp = await openHouse();
  const { address } = await lmtp.listen();
  await using submission = await SubmissionHouse.open();
  using timers = new HeldTimers();
  for (
    const connect of [
      () => RawClient.connect(address),
      () => RawClient.connect(`127.0.0.1:${submission.port("submission")}`),
    ]
  ) {
    const client = await connect();
    assert.match(await client.reply(), /^220 /);
    await timers.until(300_000);
    await timers.pass(299_999);
    assert.equal(client.ended, false);
    assert.match(await client.ask("NOOP"), /^250 /);
    await timers.pass(299_999);
    assert.equal(client.ended, false);
    await timers.pass(1);
    assert.match(await client.reply(), /^421 /);
    client.destroy();
  }
});

Deno.test("a submitted message is written to 100 accounts at a time (LOCAL_BATCH)", async () => {
  const house = await openHouse();
  const { directory } = house.store;
  const recipients: string[] = [];
  for (let i = 0; i < 101; i++) {
    recipients.push((await directory.addAccount(`a${i}@example.org`, "{}")).address);
  }
  const outbox = new Outbox(house.services, new ModelQueue(), {
    hasRelay: false,
    onQueued: () => {},
  });
  let reads = 0;
  const post = async (count: number) => {
    reads = 0;
    const message = encodeUtf8("Subject: x\r\n\r\nx\r\n");
    assert.equal(
      await outbox.post({
        source: SOURCE as never,
        recipients: recipients.slice(0, count),
        isUtf8: false,
        size: message.length,
        async *content() {
          reads++;
          yield message;
        },
      }),
      undefined,
    );
    return reads;
  };
  assert.deepEqual([await post(100), await post(101)], [1, 2]);
  await house[Symbol.asyncDispose]();
});

/** Queues a message for another host. */
async function enqueue(queue: ModelQueue, queued = NOW / 1000): Promise<void> {
  await queue.add(
    {
      ...{ sender: "", envelopeId: "", isUtf8: false, queued, expires: queued + 1e6 },
      recipients: [{ address: "eve@far.example", due: queued, lastError: "" }],
    } as never,
    (async function* () {
      yield encodeUtf8("Subject: x\r\n\r\nx\r\n");
    })(),
  );
}

Deno.test("attempts for a recipient come after 1, 5, 15, 30 min, 1, 2 and 4 h (RETRY_SECONDS)", async () => {
  await using house = await openHouse();
  const queue = new ModelQueue();
  const clock = { time: NOW, now: () => clock.time };
  await enqueue(queue);
  // Without a relay each attempt fails.
  const runner = new QueueRunner({ ...house.services, clock }, queue, undefined);
  const waits: number[] = [];
  for (let i = 0; i < 9; i++) {
    const before = await queue.nextDue() ?? 0;
    clock.time = before * 1000;
    runner.wake();
    for (let i = 0; i < 500 && await queue.nextDue() === before; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    waits.push(((await queue.nextDue() ?? 0) - before) / 60);
  }
  await runner.stop();
  assert.deepEqual(waits, [1, 5, 15, 30, 60, 120, 240, 240, 240]);
});

Deno.test("each 5 s the queue is looked at (QUEUE_LOOK_MS)", async () => {
  await using house = await openHouse();
  const queue = new ModelQueue();
  let looks = 0;
  queue.listDue = () => {
    looks++;
    return Promise.resolve([]);
  };
  using timers = new HeldTimers();
  const runner = new QueueRunner(house.services, queue, undefined);
  runner.wake();
  await timers.until(5_000);
  await timers.pass(4_999);
  assert.equal(looks, 1);
  await timers.pass(1);
  assert.equal(looks, 2);
  await runner.stop();
});

Deno.test("when the server stops the relay has 1 s for its answer (RELAY_STOP_MS)", async () => {
  await using sink = await RelaySink.open();
  const [here, late] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  sink.hold = () => {
    here.resolve();
    return late.promise;
  };
  await using house = await openHouse();
  const queue = new ModelQueue();
  await enqueue(queue);
  const runner = new QueueRunner(house.services, queue, new Relay(sink.options));
  runner.wake();
  await here.promise;
  using timers = new HeldTimers();
  let isStopped = false;
  const stopping = runner.stop().then(() => isStopped = true);
  await timers.until(1_000);
  await timers.pass(999);
  assert.equal(isStopped, false);
  await timers.pass(1);
  await stopping;
  late.resolve();
});

Deno.test("the relay has 60 s to greet (RELAY_TIMEOUT_MS)", async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const options: RelayOptions = {
    ...{ host: "127.0.0.1", port: (server.address() as AddressInfo).port, tls: "none" },
    ...{ credentials: undefined, caCertificates: undefined, hostname: "mail.example.org" },
  };
  using timers = new HeldTimers();
  const relay = new Relay(options);
  let outcome = "none";
  const sending = relay.send({
    ...{ sender: "", recipients: ["eve@far.example"], size: 1, isUtf8: false },
    async *content() {},
  }).then(([result]) => outcome = result?.kind ?? "");
  // It counts what it took to connect.
  await timers.until(60_000, 900);
  await timers.pass(59_000);
  assert.equal(outcome, "none");
  await timers.pass(1_000);
  await sending;
  assert.equal(outcome, "failed");
  relay.close();
  server.close();
});
