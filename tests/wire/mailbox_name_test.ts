import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeModifiedUtf7, encodeModifiedUtf7, WireError } from "../../src/wire/mod.ts";

/** Names and their one spelling (RFC 3501 5.1.3). */
const NAMES: Readonly<Record<string, string>> = {
  "": "",
  "INBOX": "INBOX",
  "&": "&-",
  "&&": "&-&-",
  "a&b": "a&-b",
  "é": "&AOk-",
  "é&": "&AOk-&-",
  "&é": "&-&AOk-",
  "éa€": "&AOk-a&IKw-",
  "é-€": "&AOk--&IKw-",
  "-": "-",
  "~peter/mail/台北/日本語": "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
  "𝄞": "&2DTdHg-",
  "\x7f": "&AH8-",
  "\n": "&AAo-",
  "\0": "&AAA-",
};

const MALFORMED: Readonly<Record<string, string>> = {
  "octets above ASCII": "\xe9",
  "a control character": "a\tb",
  "DEL": "\x7f",
  "no end of the shift": "&AOk",
  "nothing but a shift": "&",
  "a shift within a shift": "&AO&k-",
  "a slash of ordinary base64": "&AA/-",
  "padding": "&AOk=-",
  "a space": "&A Ok-",
  "a character that is not base64": "&AO.k-",
  "half a unit": "&AA-",
  "one base64 character": "&A-",
  "one base64 character too many": "&AOkA-",
  "bits left over": "&AOl-",
  "half a pair": "&2DQ-",
  "the second half of a pair": "&3R4-",
  "pairs in the wrong order": "&3R7YNA-",
  "printable ASCII in base64": "&AGE-",
  "printable ASCII among the rest": "&AOkAYQ-",
  "& in base64": "&ACY-",
  "out of base64 and in again": "&AOk-&IKw-",
  "out of base64 and in again, later": "a&-&AOk-&IKw-",
};

Deno.test("names have the spelling of RFC 3501 5.1.3, and it is read back", () => {
  for (const [name, encoded] of Object.entries(NAMES)) {
    assert.equal(encodeModifiedUtf7(name), encoded);
    assert.equal(decodeModifiedUtf7(encoded), name);
  }
});

Deno.test("every malformed spelling is refused", () => {
  for (const [why, encoded] of Object.entries(MALFORMED)) {
    assert.throws(() => decodeModifiedUtf7(encoded), WireError, why);
    assert.throws(() => decodeModifiedUtf7(`x${encoded}`), WireError, why);
  }
});

Deno.test("decoding takes encoding back, for any name", () => {
  const name = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(..."a-&é€+,/𝄞\n") }),
  );
  fc.assert(
    fc.property(name, (text) => {
      assert.equal(decodeModifiedUtf7(encodeModifiedUtf7(text)), text);
      assert.match(encodeModifiedUtf7(text), /^[\x20-\x7e]*$/);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a name has one spelling: what is decoded encodes to what it was, the rest is refused", () => {
  const encoded = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."&-AOkIKw2DTdHg,+/=a"), maxLength: 16 }),
    fc.array(fc.constantFrom(...Object.values(NAMES), "&", "-", "A", "AA"), { maxLength: 5 })
      .map((parts) => parts.join("")),
    fc.string({ maxLength: 10 }),
  );
  let accepted = 0;
  fc.assert(
    fc.property(encoded, (text) => {
      let name: string;
      try {
        name = decodeModifiedUtf7(text);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        return;
      }
      accepted++;
      assert.equal(encodeModifiedUtf7(name), text);
    }),
    { numRuns: 3000 },
  );
  assert.ok(accepted > 100);
});

Deno.test("names made to be slow take time in proportion", () => {
  for (const text of ["&".repeat(100_000), "&-".repeat(50_000), "&AOk-a".repeat(20_000)]) {
    const started = performance.now();
    try {
      decodeModifiedUtf7(text);
    } catch (error) {
      assert.ok(error instanceof WireError);
    }
    assert.ok(performance.now() - started < 1000);
  }
});
