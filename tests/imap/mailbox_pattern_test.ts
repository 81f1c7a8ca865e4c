import assert from "node:assert/strict";
import fc from "fast-check";
import { ImapError } from "../../src/imap/imap_error.ts";
import { MAX_PATTERN_STEPS } from "../../src/imap/limits.ts";
import { MailboxPatterns } from "../../src/imap/mailbox_pattern.ts";

function matches(pattern: string, name: string, reference = ""): boolean {
  return new MailboxPatterns(reference, [pattern]).matches(name);
}

/** The definition, tried out in every way; slow. */
function matchesByDefinition(pattern: string, name: string): boolean {
  const wildcard = pattern[0];
  if (wildcard === undefined) return name === "";
  if (wildcard !== "*" && wildcard !== "%") {
    return name[0] === wildcard && matchesByDefinition(pattern.slice(1), name.slice(1));
  }
  if (matchesByDefinition(pattern.slice(1), name)) return true;
  const passes = name !== "" && (wildcard === "*" || name[0] !== "/");
  return passes && matchesByDefinition(pattern, name.slice(1));
}

Deno.test("a pattern matches what its definition says, alone or among others", () => {
  const pattern = fc.array(fc.constantFrom("a", "b", "/", "*", "%"), { minLength: 1, maxLength: 8 })
    .map((parts) => parts.join(""));
  const name = fc.array(fc.constantFrom("a", "b", "/"), { minLength: 1, maxLength: 9 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(
      fc.array(pattern, { minLength: 1, maxLength: 3 }),
      fc.array(name, { maxLength: 8 }),
      (patterns, names) => {
        const compiled = new MailboxPatterns("", patterns);
        for (const name of names) {
          assert.equal(
            compiled.matches(name),
            patterns.some((pattern) => matchesByDefinition(pattern, name)),
            `${patterns} on ${name}`,
          );
        }
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("a percent sign stays within a level and a star does not", () => {
  assert.ok(matches("a/%", "a/b"));
  assert.ok(!matches("a/%", "a/b/c"));
  assert.ok(matches("a/*", "a/b/c"));
  assert.ok(!matches("%", "a/b"));
  assert.ok(matches("%/%", "a/b"));
  assert.ok(matches("*%", "a/b"));
  assert.ok(matches("%*", "a/b"));
  assert.ok(!matches("a/%", "a"));
});

Deno.test("INBOX matches in any case, as a first level only", () => {
  assert.ok(matches("inbox", "INBOX"));
  assert.ok(matches("InB%", "INBOX"));
  assert.ok(matches("*box", "INBOX"));
  assert.ok(matches("inbox/Sub", "INBOX/Sub"));
  assert.ok(!matches("inbox/sub", "INBOX/Sub"));
  assert.ok(!matches("x/inbox", "x/INBOX"));
  assert.ok(!matches("inboxES", "INBOXES"));
  assert.ok(matches("%", "Sub", "") && matches("Sub", "INBOX/Sub", "inbox/"));
});

Deno.test("a reference is taken letter by letter, wildcards too", () => {
  assert.ok(matches("%", "100%/done", "100%/"));
  assert.ok(!matches("%", "100 euro/done", "100%/"));
  assert.ok(matches("c*", "a/bcd", "a/b"));
});

Deno.test("an empty pattern matches nothing", () => {
  assert.ok(!matches("", "a"));
  assert.ok(!matches("", "a", "a"));
});

Deno.test("a pattern made to be slow costs a name of a thousand characters next to nothing", () => {
  const names = Array.from({ length: 200 }, (_, i) => "a".repeat(990) + i);
  for (const pattern of ["a*".repeat(500) + "b", "%a".repeat(500) + "b", "*a%".repeat(300) + "b"]) {
    const patterns = new MailboxPatterns("", [pattern]);
    const start = performance.now();
    for (const name of names) assert.ok(!patterns.matches(name));
    assert.ok(performance.now() - start < 2000, `${performance.now() - start} ms`);
  }
});

Deno.test("patterns whose matching goes over the limit are refused with NO [LIMIT]", () => {
  const count = 4000;
  const patterns = Array.from({ length: count }, () => "%");
  // Each new character costs as many steps as there are positions to go on from.
  const stepsPerUnit = 2 * count + 1;
  const units = Math.floor(MAX_PATTERN_STEPS / stepsPerUnit);
  const compiled = new MailboxPatterns("", patterns);
  const name = Array.from({ length: units }, (_, i) => String.fromCharCode(0x100 + i)).join("");
  assert.ok(compiled.matches(name));
  assert.throws(
    () => compiled.matches("more"),
    (error) => error instanceof ImapError && error.code === "LIMIT",
  );
});
