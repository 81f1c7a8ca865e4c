import assert from "node:assert/strict";
import { MAX_ADDRESS_BYTES, parseAddress, parseDomain } from "../../src/store/mod.ts";

Deno.test("an address is compared without case, and shown as it was given", () => {
  const address = parseAddress("Ann.O'Neil+List@Example.ORG");
  assert.equal(address.key, "ann.o'neil+list@example.org");
  assert.equal(address.display, "Ann.O'Neil+List@example.org");
});

Deno.test("composed and decomposed letters are the same address", () => {
  assert.equal(parseAddress("zoe\u0308@example.org").key, parseAddress("zo\u00eb@example.org").key);
});

Deno.test("a domain is one in any of its spellings", () => {
  for (
    const name of [
      "bücher.example",
      "BÜCHER.example",
      "bu\u0308cher.example",
      "xn--bcher-kva.example",
    ]
  ) {
    assert.equal(parseDomain(name), "bücher.example");
  }
  assert.equal(parseDomain("[192.0.2.1]"), "[192.0.2.1]");
  assert.equal(parseDomain("localhost"), "localhost");
});

Deno.test("the last @ divides, and a catch-all has nothing before it", () => {
  assert.equal(parseAddress('"a@b"@example.org').local, '"a@b"');
  assert.equal(parseAddress("@example.org", { allowCatchAll: true }).key, "@example.org");
});

Deno.test("what is no address is refused", () => {
  for (
    const text of [
      "",
      "ann",
      "@example.org",
      "ann@",
      "a b@example.org",
      "a\u0000@example.org",
      "ann@exa mple.org",
      "ann@example..org",
      "ann@.",
      "\ud800@example.org",
      "ann@xn--\u00fc.example",
    ]
  ) {
    assert.throws(() => parseAddress(text), { code: "invalid-name" }, JSON.stringify(text));
  }
});

Deno.test("an address has at most 254 octets", () => {
  const fitting = "a".repeat(MAX_ADDRESS_BYTES - "@example.org".length);
  assert.equal(parseAddress(fitting + "@example.org").display.length, MAX_ADDRESS_BYTES);
  assert.throws(() => parseAddress(fitting + "a@example.org"), { code: "invalid-name" });
});
