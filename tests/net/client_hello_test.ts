import assert from "node:assert/strict";
import fc from "fast-check";
import { parseClientHello } from "../../src/net/client_hello.ts";
import { MAX_CLIENT_HELLO, MAX_CLIENT_HELLO_RECORDS } from "../../src/net/limits.ts";
import { ascii, buildClientHello } from "./support.ts";

Deno.test("name and protocols are read, the name in lower case", () => {
  assert.deepEqual(
    parseClientHello(buildClientHello({ sni: "Mail.Example.ORG", alpn: ["h2", "imap"] })),
    {
      kind: "hello",
      sni: "mail.example.org",
      alpn: ["h2", "imap"],
    },
  );
  assert.deepEqual(parseClientHello(buildClientHello()), {
    kind: "hello",
    sni: undefined,
    alpn: [],
  });
  assert.deepEqual(parseClientHello(buildClientHello({ padding: 9 })), {
    kind: "hello",
    sni: undefined,
    alpn: [],
  });
});

Deno.test("a name that is no host name is taken for none", () => {
  for (const sni of ["a b", "x\0y", "../etc", "", "x".repeat(254)]) {
    const parsed = parseClientHello(buildClientHello({ sni, alpn: ["imap"] }));
    assert.deepEqual(parsed, { kind: "hello", sni: undefined, alpn: ["imap"] });
  }
});

Deno.test("every proper prefix needs more, and never more than there is", () => {
  for (const recordSize of [16_384, 100, 7, 1]) {
    const hello = buildClientHello({ sni: "localhost", alpn: ["imap"], recordSize });
    for (let length = 0; length < hello.length; length++) {
      const parsed = parseClientHello(hello.subarray(0, length));
      assert(parsed.kind === "needMore", `${recordSize} ${length} ${parsed.kind}`);
      assert(parsed.atLeast > length && parsed.atLeast <= hello.length);
    }
    assert.deepEqual(parseClientHello(hello), { kind: "hello", sni: "localhost", alpn: ["imap"] });
  }
});

Deno.test("a hello over several full records is read", () => {
  const hello = buildClientHello({ padding: 40_000, alpn: ["imap"] });
  assert(hello.length > 2 * 16_384);
  assert.equal(parseClientHello(hello).kind, "hello");
});

Deno.test("a hello may fill the limit and not exceed it", () => {
  const emptyLength = buildClientHello({ padding: 0 }).length;
  // Four records: three more headers of five bytes than the empty one has.
  const largest = MAX_CLIENT_HELLO - emptyLength - 3 * 5;
  const atLimit = buildClientHello({ padding: largest });
  assert.equal(atLimit.length, MAX_CLIENT_HELLO);
  assert.equal(parseClientHello(atLimit).kind, "hello");
  assert.equal(parseClientHello(buildClientHello({ padding: largest + 1 })).kind, "tooBig");
});

Deno.test("a hello may come in 1,024 records and no more", () => {
  // One byte a record: padding makes up the number.
  const bare = (buildClientHello({ padding: 0, recordSize: 1 }).length) / 6;
  const records = (count: number) => buildClientHello({ padding: count - bare, recordSize: 1 });
  assert.equal(parseClientHello(records(MAX_CLIENT_HELLO_RECORDS)).kind, "hello");
  assert.equal(parseClientHello(records(MAX_CLIENT_HELLO_RECORDS + 1)).kind, "tooBig");
});

Deno.test("what is not TLS is told apart by its first bytes", () => {
  for (
    const text of ["GET / HTTP/1.1\r\n", "a1 NOOP\r\n", "\x80\x2e\x01", "\x16\x02", "\x15\x03\x01"]
  ) {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    assert.equal(parseClientHello(bytes).kind, "notTls", JSON.stringify(text));
  }
  const serverHello = buildClientHello();
  serverHello[5] = 2;
  assert.equal(parseClientHello(serverHello).kind, "notTls");
  assert.equal(parseClientHello(ascii("")).kind, "needMore");
});

Deno.test("lengths that contradict each other are malformed", () => {
  const good = buildClientHello({ sni: "localhost", alpn: ["imap"] });
  const trailing = Uint8Array.from(good);
  trailing[8] = trailing[8]! - 1; // the message ends a byte before its record
  assert.equal(parseClientHello(trailing).kind, "malformed");
  assert.equal(parseClientHello(buildClientHello({ alpn: [] })).kind, "malformed");
  assert.equal(parseClientHello(buildClientHello({ alpn: [""] })).kind, "malformed");
  const empty = Uint8Array.from([
    ...buildClientHello({ recordSize: 100 }).subarray(0, 105),
    22,
    3,
    1,
    0,
    0,
  ]);
  const parsed = parseClientHello(empty);
  assert(parsed.kind === "malformed" || parsed.kind === "hello");
});

Deno.test("random and spliced bytes never make the parser throw or ask for more than its limit", () => {
  const base = buildClientHello({ sni: "localhost", alpn: ["imap", "http/1.1"], recordSize: 60 });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      fc.nat(base.length),
      fc.nat(base.length),
      (noise, cut, resume) => {
        const bytes = Uint8Array.from([
          ...base.subarray(0, cut),
          ...noise,
          ...base.subarray(resume),
        ]);
        const parsed = parseClientHello(bytes);
        if (parsed.kind === "needMore") {
          assert(parsed.atLeast > bytes.length && parsed.atLeast <= MAX_CLIENT_HELLO);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

Deno.test("one changed byte never makes the parser throw", () => {
  const base = buildClientHello({ sni: "localhost", alpn: ["imap"] });
  for (let i = 0; i < base.length; i++) {
    for (const value of [0, 1, 127, 255]) {
      const bytes = Uint8Array.from(base);
      bytes[i] = value;
      assert(typeof parseClientHello(bytes).kind === "string");
    }
  }
});
