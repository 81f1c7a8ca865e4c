import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeLatin1, encodeLatin1 } from "../../src/base/mod.ts";
import { findHeaderEnd, prepareHeader } from "../../src/delivery/submitted_header.ts";

const SENDER = { domain: "example.org", time: 0 };

function prepared(fields: string, policy = {}): string {
  return decodeLatin1(prepareHeader(encodeLatin1(fields), SENDER, policy).bytes);
}

Deno.test("the header ends before the first empty line, whatever ends its lines", () => {
  for (
    const [text, end] of [
      ["A: b\r\n\r\nc", 6],
      ["A: b\n\nc", 5],
      ["A: b\n\r\nc", 5],
      ["\r\nbody", 0],
      ["\nbody", 0],
      ["A: b\r\n", undefined],
      ["A: b\r\n\r", undefined],
      ["", undefined],
    ] as const
  ) {
    assert.equal(findHeaderEnd(encodeLatin1(text)), end, JSON.stringify(text));
  }
});

Deno.test("fields that stay are the same octets in the same order, for any header", () => {
  const kept = [
    "From: a@b.c",
    "X-Long: 1\r\n 2\r\n\t3",
    "subject:  x ",
    "Bccx: not Bcc",
    "To:\xe4\xff",
  ];
  const gone = ["Bcc: a@b.c", "bcc:\r\n a@b.c,\r\n b@b.c", "RESENT-BCC: x", "Return-Path: <a@b.c>"];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...kept, ...gone)), (fields) => {
      const has = "Date: today\r\nMessage-ID: <1@b.c>\r\n";
      const lines = (some: readonly string[]) => some.map((each) => `${each}\r\n`).join("");
      assert.equal(
        prepared(has + lines(fields)),
        has + lines(fields.filter((each) => kept.includes(each))),
      );
    }),
  );
});

Deno.test("any octets are a header, and preparing twice changes nothing more", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      const once = prepareHeader(octets, SENDER, {}).bytes;
      assert.deepEqual(prepareHeader(once, SENDER, {}).bytes, once);
    }),
  );
});

Deno.test("a client that shall be hidden leaves none of its fields", () => {
  const text =
    "Received: from phone\r\n\tby x\r\nX-Mailer: y\r\nDate: z\r\nMessage-ID: <1@b.c>\r\n";
  assert.equal(prepared(text, { hidesClient: true }), "Date: z\r\nMessage-ID: <1@b.c>\r\n");
  assert.equal(prepared(text), text);
});
