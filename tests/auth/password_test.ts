import assert from "node:assert/strict";
import { formatFailedAttempt, type LoginAttempt } from "../../src/auth/login_attempt.ts";
import { Gate, makeVerifier, MIN_PASSWORD_BYTES, PasswordError } from "../../src/auth/mod.ts";
import { answerDelayMs } from "../../src/auth/delay.ts";
import { networksOf } from "../../src/auth/networks.ts";
import { DEFAULT_COSTS, parseVerifier } from "../../src/auth/verifier.ts";

const COSTS = { slow: 10, scram: { "SHA-1": 10, "SHA-256": 10 } };

Deno.test("a verifier does not hold the password, and two of one password differ", async () => {
  const [one, two] = [
    await makeVerifier("correct horse", COSTS),
    await makeVerifier("correct horse", COSTS),
  ];
  assert.notEqual(one, two);
  assert.ok(!one.includes("horse"));
  const salts = [one, two].map(parseVerifier).flatMap((
    { slow, scram },
  ) => [slow.salt, scram["SHA-1"]?.salt, scram["SHA-256"]?.salt]);
  assert.equal(new Set(salts.map((salt) => salt?.toHex?.() ?? String(salt))).size, 6);
});

Deno.test("SCRAM clients are never asked for fewer iterations than the RFCs want, nor more than Cyrus bears", () => {
  for (const iterations of Object.values(DEFAULT_COSTS.scram)) {
    assert.ok(iterations >= 4096 && iterations <= 65_536);
  }
});

Deno.test("a new password must be long enough and made of characters that can be typed", async () => {
  await makeVerifier("x".repeat(MIN_PASSWORD_BYTES), COSTS);
  for (const password of ["x".repeat(MIN_PASSWORD_BYTES - 1), "", "with\ttab and more"]) {
    await assert.rejects(makeVerifier(password, COSTS), PasswordError);
  }
});

Deno.test("the delay begins at the third attempt, grows by a second and ends at fifteen", () => {
  assert.deepEqual([0, 1, 2, 3, 16, 17, 1000].map(answerDelayMs), [
    0,
    0,
    1000,
    2000,
    15000,
    15000,
    15000,
  ]);
});

Deno.test("addresses count to three networks each, and this host to none", () => {
  const together = (a: string, b: string) => {
    const others = networksOf(b);
    return networksOf(a).map((network, i) => network === others[i]);
  };
  assert.deepEqual(together("192.0.2.1", "192.0.2.1"), [true, true, true]);
  assert.deepEqual(together("192.0.2.1", "192.0.2.62"), [false, true, true]);
  assert.deepEqual(together("192.0.2.1", "192.0.2.64"), [false, false, true]);
  assert.deepEqual(together("192.0.2.1", "192.0.8.1"), [false, false, false]);
  assert.deepEqual(together("2001:db8::1", "2001:db8:0:0:ffff::"), [true, true, true]);
  assert.deepEqual(together("2001:db8::1", "2001:db8:0:1::1"), [false, true, true]);
  assert.deepEqual(together("2001:db8::1", "2001:db8:1::1"), [false, false, true]);
  assert.deepEqual(together("2001:db8::1", "2001:db9::1"), [false, false, false]);
  for (
    const exempt of [
      "127.0.0.1",
      "127.9.9.9",
      "::1",
      "unix:/run/x",
      "",
      "1.2.3",
      "1.2.3.256",
      "1::2::3",
      ":::",
      "fe80",
    ]
  ) {
    assert.deepEqual(networksOf(exempt), [], exempt);
  }
  assert.equal(networksOf("fe80::1%eth0").length, 3);
  assert.equal(networksOf("::").length, 3);
});

Deno.test("a network is blocked at its limit of a minute and of a day, and success forgives the address alone", () => {
  let now = 0;
  const gate = new Gate({ now: () => now });
  const fail = (address: string, times: number) => {
    for (let i = 0; i < times; i++) gate.recordFailure(address, undefined);
  };
  fail("192.0.2.1", 9);
  assert.ok(!gate.isBlocked("192.0.2.1"));
  gate.recordSuccess("192.0.2.1");
  fail("192.0.2.1", 9);
  assert.ok(!gate.isBlocked("192.0.2.1"));
  fail("192.0.2.1", 1);
  assert.ok(gate.isBlocked("192.0.2.1"));
  assert.ok(!gate.isBlocked("192.0.2.2"));
  fail("192.0.2.2", 9);
  fail("192.0.2.3", 2);
  assert.ok(gate.isBlocked("192.0.2.9"), "30 failures of the /26");
  for (let minute = 1; minute <= 5; minute++) {
    now += 60_000;
    fail("198.51.100.1", 9);
  }
  now += 60_000;
  assert.ok(!gate.isBlocked("198.51.100.1"));
  fail("198.51.100.1", 5);
  assert.ok(gate.isBlocked("198.51.100.1"), "50 failures of a day");
  now += 24 * 3_600_000;
  assert.ok(!gate.isBlocked("198.51.100.1"));
});

Deno.test("a failed attempt's line has one form, and nobody can write into it", () => {
  const attempt: LoginAttempt = {
    time: 0,
    accountId: undefined,
    username: "alice@example.org",
    facts: {
      protocol: "imap",
      remote: { address: "192.0.2.7" },
      local: { address: "::1" },
      tls: undefined,
    },
    mechanism: "PLAIN",
    fingerprint: undefined,
    userAgent: undefined,
    result: "badpassword",
  };
  const rest = " remote=192.0.2.7 protocol=imap mechanism=PLAIN result=badpassword";
  const line = (username: string | undefined) => formatFailedAttempt({ ...attempt, username });
  assert.equal(
    line("alice@example.org"),
    `failed authentication: username="alice@example.org"${rest}`,
  );
  assert.equal(line(undefined), `failed authentication: username=-${rest}`);
  assert.equal(line("perhaps a password"), `failed authentication: username=-${rest}`);
  assert.equal(
    line('a" remote=1\\{x}é\n@b'),
    `failed authentication: username="a\\u0022\\u0020remote=1\\u005c\\u007bx\\u007d\\u00e9\\u000a@b"${rest}`,
  );
});
