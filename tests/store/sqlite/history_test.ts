import assert from "node:assert/strict";
import { HISTORY_DAYS, MAX_HISTORY_POINTS } from "../../../src/store/limits.ts";
import type { HistoryLog } from "../../../src/store/mod.ts";
import { openSqliteHistory } from "../../../src/store/sqlite/engine.ts";
import { withFolder } from "./account_fixture.ts";

const DAY_SECONDS = 86_400;

function withHistory(
  run: (
    house: { log: HistoryLog; time: { now: number }; reopen(): Promise<void> },
  ) => Promise<void>,
): Promise<void> {
  return withFolder(async (dataDir) => {
    const time = { now: 0 };
    const open = () => openSqliteHistory(dataDir, { now: () => time.now });
    const house = {
      log: await open(),
      time,
      async reopen() {
        await house.log.close();
        house.log = await open();
      },
    };
    await run(house);
    await house.log.close();
  });
}

Deno.test("a chart gets sums, means and peaks of each step, and gaps where nothing was sampled", () =>
  withHistory(async (house) => {
    await house.log.add(1000, { loginsOk: 2, connectionsImap: 10, queueLength: 7 });
    await house.log.add(1300, { loginsOk: 3, connectionsImap: 20, queueLength: 1 });
    await house.log.add(1600, { loginsOk: 5 });
    await house.log.add(2200, { loginsOk: 100 });
    await house.reopen();
    const series = ["queueLength", "loginsOk", "connectionsImap", "messages"] as const;
    assert.deepEqual(await house.log.read({ from: 400, to: 2200, step: 600, series }), {
      times: [400, 1000, 1600],
      values: [[null, 7, null], [null, 5, 5], [null, 15, null], [null, null, null]],
      step: 600,
    });
  }));

Deno.test("a second sample at one time adds to sums and replaces what is not one", () =>
  withHistory(async ({ log }) => {
    await log.add(300, { deliveriesIn: 2, memoryBytes: 10, eventLoopDelayP99: .5 });
    await log.add(300, { deliveriesIn: 3, memoryBytes: 20, eventLoopDelayP99: .25 });
    const series = ["deliveriesIn", "memoryBytes", "eventLoopDelayP99"] as const;
    const { values } = await log.read({ from: 300, to: 301, step: 300, series });
    assert.deepEqual(values, [[5], [20], [.25]]);
  }));

Deno.test("what is older than thirty days is dropped, and nothing else", () =>
  withHistory(async ({ log, time }) => {
    const end = HISTORY_DAYS * DAY_SECONDS + 10;
    await log.add(9, { messages: 1 });
    await log.add(10, { messages: 2 });
    time.now = end * 1000;
    await log.trim();
    const { values: [column] } = await log.read({ from: 0, to: 20, step: 1, series: ["messages"] });
    assert.deepEqual([column?.[9], column?.[10]], [null, 2]);
  }));

Deno.test("a chart has a bounded number of points, however it is asked for", () =>
  withHistory(async ({ log }) => {
    const read = (to: number, step: number) =>
      log.read({ from: 0, to, step, series: ["messages"] });
    assert.equal((await read(MAX_HISTORY_POINTS, 1)).times.length, MAX_HISTORY_POINTS);
    const more = await read(MAX_HISTORY_POINTS + 1, 1);
    assert.deepEqual([more.step, more.times.length], [2, (MAX_HISTORY_POINTS + 2) / 2]);
    assert.equal((await read(2 ** 40, 0)).times.length, MAX_HISTORY_POINTS);
    assert.deepEqual(await read(-5, 300), { times: [], values: [[]], step: 300 });
  }));

Deno.test("thirty days of samples are read for a chart in a moment", () =>
  withHistory(async ({ log }) => {
    for (let time = 0; time < 30 * DAY_SECONDS; time += 300) {
      await log.add(time, { messages: time });
    }
    const began = performance.now();
    const { times } = await log.read({
      from: 0,
      to: 30 * DAY_SECONDS,
      step: 3600,
      series: ["messages", "loginsOk", "memoryBytes"],
    });
    assert.equal(times.length, 720);
    assert.ok(performance.now() - began < 500, `${performance.now() - began} ms`);
  }));
