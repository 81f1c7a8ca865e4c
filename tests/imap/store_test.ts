import assert from "node:assert/strict";
import { simpleMessage } from "../support/messages.ts";
import { type TestServer, withServer } from "../support/server.ts";

/** A client in INBOX with `count` messages, and another one watching. */
async function twoClients(server: TestServer, count: number) {
  const c = await server.login("INBOX");
  for (let i = 1; i <= count; i++) await c.append("INBOX", simpleMessage(`number ${i}`));
  return { c, watcher: await server.login("INBOX") };
}

Deno.test("STORE sets, adds and removes flags, and the watcher hears the result", async () => {
  await withServer(async (server) => {
    const { c, watcher } = await twoClients(server, 2);
    const set = await c.ok("STORE 1:2 FLAGS (\\Seen \\Flagged)");
    assert.deepEqual(set.untagged, [
      "1 FETCH (UID 1 FLAGS (\\Flagged \\Seen \\Recent))",
      "2 FETCH (UID 2 FLAGS (\\Flagged \\Seen \\Recent))",
    ]);
    assert.deepEqual((await watcher.ok("NOOP")).untagged, [
      "1 FETCH (UID 1 FLAGS (\\Flagged \\Seen))",
      "2 FETCH (UID 2 FLAGS (\\Flagged \\Seen))",
    ]);
    assert.deepEqual((await c.ok("STORE 1 -FLAGS \\Flagged")).untagged, [
      "1 FETCH (UID 1 FLAGS (\\Seen \\Recent))",
    ]);
    assert.deepEqual((await c.ok("UID STORE 2 +FLAGS (\\Draft)")).untagged, [
      "2 FETCH (UID 2 FLAGS (\\Flagged \\Seen \\Draft \\Recent))",
    ]);
    // The change is told once, by the command that made it.
    assert.deepEqual((await c.ok("NOOP")).untagged, []);
    assert.deepEqual((await watcher.ok("NOOP")).untagged, [
      "1 FETCH (UID 1 FLAGS (\\Seen))",
      "2 FETCH (UID 2 FLAGS (\\Flagged \\Seen \\Draft))",
    ]);
  });
});

Deno.test(".SILENT says nothing to the one who stores and everything to others", async () => {
  await withServer(async (server) => {
    const { c, watcher } = await twoClients(server, 1);
    assert.deepEqual((await c.ok("STORE 1 +FLAGS.SILENT (\\Seen)")).untagged, []);
    assert.deepEqual((await c.ok("NOOP")).untagged, []);
    assert.deepEqual((await watcher.ok("NOOP")).untagged, ["1 FETCH (UID 1 FLAGS (\\Seen))"]);
  });
});

Deno.test("a STORE that changes nothing takes no mod-sequence and tells nobody", async () => {
  await withServer(async (server) => {
    const { c, watcher } = await twoClients(server, 1);
    await c.ok("STORE 1 +FLAGS (\\Seen)");
    await watcher.ok("NOOP");
    const highest = async () => (await c.ok("STATUS INBOX (HIGHESTMODSEQ)")).untagged.at(-1);
    const before = await highest();
    await c.ok("STORE 1 +FLAGS (\\Seen)");
    assert.equal(await highest(), before);
    assert.deepEqual((await watcher.ok("NOOP")).untagged, []);
  });
});

Deno.test("a new keyword is announced by FLAGS before any response uses it, to both sessions", async () => {
  await withServer(async (server) => {
    const { c, watcher } = await twoClients(server, 1);
    const { untagged } = await c.ok("STORE 1 +FLAGS (Work $forwarded)");
    assert.match(untagged[0]!, /^FLAGS \(.*\bWork\b.*\)$/);
    assert.match(untagged[1]!, /^OK \[PERMANENTFLAGS \(.*\bWork\b.* \\\*\)\]/);
    assert.equal(untagged[2], "1 FETCH (UID 1 FLAGS ($Forwarded Work \\Recent))");
    const told = (await watcher.ok("NOOP")).untagged;
    assert.match(told[0]!, /^FLAGS \(.*\bWork\b/);
    assert.equal(told.at(-1), "1 FETCH (UID 1 FLAGS ($Forwarded Work))");
    // Case does not make another keyword, and it is not announced twice.
    assert.deepEqual((await c.ok("STORE 1 +FLAGS (WORK)")).untagged, [
      "1 FETCH (UID 1 FLAGS ($Forwarded Work \\Recent))",
    ]);
  });
});

Deno.test("FETCH by a session that was not told yet announces the keyword first", async () => {
  await withServer(async (server) => {
    const { c, watcher } = await twoClients(server, 1);
    await c.ok("STORE 1 +FLAGS (Later)");
    const { untagged } = await watcher.ok("FETCH 1 FLAGS");
    assert.match(untagged[0]!, /^FLAGS \(.*\bLater\b/);
    assert.match(untagged[2]!, /FLAGS \(Later\)/);
  });
});

Deno.test("UNCHANGEDSINCE changes what is old enough and names the rest in MODIFIED", async () => {
  await withServer(async (server) => {
    const { c, watcher } = await twoClients(server, 3);
    const modSeq = async (n: number) => {
      const { untagged } = await c.ok(`FETCH ${n} MODSEQ`);
      return Number(/MODSEQ \((\d+)\)/.exec(untagged.at(-1)!)![1]);
    };
    const old = await modSeq(3);
    await watcher.ok("STORE 2 +FLAGS (\\Flagged)");
    await c.ok("NOOP");
    const { code, untagged } = await c.ok(`STORE 1:3 (UNCHANGEDSINCE ${old}) +FLAGS (\\Seen)`);
    assert.equal(code, "MODIFIED 2");
    assert.match(untagged[0]!, /^1 FETCH \(UID 1 FLAGS \(\\Seen \\Recent\) MODSEQ \(\d+\)\)$/);
    assert.match(untagged[1]!, /^2 FETCH \(UID 2 FLAGS \(\\Flagged \\Recent\) MODSEQ \(\d+\)\)$/);
    assert.match(untagged[2]!, /^3 FETCH \(UID 3 FLAGS \(\\Seen \\Recent\) MODSEQ \(\d+\)\)$/);
    const zero = await c.ok("UID STORE 1:3 (UNCHANGEDSINCE 0) +FLAGS.SILENT (\\Draft)");
    assert.equal(zero.code, "MODIFIED 1:3");
    // With CONDSTORE on, .SILENT still tells the new mod-sequence (RFC 7162 3.1.3).
    const silent = await c.ok("STORE 1 +FLAGS.SILENT (\\Answered)");
    assert.match(silent.untagged[0]!, /^1 FETCH \(UID 1 MODSEQ \(\d+\)\)$/);
    assert.equal(silent.untagged.length, 1);
  });
});

Deno.test("STORE is refused in a read-only mailbox, with unknown system flags and bad syntax", async () => {
  await withServer(async (server) => {
    const { c } = await twoClients(server, 1);
    await c.bad("STORE 1 FLAGS (\\Nonsense)");
    await c.bad("STORE 1 FLAGS \\Seen)");
    await c.bad("STORE 1 FLAG (\\Seen)");
    await c.bad("STORE 1 (UNCHANGEDSINCE x) FLAGS (\\Seen)");
    await c.bad("STORE 2 FLAGS (\\Seen)");
    await c.ok("STORE 1 FLAGS ()");
    await c.ok("STORE 1 FLAGS \\Seen \\Draft");
    await c.ok("EXAMINE INBOX");
    await c.no("STORE 1 FLAGS (\\Seen)");
    await c.no("EXPUNGE");
  });
});

Deno.test("EXPUNGE removes what is \\Deleted, UID EXPUNGE only what is named, CLOSE silently", async () => {
  await withServer(async (server) => {
    const { c, watcher } = await twoClients(server, 6);
    await c.ok("STORE 2,3,5 +FLAGS.SILENT (\\Deleted)");
    await watcher.ok("NOOP");
    assert.deepEqual((await c.ok("UID EXPUNGE 1:3")).untagged, ["3 EXPUNGE", "2 EXPUNGE"]);
    assert.deepEqual((await watcher.ok("NOOP")).untagged, ["3 EXPUNGE", "2 EXPUNGE"]);
    assert.deepEqual((await c.ok("EXPUNGE")).untagged, ["3 EXPUNGE"]);
    assert.deepEqual((await c.ok("UID SEARCH ALL")).untagged, ["SEARCH 1 4 6"]);
    await c.ok("STORE 1 +FLAGS.SILENT (\\Deleted)");
    assert.deepEqual((await c.ok("CLOSE")).untagged, []);
    await c.bad("FETCH 1 FLAGS");
    assert.deepEqual((await watcher.ok("NOOP")).untagged, ["3 EXPUNGE", "1 EXPUNGE"]);
    // UNSELECT leaves \Deleted messages where they are.
    await c.ok("SELECT INBOX");
    await c.ok("STORE 1 +FLAGS.SILENT (\\Deleted)");
    await c.ok("UNSELECT");
    assert.match((await c.ok("STATUS INBOX (MESSAGES)")).untagged[0]!, /MESSAGES 2/);
  });
});

Deno.test("an expunge waits during FETCH, STORE and SEARCH by number, and comes with their UID forms", async () => {
  await withServer(async (server) => {
    const { c, watcher } = await twoClients(server, 3);
    await c.ok("STORE 1 +FLAGS.SILENT (\\Deleted)");
    await c.ok("EXPUNGE");
    for (const command of ["FETCH 3 UID", "STORE 3 +FLAGS (\\Seen)", "SEARCH ALL"]) {
      const { untagged } = await watcher.ok(command);
      assert.ok(!untagged.some((line) => line.endsWith("EXPUNGE")), command);
    }
    const { untagged } = await watcher.ok("UID FETCH 3 UID");
    assert.equal(untagged[0], "3 FETCH (UID 3)");
    assert.equal(untagged.at(-1), "1 EXPUNGE");
  });
});
