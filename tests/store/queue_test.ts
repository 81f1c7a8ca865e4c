import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concatBytes, encodeUtf8 } from "../../src/base/mod.ts";
import type { MailQueue, NewQueuedMessage } from "../../src/store/mod.ts";
import { openSqliteQueue } from "../../src/store/sqlite/engine.ts";
import { ModelQueue } from "./model_queue.ts";

async function* pieces(...texts: string[]): AsyncGenerator<Bytes> {
  for (const text of texts) yield encodeUtf8(text);
}

async function read(queue: MailQueue, id: number): Promise<string> {
  const all: Bytes[] = [];
  for await (const piece of queue.readContent(id)) all.push(piece);
  return new TextDecoder().decode(concatBytes(all));
}

function message(...addresses: string[]): NewQueuedMessage {
  return {
    sender: "alice@example.org",
    queued: 100,
    expires: 1000,
    isUtf8: false,
    recipients: addresses.map((address) => ({ address, due: 100, lastError: "" })),
  };
}

/** Runs `body` on the model and on a queue in a new folder. */
function queueTest(
  name: string,
  body: (queue: MailQueue, reopen: () => Promise<MailQueue>) => Promise<void>,
): void {
  Deno.test(`model queue: ${name}`, async () => {
    const queue = new ModelQueue();
    await body(queue, async () => queue);
  });
  Deno.test(`sqlite queue: ${name}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "postern-queue-" });
    let queue = openSqliteQueue(folder);
    try {
      await body(queue, async () => {
        await queue.close();
        return queue = openSqliteQueue(folder);
      });
    } finally {
      await queue.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

queueTest("its summary tells how many messages there are and since when", async (queue) => {
  assert.deepEqual(await queue.summary(), { messages: 0, oldest: undefined });
  const id = await queue.add({ ...message("bob@far.example"), queued: 50 }, pieces("a"));
  await queue.add(message("bob@far.example", "eve@far.example"), pieces("b"));
  assert.deepEqual(await queue.summary(), { messages: 2, oldest: 50 });
  await queue.drop(id);
  assert.deepEqual(await queue.summary(), { messages: 1, oldest: 100 });
});

queueTest("a message is there with its recipients, also after a restart", async (queue, reopen) => {
  const content = "x".repeat(2_500_000);
  const id = await queue.add(message("bob@far.example", "eve@far.example"), pieces("a", content));
  const again = await reopen();
  const [found, ...others] = await again.list();
  assert.deepEqual(others, []);
  assert.equal(found?.id, id);
  assert.equal(found?.size, content.length + 1);
  assert.deepEqual(
    found?.recipients.map(({ address, attempts, due }) => [address, attempts, due]),
    [["bob@far.example", 0, 100], ["eve@far.example", 0, 100]],
  );
  assert.equal(await read(again, id), "a" + content);
});

queueTest("what is due is listed with those recipients alone, oldest first", async (queue) => {
  const first = await queue.add(message("a@x.example", "b@x.example"), pieces("1"));
  const second = await queue.add(message("c@x.example"), pieces("2"));
  assert.deepEqual(await queue.listDue(99, 10), []);
  assert.deepEqual((await queue.listDue(100, 10)).map(({ id }) => id), [first, second]);
  assert.deepEqual((await queue.listDue(100, 1)).map(({ id }) => id), [first]);
  const a = (await queue.get(first))?.recipients[0];
  assert.ok(a);
  await queue.settle([{ recipient: a.id, kind: "postponed", due: 200, error: "451 not now" }]);
  const [due] = await queue.listDue(100, 1);
  assert.deepEqual(due?.recipients.map(({ address }) => address), ["b@x.example"]);
  assert.equal(await queue.nextDue(), 100);
  const postponed = (await queue.get(first))?.recipients[0];
  assert.deepEqual([postponed?.attempts, postponed?.lastError], [1, "451 not now"]);
  assert.equal(await queue.retry(first), 2);
  assert.equal(await queue.nextDue(), 0);
});

queueTest(
  "the content goes with the last recipient, and who reads it hears of that",
  async (queue) => {
    const id = await queue.add(message("a@x.example", "b@x.example"), pieces("text"));
    const [a, b] = (await queue.get(id))?.recipients ?? [];
    assert.ok(a && b);
    await queue.settle([{ recipient: a.id, kind: "done" }]);
    assert.equal(await read(queue, id), "text");
    await queue.settle([{ recipient: b.id, kind: "done" }, { recipient: 9999, kind: "done" }]);
    assert.equal(await queue.get(id), undefined);
    assert.equal(await queue.nextDue(), undefined);
    await assert.rejects(read(queue, id), { code: "message-not-found" });
  },
);

queueTest("a message can be dropped, once", async (queue) => {
  const id = await queue.add(message("a@x.example"), pieces("text"));
  assert.equal(await queue.drop(id), true);
  assert.equal(await queue.drop(id), false);
  assert.deepEqual(await queue.list(), []);
});

queueTest("of a message whose content fails nothing is left", async (queue) => {
  const failing = async function* () {
    yield encodeUtf8("x");
    throw new Error("gone");
  };
  await assert.rejects(queue.add(message("a@x.example"), failing()), /gone/);
  assert.deepEqual(await queue.list(), []);
  assert.deepEqual(await queue.listDue(1e9, 10), []);
});

queueTest("one process at a time may send", async (queue) => {
  const claim = await queue.claimRunner();
  assert.ok(claim);
  assert.equal(await queue.claimRunner(), undefined);
  claim.release();
  const next = await queue.claimRunner();
  assert.ok(next);
  next.release();
});

Deno.test("the sqlite queue does what the model does, whatever is asked in whatever order", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("add" as const), count: fc.integer({ min: 1, max: 3 }) }),
    fc.record({
      kind: fc.constantFrom("done" as const, "postponed" as const),
      pick: fc.nat({ max: 20 }),
      due: fc.integer({ min: 90, max: 120 }),
    }),
    fc.record({
      kind: fc.constantFrom("drop" as const, "retry" as const),
      pick: fc.nat({ max: 8 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      const folder = await Deno.makeTempDir({ prefix: "postern-queue-" });
      const engine = openSqliteQueue(folder);
      const queues = [new ModelQueue(), engine];
      try {
        for (const each of steps) {
          for (const queue of queues) {
            if (each.kind === "add") {
              const names = Array.from({ length: each.count }, (_, i) => `r${i}@x.example`);
              await queue.add(message(...names), pieces("text"));
            } else if (each.kind === "done") {
              await queue.settle([{ recipient: each.pick, kind: "done" }]);
            } else if (each.kind === "postponed") {
              const { pick: recipient, due } = each;
              await queue.settle([{ recipient, kind: "postponed", due, error: "later" }]);
            } else if (each.kind === "drop") await queue.drop(each.pick);
            else await queue.retry(each.pick);
          }
          const [model, real] = queues;
          assert.deepEqual(await real?.list(), await model?.list());
          assert.deepEqual(await real?.listDue(100, 3), await model?.listDue(100, 3));
          assert.equal(await real?.nextDue(), await model?.nextDue());
        }
      } finally {
        await engine.close();
        await Deno.remove(folder, { recursive: true });
      }
    }),
    { numRuns: 20 },
  );
});

queueTest("that a sender was told of a delay is known after a restart", async (queue, reopen) => {
  const [first, second] = [
    await queue.add(message("a@x.example"), pieces("1")),
    await queue.add(message("b@x.example"), pieces("2")),
  ];
  await queue.noteDelayTold(second);
  await queue.noteDelayTold(99);
  const again = await reopen();
  assert.equal((await again.get(first))?.isDelayTold, false);
  assert.equal((await again.get(second))?.isDelayTold, true);
});
