import assert from "node:assert/strict";
import { accountId } from "../../src/base/mod.ts";
import { openSqlitePush } from "../../src/store/sqlite/engine.ts";

Deno.test("devices and those that wait are there after the file was closed", async () => {
  const dataDir = await Deno.makeTempDir();
  let push = openSqlitePush(dataDir);
  const reopen = async () => {
    await push.close();
    push = openSqlitePush(dataDir);
  };
  const [one, two] = [accountId(1), accountId(2)];
  await push.addToken(one, "a", 100, 3);
  await push.addToken(one, "b", 200, 3);
  assert.equal(await push.enqueue(one, 300, 150), 1, "the old one is not woken up");
  assert.equal(await push.enqueue(two, 300, 0), 0);
  await reopen();
  assert.deepEqual(await push.listTokens(one, 0), ["a", "b"]);
  const [waiting] = await push.listDue(300, 10);
  assert.ok(waiting);
  assert.deepEqual(waiting, { id: waiting.id, token: "b", queued: 300, attempts: 0 });
  await push.settle(waiting.id, { kind: "postponed", due: 308 });
  await reopen();
  assert.deepEqual(await push.listDue(307, 10), []);
  assert.equal(await push.nextDue(), 308);
  // Enqueued again meanwhile: the outcome of the first is nobody's.
  await push.enqueue(one, 305, 150);
  await push.settle(waiting.id, { kind: "done" });
  const [again] = await push.listDue(305, 10);
  assert.ok(again);
  assert.equal(again.attempts, 0);
  await push.settle(again.id, { kind: "gone" });
  await reopen();
  assert.deepEqual(await push.listTokens(one, 0), ["a"]);
  assert.equal(await push.nextDue(), undefined);
  // A device that changed hands.
  await push.addToken(two, "a", 400, 3);
  assert.deepEqual(await push.listTokens(one, 0), []);
  await push.addToken(two, "c", 500, 3);
  await push.dropBefore(450);
  assert.deepEqual(await push.listTokens(two, 0), ["c"]);
  await push.removeTokens(two);
  assert.deepEqual(await push.listTokens(two, 0), []);
  await push.close();
  await Deno.remove(dataDir, { recursive: true });
});
