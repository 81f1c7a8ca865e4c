import assert from "node:assert/strict";
import { FairPool, PoolFullError } from "../../src/auth/fair_pool.ts";

/** A pool whose jobs end when they are told to, with the order in which they began. */
function build(running: number, runningPerOwner: number, queued = 100, queuedPerOwner = 100) {
  const pool = new FairPool({ running, runningPerOwner, queued, queuedPerOwner });
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const add = (owner: string, name = owner) =>
    pool.run(owner, () => {
      began.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string) => {
    ends.get(name)?.();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { add, end, began };
}

Deno.test("one owner's many jobs leave room for another's", async () => {
  const { add, end, began } = build(2, 1);
  const all = [add("a", "a1"), add("a", "a2"), add("a", "a3"), add("b", "b1")];
  assert.deepEqual(began, ["a1", "b1"]);
  await end("b1");
  assert.deepEqual(began, ["a1", "b1"], "the place stays free for somebody else");
  all.push(add("c", "c1"));
  assert.deepEqual(began, ["a1", "b1", "c1"]);
  await end("a1");
  await end("c1");
  await end("a2");
  await end("a3");
  assert.deepEqual(began, ["a1", "b1", "c1", "a2", "a3"]);
  await Promise.all(all);
});

Deno.test("owners that wait have their turns in a circle", async () => {
  const { add, end, began } = build(1, 1);
  const all = ["a1", "a2", "a3", "b1", "b2", "c1"].map((name) => add(name[0] ?? "", name));
  for (let i = 0; i < all.length; i++) await end(began[i] ?? "");
  assert.deepEqual(began, ["a1", "b1", "c1", "a2", "b2", "a3"]);
  await Promise.all(all);
});

Deno.test("a queue that is full, for all or for one owner, refuses at once", async () => {
  const { add, end, began } = build(1, 1, 3, 2);
  const all = [add("a", "a1"), add("a", "a2"), add("a", "a3")];
  await assert.rejects(add("a", "a4"), PoolFullError);
  all.push(add("b", "b1"));
  await assert.rejects(add("c", "c1"), PoolFullError);
  for (let i = 0; i < all.length; i++) await end(began[i] ?? "");
  await Promise.all(all);
});

Deno.test("a job that fails makes room as one that succeeds", async () => {
  const pool = new FairPool({ running: 1, runningPerOwner: 1, queued: 9, queuedPerOwner: 9 });
  const failing = pool.run("a", () => Promise.reject(new Error("no")));
  const next = pool.run("a", async () => "done");
  await assert.rejects(failing, /no/);
  assert.equal(await next, "done");
});
