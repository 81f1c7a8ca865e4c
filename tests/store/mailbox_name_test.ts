import assert from "node:assert/strict";
import fc from "fast-check";
import {
  MAX_MAILBOX_LEVELS,
  MAX_MAILBOX_NAME_BYTES,
  parentNames,
  parseMailboxName,
  StoreError,
} from "../../src/store/mod.ts";

function refused(name: string): boolean {
  try {
    parseMailboxName(name);
    return false;
  } catch (error) {
    assert.ok(error instanceof StoreError && error.code === "invalid-name");
    return true;
  }
}

Deno.test("printable names of any script are kept as they are", () => {
  for (
    const name of ["Work", "a b", "Entwürfe/2026", "日本", "\u{1f600}", '%*"\\&~', "a..b", "x#"]
  ) {
    assert.equal(parseMailboxName(name), name);
  }
});

Deno.test("INBOX is spelt in capitals when it is the first level, and only then", () => {
  assert.equal(parseMailboxName("inBox"), "INBOX");
  assert.equal(parseMailboxName("inbox/Sub"), "INBOX/Sub");
  assert.equal(parseMailboxName("a/inbox"), "a/inbox");
  assert.equal(parseMailboxName("inboxes"), "inboxes");
});

Deno.test("names that break a rule are refused", () => {
  const names = [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "a/..",
    "./a",
    "#news",
    "a\nb",
    "a\0b",
    "\u007f",
  ];
  names.push("\u0085", "\u2028", "\ud800", "e\u0301");
  for (const name of names) assert.ok(refused(name), JSON.stringify(name));
});

Deno.test("names are bounded in octets and in levels", () => {
  assert.ok(!refused("x".repeat(MAX_MAILBOX_NAME_BYTES)));
  assert.ok(refused("x".repeat(MAX_MAILBOX_NAME_BYTES + 1)));
  assert.ok(!refused("é".repeat(MAX_MAILBOX_NAME_BYTES / 2)));
  assert.ok(refused("é".repeat(MAX_MAILBOX_NAME_BYTES / 2) + "x"));
  assert.ok(!refused(Array(MAX_MAILBOX_LEVELS).fill("a").join("/")));
  assert.ok(refused(Array(MAX_MAILBOX_LEVELS + 1).fill("a").join("/")));
});

Deno.test("a name that was accepted is accepted again, unchanged, and so are its parents", () => {
  const piece = fc.oneof(fc.constantFrom("inbox", "InBox", "/", ".", "a", "#"), fc.string());
  fc.assert(fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
    const name = pieces.join("").normalize("NFC");
    if (refused(name)) return;
    const parsed = parseMailboxName(name);
    assert.equal(parseMailboxName(parsed), parsed);
    assert.equal(parsed.toLowerCase(), name.toLowerCase());
    for (const parent of parentNames(parsed)) assert.equal(parseMailboxName(parent), parent);
  }));
});

Deno.test("parents are the levels above, highest first", () => {
  assert.deepEqual(parentNames("a/b/c"), ["a", "a/b"]);
  assert.deepEqual(parentNames("a"), []);
});
