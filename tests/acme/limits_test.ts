import assert from "node:assert/strict";
import { Challenges, Renewer, type RenewerOptions } from "../../src/acme/mod.ts";
import { carry } from "../../src/acme/http.ts";
import { waitFor } from "../../src/acme/order.ts";
import { retryDelayMs } from "../../src/acme/schedule.ts";
import { HeldTimers } from "../support/held_timers.ts";

async function withAuthority(
  answer: () => Response | Promise<Response>,
  run: (ask: () => ReturnType<typeof carry>) => Promise<void>,
): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const { signal } = new AbortController();
  try {
    await run(() =>
      carry({ url, headers: { toJSON: () => ({}) } }, { signal, httpClient: undefined })
    );
  } finally {
    await server.shutdown();
  }
}

Deno.test("an authority's answer has 256 KiB at most (MAX_ANSWER)", async () => {
  const most = 256 * 1024;
  let octets = most;
  await withAuthority(() => new Response("x".repeat(octets)), async (ask) => {
    assert.equal((await ask()).data.length, most);
    octets++;
    await assert.rejects(ask(), /too long/);
  });
});

Deno.test("an authority has 30 s for an answer (REQUEST_TIMEOUT_MS)", async () => {
  const late = Promise.withResolvers<Response>();
  await withAuthority(() => late.promise, async (ask) => {
    using timers = new HeldTimers();
    let outcome = "none";
    const asking = ask().catch((error) => outcome = error.name);
    await timers.until(30_000);
    await timers.pass(29_999);
    assert.equal(outcome, "none");
    await timers.pass(1);
    await asking;
    assert.equal(outcome, "TimeoutError");
    late.resolve(new Response());
  });
});

Deno.test("an order is looked at after 250 ms (FIRST_POLL_MS), then ever more rarely up to 10 s (LONGEST_POLL_MS), for 3 min (WAIT_TIMEOUT_MS)", async () => {
  using timers = new HeldTimers();
  let looks = 0;
  const waiting = waitFor(new AbortController().signal, () => Promise.resolve(void looks++));
  let outcome = "none";
  waiting.catch((error) => outcome = error.message);
  const [began, waits] = [performance.now(), [] as number[]];
  for (let delay = 250; outcome === "none"; delay = Math.min(delay * 2, 10_000)) {
    await timers.until(delay);
    waits.push(delay);
    timers.passAtOnce(delay - 1);
    const before = looks;
    await Promise.resolve();
    assert.equal(looks, before);
    timers.passAtOnce(1);
    for (let i = 0; i < 10; i++) await Promise.resolve();
    assert.ok(looks > before);
    const passed = performance.now() - began;
    assert.equal(outcome === "none", passed <= 180_000, `${outcome} after ${passed} ms`);
  }
  assert.deepEqual(waits.slice(0, 7), [250, 500, 1000, 2000, 4000, 8000, 10_000]);
  await assert.rejects(waiting, /took too long/);
});

Deno.test("a failed order waits 5 min (FIRST_RETRY_MS), and 8 h at most (LONGEST_RETRY_MS)", () => {
  assert.equal(retryDelayMs(1, 0), 5 * 60_000);
  assert.deepEqual([retryDelayMs(7, 0), retryDelayMs(8, 0), retryDelayMs(100, 0)], [
    ...[5 * 60_000 * 64, 8 * 3_600_000, 8 * 3_600_000],
  ]);
});

Deno.test("each hour it is looked whether a certificate is due (LOOK_EVERY_MS)", async () => {
  const folder = await Deno.makeTempDir();
  try {
    using timers = new HeldTimers();
    let looks = 0;
    const options: RenewerOptions = {
      directory: "https://localhost:1/dir",
      email: "admin@example.org",
      names: ["mail.example.org"],
      ways: ["http-01"],
      challenges: new Challenges(),
      folder,
      caCertificates: undefined,
      clock: { now: () => 0 },
      isWanted: () => Promise.resolve(looks++ < 0),
      onChange: () => {},
    };
    const renewer = await Renewer.open(options);
    renewer.start();
    await timers.until(3_600_000);
    assert.equal(looks, 1);
    await timers.pass(3_599_999);
    assert.equal(looks, 1);
    await timers.pass(1);
    assert.equal(looks, 2);
    await renewer.stop();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
