import assert from "node:assert/strict";
import { parseClientHello } from "../../src/net/client_hello.ts";
import { parseProxyHeader, writeProxyHeader } from "../../src/net/proxy_protocol.ts";
import { tokensOf } from "./mutate.ts";
import type { Target } from "./target.ts";

const V4 = { address: "192.0.2.1", port: 143 };
const V6 = { address: "2001:db8::1", port: 65535 };

const proxy: Target = {
  name: "proxy",
  corpus: [
    writeProxyHeader(V4, V4),
    writeProxyHeader(V6, V4),
    writeProxyHeader({ address: "unix:", port: 0 }, V4),
    ...tokensOf(
      "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nx",
      "PROXY TCP6 ::1 2001:db8::1 65535 0\r\n",
      "PROXY UNKNOWN x\r\n",
    ),
  ],
  tokens: tokensOf("PROXY ", "TCP4", "TCP6", "UNKNOWN", " ", "\r\n", "::", "65536", "\x21\x11"),
  maxMs: 100,
  run(input) {
    const whole = parseProxyHeader(input);
    if (whole.kind !== "header") return;
    assert.ok(whole.length <= input.length);
    assert.deepEqual(parseProxyHeader(input.subarray(0, whole.length)), whole);
    for (let length = 0; length < whole.length; length++) {
      assert.equal(parseProxyHeader(input.subarray(0, length)).kind, "needMore");
    }
  },
};

/** A ClientHello with these extensions. */
function hello(...extensions: readonly (readonly [type: number, data: readonly number[]])[]) {
  const two = (n: number) => [n >> 8, n & 0xff];
  const all = extensions.flatMap(([type, data]) => [...two(type), ...two(data.length), ...data]);
  const body = [3, 3, ...Array(32).fill(7), 0, 0, 2, 0x13, 1, 1, 0, ...two(all.length), ...all];
  const handshake = [1, 0, ...two(body.length), ...body];
  return Uint8Array.from([22, 3, 1, ...two(handshake.length), ...handshake]);
}
const text = (value: string) => [...value].map((char) => char.charCodeAt(0));
const SNI = [0, 14, 0, 0, 11, ...text("example.org")] as const;
const ALPN = [0, 14, 4, ...text("imap"), 8, ...text("http/1.1")] as const;

const clientHello: Target = {
  name: "client-hello",
  corpus: [
    hello(),
    hello([0, SNI]),
    hello([16, ALPN]),
    hello([0, SNI], [16, ALPN], [43, [2, 3, 4]]),
  ],
  tokens: tokensOf("\x16\x03\x01", "\0\x10", "\0\0", "\x04imap", "\x02h2", "\xff\xff", "\x01"),
  maxMs: 100,
  run(input) {
    const whole = parseClientHello(input);
    if (whole.kind !== "hello") return;
    for (const name of whole.alpn) assert.ok(name.length > 0 && name.length < 256);
    // No beginning of it is taken for a hello that asks for something else.
    for (let length = 0; length < input.length; length += 1 + Math.floor(input.length / 200)) {
      const part = parseClientHello(input.subarray(0, length));
      assert.ok(part.kind === "needMore" || part.kind === "hello", part.kind);
      if (part.kind === "hello") assert.deepEqual(part, whole);
      else assert.ok(part.atLeast > length);
    }
  },
};

export const netTargets: readonly Target[] = [proxy, clientHello];
