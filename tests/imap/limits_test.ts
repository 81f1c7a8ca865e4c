import assert from "node:assert/strict";
import { MAX_ENTRY_NAME_LENGTH, MAX_SEARCH_DEPTH, MAX_SEARCH_KEYS } from "../../src/imap/limits.ts";
import { MAX_MAILBOX_LEVELS, MAX_MAILBOX_NAME_BYTES } from "../../src/store/mailbox_name.ts";
import { MAX_CONTINUATION_BYTES, MAX_SEQUENCE_RANGES } from "../../src/wire/limits.ts";
import { withServer } from "../support/server.ts";

// What one connection may send, each on both sides of its bound. Lines, literals and tags are in
// framing_test.ts, answers that nobody reads in slow_reader_test.ts; src/README.md names the rest.

Deno.test("an answer to a continuation request may be as long as the limit, and no longer", async () => {
  await withServer(async (server) => {
    for (const [length, expected] of [[0, /^BAD \[?(?!TOOBIG)/], [1, /^BAD \[TOOBIG\]/]] as const) {
      const c = await server.connect();
      c.send("a AUTHENTICATE PLAIN\r\n");
      assert.match(await c.response(), /^\+/);
      c.send("=".repeat(MAX_CONTINUATION_BYTES + length) + "\r\n");
      const answer = await c.response();
      assert.match(answer.replace(/^(a|\*) /, "").replace(/^NO/, "BAD"), expected, answer);
    }
  });
});

Deno.test("a mailbox name may be as long and as deep as the limits", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const longest = "x".repeat(MAX_MAILBOX_NAME_BYTES);
    await c.ok(`CREATE ${longest}`);
    await c.no(`CREATE ${longest}x`, "CANNOT");
    await c.no(`RENAME ${longest} ${longest}x`, "CANNOT");
    await c.no(`SUBSCRIBE ${longest}x`, "CANNOT");
    const deepest = Array(MAX_MAILBOX_LEVELS).fill("d").join("/");
    await c.ok(`CREATE ${deepest}`);
    await c.no(`CREATE ${deepest}/d`, "CANNOT");
    // A tree does not become deeper by being moved.
    await c.no(`RENAME d e/d`, "CANNOT");
    assert.equal((await c.ok('LIST "" "d*"')).untagged.length, MAX_MAILBOX_LEVELS);
  });
});

Deno.test("the name of a METADATA entry may be as long as the limit", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const longest = "/private/comment/".padEnd(MAX_ENTRY_NAME_LENGTH, "x");
    await c.ok(`SETMETADATA INBOX (${longest} "v")`);
    await c.no(`SETMETADATA INBOX (${longest}x "v")`, "LIMIT");
    await c.no(`GETMETADATA INBOX ${longest}x`, "LIMIT");
  });
});

Deno.test("a search may have as many keys, and be as deep, as the limits", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.ok(`SEARCH ${"SEEN ".repeat(MAX_SEARCH_KEYS).trim()}`);
    await c.no(`SEARCH ${"SEEN ".repeat(MAX_SEARCH_KEYS + 1).trim()}`, "LIMIT");
    const deep = (levels: number) => `SEARCH ${"NOT ".repeat(levels - 1)}SEEN`;
    await c.ok(deep(MAX_SEARCH_DEPTH));
    assert.notEqual((await c.cmd(deep(MAX_SEARCH_DEPTH + 2))).status, "OK");
  });
});

Deno.test("a sequence set may have as many ranges as fit", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const ranges = (count: number) => Array.from({ length: count }, (_, i) => i % 9 + 1).join(",");
    await c.ok(`UID FETCH ${ranges(MAX_SEQUENCE_RANGES)} FLAGS`);
    await c.bad(`UID FETCH ${ranges(MAX_SEQUENCE_RANGES + 1)} FLAGS`);
    await c.ok("NOOP");
  });
});
