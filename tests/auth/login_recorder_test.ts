import assert from "node:assert/strict";
import {
  Authenticator,
  type ConnectionFacts,
  Gate,
  LoginRecorder,
  makeVerifier,
} from "../../src/auth/mod.ts";
import { MAX_QUEUED_ATTEMPTS, MAX_USER_AGENT_LENGTH } from "../../src/auth/limits.ts";
import type { LoginFacts, LoginLog, NetworkRecord } from "../../src/store/mod.ts";
import { ModelDirectory } from "../store/model_directory.ts";

const FACTS: ConnectionFacts = {
  protocol: "imap",
  remote: { address: "192.0.2.7" },
  local: { address: "192.0.2.1" },
  tls: {
    version: "TLSv1.3",
    cipher: "TLS_AES_128_GCM_SHA256",
    alpn: "imap",
    sni: "mail.example.org",
    resumed: true,
    serverEndPoint: undefined,
    clientCertificate: undefined,
  },
};
const USER = "alice@example.org";
const PASSWORD = "correct horse";

/** A log that keeps what it is given, and waits for `open` where it is closed. */
class FakeLog implements LoginLog {
  readonly added: (LoginFacts & { timeMs: number })[] = [];
  readonly networks = new Map<string, NetworkRecord>();
  trims = 0;
  gate: Promise<void> = Promise.resolve();
  failure: Error | undefined;

  async add(
    attempts: readonly (LoginFacts & { timeMs: number })[],
    networks: readonly NetworkRecord[],
  ) {
    await this.gate;
    if (this.failure) throw this.failure;
    this.added.push(...attempts);
    for (const record of networks) this.networks.set(record.network, record);
  }
  async list() {
    return [];
  }
  async trim() {
    this.trims++;
  }
  async listNetworks() {
    return [...this.networks.values()];
  }
  async forgetNetworks() {}
  async close() {}
}

async function build() {
  const directory = new ModelDirectory();
  await directory.addDomain("example.org");
  const costs = { slow: 1, scram: { "SHA-1": 1, "SHA-256": 1 } };
  const alice = await directory.addAccount(USER, await makeVerifier(PASSWORD, costs));
  const time = { now: 1_000_000 };
  const clock = { now: () => time.now };
  const log = new FakeLog();
  const gate = new Gate(clock);
  const recorder = new LoginRecorder(log, gate, clock);
  const auth = new Authenticator(directory, clock, {
    allowPlaintext: false,
    costs,
    gate,
    onAttempt: (attempt) => recorder.add(attempt),
    waitForRoom: () => recorder.waitForRoom(),
    sleep: async () => {},
  });
  return { log, gate, recorder, auth, alice, time };
}

Deno.test("an attempt is recorded with everything that is known of it", async () => {
  const { log, recorder, auth, alice } = await build();
  const connection = auth.forConnection(() => FACTS);
  connection.identify('name="Mail" version="1"');
  await connection.verifyPassword(USER, PASSWORD);
  await connection.verifyPassword("my password", "x");
  await recorder.close();
  const common = {
    timeMs: 1_000_000,
    remote: "192.0.2.7",
    local: "192.0.2.1",
    tls: "TLSv1.3 TLS_AES_128_GCM_SHA256 sni=mail.example.org alpn=imap resumed",
    fingerprint: "",
    protocol: "imap",
    userAgent: 'name="Mail" version="1"',
    mechanism: "LOGIN",
  };
  assert.deepEqual(log.added, [
    { ...common, accountId: alice.id, username: USER, result: "ok", isFailure: false },
    { ...common, accountId: undefined, username: "", result: "baduser", isFailure: true },
  ]);
  assert.equal(log.trims, 1);
});

Deno.test("a success waits for the client's ID, for so long and no longer, and is never lost", async () => {
  const { log, auth, recorder } = await build();
  const login = async () => {
    const connection = auth.forConnection(() => FACTS, { waitForIdMs: 50 });
    await connection.verifyPassword(USER, PASSWORD);
    await recorder.close();
    return connection;
  };
  const identified = await login();
  assert.equal(log.added.length, 0);
  identified.identify("x".repeat(1000));
  await recorder.close();
  assert.equal(log.added[0]?.userAgent, "x".repeat(MAX_USER_AGENT_LENGTH));
  await login();
  await new Promise((resolve) => setTimeout(resolve, 80));
  await recorder.close();
  assert.equal(log.added.length, 2);
  const closed = await login();
  closed.close();
  closed.close();
  await recorder.close();
  assert.deepEqual(log.added.map(({ userAgent }) => userAgent.slice(0, 1)), ["x", "", ""]);
  const failed = auth.forConnection(() => FACTS, { waitForIdMs: 50 });
  await failed.verifyPassword(USER, "wrong password");
  await recorder.close();
  assert.equal(log.added.length, 4, "a failure does not wait");
});

Deno.test("logins go on while the log is slow, until a hundred wait, and then wait themselves", async () => {
  const { log, auth, recorder } = await build();
  const { promise, resolve: open } = Promise.withResolvers<void>();
  log.gate = promise;
  let done = 0;
  const all = Array.from({ length: MAX_QUEUED_ATTEMPTS + 20 }, async () => {
    await auth.forConnection(() => FACTS).begin("PLAIN").step(new TextEncoder().encode("x"));
    done++;
  });
  // One after the other, as they come from different connections.
  await new Promise((resolve) => setTimeout(resolve, 50));
  let late = false;
  const next = auth.forConnection(() => FACTS).verifyPassword(USER, PASSWORD)
    .then(() => late = true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(done >= MAX_QUEUED_ATTEMPTS, String(done));
  assert.equal(late, false);
  open();
  await Promise.all([...all, next]);
  await recorder.close();
  assert.equal(log.added.length, MAX_QUEUED_ATTEMPTS + 21);
});

Deno.test("a log that cannot be written does not keep anybody out", async () => {
  const { log, auth, recorder } = await build();
  log.failure = new Error("the disk is full");
  assert.equal((await auth.forConnection(() => FACTS).verifyPassword(USER, PASSWORD)).kind, "ok");
  await recorder.close();
  log.failure = undefined;
  await auth.forConnection(() => FACTS).verifyPassword(USER, PASSWORD);
  await recorder.close();
  assert.equal(log.added.length, 1);
});

Deno.test("what the gate holds is saved with the attempts, and loaded when it begins", async () => {
  const { log, auth, recorder, time } = await build();
  for (let i = 0; i < 10; i++) {
    await auth.forConnection(() => FACTS).verifyPassword(USER, "wrong password");
  }
  await recorder.close();
  const gate = new Gate({ now: () => time.now });
  const next = new LoginRecorder(log, gate, { now: () => time.now });
  assert.ok(!gate.isBlocked("192.0.2.7"));
  await next.reloadGate();
  assert.ok(gate.isBlocked("192.0.2.7"));
  log.networks.clear();
  await next.reloadGate();
  assert.ok(!gate.isBlocked("192.0.2.7"));
});
