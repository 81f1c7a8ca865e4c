import assert from "node:assert/strict";
import { Expiry } from "../../src/chatmail/mod.ts";
import type { Store } from "../../src/store/mod.ts";
import { ModelStore } from "../store/model_store.ts";
import { countRoundTrips } from "../support/round_trips.ts";

Deno.test("a walk over many accounts leaves three quarters of the time to others", async () => {
  const model = new ModelStore();
  await model.directory.addDomain("example.org");
  const count = 30;
  for (let i = 0; i < count; i++) await model.directory.addAccount(`a${i}@example.org`, "{}");
  let workMs = 0;
  // As a database that is opened: it takes the processor, and nobody else has a turn.
  const store: Store = {
    directory: model.directory,
    openAccount: async (id) => {
      const began = performance.now();
      while (performance.now() < began + 4);
      workMs += performance.now() - began;
      return await model.openAccount(id);
    },
    onCommit: (listener) => model.onCommit(listener),
    close: () => model.close(),
  };
  const expiry = new Expiry({ trashAfterMs: 1000, chatmail: undefined }, {
    store,
    clock: { now: () => Date.now() },
    isInUse: () => false,
    removed: () => {},
  });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const began = performance.now();
  await expiry.run();
  clearInterval(timer);
  const wholeMs = performance.now() - began;
  assert.ok(wholeMs > workMs * 3, `${workMs} of ${wholeMs} ms`);
  assert.ok(turns > count, `others had ${turns} turns`);
});

Deno.test("while many accounts are removed, others are served", async () => {
  const model = new ModelStore();
  await model.directory.addDomain("example.org");
  for (let i = 0; i < 40; i++) {
    const { id } = await model.directory.addAccount(`a${i}@example.org`, "{}");
    if (i % 2 === 0) await model.directory.setAccountDisabled(id, "", 1);
  }
  const { directory } = model;
  const removeAccount = directory.removeAccount.bind(directory);
  // As databases and files that go away.
  directory.removeAccount = async (id) => {
    for (const began = performance.now(); performance.now() < began + 4;);
    await removeAccount(id);
  };
  const removed: number[] = [];
  const expiry = new Expiry({
    trashAfterMs: undefined,
    chatmail: {
      ...{ domain: "example.org", deleteMailsAfterMs: 1, deleteLargeAfterMs: 1 },
      deleteInactiveAfterMs: 1000,
    },
  }, {
    store: model,
    clock: { now: () => Date.now() + 10 * 86_400_000 },
    isInUse: () => false,
    removed: (id) => removed.push(id),
  });
  // Those who are due, and those who are not used.
  const trips = await countRoundTrips(() => expiry.run());
  assert.equal(removed.length, 40);
  assert.ok(trips >= 8, `${trips} round trips`);
});
