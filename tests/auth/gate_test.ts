import assert from "node:assert/strict";
import { DEFAULT_GATE_LIMITS, Gate, type GateLimits } from "../../src/auth/mod.ts";
import { networksOf } from "../../src/auth/networks.ts";

function build(limits: Partial<GateLimits> = {}, isExempt?: (address: string) => boolean) {
  const time = { now: 1_000_000 };
  const gate = new Gate({ now: () => time.now }, {
    limits: { ...DEFAULT_GATE_LIMITS, ...limits },
    ...(isExempt ? { isExempt } : {}),
  });
  return { gate, time };
}

Deno.test("networks are written as people write them", () => {
  assert.deepEqual(networksOf("192.0.2.200"), ["192.0.2.200/32", "192.0.2.192/26", "192.0.0.0/21"]);
  assert.deepEqual(networksOf("2001:db8:1:2:3:4:5:6"), [
    ...["2001:db8:1:2::/64", "2001:db8:1::/48", "2001:db8::/32"],
  ]);
});

Deno.test("an address has thirty connections, its networks three and nine times as many", () => {
  const { gate } = build();
  for (let i = 0; i < 30; i++) assert.equal(gate.enter("192.0.2.1"), undefined);
  assert.equal(gate.enter("192.0.2.1"), "open");
  for (const host of [2, 3]) {
    for (let i = 0; i < 30; i++) assert.equal(gate.enter(`192.0.2.${host}`), undefined);
  }
  assert.equal(gate.enter("192.0.2.4"), "open", "90 of the /26");
  for (let i = 0; i < 180; i++) assert.equal(gate.enter(`192.0.3.${i}`), undefined, String(i));
  assert.equal(gate.enter("192.0.4.1"), "open", "270 of the /21");
  gate.leave("192.0.2.1");
  assert.equal(gate.enter("192.0.2.1"), undefined);
});

Deno.test("an address connects three hundred times in a minute, and waits for its end", () => {
  const { gate, time } = build();
  const connect = (address: string) => {
    const refusal = gate.enter(address);
    if (refusal === undefined) gate.leave(address);
    return refusal;
  };
  for (let i = 0; i < 300; i++) assert.equal(connect("2001:db8::1"), undefined);
  assert.equal(connect("2001:db8::2"), "rate", "of the same /64");
  assert.equal(connect("2001:db8:0:1::1"), undefined);
  time.now += 59_999;
  assert.equal(connect("2001:db8::1"), "rate");
  const [record] = gate.takeChanges();
  assert.deepEqual(record?.network, "2001:db8::/64");
  assert.deepEqual(record?.ban, {
    reason: "301 connections in a minute",
    sinceMs: 1_000_000,
    untilMs: 1_060_000,
  });
  time.now += 1;
  assert.equal(connect("2001:db8::1"), undefined);
});

Deno.test("a limit of 0 is none", () => {
  const { gate } = build({ openConnections: 0, connectionsPerMinute: 0, failuresPerMinute: 0 });
  for (let i = 0; i < 1000; i++) assert.equal(gate.enter("192.0.2.1"), undefined);
  for (let i = 0; i < 49; i++) gate.recordFailure("192.0.2.1", undefined);
  assert.equal(gate.enter("192.0.2.1"), undefined);
  gate.recordFailure("192.0.2.1", undefined);
  assert.equal(gate.enter("192.0.2.1"), "failures");
});

Deno.test("this host, Unix sockets and whoever is exempt are never counted", () => {
  const { gate } = build({}, (address) => address.startsWith("10."));
  for (const address of ["127.0.0.1", "::1", "unix:/run/x", "10.1.2.3"]) {
    for (let i = 0; i < 1000; i++) {
      gate.recordFailure(address, undefined);
      assert.equal(gate.enter(address), undefined, address);
    }
    gate.leave(address);
  }
  assert.deepEqual(gate.takeChanges(), []);
});

Deno.test("a ban says why, of whom and until when", () => {
  const { gate, time } = build();
  for (let i = 0; i < 10; i++) gate.recordFailure("192.0.2.1", "bob@example.org");
  const banOf = (network: string) =>
    gate.takeChanges().find((record) => record.network === network)?.ban;
  assert.deepEqual(banOf("192.0.2.1/32"), {
    reason: "10 failed logins in a minute, the last from 192.0.2.1 for bob@example.org",
    sinceMs: 1_000_000,
    untilMs: 1_060_000,
  });
  for (let minute = 0; minute < 4; minute++) {
    time.now += 60_000;
    for (let i = 0; i < 10; i++) gate.recordFailure("192.0.2.1", undefined);
  }
  assert.deepEqual(banOf("192.0.2.1/32"), {
    reason: "50 failed logins in a day, the last from 192.0.2.1",
    sinceMs: 1_240_000,
    untilMs: 1_000_000 + 86_400_000,
  });
  time.now += 60_000;
  assert.equal(gate.enter("192.0.2.1"), "failures");
});

Deno.test("what was saved holds for the gate that loads it, and what others removed does not", () => {
  const { gate, time } = build();
  for (let i = 0; i < 10; i++) gate.recordFailure("192.0.2.1", undefined);
  const saved = gate.takeChanges();
  assert.deepEqual(gate.takeChanges(), []);
  const next = new Gate({ now: () => time.now });
  next.load(saved);
  assert.ok(next.isBlocked("192.0.2.1"));
  for (let i = 0; i < 20; i++) next.recordFailure("192.0.2.2", undefined);
  assert.ok(next.isBlocked("192.0.2.3"), "30 of the /26, before and after");
  next.load([]);
  assert.ok(!next.isBlocked("192.0.2.1"));
});

Deno.test("success forgives the address at once, its ban included", () => {
  const { gate } = build();
  for (let i = 0; i < 10; i++) gate.recordFailure("192.0.2.1", undefined);
  gate.recordSuccess("192.0.2.1");
  assert.ok(!gate.isBlocked("192.0.2.1"));
  assert.equal(
    gate.takeChanges().find(({ network }) => network === "192.0.2.1/32")?.ban,
    undefined,
  );
});
