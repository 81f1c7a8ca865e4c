import assert from "node:assert/strict";
import { literal } from "../support/client.ts";
import { simpleMessage } from "../support/messages.ts";
import { withServer } from "../support/server.ts";

const subjects = (lines: readonly string[]) =>
  lines.flatMap((line) => /Subject: (\w+)/.exec(line)?.[1] ?? []);

Deno.test("COPY keeps flags and dates, says COPYUID, and watchers of the destination hear of it", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const watcher = await server.login("Archive");
    for (const subject of ["one", "two", "three"]) {
      await c.append("INBOX", simpleMessage(subject), {
        flags: "\\Seen Keep",
        date: " 1-Jan-2020 10:00:00 +0100",
      });
    }
    const { code, untagged } = await c.ok("COPY 1,3 Archive");
    assert.match(code!, /^COPYUID \d+ 1,3 1:2$/);
    assert.deepEqual(untagged, []);
    const told = (await watcher.ok("NOOP")).untagged;
    assert.ok(told.includes("2 EXISTS") && told.includes("2 RECENT"), told.join());
    const fetched = (await watcher.ok("FETCH 1:2 (FLAGS INTERNALDATE)")).untagged;
    assert.deepEqual(
      fetched,
      [1, 2].map((n) =>
        `${n} FETCH (UID ${n} FLAGS (\\Seen Keep \\Recent) INTERNALDATE " 1-Jan-2020 10:00:00 +0100")`
      ),
    );
  });
});

Deno.test("COPY and MOVE into the same mailbox work, and the new messages are announced", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", simpleMessage("one"));
    const copied = await c.ok("COPY 1 INBOX");
    assert.match(copied.code!, /^COPYUID \d+ 1 2$/);
    assert.ok(copied.untagged.includes("2 EXISTS"));
    const moved = await c.ok("UID MOVE 1 INBOX");
    assert.match(moved.untagged[0]!, /^OK \[COPYUID \d+ 1 3\]/);
    assert.ok(moved.untagged.includes("1 EXPUNGE") && moved.untagged.includes("2 EXISTS"));
    assert.deepEqual((await c.ok("UID SEARCH ALL")).untagged, ["SEARCH 2 3"]);
  });
});

Deno.test("UID COPY and UID MOVE of UIDs that are not there are OK; a missing destination is TRYCREATE", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", simpleMessage());
    await c.ok("UID COPY 77 Archive");
    await c.ok("UID MOVE 77 Archive");
    for (const command of ["COPY", "MOVE", "UID COPY", "UID MOVE"]) {
      await c.no(`${command} 1 Nowhere`, "TRYCREATE");
    }
    await c.no('COPY 1 "a//b"', "CANNOT");
    await c.bad("COPY 2 Archive");
  });
});

Deno.test("MOVE tells COPYUID before the expunges, and both sides' watchers", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    for (const subject of ["one", "two", "three"]) await c.append("INBOX", simpleMessage(subject));
    const source = await server.login("INBOX");
    const target = await server.login("Archive");
    const { untagged } = await c.ok("MOVE 1:2 Archive");
    assert.match(untagged[0]!, /^OK \[COPYUID \d+ 1:2 1:2\]/);
    assert.deepEqual(untagged.slice(1), ["2 EXPUNGE", "1 EXPUNGE"]);
    assert.deepEqual((await source.ok("NOOP")).untagged, ["2 EXPUNGE", "1 EXPUNGE"]);
    assert.ok((await target.ok("NOOP")).untagged.includes("2 EXISTS"));
    const header = await target.ok("FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]");
    assert.deepEqual(subjects(header.untagged), ["one", "two"]);
    await c.ok("EXAMINE Archive");
    await c.no("MOVE 1 INBOX");
    await c.ok("COPY 1 INBOX");
  });
});

Deno.test("APPEND checks mailbox, size and quota before it asks for the message", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const tag = c.begin();
    c.send(`${tag} APPEND Nowhere {10}\r\n`);
    const refused = await c.answer(tag);
    assert.deepEqual([refused.status, refused.code], ["NO", "TRYCREATE"]);
    const big = c.begin();
    c.send(`${big} APPEND INBOX {2000}\r\n`);
    assert.equal((await c.answer(big)).code, "OVERQUOTA");
    const huge = c.begin();
    c.send(`${huge} APPEND INBOX {5001}\r\n`);
    assert.equal((await c.answer(huge)).code, "TOOBIG");
    // Without waiting, the message is read over and the connection lives on.
    await c.no(["APPEND Nowhere ", literal("x".repeat(3000), { nonSync: true })], "TRYCREATE");
    await c.no(["APPEND INBOX ", literal("x".repeat(3000), { nonSync: true })], "OVERQUOTA");
    await c.ok(["APPEND INBOX ", literal("x".repeat(1000), { nonSync: true })]);
    await c.no(["APPEND INBOX ", literal("x", { nonSync: true })], "OVERQUOTA");
  }, { defaultQuotaBytes: 1000, limits: { maxMessageBytes: 5000 } });
});

Deno.test("APPEND takes several messages or none, and an empty one takes it all back", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const watcher = await server.login("INBOX");
    const many = await c.ok([
      "APPEND INBOX (\\Seen) ",
      literal("one\r\n"),
      ' (\\Draft) " 1-Jan-2020 00:00:00 +0000" ',
      literal("two\r\n", { nonSync: true }),
      " ",
      literal("three\0\r\n", { binary: true }),
    ]);
    assert.match(many.code!, /^APPENDUID \d+ 1:3$/);
    assert.deepEqual(many.untagged, ["3 EXISTS", "3 RECENT"]);
    assert.ok((await watcher.ok("NOOP")).untagged.includes("3 EXISTS"));
    await c.no(["APPEND INBOX ", literal("four\r\n"), " ", literal("")]);
    assert.deepEqual((await c.ok("UID SEARCH ALL")).untagged, ["SEARCH 1 2 3"]);
  });
});

Deno.test("a syntax error behind a message literal is BAD, stores nothing and keeps the connection in step", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.bad(["APPEND INBOX ", literal("a1 NOOP\r\n"), " garbage"]);
    await c.bad(["APPEND INBOX (bad ", literal("a2 LOGOUT\r\n", { nonSync: true })]);
    await c.bad(["FETCH 1 ", literal("a3 LOGOUT\r\n", { nonSync: true }), " trailing"]);
    await c.bad(["NOSUCHCOMMAND ", literal("a4 LOGOUT\r\n", { nonSync: true })]);
    assert.deepEqual((await c.ok("NOOP")).untagged, []);
    assert.deepEqual((await c.ok("UID SEARCH ALL")).untagged, ["SEARCH"]);
  });
});
