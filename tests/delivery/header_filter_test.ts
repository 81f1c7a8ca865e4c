import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, decodeUtf8, encodeUtf8 } from "../../src/base/mod.ts";
import { HeaderFilter } from "../../src/delivery/header_filter.ts";
import { MAX_FILTERED_HEADER_BYTES } from "../../src/delivery/limits.ts";

const NAMES = ["DKIM-Signature", "Received"];

/** The message when it comes in pieces of so many octets. */
function filter(text: string, pieceBytes = text.length): string {
  const bytes = encodeUtf8(text);
  const filter = new HeaderFilter(NAMES);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    pieces.push(filter.write(bytes.subarray(at, at + pieceBytes)));
  }
  return decodeUtf8(concatBytes([...pieces, filter.end()]));
}

Deno.test("fields go from the header, with their folded lines, and from nowhere else", () => {
  const kept = "From: a@b\r\nSubject: Received: no\r\n\tReceived: folded\r\n";
  const body = "\r\n--b\r\nReceived: in a part\r\n\r\nDKIM-Signature: in the body\r\n";
  const message =
    `received: from x\r\n\tby y\r\nDKIM-Signature: v=1\r\n${kept}Received: z\r\n${body}`;
  for (const piece of [1, 2, 3, 7, message.length]) {
    assert.equal(filter(message, piece), kept + body);
  }
  assert.equal(filter("Received: x\r\nA: b\r\n", 1), "A: b\r\n", "a header alone");
  assert.equal(filter("\r\nReceived: x\r\n", 1), "\r\nReceived: x\r\n", "no header");
  assert.equal(filter(""), "");
});

Deno.test("a header is looked at up to its bound, and one beyond stays as it is", () => {
  const first = "Received: x\r\n";
  const rest = (size: number) => `X: ${"x".repeat(size - first.length - 5)}\r\n`;
  const within = rest(MAX_FILTERED_HEADER_BYTES);
  assert.equal(filter(`${first}${within}\r\nbody`, 65_536), `${within}\r\nbody`);
  const beyond = `${first}${rest(MAX_FILTERED_HEADER_BYTES + 1)}\r\nbody`;
  assert.equal(filter(beyond, 65_536), beyond);
});

Deno.test("a message without such fields is the same octets, however it is split", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("A: b\r\n", "C: d\r\n\te\r\n", "X-Received: f\n", "Ü: g\r\n")),
      fc.string(),
      fc.integer({ min: 1, max: 9 }),
      (fields, body, piece) => {
        const text = `${fields.join("")}\r\n${body}`;
        assert.equal(filter(text, piece), decodeUtf8(encodeUtf8(text)));
      },
    ),
  );
});
