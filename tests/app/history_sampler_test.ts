import assert from "node:assert/strict";
import { HistorySampler, SAMPLE_SECONDS } from "../../src/app/history_sampler.ts";
import { AccountUsage } from "../../src/app/account_usage.ts";
import { EventLoopDelay } from "../../src/app/event_loop_delay.ts";
import { metrics } from "../../src/base/mod.ts";
import { makeVerifier } from "../../src/auth/mod.ts";
import type { HistorySeries } from "../../src/store/mod.ts";
import { openSqliteHistory, openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { put } from "../store/fixture.ts";
import { TEST_COSTS } from "../support/server.ts";

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "postern-sampler-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function login(result: string): void {
  metrics.add("postern_authentication_total", { kind: "imap", variant: "PLAIN", result });
}

Deno.test("each five minutes have what was counted in them, and their end's levels", () =>
  withFolder(async (folder) => {
    const clock = { now: () => 0 };
    const history = await openSqliteHistory(folder, clock);
    const delays: (number | undefined)[] = [.25, undefined, .5];
    let queue = 7;
    login("ok"); // before the sampler began
    const sampler = new HistorySampler(history, {
      clock,
      measure: async () => metrics.set("postern_queue_length", {}, queue),
      takeDelayP99: () => delays.shift(),
    });
    login("ok");
    login("badpassword");
    login("aborted");
    await sampler.sample(SAMPLE_SECONDS);
    login("ok");
    login("ok");
    queue = 3;
    await sampler.sample(3 * SAMPLE_SECONDS);
    login("ok");
    await sampler.sample(3 * SAMPLE_SECONDS); // after a restart within the five minutes
    const series: HistorySeries[] = [
      "loginsOk",
      "loginsFailed",
      "queueLength",
      "eventLoopDelayP99",
    ];
    const { values } = await history.read({
      from: 0,
      to: 4 * SAMPLE_SECONDS,
      step: SAMPLE_SECONDS,
      series,
    });
    assert.deepEqual(values, [
      [null, 1, null, 3],
      [null, 1, null, 0],
      [null, 7, null, 3],
      [null, .25, null, .5],
    ]);
    await history.close();
  }));

Deno.test("a failed sample is logged, and what it would have counted is in the next", () =>
  withFolder(async (folder) => {
    const clock = { now: () => 0 };
    const history = await openSqliteHistory(folder, clock);
    let isBroken = true;
    const sampler = new HistorySampler(history, {
      clock,
      measure: () =>
        isBroken ? Promise.reject(new Error("the queue is broken")) : Promise.resolve(),
      takeDelayP99: () => undefined,
    });
    login("ok");
    await sampler.sample(0);
    isBroken = false;
    await sampler.sample(300);
    const { values } = await history.read({ from: 0, to: 600, step: 300, series: ["loginsOk"] });
    assert.deepEqual(values, [[null, 1]]);
    await history.close();
  }));

Deno.test("old samples go once a day", () =>
  withFolder(async (folder) => {
    const time = { now: 40 * 86_400_000 };
    const clock = { now: () => time.now };
    const history = await openSqliteHistory(folder, clock);
    await history.add(300, { queueLength: 1 });
    const sampler = new HistorySampler(history, {
      clock,
      measure: async () => {},
      takeDelayP99: () => undefined,
    });
    const hasOld = async () => {
      const { values } = await history.read({
        from: 0,
        to: 600,
        step: 600,
        series: ["queueLength"],
      });
      return values[0]?.[0] !== null;
    };
    await sampler.sample(time.now / 1000);
    assert.equal(await hasOld(), false, "at the start");
    await history.add(300, { queueLength: 1 });
    time.now += 86_399_000;
    await sampler.sample(time.now / 1000);
    assert.equal(await hasOld(), true);
    time.now += 1000;
    await sampler.sample(time.now / 1000);
    assert.equal(await hasOld(), false);
    await history.close();
  }));

Deno.test("what accounts hold is known after a walk, then followed by their changes", () =>
  withFolder(async (dataDir) => {
    const store = await openSqliteStore({ dataDir });
    await store.directory.addDomain("example.org");
    const verifier = await makeVerifier("long enough", TEST_COSTS);
    const add = (name: string) => store.directory.addAccount(`${name}@example.org`, verifier);
    const [ann, bob] = [await add("ann"), await add("bob")];
    await put(await store.openAccount(ann.id), "INBOX");
    const usage = new AccountUsage(store);
    assert.equal(usage.quotas.size, 0);
    await usage.refresh();
    const messages = () => [ann, bob].map(({ id }) => usage.quotas.get(id)?.usedMessages);
    assert.deepEqual(messages(), [1, 0]);
    await put(await store.openAccount(bob.id), "INBOX");
    assert.deepEqual(messages(), [1, 0]);
    await usage.refresh();
    assert.deepEqual(messages(), [1, 1]);
    await store.directory.removeAccount(bob.id);
    usage.noteChange(bob.id);
    await usage.refresh();
    assert.deepEqual(messages(), [1, undefined]);
    await usage.close();
    await put(await store.openAccount(ann.id), "INBOX");
    await usage.refresh();
    assert.deepEqual(messages(), [1, undefined], "nothing is asked after the end");
    await store.close();
  }));

Deno.test("an event loop that is kept busy is seen to be late", async () => {
  const delay = new EventLoopDelay();
  assert.equal(delay.takeP99(), undefined);
  delay.start();
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const end = performance.now() + 400; performance.now() < end;);
  await new Promise((resolve) => setTimeout(resolve, 150));
  const p99 = delay.takeP99() ?? 0;
  assert.ok(p99 > .25 && p99 < 5, `${p99} s`);
  delay.stop();
});

Deno.test("samples are taken at the end of each five minutes, the last one at the end of all", () =>
  withFolder(async (folder) => {
    let began = performance.now();
    const clock = { now: () => SAMPLE_SECONDS * 4000 - 50 + performance.now() - began };
    const history = await openSqliteHistory(folder, clock);
    const sampler = new HistorySampler(history, {
      clock,
      measure: async () => {},
      takeDelayP99: () => 0,
    });
    // The clock shows 50 ms before a whole five minutes, and goes on from there.
    began = performance.now();
    sampler.start();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const column = async () => {
      const { values } = await history.read({
        from: 2 * SAMPLE_SECONDS,
        to: 6 * SAMPLE_SECONDS,
        step: SAMPLE_SECONDS,
        series: ["eventLoopDelayP99"],
      });
      return values[0];
    };
    assert.deepEqual(await column(), [null, 0, null, null]);
    await sampler.stop();
    assert.deepEqual(await column(), [null, 0, 0, null]);
    await history.close();
  }));
