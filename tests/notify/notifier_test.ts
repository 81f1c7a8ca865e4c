import assert from "node:assert/strict";
import { accountId } from "../../src/base/mod.ts";
import {
  createNotifier,
  MAX_NUDGE_LINE_BYTES,
  type Notifier,
  type Nudge,
  openNudgeListener,
  sendNudges,
  watchNudges,
} from "../../src/notify/mod.ts";

const alice = accountId(1);
const bob = accountId(2);

Deno.test("a nudge reaches every subscriber of that account and nobody else", () => {
  const notifier = createNotifier();
  const heard: string[] = [];
  notifier.subscribe(alice, (kind) => heard.push(`a1 ${kind}`));
  notifier.subscribe(alice, (kind) => heard.push(`a2 ${kind}`));
  notifier.subscribe(bob, (kind) => heard.push(`b ${kind}`));
  notifier.nudge(alice, "changed");
  notifier.nudge(accountId(3), "changed");
  notifier.nudge(bob, "security");
  assert.deepEqual(heard, ["a1 changed", "a2 changed", "b security"]);
});

Deno.test("the same function subscribed twice is called twice, and leaves one at a time", () => {
  const notifier = createNotifier();
  let calls = 0;
  const onNudge = () => void calls++;
  const leave = notifier.subscribe(alice, onNudge);
  notifier.subscribe(alice, onNudge);
  notifier.nudge(alice, "changed");
  assert.equal(calls, 2);
  leave();
  leave();
  notifier.nudge(alice, "changed");
  assert.equal(calls, 3);
});

Deno.test("a subscriber may leave or join while it is nudged", () => {
  const notifier = createNotifier();
  const heard: string[] = [];
  const leave = notifier.subscribe(alice, () => {
    leave();
    heard.push("first");
    notifier.subscribe(alice, () => heard.push("late"));
  });
  notifier.subscribe(alice, () => heard.push("second"));
  notifier.nudge(alice, "changed");
  assert.deepEqual(heard, ["first", "second"]);
  notifier.nudge(alice, "changed");
  assert.deepEqual(heard, ["first", "second", "second", "late"]);
});

Deno.test("a subscriber that throws keeps no other from its nudge", () => {
  const notifier = createNotifier();
  let heard = 0;
  notifier.subscribe(alice, () => {
    throw new Error("broken");
  });
  notifier.subscribe(alice, () => heard++);
  notifier.nudge(alice, "changed");
  assert.equal(heard, 1);
});

/** A notifier that notes what it is told. */
function hearing(heard: Nudge[]): Notifier {
  return {
    nudge: (account, kind) => void heard.push({ account, kind }),
    subscribe: () => () => {},
  };
}

async function withSocket(
  run: (path: string, heard: Nudge[]) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/notify.sock`;
  const heard: Nudge[] = [];
  const listener = await openNudgeListener(path, hearing(heard));
  try {
    await run(path, heard);
  } finally {
    await listener.close();
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("nudges from another process were acted on when sendNudges resolves", async () => {
  await withSocket(async (path, heard) => {
    const nudges: Nudge[] = [
      { account: alice, kind: "changed" },
      { account: accountId(Number.MAX_SAFE_INTEGER), kind: "security" },
    ];
    assert.equal(await sendNudges(path, nudges), true);
    assert.deepEqual(heard, nudges);
  });
});

Deno.test("ten thousand nudges in one connection all arrive", async () => {
  await withSocket(async (path, heard) => {
    const nudges = Array.from({ length: 10_000 }, (_, i): Nudge => ({
      account: accountId(i + 1),
      kind: "changed",
    }));
    await sendNudges(path, nudges);
    assert.deepEqual(heard, nudges);
  });
});

Deno.test("the socket can be opened by its owner only", async () => {
  await withSocket(async (path) => {
    const { mode } = await Deno.stat(path);
    assert.equal((mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("without a server sendNudges says so and does not fail", async () => {
  const directory = await Deno.makeTempDir();
  assert.equal(await sendNudges(`${directory}/notify.sock`, []), false);
  await Deno.remove(directory);
});

Deno.test("a second server on the same socket is refused, and the first goes on", async () => {
  await withSocket(async (path, heard) => {
    await assert.rejects(openNudgeListener(path, createNotifier()), Deno.errors.AddrInUse);
    await sendNudges(path, [{ account: bob, kind: "changed" }]);
    assert.equal(heard.length, 1);
  });
});

Deno.test("the socket of a server that died is replaced", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/notify.sock`;
  const dead = Deno.listen({ transport: "unix", path: `${path}.before` });
  // Renamed, so that closing does not remove it: what a killed server leaves behind.
  await Deno.rename(`${path}.before`, path);
  dead.close();
  assert.equal((await Deno.lstat(path)).isSocket, true);
  const listener = await openNudgeListener(path, createNotifier());
  assert.equal(await sendNudges(path, []), true);
  await listener.close();
  await assert.rejects(Deno.lstat(path), Deno.errors.NotFound);
  await Deno.remove(directory);
});

async function sendRaw(path: string, text: string): Promise<void> {
  const connection = await Deno.connect({ transport: "unix", path });
  await connection.write(new TextEncoder().encode(text));
  await connection.closeWrite();
  try {
    while (await connection.read(new Uint8Array(16)) !== null);
  } catch (error) {
    // The server may close with our bytes unread, which resets the connection.
    assert.ok(error instanceof Deno.errors.ConnectionReset);
  }
  connection.close();
}

Deno.test("a line that is no nudge ends its connection and harms nothing", async () => {
  await withSocket(async (path, heard) => {
    const bad = ["hello\n", "changed 0\n", "changed 1 2\n", "changed 9007199254740992\n", "\n"];
    for (const text of [...bad, `${"x".repeat(MAX_NUDGE_LINE_BYTES + 1)}`]) {
      await sendRaw(path, `${text}changed 7\n`);
    }
    assert.deepEqual(heard, []);
    await sendRaw(path, "changed 7\nchanged 8");
    assert.deepEqual(heard, [{ account: 7, kind: "changed" }]);
  });
});

/** Waits until `isDone`; a test that waits for ever fails by the deadline. */
async function until(isDone: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!isDone()) {
    assert.ok(performance.now() < deadline, "it did not happen");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

Deno.test("a watching process hears of its account alone, and what it tells reaches others", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/notify.sock`;
  const heard: string[] = [];
  const other: string[] = [];
  // Before the server is there: it is found when it comes.
  const watch = watchNudges(path, alice, (kind) => heard.push(kind));
  const notifier = createNotifier();
  const listener = await openNudgeListener(path, notifier);
  const second = watchNudges(path, alice, (kind) => other.push(kind));
  try {
    await until(() => heard.length > 0 && other.length > 0);
    assert.deepEqual([heard, other], [["changed"], ["changed"]], "what may have been missed");
    notifier.nudge(bob, "changed");
    notifier.nudge(alice, "security");
    await until(() => heard.length === 2 && other.length === 2);
    assert.deepEqual([heard.at(-1), other.at(-1)], ["security", "security"]);
    const own: string[] = [];
    notifier.subscribe(alice, (kind) => own.push(kind));
    watch.tell("changed");
    await until(() => own.length === 1 && other.length === 3);
    await watch.close();
    notifier.nudge(alice, "changed");
    await until(() => other.length === 4);
    assert.ok(heard.length <= 3, "not after it was closed");
  } finally {
    await second.close();
    await listener.close();
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("a watcher that closes while it connects ends, and what it told is told", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/notify.sock`;
  const notifier = createNotifier();
  const own: string[] = [];
  notifier.subscribe(alice, (kind) => own.push(kind));
  const listener = await openNudgeListener(path, notifier);
  const watch = watchNudges(path, alice, () => {});
  watch.tell("changed");
  let isOver = false;
  void watch.close().then(() => isOver = true);
  await until(() => isOver);
  await until(() => own.length === 1);
  await listener.close();
  await Deno.remove(directory, { recursive: true });
});

Deno.test("what a watcher tells last is told though it closes at once", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/notify.sock`;
  const notifier = createNotifier();
  const own: string[] = [];
  notifier.subscribe(alice, (kind) => own.push(kind));
  const listener = await openNudgeListener(path, notifier);
  let isThere = false;
  const watch = watchNudges(path, alice, () => isThere = true);
  await until(() => isThere);
  watch.tell("changed");
  await watch.close();
  await until(() => own.length === 1);
  await listener.close();
  await Deno.remove(directory, { recursive: true });
});
