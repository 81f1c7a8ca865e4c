import assert from "node:assert/strict";
import {
  checkDocs,
  checkFrontDoor,
  checkReferences,
  parseSections,
} from "../../scripts/check_docs.ts";

const RFC_9051 = new Set(["6", "6.4", "6.4.5", "B", "B.1"]);
const lookup = (rfc: string) => rfc === "9051" ? RFC_9051 : undefined;

/** What is said about a file with this text, as `line: message`. */
function complaints(text: string): string[] {
  return checkReferences("a.ts", text, lookup).map(({ line, message }) => `${line}: ${message}`);
}

Deno.test("sections come from headings, contents and appendices, not from running text", () => {
  const text = [
    "   6.4.5.  FETCH Command ............. 70",
    "6.4.8.  UID Command",
    "7   Security",
    "   Appendix B.  Changes",
    "   B.1.  More",
    "   see section 9.9 for more",
  ].join("\n");
  assert.deepEqual([...parseSections(text)], ["6.4.5", "6.4.8", "7", "B", "B.1"]);
});

Deno.test("a reference to a section that exists is accepted", () => {
  assert.deepEqual(
    complaints("// RFC 9051 6.4.5, RFC 9051, RFC 9051 appendix B.1 (RFC 9051 B.1)."),
    [],
  );
});

Deno.test("a reference to a section that does not exist is found, with its line", () => {
  assert.deepEqual(complaints("\n// see RFC 9051 6.4.6.\n"), ["2: RFC 9051 has no section 6.4.6"]);
});

Deno.test("a reference that runs over the end of a comment line is read whole", () => {
  const text = "/**\n * As RFC\n * 9051 6.4.5 or RFC 9051\n * 6.6 says.\n */\n// RFC 9051\n// 6.7.";
  assert.deepEqual(complaints(text), [
    "3: RFC 9051 has no section 6.6",
    "6: RFC 9051 has no section 6.7",
  ]);
});

Deno.test("an RFC without a text is found", () => {
  assert.deepEqual(complaints("// RFC 1234 5"), ["1: the text of RFC 1234 is not at hand"]);
});

Deno.test("other spellings are found", () => {
  for (
    const text of ["RFC9051 6.4", "RFC 9051 section 6.4", "RFC 9051, Section 6", "RFC 9051 §6"]
  ) {
    assert.match(complaints(`// ${text}`).join(), /should be written like/, text);
  }
});

Deno.test("a word that follows is not taken for a section", () => {
  assert.deepEqual(complaints("// RFC 9051 A client; RFC 9051 63-bit; RFC 9051 16x"), []);
});

Deno.test("a front door opens with the room's laws", () => {
  const good = "/**\n * net: sockets. Laws: none.\n */\nexport {};";
  assert.deepEqual(checkFrontDoor("src/net/mod.ts", "net", good), []);
  for (const bad of ["", "export {};", "/** net: sockets */", "/**\n * wire: x. Laws: y.\n */"]) {
    assert.equal(checkFrontDoor("src/net/mod.ts", "net", bad).length, 1, bad);
  }
});

Deno.test("every reference and every front door in this repository holds", async () => {
  const { breaches } = await checkDocs();
  assert.deepEqual(breaches, []);
});
