import assert from "node:assert/strict";
import { generate } from "selfsigned";
import { Gate } from "../../src/auth/mod.ts";
import { answerDelayMs } from "../../src/auth/delay.ts";
import { fetchJson } from "../../src/auth/issuer.ts";
import {
  ISSUER_TIMEOUT_MS,
  MAX_COUNTED_NETWORKS,
  MAX_DELAY_MS,
  MAX_ISSUER_ANSWER_BYTES,
  MAX_USERNAME_BYTES,
  MIN_RSA_BITS,
} from "../../src/auth/limits.ts";
import { normaliseUsername } from "../../src/auth/precis.ts";
import { readClientKey } from "../../src/auth/client_key.ts";

Deno.test("a user name has MAX_USERNAME_BYTES octets at most", () => {
  const longest = "\u00e9".repeat(MAX_USERNAME_BYTES / 2);
  assert.equal(normaliseUsername(longest), longest);
  assert.equal(normaliseUsername(`${longest}a`), undefined);
});

Deno.test("an RSA key of a client has MIN_RSA_BITS bits at least", async () => {
  const certificateOf = async (keySize: number) =>
    (await generate([{ name: "commonName", value: "x" }], { keySize })).cert;
  assert.equal(readClientKey(await certificateOf(MIN_RSA_BITS)).keyType, `RSA ${MIN_RSA_BITS}`);
  const shorter = await certificateOf(MIN_RSA_BITS - 8);
  assert.throws(() => readClientKey(shorter), /needs 2048 bits; this one has 2040/);
});

Deno.test("an answer waits MAX_DELAY_MS at most", () => {
  const last = MAX_DELAY_MS / 1000;
  assert.deepEqual([last, last + 1, last + 2].map(answerDelayMs), [
    ...[MAX_DELAY_MS - 1000, MAX_DELAY_MS, MAX_DELAY_MS],
  ]);
});

Deno.test("failures of MAX_COUNTED_NETWORKS networks are counted, the oldest is forgotten", () => {
  const records = Array.from({ length: MAX_COUNTED_NETWORKS + 1 }, (_, i) => ({
    network: `2001:db8:1:${(i + 1).toString(16)}::/64`,
    ...{ minuteStartMs: 1000, minuteFailures: 1, dayStartMs: 1000, dayFailures: 1 },
    ban: { reason: "x", sinceMs: 0, untilMs: 10_000 },
  }));
  const gate = new Gate({ now: () => 1000 });
  const isKept = (i: number) => gate.isBlocked(records[i]?.network.replace("::/64", "::1") ?? "");
  gate.load(records.slice(0, MAX_COUNTED_NETWORKS));
  assert.deepEqual([isKept(0), isKept(1)], [true, true]);
  gate.load(records);
  assert.deepEqual([isKept(0), isKept(1), isKept(MAX_COUNTED_NETWORKS)], [false, true, true]);
});

Deno.test("an answer of the issuer is read up to MAX_ISSUER_ANSWER_BYTES octets, and for ISSUER_TIMEOUT_MS", async () => {
  const open: (() => void)[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const octets = Number(new URL(request.url).searchParams.get("octets"));
      if (octets === 0) await new Promise<void>((resolve) => open.push(resolve));
      return new Response(`{"x":"${"x".repeat(Math.max(0, octets - 8))}"}`);
    },
  );
  const fetchOctets = (octets: number) =>
    fetchJson(`http://127.0.0.1:${server.addr.port}/?octets=${octets}`);
  try {
    const longest = await fetchOctets(MAX_ISSUER_ANSWER_BYTES);
    assert.equal(String(longest["x"]).length, MAX_ISSUER_ANSWER_BYTES - 8);
    await assert.rejects(fetchOctets(MAX_ISSUER_ANSWER_BYTES + 1), /too much/);
    const started = performance.now();
    await assert.rejects(fetchOctets(0), { name: "TimeoutError" });
    const waited = performance.now() - started;
    assert.ok(waited >= ISSUER_TIMEOUT_MS - 50 && waited < 2 * ISSUER_TIMEOUT_MS, `${waited} ms`);
  } finally {
    for (const answer of open) answer();
    await server.shutdown();
  }
});
