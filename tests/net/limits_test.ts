import assert from "node:assert/strict";
import { encodeLatin1 } from "../../src/base/mod.ts";
import { MAX_PROXY_V1_LINE, MAX_PROXY_V2_HEADER } from "../../src/net/limits.ts";
import { parseProxyHeader } from "../../src/net/proxy_protocol.ts";

Deno.test("a PROXY line has MAX_PROXY_V1_LINE octets at most", () => {
  const line = (octets: number) => {
    const text = `PROXY UNKNOWN ${"x".repeat(octets - "PROXY UNKNOWN \r\n".length)}\r\n`;
    return parseProxyHeader(encodeLatin1(text));
  };
  const longest = line(MAX_PROXY_V1_LINE);
  assert.equal(longest.kind === "header" && longest.length, MAX_PROXY_V1_LINE);
  assert.equal(line(MAX_PROXY_V1_LINE + 1).kind, "invalid");
  const open = (octets: number) =>
    parseProxyHeader(encodeLatin1("PROXY UNKNOWN ".padEnd(octets, "x"))).kind;
  assert.equal(open(MAX_PROXY_V1_LINE - 1), "needMore");
  assert.equal(open(MAX_PROXY_V1_LINE), "invalid");
});

Deno.test("a binary PROXY header has MAX_PROXY_V2_HEADER octets at most", () => {
  const header = (octets: number) => {
    const size = octets - 16;
    const start = [
      13,
      10,
      13,
      10,
      0,
      13,
      10,
      0x51,
      0x55,
      0x49,
      0x54,
      10,
      0x20,
      0,
      size >> 8,
      size & 255,
    ];
    return parseProxyHeader(Uint8Array.from([...start, ...new Uint8Array(size)]));
  };
  const longest = header(MAX_PROXY_V2_HEADER);
  assert.equal(longest.kind === "header" && longest.length, MAX_PROXY_V2_HEADER);
  assert.equal(header(MAX_PROXY_V2_HEADER + 1).kind, "invalid");
});
