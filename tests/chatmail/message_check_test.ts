import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concatBytes, encodeLatin1 } from "../../src/base/mod.ts";
import { MessageCheck, type MessageKind } from "../../src/chatmail/mod.ts";

function kindOf(message: string, split = 1 << 20): MessageKind {
  const bytes = encodeLatin1(message);
  const check = new MessageCheck();
  for (let at = 0; at < bytes.length; at += split) check.write(bytes.subarray(at, at + split));
  return check.end();
}

/** A packet of the new format with its length in so many octets. */
function packet(type: number, size: number, lengthOctets: 1 | 2 | 5 = 1): Bytes {
  const length = lengthOctets === 1
    ? [size]
    : lengthOctets === 2
    ? [192 + ((size - 192) >> 8), (size - 192) & 255]
    : [255, 0, size >> 16, (size >> 8) & 255, size & 255];
  return concatBytes([Uint8Array.of(0xc0 | type, ...length), new Uint8Array(size).fill(7)]);
}

/** The same of the old format. */
function oldPacket(type: number, size: number): Bytes {
  return concatBytes([
    Uint8Array.of(0x80 | type << 2 | 1, size >> 8, size & 255),
    new Uint8Array(size),
  ]);
}

/** Data in pieces: 512 octets twice, then ten. */
const partialData = concatBytes([
  Uint8Array.of(0xd2, 0xe9),
  new Uint8Array(512),
  Uint8Array.of(0xe9),
  new Uint8Array(512),
  Uint8Array.of(10),
  new Uint8Array(10),
]);

function armor(packets: readonly Bytes[], headers = ""): string {
  const lines = concatBytes(packets).toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN PGP MESSAGE-----\r\n${headers}\r\n${lines.join("\r\n")}\r\n=abcd\r\n` +
    "-----END PGP MESSAGE-----\r\n";
}

const GOOD = [packet(1, 100), packet(3, 20), packet(18, 300, 2)];

function mime(
  body: string,
  changes: {
    header?: string;
    control?: string;
    preamble?: string;
    epilogue?: string;
    more?: string;
    second?: string;
  } = {},
): string {
  return `From: a@example.org\r\n${
    changes.header ??
      'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted";\r\n boundary="b1"\r\n'
  }\r\n${changes.preamble ?? ""}--b1\r\nContent-Type: application/pgp-encrypted\r\n\r\n${
    changes.control ?? "Version: 1\r\n"
  }\r\n--b1\r\n${
    changes.second ?? 'Content-Type: application/octet-stream; name="encrypted.asc"\r\n'
  }\r\n${body}\r\n${changes.more ?? ""}--b1--\r\n${changes.epilogue ?? ""}`;
}

Deno.test("OpenPGP in MIME is encrypted mail, in every form of its packets", () => {
  for (
    const packets of [
      GOOD,
      [packet(18, 10)],
      [packet(1, 100, 5), packet(18, 70_000, 5)],
      [oldPacket(1, 268), packet(18, 200, 2)],
      [packet(1, 100), partialData],
    ]
  ) {
    assert.equal(kindOf(mime(armor(packets))), "encrypted");
  }
  assert.equal(
    kindOf(mime(armor(GOOD, "Version: X 1.0\r\nComment: https://example.org\r\n"))),
    "encrypted",
  );
  assert.equal(
    kindOf(mime(armor(GOOD), { preamble: "This is an OpenPGP/MIME message.\r\n" })),
    "encrypted",
  );
  assert.equal(kindOf(mime(armor(GOOD)).replaceAll("\r\n", "\n")), "encrypted");
  const base64 = encodeLatin1(armor(GOOD)).toBase64().match(/.{1,76}/g)?.join("\r\n") ?? "";
  const second = "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n";
  assert.equal(kindOf(mime(base64, { second })), "encrypted");
});

Deno.test("what only looks encrypted is not", () => {
  const wrong: [why: string, message: string][] = [
    ["literal data", mime(armor([packet(1, 100), packet(11, 50)]))],
    ["compressed data", mime(armor([packet(8, 50)]))],
    ["a signature before it", mime(armor([packet(2, 50), ...GOOD]))],
    ["keys alone", mime(armor([packet(1, 100)]))],
    ["something behind the data", mime(armor([...GOOD, packet(1, 4)]))],
    ["a packet that is cut off", mime(armor([concatBytes(GOOD).subarray(0, -1)]))],
    ["a packet of unknown length", mime(armor([Uint8Array.of(0x87), ...GOOD]))],
    ["a key in pieces", mime(armor([Uint8Array.of(0xc1, 0xe0, 1, 1, 1), packet(18, 9)]))],
    ["no OpenPGP at all", mime(armor([encodeLatin1("Hello, this is text for people to read")]))],
    ["text in place of armor", mime("hello there\r\n")],
    ["text before the armor", mime(`hello\r\n${armor(GOOD)}`)],
    ["text behind the armor", mime(`${armor(GOOD)}hello\r\n`)],
    ["text in the armor's header", mime(armor(GOOD, "Hello there\r\n"))],
    ["armor without end", mime(armor(GOOD).replace(/-----END.*/, ""))],
    ["another version", mime(armor(GOOD), { control: "Version: 1\r\nand a greeting\r\n" })],
    ["a third part", mime(armor(GOOD), { more: "--b1\r\n\r\nhello\r\n" })],
    ["text behind the parts", mime(armor(GOOD), { epilogue: "hello\r\n" })],
    ["much before the parts", mime(armor(GOOD), { preamble: "hello\r\n".repeat(103) })],
    ["no end", mime(armor(GOOD)).replace("--b1--", "")],
    [
      "another type",
      mime(armor(GOOD), { header: "Content-Type: multipart/mixed; boundary=b1\r\n" }),
    ],
    [
      "two types",
      mime(armor(GOOD), {
        header: "Content-Type: multipart/encrypted; boundary=b1\r\nContent-Type: text/plain\r\n",
      }),
    ],
    ["a text as the second part", mime(armor(GOOD), { second: "Content-Type: text/plain\r\n" })],
    ["a plain message", "From: a@example.org\r\n\r\nhello\r\n"],
    ["armor without MIME", `From: a@example.org\r\n\r\n${armor(GOOD)}`],
    ["nothing", ""],
  ];
  for (const [why, message] of wrong) assert.equal(kindOf(message), "clear", why);
});

Deno.test("a secure join begins in clear, with one line and no more", () => {
  const join = (header: string, body: string) =>
    kindOf(`From: a@example.org\r\nSubject: x\r\n${header}\r\n${body}`);
  const header = "Secure-Join: vc-request\r\n";
  const multipart = `${header}Content-Type: multipart/mixed; boundary=b\r\n`;
  const part = "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nSecure-Join: vc-request\r\n";
  assert.equal(join(header, "secure-join: vc-request\r\n"), "secure-join");
  assert.equal(join("Secure-Join: vg-request\r\n", "Secure-Join: vg-request\r\n"), "secure-join");
  assert.equal(join(multipart, `${part}--b--\r\n`), "secure-join");
  assert.equal(join(header, "secure-join: vc-request\r\nand more\r\n"), "clear");
  assert.equal(join("Secure-Join: vc-auth\r\n", "secure-join: vc-auth\r\n"), "clear");
  assert.equal(join("", "secure-join: vc-request\r\n"), "clear");
  assert.equal(join(multipart, `${part}${part}--b--\r\n`), "clear");
  assert.equal(join(multipart, `hello\r\n${part}--b--\r\n`), "clear");
  assert.equal(
    join(`${header}Content-Type: text/html\r\n`, "secure-join: vc-request\r\n"),
    "clear",
  );
});

Deno.test("a report of failed delivery comes from a mail system that says so", () => {
  const report = (from: string, submitted: string, type = "multipart/report; boundary=b") =>
    kindOf(
      `From: ${from}\r\n${submitted}Content-Type: ${type}\r\n\r\n--b\r\n\r\nfailed\r\n--b--\r\n`,
    );
  const automatic = "Auto-Submitted: auto-replied\r\n";
  assert.equal(report("Mail <MAILER-DAEMON@example.net>", automatic), "report");
  assert.equal(report("a@example.net", automatic), "clear");
  assert.equal(report("mailer-daemon@example.net", ""), "clear");
  assert.equal(report("mailer-daemon@example.net", "Auto-Submitted: no\r\n"), "clear");
  assert.equal(report("mailer-daemon@example.net", automatic, "text/plain"), "clear");
});

Deno.test("how a message is split says nothing about it, and nothing throws", () => {
  const samples = [
    mime(armor(GOOD)),
    mime(armor([packet(1, 100), partialData])),
    mime(armor(GOOD), { epilogue: "x" }),
    "Secure-Join: vc-request\r\n\r\nsecure-join: vc-request\r\n",
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.integer({ min: 1, max: 200 }),
      fc.option(fc.tuple(fc.nat(4000), fc.nat(255))),
      (message, split, change) => {
        const [at, code] = change ?? [0, message.charCodeAt(0)];
        const place = at % message.length;
        const changed = message.slice(0, place) + String.fromCharCode(code) +
          message.slice(place + 1);
        assert.equal(kindOf(changed, split), kindOf(changed));
      },
    ),
    { numRuns: 500 },
  );
});
