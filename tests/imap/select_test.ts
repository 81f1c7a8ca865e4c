import assert from "node:assert/strict";
import { simpleMessage } from "../support/messages.ts";
import { withServer } from "../support/server.ts";

Deno.test("SELECT tells flags, counts, UIDs and the first unseen message (RFC 3501 6.3.1)", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.append("INBOX", simpleMessage(), { flags: "\\Seen" });
    await c.append("INBOX", simpleMessage(), { flags: "Work" });
    const { code, untagged } = await c.ok("SELECT inbox");
    assert.equal(code, "READ-WRITE");
    assert.match(
      untagged[0]!,
      /^FLAGS \(\\Answered \\Flagged \\Deleted \\Seen \\Draft .*\bWork\)$/,
    );
    assert.match(untagged[1]!, /^OK \[PERMANENTFLAGS \(.*\bWork \\\*\)\] /);
    assert.equal(untagged[2], "2 EXISTS");
    assert.equal(untagged[3], "2 RECENT");
    assert.match(untagged[4]!, /^OK \[UNSEEN 2\] /);
    assert.match(untagged[5]!, /^OK \[UIDVALIDITY \d+\] /);
    assert.match(untagged[6]!, /^OK \[UIDNEXT 3\] /);
    assert.match(untagged[7]!, /^OK \[HIGHESTMODSEQ \d+\] /);
    assert.match(untagged[8]!, /^OK \[MAILBOXID \(\S+\)\] /);
    assert.equal(untagged.length, 9);
  });
});

Deno.test("under IMAP4rev2 SELECT has no RECENT and no UNSEEN, and a LIST response (RFC 9051 6.3.2)", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.ok("ENABLE IMAP4rev2");
    await c.append("INBOX", simpleMessage());
    const { untagged } = await c.ok("SELECT INBOX");
    assert.ok(!untagged.some((line) => /RECENT|UNSEEN/.test(line)), untagged.join("\n"));
    assert.ok(untagged.some((line) => /^LIST \(.*\\Subscribed.*\) "\/" INBOX$/.test(line)));
    assert.match((await c.ok("FETCH 1 FLAGS")).untagged[0]!, /FLAGS \(\)/);
  });
});

Deno.test("EXAMINE is read-only and claims no \\Recent", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.append("INBOX", simpleMessage());
    const examine = await c.ok("EXAMINE INBOX");
    assert.equal(examine.code, "READ-ONLY");
    assert.ok(examine.untagged.some((line) => line.startsWith("OK [PERMANENTFLAGS ()]")));
    assert.ok(examine.untagged.includes("1 RECENT"));
    const select = await (await server.login()).ok("SELECT INBOX");
    assert.ok(select.untagged.includes("1 RECENT"));
  });
});

Deno.test("exactly one rev1 session gets a message as \\Recent, also through COPY, STATUS and SEARCH", async () => {
  await withServer(async (server) => {
    const first = await server.login("INBOX");
    const second = await server.login("INBOX");
    await first.append("INBOX", simpleMessage("one"));
    await first.ok("NOOP");
    await second.ok("NOOP");
    assert.match((await first.ok("FETCH 1 FLAGS")).untagged[0]!, /\\Recent/);
    assert.doesNotMatch((await second.ok("FETCH 1 FLAGS")).untagged[0]!, /\\Recent/);
    assert.deepEqual((await first.ok("SEARCH RECENT")).untagged, ["SEARCH 1"]);
    assert.deepEqual((await first.ok("SEARCH NEW")).untagged, ["SEARCH 1"]);
    assert.deepEqual((await second.ok("SEARCH RECENT")).untagged, ["SEARCH"]);
    assert.deepEqual((await second.ok("SEARCH OLD")).untagged, ["SEARCH 1"]);
    await second.ok("COPY 1 Archive");
    assert.match((await first.ok("STATUS Archive (RECENT)")).untagged[0]!, /RECENT 1/);
    assert.ok((await first.ok("SELECT Archive")).untagged.includes("1 RECENT"));
    assert.match((await second.ok("STATUS Archive (RECENT)")).untagged[0]!, /RECENT 0/);
    // Recent once only: a new SELECT by anybody no longer has it.
    assert.ok((await second.ok("SELECT INBOX")).untagged.includes("0 RECENT"));
  });
});

Deno.test("SELECT of another mailbox closes the first; a failed one leaves nothing selected", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const { untagged } = await c.ok("SELECT Archive");
    assert.match(untagged[0]!, /^OK \[CLOSED\]/);
    await c.no("SELECT Nowhere", "NONEXISTENT");
    await c.bad("FETCH 1 FLAGS");
    await c.bad("SELECT INBOX (NONSENSE)");
    await c.bad("SELECT INBOX (QRESYNC (1 2))");
  });
});

Deno.test("a deleted mailbox answers NONEXISTENT to whoever has it selected, until they leave it", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.ok("CREATE Doomed");
    await c.append("Doomed", simpleMessage());
    const watcher = await server.login("Doomed");
    await c.ok("DELETE Doomed");
    await watcher.ok("NOOP");
    await watcher.no("FETCH 1 FLAGS", "NONEXISTENT");
    await watcher.no("STORE 1 +FLAGS (\\Seen)", "NONEXISTENT");
    await watcher.ok("CLOSE");
    await watcher.ok("SELECT INBOX");
  });
});

Deno.test("a renamed mailbox stays selected and goes on telling changes", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.ok("CREATE Before");
    const watcher = await server.login("Before");
    await c.ok("RENAME Before After");
    await c.append("After", simpleMessage());
    assert.ok((await watcher.ok("NOOP")).untagged.includes("1 EXISTS"));
  });
});
