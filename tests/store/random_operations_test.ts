import assert from "node:assert/strict";
import fc from "fast-check";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { breaches } from "./fixture.ts";
import { ModelStore } from "./model_store.ts";
import type { Operation } from "./random_operations.ts";
import { operations } from "./random_operations.ts";
import { StoreDriver } from "./store_driver.ts";

/** How many sequences; `STORE_SEQUENCES=20000 STORE_SEED=1` for a long run. */
const SEQUENCES = Number(Deno.env.get("STORE_SEQUENCES") ?? 150);
const SEED = Deno.env.get("STORE_SEED");

Deno.test({
  name: "random operations have the same outcome on the SQLite engine and on the model",
  async fn() {
    const dataDir = await Deno.makeTempDir({ prefix: "postern-random-" });
    const clock = { now: () => 1_700_000_000_000 };
    const open = () => openSqliteStore({ dataDir, clock, initialMailboxes: [] });
    let engine = await open();
    const model = new ModelStore({ now: clock.now });
    for (const store of [engine, model]) await store.directory.addDomain("example.org");
    let accounts = 0;
    const agree = async (operations: readonly Operation[]) => {
      const address = `user${++accounts}@example.org`;
      const ours = await StoreDriver.open(engine, address, async () => {
        await engine.close();
        return engine = await open();
      });
      const theirs = await StoreDriver.open(model, address, async () => model);
      for (const [i, operation] of operations.entries()) {
        const step = `step ${i}: ${JSON.stringify(operation)}`;
        assert.deepEqual(await ours.run(operation), await theirs.run(operation), step);
        assert.deepEqual(await ours.state(), await theirs.state(), `after ${step}`);
      }
      assert.deepEqual(await ours.state(true), await theirs.state(true));
      assert.deepEqual(await breaches(ours.account), []);
    };
    try {
      await fc.assert(
        fc.asyncProperty(operations(30), agree),
        SEED === undefined ? { numRuns: SEQUENCES } : { numRuns: SEQUENCES, seed: Number(SEED) },
      );
    } finally {
      await engine.close();
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});
