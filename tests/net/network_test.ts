import assert from "node:assert/strict";
import fc from "fast-check";
import {
  contains,
  NetError,
  normaliseAddress,
  parseAddress,
  parseNetwork,
  writeAddress,
  writeNetwork,
} from "../../src/net/mod.ts";
import { parseIp, writeIp } from "../../src/net/network.ts";

Deno.test("an address is written in one spelling, IPv4-mapped as IPv4", () => {
  const cases = [
    ["::ffff:127.0.0.1", "127.0.0.1"],
    ["::FFFF:7F00:1", "127.0.0.1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["fe80::1%eth0", "fe80::1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["10.1.2.3", "10.1.2.3"],
    ["unix:/run/x", "unix:/run/x"],
  ] as const;
  for (const [text, expected] of cases) assert.equal(normaliseAddress(text), expected);
});

Deno.test("any 16 bytes survive being written and read", () => {
  fc.assert(fc.property(
    fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })), {
      minLength: 16,
      maxLength: 16,
    }),
    (bytes) => {
      assert.deepEqual([...parseIp(writeIp(Uint8Array.from(bytes))) ?? []], bytes);
    },
  ));
});

Deno.test("a network contains its addresses up to both edges and no more", () => {
  const cases: [string, string[], string[]][] = [
    ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], [
      "9.255.255.255",
      "11.0.0.0",
    ]],
    ["192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127", "192.0.3.0"]],
    ["192.0.2.7", ["192.0.2.7"], ["192.0.2.6", "::7"]],
    ["0.0.0.0/0", ["1.2.3.4"], ["::1", "2001:db8::1"]],
    ["::/0", ["1.2.3.4", "::1"], ["unix:/x", ""]],
    ["2001:db8::/33", ["2001:db8:7fff::"], ["2001:db8:8000::"]],
    ["::1/128", ["::1"], ["::2"]],
  ];
  for (const [network, inside, outside] of cases) {
    for (const address of inside) assert(contains(parseNetwork(network), address), address);
    for (const address of outside) assert(!contains(parseNetwork(network), address), address);
  }
});

Deno.test("host bits are dropped, and a network is written as it is read", () => {
  assert.equal(writeNetwork(parseNetwork("10.1.2.3/8")), "10.0.0.0/8");
  assert.equal(writeNetwork(parseNetwork("2001:DB8::1/32")), "2001:db8::/32");
  assert.equal(writeNetwork(parseNetwork("192.0.2.1")), "192.0.2.1/32");
});

Deno.test("what is no network is refused", () => {
  for (const text of ["", "10.0.0.0/33", "10.0.0/8", "::/129", "x/8", "10.0.0.0/", "10.0.0.0/-1"]) {
    assert.throws(() => parseNetwork(text), NetError, text);
  }
});

Deno.test("listening addresses are read and written", () => {
  for (const text of ["0.0.0.0:143", "[::]:993", "mail.example.org:0", "unix:/run/p.sock"]) {
    assert.equal(writeAddress(parseAddress(text)), text);
  }
  const bad = [
    "143",
    ":143",
    "::1:143",
    "[::1]",
    "[x]:1",
    "[1.2.3.4]:1",
    "host:65536",
    "unix:relative",
    "unix:/" + "x".repeat(107),
    "host:",
    "",
  ];
  for (const text of bad) assert.throws(() => parseAddress(text), NetError, text);
});
