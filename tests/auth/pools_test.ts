import assert from "node:assert/strict";
import { Authenticator, type ConnectionFacts, Gate, makeVerifier } from "../../src/auth/mod.ts";
import { PoolFullError } from "../../src/auth/fair_pool.ts";
import { PasswordCheck } from "../../src/auth/password_check.ts";
import { parseClientFirst, ScramError } from "../../src/auth/scram.ts";
import { TokenCheck } from "../../src/auth/token_check.ts";
import { ModelDirectory } from "../store/model_directory.ts";

const COSTS = { slow: 1, scram: { "SHA-1": 1, "SHA-256": 1 } };

const FACTS: ConnectionFacts = {
  protocol: "imap",
  remote: { address: "192.0.2.7" },
  local: { address: "192.0.2.1" },
  tls: {
    ...{ version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256", alpn: undefined, sni: undefined },
    ...{ resumed: false, serverEndPoint: undefined, clientCertificate: undefined },
  },
};

/** How many of these are refused because too much waits. */
async function refusals(all: readonly Promise<unknown>[]): Promise<number> {
  const ends = await Promise.allSettled(all);
  return ends.filter((end) => end.status === "rejected" && end.reason instanceof PoolFullError)
    .length;
}

Deno.test("a network may have 32 hashes waiting (MAX_QUEUED_HASHES_PER_NETWORK), all may have 1,024 (MAX_QUEUED_HASHES)", async () => {
  const burst = (networks: number, each: number) => {
    const check = new PasswordCheck({ now: () => 0 }, COSTS, 1);
    return Array.from(
      { length: networks * each },
      (_, i) => check.verify({ unknownName: `${i}` }, "x", `${i % networks}`),
    );
  };
  // One is under way.
  assert.equal(await refusals(burst(1, 33)), 0);
  assert.equal(await refusals(burst(1, 34)), 1);
  // All in one turn: 1,025, with the one under way, and one more.
  assert.equal(await refusals(burst(41, 25)), 0);
  assert.equal(await refusals(burst(38, 27)), 1);
});

Deno.test("a password is remembered for 15 min (REMEMBER_PASSWORD_MS), 10,000 are (MAX_REMEMBERED_PASSWORDS)", async () => {
  const time = { now: 0 };
  const check = new PasswordCheck({ now: () => time.now }, COSTS, 1);
  const verifier = await makeVerifier("right horse", COSTS);
  const derived = { count: 0 };
  const { deriveBits } = crypto.subtle;
  crypto.subtle.deriveBits = function (...args) {
    derived.count++;
    return Reflect.apply(deriveBits, this, args);
  };
  /** Whether it had to be computed. */
  const isComputed = async (id: number) => {
    const before = derived.count;
    assert.equal(await check.verify({ id, verifier }, "right horse", "n"), true);
    return derived.count > before;
  };
  try {
    assert.equal(await isComputed(0), true);
    time.now = 15 * 60_000 - 1;
    assert.equal(await isComputed(0), false);
    time.now++;
    assert.equal(await isComputed(0), true);
    for (let id = 1; id < 10_000; id++) await isComputed(id);
    assert.equal(await isComputed(0), false);
    assert.equal(await isComputed(10_000), true);
    // The one that was used longest ago went.
    assert.equal(await isComputed(0), false);
    assert.equal(await isComputed(1), true);
  } finally {
    crypto.subtle.deriveBits = deriveBits;
  }
});

Deno.test("the issuer is asked 8 questions at a time (MAX_INTROSPECTIONS), 4 of one network; 32 of it may wait (MAX_QUEUED_INTROSPECTIONS_PER_NETWORK), and 256 in all (MAX_QUEUED_INTROSPECTIONS)", async () => {
  let [asked, go] = [0, Promise.withResolvers<void>()];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request): Promise<Response> => {
      const url = new URL(request.url).origin;
      if (request.method === "GET") {
        return Response.json({
          issuer: url,
          jwks_uri: `${url}/k`,
          introspection_endpoint: `${url}/i`,
          keys: [],
        });
      }
      asked++;
      await go.promise;
      return Response.json({ active: false });
    },
  );
  const issuer = `http://127.0.0.1:${server.addr.port}`;
  /** Sends questions of so many networks; gives how many were asked at once, and how many refused. */
  const burst = async (networks: number, count: number) => {
    [asked, go] = [0, Promise.withResolvers<void>()];
    const client = { id: "postern", secret: "secret" };
    const check = new TokenCheck({ issuer, audience: "mail", usernameClaim: "email", client }, {
      now: Date.now,
    });
    const all = refusals(
      Array.from({ length: count }, (_, i) => check.verify(`token${i}`, `${i % networks}`)),
    );
    for (let before = -1, i = 0; i < 100 && (asked === 0 || asked > before); i++) {
      before = asked;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    const atOnce = asked;
    go.resolve();
    return [atOnce, await all];
  };
  try {
    assert.deepEqual(await burst(1, 4 + 32), [4, 0]);
    assert.deepEqual(await burst(1, 4 + 33), [4, 1]);
    assert.deepEqual(await burst(12, 8 + 256), [8, 0]);
    assert.deepEqual(await burst(12, 8 + 257), [8, 1]);
  } finally {
    await server.shutdown();
  }
});

Deno.test("who is refused because too much waits, or is blocked, hears of it after 2 s (BUSY_DELAY_MS)", async () => {
  const delays: number[] = [];
  const directory = new ModelDirectory();
  const gate = new Gate({ now: () => 0 });
  gate.load([{
    ...{ network: "192.0.2.7/32", minuteStartMs: 0, minuteFailures: 1 },
    ...{ dayStartMs: 0, dayFailures: 1, ban: { reason: "x", sinceMs: 0, untilMs: 10_000 } },
  }]);
  const auth = new Authenticator(directory, { now: () => 0 }, {
    allowPlaintext: false,
    gate,
    costs: COSTS,
    sleep: async (ms) => void delays.push(ms),
  });
  await auth.forConnection(() => FACTS).verifyPassword("alice@example.org", "x");
  assert.deepEqual(delays, [2_000]);
});

Deno.test("a SASL message has 4,096 octets at most (MAX_SASL_MESSAGE_BYTES), by PLAIN and by SCRAM", async () => {
  const auth = new Authenticator(new ModelDirectory(), { now: () => 0 }, {
    allowPlaintext: false,
    costs: COSTS,
    sleep: async () => {},
    gate: new Gate({ now: () => 0 }, { isExempt: () => true }),
  });
  const plain = async (octets: number) => {
    const message = new TextEncoder().encode("\0alice@example.org\0".padEnd(octets, "x"));
    return JSON.stringify(await auth.forConnection(() => FACTS).begin("PLAIN").step(message));
  };
  const scram = (octets: number) => {
    const message = new TextEncoder().encode("n,,n=alice,r=".padEnd(octets, "x"));
    return parseClientFirst(message, { data: undefined, isPlus: false });
  };
  assert.notEqual(await plain(4_096), await plain(4_097));
  assert.equal(scram(4_096).username, "alice");
  assert.throws(() => scram(4_097), ScramError);
});

Deno.test("a client's nonce has 8 characters at least (MIN_CLIENT_NONCE_LENGTH)", () => {
  const parse = (nonce: string) =>
    parseClientFirst(new TextEncoder().encode(`n,,n=alice,r=${nonce}`), {
      data: undefined,
      isPlus: false,
    });
  assert.equal(parse("12345678").nonce, "12345678");
  assert.throws(() => parse("1234567"), /too short/);
});
