import assert from "node:assert/strict";
import { literal } from "../support/client.ts";
import { simpleMessage } from "../support/messages.ts";
import { withServer } from "../support/server.ts";

Deno.test("REPLACE in the selected mailbox tells APPENDUID, EXISTS and EXPUNGE, and watchers the same", async () => {
  await withServer(async (server) => {
    const c = await server.login("Drafts");
    for (let i = 1; i <= 3; i++) await c.append("Drafts", simpleMessage(`draft ${i}`));
    const watcher = await server.login("Drafts");
    const { untagged } = await c.ok([
      "REPLACE 2 Drafts (\\Draft) ",
      literal(simpleMessage("better")),
    ]);
    assert.match(untagged[0]!, /^OK \[APPENDUID \d+ 4\]/);
    assert.deepEqual(untagged.slice(1), ["4 EXISTS", "4 RECENT", "2 EXPUNGE"]);
    assert.deepEqual((await c.ok("UID SEARCH ALL")).untagged, ["SEARCH 1 3 4"]);
    const told = (await watcher.ok("NOOP")).untagged;
    assert.ok(told.includes("2 EXPUNGE") && told.includes("3 EXISTS"), told.join());
  });
});

Deno.test("UID REPLACE into another mailbox moves a draft to Sent in one step", async () => {
  await withServer(async (server) => {
    const c = await server.login("Drafts");
    const uid = await c.append("Drafts", simpleMessage("draft"));
    const sent = await server.login("Sent");
    const { untagged } = await c.ok([
      `UID REPLACE ${uid} Sent (\\Seen) `,
      literal(simpleMessage("sent"), { nonSync: true }),
    ]);
    assert.match(untagged[0]!, /^OK \[APPENDUID \d+ 1\]/);
    assert.deepEqual(untagged.slice(1), ["1 EXPUNGE"]);
    assert.ok((await sent.ok("NOOP")).untagged.includes("1 EXISTS"));
  });
});

Deno.test("REPLACE refuses before the message is sent what it can refuse", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const refused = async (command: string) => {
      const tag = c.begin();
      c.send(`${tag} ${command}\r\n`);
      const { status, code } = await c.answer(tag);
      return `${status} ${code}`;
    };
    assert.equal(await refused("REPLACE * INBOX {10}"), "BAD undefined");
    await c.append("INBOX", "x".repeat(600));
    assert.equal(await refused("REPLACE 2 INBOX {10}"), "BAD undefined");
    assert.equal(await refused("REPLACE 1 Nowhere {10}"), "NO TRYCREATE");
    assert.equal(await refused("REPLACE 1:2 INBOX {10}"), "BAD undefined");
    assert.equal(await refused("REPLACE 1 INBOX {1001}"), "NO OVERQUOTA");
    // Only what it adds counts (RFC 8508 3.4): 1,000 octets in place of 600 fit into 1,000.
    await c.ok(["REPLACE 1 INBOX ", literal("y".repeat(1000))]);
    await c.no(["REPLACE 1 INBOX ", literal("")]);
    await c.no(["REPLACE 1 INBOX ", literal("z".repeat(1001), { nonSync: true })], "OVERQUOTA");
    await c.ok("EXAMINE INBOX");
    assert.equal(await refused("REPLACE 1 INBOX {10}"), "NO undefined");
    assert.deepEqual((await c.ok("UID SEARCH ALL")).untagged, ["SEARCH 2"]);
  }, { defaultQuotaBytes: 1000 });
});

Deno.test("REPLACE of a message that another session expunged stores nothing", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", simpleMessage());
    const other = await server.login("INBOX");
    await other.ok("STORE 1 +FLAGS (\\Deleted)");
    await other.ok("EXPUNGE");
    const { untagged } = await c.no(["REPLACE 1 INBOX ", literal(simpleMessage("new"))]);
    assert.deepEqual(untagged, ["1 EXPUNGE"]);
    assert.deepEqual((await c.ok("UID SEARCH ALL")).untagged, ["SEARCH"]);
  });
});
