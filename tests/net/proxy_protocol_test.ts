import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_PROXY_V2_HEADER } from "../../src/net/limits.ts";
import { parseProxyHeader, writeProxyHeader } from "../../src/net/proxy_protocol.ts";
import { ascii } from "./support.ts";

const V2_START = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

const V1_TCP4 = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";
const V1_TCP6 = "PROXY TCP6 2001:DB8::1 2001:db8:0:0::2 1 65535\r\n";

Deno.test("a version 1 header gives both ends", () => {
  assert.deepEqual(parseProxyHeader(ascii(V1_TCP4 + "rest")), {
    kind: "header",
    length: V1_TCP4.length,
    addresses: {
      source: { address: "192.0.2.1", port: 56324 },
      destination: { address: "198.51.100.2", port: 443 },
    },
  });
  assert.deepEqual(parseProxyHeader(ascii(V1_TCP6)), {
    kind: "header",
    length: V1_TCP6.length,
    addresses: {
      source: { address: "2001:db8::1", port: 1 },
      destination: { address: "2001:db8::2", port: 65535 },
    },
  });
});

Deno.test("a version 1 proxy that does not know whom it speaks for is believed", () => {
  for (const line of ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"]) {
    assert.deepEqual(parseProxyHeader(ascii(line)), {
      kind: "header",
      length: line.length,
      addresses: undefined,
    });
  }
});

Deno.test("a version 1 line that is not exactly as specified is invalid", () => {
  const lines = [
    "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n",
    "PROXY TCP4 192.0.2.1 198.51.100.2 56324 65536\r\n",
    "PROXY TCP4 192.0.2.1  198.51.100.2 56324 443\r\n",
    "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
    "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.2 443\r\n",
    "PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n",
    "PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n",
    "PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n",
    "proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n",
    "a1 LOGIN x y\r\n",
  ];
  for (const line of lines) assert.equal(parseProxyHeader(ascii(line)).kind, "invalid", line);
});

Deno.test("a version 1 line may have 107 bytes with its CRLF, and not one more", () => {
  const line = (length: number) => `PROXY UNKNOWN ${"x".repeat(length - 16)}\r\n`;
  assert.equal(line(107).length, 107);
  assert.equal(parseProxyHeader(ascii(line(107))).kind, "header");
  assert.equal(parseProxyHeader(ascii(line(108))).kind, "invalid");
  assert.equal(parseProxyHeader(ascii(line(200).slice(0, 106))).kind, "needMore");
  assert.equal(parseProxyHeader(ascii(line(200).slice(0, 107))).kind, "invalid");
});

Deno.test("a version 2 header gives both ends, fields of the proxy's own skipped", () => {
  const header = (family: number, body: number[]) =>
    Uint8Array.from([...V2_START, 0x21, family, body.length >> 8, body.length & 0xff, ...body]);
  const tlv = [0x04, 0, 3, 1, 2, 3];
  assert.deepEqual(
    parseProxyHeader(header(0x11, [192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 4, 1, 0xbb, ...tlv])),
    {
      kind: "header",
      length: 16 + 12 + 6,
      addresses: {
        source: { address: "192.0.2.1", port: 56324 },
        destination: { address: "198.51.100.2", port: 443 },
      },
    },
  );
  const six = [0x20, 1, 0x0d, 0xb8, ...new Array(11).fill(0), 1];
  assert.deepEqual(parseProxyHeader(header(0x21, [...six, ...six, 0, 1, 0, 2])), {
    kind: "header",
    length: 16 + 36,
    addresses: {
      source: { address: "2001:db8::1", port: 1 },
      destination: { address: "2001:db8::1", port: 2 },
    },
  });
  // An IPv6 proxy that writes an IPv4 client as mapped must not hide it from IPv4 networks.
  const mapped = [...new Array(10).fill(0), 0xff, 0xff, 10, 0, 0, 1];
  const parsed = parseProxyHeader(header(0x21, [...mapped, ...mapped, 0, 1, 0, 2]));
  assert.equal(parsed.kind === "header" && parsed.addresses?.source.address, "10.0.0.1");
  assert.equal(parseProxyHeader(header(0x11, new Array(11).fill(1))).kind, "invalid");
  assert.equal(parseProxyHeader(header(0x21, new Array(35).fill(1))).kind, "invalid");
});

Deno.test("version 2 LOCAL, Unix and unspecified peers leave the connection's own addresses", () => {
  for (
    const [command, family, size] of [[0x20, 0, 0], [0x20, 0x11, 12], [0x21, 0, 0], [
      0x21,
      0x31,
      216,
    ]]
  ) {
    const bytes = Uint8Array.from([
      ...V2_START,
      command!,
      family!,
      0,
      size!,
      ...new Array(size).fill(0),
    ]);
    assert.deepEqual(parseProxyHeader(bytes), {
      kind: "header",
      length: 16 + size!,
      addresses: undefined,
    });
  }
});

Deno.test("version 2 with another version, command or an oversized length is invalid", () => {
  const at = (command: number, size: number) =>
    parseProxyHeader(Uint8Array.from([...V2_START, command, 0x11, size >> 8, size & 0xff])).kind;
  assert.equal(at(0x11, 12), "invalid");
  assert.equal(at(0x22, 12), "invalid");
  assert.equal(at(0x21, MAX_PROXY_V2_HEADER - 16), "needMore");
  assert.equal(at(0x21, MAX_PROXY_V2_HEADER - 15), "invalid");
});

Deno.test("every proper prefix of a header needs more, and the whole of it no more", () => {
  const headers = [
    ascii(V1_TCP4),
    ascii(V1_TCP6),
    ascii("PROXY UNKNOWN\r\n"),
    writeProxyHeader({ address: "192.0.2.1", port: 1 }, { address: "192.0.2.2", port: 2 }),
    writeProxyHeader({ address: "::1", port: 1 }, { address: "192.0.2.2", port: 2 }),
  ];
  for (const header of headers) {
    for (let length = 0; length < header.length; length++) {
      assert.equal(parseProxyHeader(header.subarray(0, length)).kind, "needMore");
    }
    assert.equal(parseProxyHeader(header).kind, "header");
  }
});

Deno.test("what is written is read back", () => {
  const endpoint = fc.record({
    address: fc.oneof(
      fc.ipV4(),
      fc.constantFrom("2001:db8::1", "::1", "fe80::1:2:3"),
    ),
    port: fc.integer({ min: 0, max: 65535 }),
  }, { noNullPrototype: true });
  fc.assert(fc.property(endpoint, endpoint, (source, destination) => {
    const header = writeProxyHeader(source, destination);
    assert.deepEqual(parseProxyHeader(header), {
      kind: "header",
      length: header.length,
      addresses: { source, destination },
    });
  }));
  const local = writeProxyHeader({ address: "unix:/x", port: 0 }, { address: "::1", port: 1 });
  assert.deepEqual(parseProxyHeader(local), { kind: "header", length: 16, addresses: undefined });
});

Deno.test("random bytes, whole or spliced into a header, never make the parser throw", () => {
  const valid = writeProxyHeader({ address: "::1", port: 1 }, { address: "::2", port: 2 });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(valid, ascii(V1_TCP4), new Uint8Array(0)),
      fc.nat(60),
      (noise, base, cut) => {
        const bytes = Uint8Array.from([...base.subarray(0, cut), ...noise]);
        const parsed = parseProxyHeader(bytes);
        if (parsed.kind === "header") assert(parsed.length <= bytes.length);
        if (parsed.kind === "needMore") assert(bytes.length < MAX_PROXY_V2_HEADER);
      },
    ),
    { numRuns: 2000 },
  );
});
