import assert from "node:assert/strict";
import {
  Authenticator,
  type AuthenticatorOptions,
  type AuthOutcome,
  type AuthStep,
  type ConnectionFacts,
  type ConnectionLogin,
  type Exchange,
  Gate,
  type LoginAttempt,
  makeVerifier,
} from "../../src/auth/mod.ts";
import { metrics } from "../../src/base/mod.ts";
import type { Account, Directory } from "../../src/store/mod.ts";
import { ModelDirectory } from "../store/model_directory.ts";
import { ScramClient, type ScramClientOptions } from "../support/scram_client.ts";

const COSTS = { slow: 1000, scram: { "SHA-1": 64, "SHA-256": 32 } };
const PASSWORD = "correct horse";
const SERVER_END_POINT = new TextEncoder().encode("certificate hash");

const TLS = {
  version: "TLSv1.3",
  cipher: "TLS_AES_128_GCM_SHA256",
  alpn: undefined,
  sni: undefined,
  resumed: false,
  serverEndPoint: undefined,
  clientCertificate: undefined,
};
const SECURE: ConnectionFacts = {
  protocol: "imap",
  remote: { address: "192.0.2.7" },
  local: { address: "192.0.2.1" },
  tls: TLS,
};
const BINDING: ConnectionFacts = { ...SECURE, tls: { ...TLS, serverEndPoint: SERVER_END_POINT } };
const CLEAR: ConnectionFacts = { ...SECURE, tls: undefined };

/** Holds nothing against anybody, for tests that fail often. */
const OPEN_GATE = new Gate({ now: Date.now }, { isExempt: () => true });

interface House {
  readonly directory: Directory;
  readonly alice: Account;
  readonly auth: Authenticator;
  readonly gate: Gate;
  readonly attempts: LoginAttempt[];
  /** Delays that were asked for, zeros left out. */
  readonly delays: number[];
  readonly time: { now: number };
  connect(facts?: ConnectionFacts): ConnectionLogin;
}

const verifier = await makeVerifier(PASSWORD, COSTS);

async function build(
  options: Partial<AuthenticatorOptions> = {},
  wrap: (directory: Directory) => Directory = (directory) => directory,
): Promise<House> {
  const directory = new ModelDirectory();
  await directory.addDomain("example.org");
  const alice = await directory.addAccount("alice@example.org", verifier);
  await directory.addAccount("bob@example.org", await makeVerifier("another password", COSTS));
  await directory.addAddress("a@example.org", alice.id);
  const attempts: LoginAttempt[] = [];
  const delays: number[] = [];
  const time = { now: 1_000_000 };
  const gate = new Gate({ now: () => time.now });
  const auth = new Authenticator(wrap(directory), { now: () => time.now }, {
    gate,
    allowPlaintext: false,
    costs: COSTS,
    onAttempt: (attempt) => void attempts.push(attempt),
    sleep: async (ms) => {
      if (ms > 0) delays.push(ms);
    },
    ...options,
  });
  const connect = (facts = SECURE) => auth.forConnection(() => facts);
  return { directory, alice, auth, gate, attempts, delays, time, connect };
}

const bytes = (text: string) => new TextEncoder().encode(text);

function challengeText(step: AuthStep): string {
  if (step.kind !== "challenge") assert.fail(`a challenge was expected, not ${step.kind}`);
  return new TextDecoder().decode(step.challenge);
}

/** What a failure shows. */
function shape(step: AuthStep | AuthOutcome): unknown {
  return step.kind === "ok" ? { kind: "ok", address: step.address, id: step.account.id } : step;
}

async function runScram(
  connection: ConnectionLogin,
  options: Partial<ScramClientOptions> & { mechanism?: string },
): Promise<{ said: string[]; outcome: AuthOutcome }> {
  const { mechanism = "SCRAM-SHA-256", ...rest } = options;
  const client = new ScramClient({
    hash: mechanism.includes("SHA-256") ? "SHA-256" : "SHA-1",
    username: "alice@example.org",
    password: PASSWORD,
    ...rest,
  });
  const exchange = connection.begin(mechanism);
  const said: string[] = [];
  let step = await exchange.step(bytes(client.first));
  while (step.kind === "challenge") {
    const challenge = challengeText(step);
    said.push(challenge);
    const isFirst = challenge.startsWith("r=");
    if (!isFirst && challenge.startsWith("v=")) assert.ok(client.accepts(challenge));
    step = await exchange.step(bytes(isFirst ? await client.final(challenge) : ""));
  }
  return { said, outcome: step };
}

Deno.test("the right password is accepted by every address of the account", async () => {
  const { connect, alice } = await build();
  for (
    const name of ["alice@example.org", "a@example.org", "alice+x@example.org", "ALICE@EXAMPLE.ORG"]
  ) {
    const outcome = await connect().verifyPassword(name, PASSWORD);
    assert.deepEqual(shape(outcome), { kind: "ok", address: name, id: alice.id });
  }
});

Deno.test("a wrong password and an unknown user get the same answer", async () => {
  const { connect, attempts } = await build();
  const expected = {
    kind: "credentials",
    text: "Authentication failed: wrong username or password.",
  };
  const names = [
    "alice@example.org",
    "nobody@example.org",
    "nobody@elsewhere.org",
    "alice",
    "a b@c",
    "",
  ];
  for (const name of names) {
    assert.deepEqual(await connect().verifyPassword(name, "wrong password"), expected);
  }
  assert.deepEqual(await connect().verifyPassword("alice@example.org", ""), expected);
  assert.deepEqual(
    attempts.map((attempt) => attempt.result),
    ["badpassword", "baduser", "baduser", "baduser", "baduser", "baduser", "badcreds"],
  );
});

/** Runs `work` and gives what it made us do: slow hashes and questions to the directory. */
async function workOf(
  work: () => Promise<unknown>,
  calls: string[],
): Promise<string[]> {
  const real = crypto.subtle.deriveBits;
  calls.length = 0;
  crypto.subtle.deriveBits = function (algorithm, ...rest) {
    calls.push(`deriveBits ${(algorithm as Pbkdf2Params).iterations}`);
    return real.call(this, algorithm, ...rest);
  };
  try {
    await work();
    return [...calls];
  } finally {
    crypto.subtle.deriveBits = real;
  }
}

function counting(calls: string[]): (directory: Directory) => Directory {
  const counted = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get: (_, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return counted(value as object);
        return (...args: never[]) => {
          calls.push(String(key));
          return value.apply(target, args);
        };
      },
    });
  return counted;
}

Deno.test("an unknown user costs the same work as a wrong password", async () => {
  const calls: string[] = [];
  const house = await build({ gate: OPEN_GATE }, counting(calls));
  const login = (name: string) => () => house.connect().verifyPassword(name, "wrong password");
  const known = await workOf(login("alice@example.org"), calls);
  const unknown = await workOf(login("nobody@example.org"), calls);
  assert.deepEqual(known, ["resolveAddress", "passwordVerifier", "deriveBits 1000"]);
  assert.deepEqual(unknown, known);
});

Deno.test("SCRAM works with both hashes, and proves the server to the client", async () => {
  const { connect, alice, attempts } = await build();
  for (const mechanism of ["SCRAM-SHA-1", "SCRAM-SHA-256"]) {
    const { said, outcome } = await runScram(connect(), { mechanism });
    assert.equal(said.length, 2);
    assert.deepEqual(shape(outcome), { kind: "ok", address: "alice@example.org", id: alice.id });
    assert.equal(attempts.at(-1)?.mechanism, mechanism);
  }
});

Deno.test("a wrong SCRAM proof is told with e=, and then refused whatever the client says", async () => {
  const { connect, attempts } = await build();
  const { said, outcome } = await runScram(connect(), { password: "wrong password" });
  assert.equal(said[1], "e=invalid-proof");
  assert.deepEqual(outcome, {
    kind: "credentials",
    text: "Authentication failed: wrong username or password.",
  });
  assert.deepEqual(attempts.map((attempt) => attempt.result), ["badcreds"]);
});

Deno.test("a client that leaves after a wrong proof has failed all the same", async () => {
  const { connect, attempts } = await build();
  const client = new ScramClient({
    hash: "SHA-256",
    username: "alice@example.org",
    password: "wrong",
  });
  const exchange = connect().begin("SCRAM-SHA-256");
  const first = challengeText(await exchange.step(bytes(client.first)));
  await exchange.step(bytes(await client.final(first)));
  assert.equal(exchange.abort().kind, "credentials");
  assert.deepEqual(attempts.map((attempt) => attempt.result), ["badcreds"]);
});

Deno.test("a client that rejects the server's signature is not logged in", async () => {
  const { connect, attempts } = await build();
  const client = new ScramClient({
    hash: "SHA-256",
    username: "alice@example.org",
    password: PASSWORD,
  });
  const exchange = connect().begin("SCRAM-SHA-256");
  const first = challengeText(await exchange.step(bytes(client.first)));
  assert.match(challengeText(await exchange.step(bytes(await client.final(first)))), /^v=/);
  assert.equal(exchange.abort().kind, "aborted");
  assert.deepEqual(attempts.map((attempt) => attempt.result), ["aborted"]);
});

Deno.test("SCRAM for an unknown user looks like a wrong password, each time the same", async () => {
  const calls: string[] = [];
  const house = await build({ gate: OPEN_GATE }, counting(calls));
  for (const mechanism of ["SCRAM-SHA-1", "SCRAM-SHA-256"]) {
    const run = (username: string) =>
      runScram(house.connect(), { mechanism, username, password: "wrong password" });
    const fixed = ({ said, outcome }: Awaited<ReturnType<typeof run>>) => ({
      said: said.map((line) => line.replace(/r=[^,]+/, "r=").replace(/s=[^,]{24},/, "s=24,")),
      outcome,
    });
    assert.deepEqual(
      fixed(await run("nobody@example.org")),
      fixed(await run("alice@example.org")),
    );
    const salt = async (username: string) =>
      /s=[^,]+/.exec((await run(username)).said[0] ?? "")?.[0];
    assert.equal(await salt("nobody@example.org"), await salt("Nobody+tag@example.org"));
    assert.equal(await salt("alice@example.org"), await salt("Alice+tag@example.org"));
    assert.notEqual(await salt("nobody@example.org"), await salt("nobody2@example.org"));
    const known = await workOf(() => run("alice@example.org"), calls);
    const unknown = await workOf(() => run("nobody@example.org"), calls);
    assert.deepEqual(unknown, known);
  }
});

Deno.test("PLAIN works with and without initial response", async () => {
  const { connect } = await build({ gate: OPEN_GATE });
  const message = bytes(`\0alice@example.org\0${PASSWORD}`);
  assert.equal((await connect().begin("plain").step(message)).kind, "ok");
  const exchange = connect().begin("PLAIN");
  assert.equal(challengeText(await exchange.step(undefined)), "");
  assert.equal((await exchange.step(message)).kind, "ok");
});

Deno.test("an authorization identity may be any address of the same account, and no other", async () => {
  const { connect, attempts } = await build();
  const cases = [
    ["", PASSWORD, "ok"],
    ["alice@example.org", PASSWORD, "ok"],
    ["a@example.org", PASSWORD, "ok"],
    ["bob@example.org", PASSWORD, "authorization"],
    ["nobody@example.org", PASSWORD, "authorization"],
    ["bad\u0001name", PASSWORD, "authorization"],
    ["bob@example.org", "wrong password", "credentials"],
  ] as const;
  for (const [authzid, password, kind] of cases) {
    const message = bytes(`${authzid}\0alice@example.org\0${password}`);
    assert.equal((await connect().begin("PLAIN").step(message)).kind, kind, authzid);
    const scram = await runScram(
      connect(),
      { authzid: authzid || undefined, password } as ScramClientOptions,
    );
    assert.equal(scram.outcome.kind, kind, authzid);
  }
  assert.equal(attempts.filter((attempt) => attempt.result === "badauthzid").length, 6);
});

Deno.test("a malformed PLAIN message is a protocol error and counts against nobody", async () => {
  const { connect, delays, gate } = await build();
  const connection = connect();
  const messages = [
    "",
    "alice",
    "\0alice",
    "\0\0password",
    "\0alice\0",
    "a\0b\0c\0d",
    "x".repeat(4097),
  ];
  for (const message of [...messages, ...messages]) {
    assert.equal((await connection.begin("PLAIN").step(bytes(message))).kind, "protocol");
  }
  const notUtf8 = new Uint8Array([0, 0xff, 0, 0x61]);
  assert.equal((await connection.begin("PLAIN").step(notUtf8)).kind, "protocol");
  assert.equal((await connection.verifyPassword("alice@example.org", PASSWORD)).kind, "ok");
  assert.deepEqual(delays, []);
  assert.ok(!gate.isBlocked("192.0.2.7"));
});

Deno.test("cancelling is recorded and counts against nobody", async () => {
  const { connect, attempts, delays } = await build();
  const connection = connect();
  for (let i = 0; i < 5; i++) {
    const exchange = connection.begin("PLAIN");
    await exchange.step(undefined);
    assert.equal(exchange.abort().kind, "aborted");
    assert.equal(exchange.abort().kind, "aborted");
  }
  await connection.verifyPassword("alice@example.org", "wrong password");
  assert.deepEqual(delays, []);
  assert.equal(attempts.filter((attempt) => attempt.result === "aborted").length, 5);
});

Deno.test("LOGIN exists for submission only and asks two questions", async () => {
  const { connect } = await build();
  assert.equal((await connect().begin("LOGIN").step(undefined)).kind, "mechanism");
  const submission: ConnectionFacts = { ...SECURE, protocol: "submission" };
  const exchange: Exchange = connect(submission).begin("LOGIN");
  assert.equal(challengeText(await exchange.step(undefined)), "Username:");
  assert.equal(challengeText(await exchange.step(bytes("alice@example.org"))), "Password:");
  assert.equal((await exchange.step(bytes(PASSWORD))).kind, "ok");
  const quick = connect(submission).begin("LOGIN");
  assert.equal(challengeText(await quick.step(bytes("alice@example.org"))), "Password:");
  assert.equal((await quick.step(bytes("wrong password"))).kind, "credentials");
});

Deno.test("mechanisms are announced where they can work", async () => {
  const { connect } = await build();
  const plain = ["SCRAM-SHA-256", "SCRAM-SHA-1"];
  assert.deepEqual(connect(CLEAR).mechanisms(), plain);
  assert.equal(connect(CLEAR).allowsClearPassword, false);
  assert.deepEqual(connect(SECURE).mechanisms(), [...plain, "PLAIN"]);
  assert.deepEqual(connect(BINDING).mechanisms(), [
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-1",
    "PLAIN",
  ]);
  assert.deepEqual(connect({ ...SECURE, protocol: "submission" }).mechanisms(), [
    ...plain,
    "PLAIN",
    "LOGIN",
  ]);
  assert.ok(connect({ ...CLEAR, remote: { address: "unix:/run/s" } }).allowsClearPassword);
});

Deno.test("a password in clear is refused unread, unless it is allowed", async () => {
  const { connect, attempts } = await build();
  const message = bytes(`\0alice@example.org\0${PASSWORD}`);
  assert.equal((await connect(CLEAR).begin("PLAIN").step(message)).kind, "privacy");
  assert.equal(
    (await connect(CLEAR).verifyPassword("alice@example.org", PASSWORD)).kind,
    "privacy",
  );
  assert.equal((await connect(CLEAR).begin("X-NONE").step(undefined)).kind, "mechanism");
  assert.deepEqual(attempts, []);
  assert.equal((await runScram(connect(CLEAR), {})).outcome.kind, "ok");
  const lax = await build({ allowPlaintext: true });
  assert.equal((await lax.connect(CLEAR).verifyPassword("alice@example.org", PASSWORD)).kind, "ok");
});

Deno.test("STARTTLS changes what a connection may use", async () => {
  const { auth } = await build();
  let facts = CLEAR;
  const connection = auth.forConnection(() => facts);
  assert.equal((await connection.verifyPassword("alice@example.org", PASSWORD)).kind, "privacy");
  facts = SECURE;
  assert.equal((await connection.verifyPassword("alice@example.org", PASSWORD)).kind, "ok");
});

Deno.test("PLUS binds to the server's certificate and notices a downgrade", async () => {
  const { connect, attempts } = await build();
  const flag = "p=tls-server-end-point";
  const cases = [
    [{ flag, bindingData: SERVER_END_POINT }, "ok"],
    [{ flag, bindingData: bytes("another certificate") }, "credentials"],
    [{ flag: "p=tls-unique", bindingData: SERVER_END_POINT }, "mechanism"],
    [{ flag: "n" }, "protocol"],
  ] as const;
  for (const mechanism of ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"]) {
    for (const [options, kind] of cases) {
      assert.equal(
        (await runScram(connect(BINDING), { mechanism, ...options })).outcome.kind,
        kind,
      );
    }
  }
  const downgraded = await runScram(connect(BINDING), { flag: "y" });
  assert.equal(downgraded.outcome.kind, "credentials");
  assert.equal(attempts.at(-1)?.result, "badchanbind");
  assert.equal(
    (await connect(SECURE).begin("SCRAM-SHA-256-PLUS").step(undefined)).kind,
    "mechanism",
  );
});

Deno.test("a disabled account is told so after right credentials only", async () => {
  const { directory, alice, connect, attempts } = await build();
  await directory.setAccountDisabled(alice.id, "Call the office.");
  const disabled = { kind: "disabled", text: "Call the office." };
  assert.deepEqual(await connect().verifyPassword("alice@example.org", PASSWORD), disabled);
  assert.equal(
    (await connect().verifyPassword("alice@example.org", "wrong password")).kind,
    "credentials",
  );
  assert.deepEqual((await runScram(connect(), {})).outcome, disabled);
  assert.equal(
    (await runScram(connect(), { password: "wrong password" })).outcome.kind,
    "credentials",
  );
  assert.deepEqual(
    attempts.map((attempt) => attempt.result),
    ["logindisabled", "badpassword", "logindisabled", "badcreds"],
  );
});

Deno.test("a right password is hashed once in 15 minutes, and again when it was changed", async () => {
  const calls: string[] = [];
  const house = await build({ gate: OPEN_GATE }, counting(calls));
  const hashes = async (password: string) =>
    (await workOf(() => house.connect().verifyPassword("alice@example.org", password), calls))
      .filter((call) => call.startsWith("deriveBits")).length;
  assert.equal(await hashes(PASSWORD), 1);
  assert.equal(await hashes(PASSWORD), 0);
  assert.equal(await hashes("wrong password"), 1);
  assert.equal(await hashes("wrong password"), 1);
  house.time.now += 15 * 60_000 - 1;
  assert.equal(await hashes(PASSWORD), 0);
  house.time.now += 1;
  assert.equal(await hashes(PASSWORD), 1);
  await house.directory.setPasswordVerifier(
    house.alice.id,
    await makeVerifier("a new password", COSTS),
  );
  assert.equal(
    (await house.connect().verifyPassword("alice@example.org", PASSWORD)).kind,
    "credentials",
  );
  assert.equal(
    (await house.connect().verifyPassword("alice@example.org", "a new password")).kind,
    "ok",
  );
});

Deno.test("equal logins at the same time share one hash", async () => {
  const calls: string[] = [];
  const house = await build({ gate: OPEN_GATE }, counting(calls));
  const storm = () =>
    Promise.all(
      Array.from({ length: 500 }, () =>
        house.connect().verifyPassword("alice@example.org", PASSWORD)),
    );
  const done = await workOf(storm, calls);
  assert.equal(done.filter((call) => call.startsWith("deriveBits")).length, 1);
});

Deno.test("an account that changes during the login is not let in by what was true before", async () => {
  let change = async () => {};
  const house = await build({}, (directory) =>
    new Proxy(directory, {
      get: (target, key: keyof Directory) =>
        key === "credentials" ? target.credentials : async (...args: never[]) => {
          const result = await (target[key] as (...args: never[]) => unknown).apply(target, args);
          if (key === "passwordVerifier") await change();
          return result;
        },
    }));
  change = () => house.directory.setPasswordVerifier(house.alice.id, verifier);
  assert.equal(
    (await house.connect().verifyPassword("alice@example.org", PASSWORD)).kind,
    "unavailable",
  );
  change = () => house.directory.removeAccount(house.alice.id);
  assert.notEqual((await house.connect().verifyPassword("alice@example.org", PASSWORD)).kind, "ok");
});

Deno.test("after wrong passwords a connection's answers are held back, longer each time, right or wrong", async () => {
  const { connect, delays } = await build();
  const connection = connect();
  for (let i = 0; i < 5; i++) {
    await connection.verifyPassword("alice@example.org", "wrong password");
  }
  assert.deepEqual(delays, [1000, 2000, 3000]);
  await runScram(connection, { password: "wrong password" });
  assert.deepEqual(delays.splice(0), [1000, 2000, 3000, 4000]);
  assert.equal((await connection.verifyPassword("alice@example.org", PASSWORD)).kind, "ok");
  assert.deepEqual(delays.splice(0), [5000]);
  assert.equal((await connection.verifyPassword("alice@example.org", PASSWORD)).kind, "ok");
  assert.deepEqual(delays, []);
});

Deno.test("an address with ten wrong passwords in a minute is not welcome until it is over", async () => {
  const { gate, connect, time } = await build();
  for (let i = 0; i < 10; i++) {
    assert.ok(!gate.isBlocked("192.0.2.7"));
    await connect().verifyPassword("alice@example.org", "wrong password");
  }
  assert.ok(gate.isBlocked("192.0.2.7"));
  assert.ok(!gate.isBlocked("192.0.2.8"));
  time.now += 60_000;
  assert.ok(!gate.isBlocked("192.0.2.7"));
});

Deno.test("a store that cannot be read is not a wrong password", async () => {
  const { StoreError } = await import("../../src/store/mod.ts");
  const house = await build({}, (directory) =>
    new Proxy(directory, {
      get: (target, key: keyof Directory) =>
        key === "passwordVerifier"
          ? () => Promise.reject(new StoreError("unavailable", "The disk is gone."))
          : (target[key] as () => unknown).bind(target),
    }));
  assert.equal(
    (await house.connect().verifyPassword("alice@example.org", PASSWORD)).kind,
    "unavailable",
  );
  assert.equal((await runScram(house.connect(), {})).outcome.kind, "unavailable");
  assert.deepEqual(house.attempts.map((attempt) => attempt.result), ["error", "error"]);
});

Deno.test("a stored verifier that cannot be read is not a wrong password", async () => {
  const house = await build();
  for (const broken of ["", "{}", '{"version":2}', '{"version":1,"slow":{"key":"?"}}']) {
    await house.directory.setPasswordVerifier(house.alice.id, broken);
    const outcome = await house.connect().verifyPassword("alice@example.org", PASSWORD);
    assert.equal(outcome.kind, broken === "" ? "credentials" : "unavailable", broken);
  }
});

Deno.test("without channel binding PLUS is not announced, not taken, and not missed", async () => {
  const { connect } = await build({ channelBinding: false });
  const connection = connect(BINDING);
  assert.deepEqual(connection.mechanisms().filter((name) => name.endsWith("-PLUS")), []);
  assert.equal((await connection.begin("SCRAM-SHA-256-PLUS").step(undefined)).kind, "mechanism");
  // "y": the client could bind and believes that the server cannot, which is now true.
  const { outcome } = await runScram(connection, { flag: "y" });
  assert.equal(outcome.kind, "ok");
  const { outcome: suspicious } = await runScram((await build()).connect(BINDING), { flag: "y" });
  assert.equal(suspicious.kind, "credentials");
});

Deno.test("an address that is banned cannot go on guessing on the connections that it has", async () => {
  const { connect, gate, delays, time } = await build();
  const connection = connect();
  for (let i = 0; i < 10; i++) gate.recordFailure("192.0.2.7", undefined);
  const refused = await connection.verifyPassword("alice@example.org", PASSWORD);
  assert.equal(refused.kind, "unavailable");
  assert.equal((await runScram(connection, {})).outcome.kind, "unavailable");
  assert.deepEqual(delays.splice(0), [2000, 2000]);
  time.now += 60_000;
  assert.equal((await connection.verifyPassword("alice@example.org", PASSWORD)).kind, "ok");
});

Deno.test("the admin's password lets in; a wrong one, or none set, gets one answer at the same cost", async () => {
  const { connect, directory, attempts } = await build();
  const wrong = {
    kind: "credentials",
    text: 'Wrong password, or none was set yet: "postern admin password" sets one.',
  };
  const page: ConnectionFacts = { ...SECURE, protocol: "web" };
  assert.deepEqual(await connect(page).verifyAdminPassword(PASSWORD), wrong);
  await directory.setAdminVerifier(verifier);
  assert.deepEqual(await connect(page).verifyAdminPassword(PASSWORD), { kind: "ok", verifier });
  assert.deepEqual(await connect(page).verifyAdminPassword("wrong password"), wrong);
  assert.deepEqual(await connect(page).verifyAdminPassword(""), wrong);
  assert.deepEqual(
    attempts.map(({ facts, mechanism, result, username }) => [
      ...[facts.protocol, mechanism, result, username],
    ]),
    ["baduser", "ok", "badpassword", "badcreds"].map((result) => [
      ...["web", "ADMIN", result, undefined],
    ]),
  );
});

Deno.test("no account's password is the admin's, and the admin's is no account's", async () => {
  const { connect, directory } = await build();
  await directory.setAdminVerifier(await makeVerifier("the admin's own", COSTS));
  assert.equal((await connect().verifyAdminPassword(PASSWORD)).kind, "credentials");
  assert.equal(
    (await connect().verifyPassword("alice@example.org", "the admin's own")).kind,
    "credentials",
  );
});

Deno.test("who guesses the admin's password waits like anybody, and is then kept out with the right one", async () => {
  const { connect, directory, gate, delays } = await build();
  await directory.setAdminVerifier(verifier);
  const connection = connect();
  for (let i = 0; i < 10; i++) await connection.verifyAdminPassword(`guess number ${i}`);
  assert.deepEqual(delays, [1, 2, 3, 4, 5, 6, 7, 8].map((seconds) => seconds * 1000));
  assert.ok(gate.isBlocked(SECURE.remote.address));
  const refused = () => metrics.sum("postern_authentication_ratelimited_total");
  const before = refused();
  assert.equal((await connection.verifyAdminPassword(PASSWORD)).kind, "unavailable");
  assert.equal(refused(), before + 1);
});

Deno.test("the admin's password is not taken in clear", async () => {
  const { connect, directory, attempts } = await build();
  await directory.setAdminVerifier(verifier);
  assert.equal((await connect(CLEAR).verifyAdminPassword(PASSWORD)).kind, "privacy");
  assert.deepEqual(attempts, []);
});
