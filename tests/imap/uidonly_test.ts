import assert from "node:assert/strict";
import { simpleMessage } from "../support/messages.ts";
import { withServer } from "../support/server.ts";

Deno.test("under UIDONLY, FETCH data is UIDFETCH, removals are VANISHED, and numbers are refused", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    for (let i = 1; i <= 3; i++) await c.append("INBOX", simpleMessage());
    const u = await server.login();
    assert.deepEqual((await u.ok("ENABLE UIDONLY")).untagged, ["ENABLED UIDONLY"]);
    const { untagged } = await u.ok("SELECT INBOX");
    assert.ok(!untagged.some((line) => line.startsWith("OK [UNSEEN")));
    assert.deepEqual((await u.ok("UID FETCH 2 FLAGS")).untagged, ["2 UIDFETCH (FLAGS ())"]);
    assert.deepEqual((await u.ok("UID FETCH 2 UID")).untagged, ["2 UIDFETCH (UID 2)"]);
    assert.deepEqual((await u.ok("UID STORE 3 +FLAGS (\\Seen)")).untagged, [
      "3 UIDFETCH (FLAGS (\\Seen))",
    ]);
    await c.ok("STORE 1 +FLAGS (\\Flagged)");
    assert.deepEqual((await u.ok("NOOP")).untagged, ["1 UIDFETCH (FLAGS (\\Flagged))"]);
    await c.ok("UID STORE 2 +FLAGS.SILENT (\\Deleted)");
    await c.ok("EXPUNGE");
    assert.deepEqual((await u.ok("NOOP")).untagged, ["VANISHED 2"]);
    for (
      const command of [
        "FETCH 1 FLAGS",
        "STORE 1 +FLAGS (\\Seen)",
        "SEARCH ALL",
        "COPY 1 Archive",
        "MOVE 1 Archive",
        "UID SEARCH 1:2",
        "UID SEARCH NOT (1 SEEN)",
        "SELECT INBOX (QRESYNC (1 1 1:2 (1 1)))",
      ]
    ) {
      await u.bad(command, command.startsWith("SELECT") ? undefined : "UIDREQUIRED");
    }
    assert.deepEqual((await u.ok("UID MOVE 3 Archive")).untagged.slice(1), ["VANISHED 3"]);
  });
});

Deno.test("REPLACE by number is refused under UIDONLY, before the message is sent", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", simpleMessage());
    await c.ok("ENABLE UIDONLY");
    const tag = c.begin();
    c.send(`${tag} REPLACE 1 INBOX {10}\r\n`);
    const { status, code } = await c.answer(tag);
    assert.deepEqual([status, code], ["BAD", "UIDREQUIRED"]);
  });
});
