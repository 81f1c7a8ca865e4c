import assert from "node:assert/strict";
import type { TestClient } from "../support/client.ts";
import { simpleMessage } from "../support/messages.ts";
import { type TestServer, withServer } from "../support/server.ts";

/** What a client remembers of a mailbox. */
async function remember(c: TestClient, mailbox: string) {
  const { untagged } = await c.ok(`SELECT ${mailbox}`);
  const all = untagged.join("\n");
  return {
    uidValidity: Number(/UIDVALIDITY (\d+)/.exec(all)![1]),
    modSeq: Number(/HIGHESTMODSEQ (\d+)/.exec(all)![1]),
  };
}

/** A client with ten messages in INBOX, and a second one that has QRESYNC on. */
async function prepared(server: TestServer) {
  const c = await server.login("INBOX");
  for (let i = 1; i <= 10; i++) await c.append("INBOX", simpleMessage(`number ${i}`));
  const q = await server.login();
  const enabled = await q.ok("ENABLE QRESYNC");
  assert.deepEqual(enabled.untagged, ["ENABLED QRESYNC"]);
  return { c, q };
}

const expunge = async (c: TestClient, set: string) => {
  await c.ok(`UID STORE ${set} +FLAGS.SILENT (\\Deleted)`);
  await c.ok(`UID EXPUNGE ${set}`);
};

Deno.test("SELECT with QRESYNC tells what vanished and which flags changed, and nothing else", async () => {
  await withServer(async (server) => {
    const { c, q } = await prepared(server);
    const { uidValidity, modSeq } = await remember(q, "INBOX");
    await q.ok("UNSELECT");
    await expunge(c, "2,5:6");
    await c.ok("UID STORE 9 +FLAGS (\\Flagged)");
    const { untagged } = await q.ok(`SELECT INBOX (QRESYNC (${uidValidity} ${modSeq} 1:10))`);
    const at = untagged.findIndex((line) => line.startsWith("VANISHED"));
    assert.equal(untagged[at], "VANISHED (EARLIER) 2,5:6");
    assert.match(untagged[at + 1]!, /^6 FETCH \(UID 9 FLAGS \(\\Flagged\) MODSEQ \(\d+\)\)$/);
    assert.equal(untagged.length, at + 2);
    // Without known UIDs all are meant; a subset leaves the others out.
    const all = await q.ok(`SELECT INBOX (QRESYNC (${uidValidity} ${modSeq}))`);
    assert.ok(all.untagged.includes("VANISHED (EARLIER) 2,5:6"));
    const some = await q.ok(`SELECT INBOX (QRESYNC (${uidValidity} ${modSeq} 1:4))`);
    assert.ok(some.untagged.includes("VANISHED (EARLIER) 2"));
    assert.ok(!some.untagged.some((line) => line.includes("FETCH")));
  });
});

Deno.test("another UIDVALIDITY makes QRESYNC say nothing; sequence match data shortens VANISHED", async () => {
  await withServer(async (server) => {
    const { c, q } = await prepared(server);
    const { uidValidity, modSeq } = await remember(q, "INBOX");
    await expunge(c, "2,8");
    const other = await q.ok(`SELECT INBOX (QRESYNC (${uidValidity + 1} ${modSeq}))`);
    assert.ok(!other.untagged.some((line) => /VANISHED|FETCH/.test(line)));
    // The third message has UID 4: the client knows of the expunge of 2, but not of 8.
    const matched = await q.ok(
      `SELECT INBOX (QRESYNC (${uidValidity} ${modSeq} 1:10 (1,3,7 1,4,8)))`,
    );
    assert.ok(matched.untagged.includes("VANISHED (EARLIER) 8"), matched.untagged.join("\n"));
    for (
      const broken of ["(0 1)", "(1 0)", "(1 2 *)", "(1 2 1:3 (1,2 3))", "(1)", "(1 2 1:3 (1 1) x)"]
    ) {
      await q.bad(`SELECT INBOX (QRESYNC ${broken})`);
    }
  });
});

Deno.test("UID FETCH with CHANGEDSINCE and VANISHED tells both, expunges first", async () => {
  await withServer(async (server) => {
    const { c, q } = await prepared(server);
    const { modSeq } = await remember(q, "INBOX");
    await q.ok("UNSELECT");
    await expunge(c, "1");
    await c.ok("UID STORE 3 +FLAGS (\\Seen)");
    await q.ok("SELECT INBOX");
    const { untagged } = await q.ok(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${modSeq} VANISHED)`);
    assert.equal(untagged[0], "VANISHED (EARLIER) 1");
    assert.match(untagged[1]!, /^2 FETCH \(UID 3 FLAGS \(\\Seen\) MODSEQ \(\d+\)\)$/);
    assert.equal(untagged.length, 2);
    await q.bad(`FETCH 1:* (FLAGS) (CHANGEDSINCE ${modSeq} VANISHED)`);
    await q.bad("UID FETCH 1:* (FLAGS) (VANISHED)");
    await c.bad(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${modSeq} VANISHED)`);
  });
});

Deno.test("with QRESYNC on, removals come as VANISHED and the tagged OK names the mod-sequence", async () => {
  await withServer(async (server) => {
    const { c, q } = await prepared(server);
    await q.ok("SELECT INBOX");
    await expunge(c, "4:5");
    assert.deepEqual((await q.ok("NOOP")).untagged, ["VANISHED 4:5"]);
    await q.ok("UID STORE 1 +FLAGS.SILENT (\\Deleted)");
    const expunged = await q.ok("EXPUNGE");
    assert.deepEqual(expunged.untagged, ["VANISHED 1"]);
    assert.match(expunged.code!, /^HIGHESTMODSEQ \d+$/);
    const moved = await q.ok("UID MOVE 2 Archive");
    assert.match(moved.untagged[0]!, /^OK \[COPYUID/);
    assert.equal(moved.untagged[1], "VANISHED 2");
    assert.match(moved.code!, /^HIGHESTMODSEQ \d+$/);
    await q.ok("UID STORE 3 +FLAGS.SILENT (\\Deleted)");
    assert.equal((await q.ok("CLOSE")).code, undefined);
  });
});

Deno.test("while expunges are held back, HIGHESTMODSEQ stays below them (RFC 7162 3.2)", async () => {
  await withServer(async (server) => {
    const { c, q } = await prepared(server);
    const { modSeq } = await remember(q, "INBOX");
    await expunge(c, "10");
    await c.ok("UID STORE 1 +FLAGS (\\Seen)");
    const { untagged } = await q.ok("FETCH 2 UID");
    assert.ok(untagged.some((line) => /^1 FETCH .*\\Seen/.test(line)), untagged.join("\n"));
    const held = untagged.find((line) => line.startsWith("OK [HIGHESTMODSEQ"));
    assert.equal(Number(/\d+/.exec(held!)![0]), modSeq);
    assert.deepEqual((await q.ok("NOOP")).untagged, ["VANISHED 10"]);
  });
});

Deno.test("mod-sequences only rise, and each command that mentions them turns CONDSTORE on", async () => {
  await withServer(async (server) => {
    const { c } = await prepared(server);
    for (
      const command of [
        "FETCH 1 MODSEQ",
        "FETCH 1 FLAGS (CHANGEDSINCE 1)",
        "SEARCH MODSEQ 1",
        "STATUS INBOX (HIGHESTMODSEQ)",
        "STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\\Seen)",
        "SELECT INBOX (CONDSTORE)",
      ]
    ) {
      const watcher = await server.login("INBOX");
      await watcher.ok(command);
      await c.ok("STORE 2 +FLAGS (\\Seen)");
      await c.ok("STORE 2 -FLAGS (\\Seen)");
      const { untagged } = await watcher.ok("NOOP");
      assert.match(untagged.at(-1)!, /^2 FETCH \(UID 2 FLAGS \(\) MODSEQ \(\d+\)\)$/, command);
      await watcher.logout();
    }
  });
});

Deno.test("a client that was away for longer than the history learns of everything that is gone", async () => {
  await withServer(async (server) => {
    const { c, q } = await prepared(server);
    const { uidValidity, modSeq } = await remember(q, "INBOX");
    await q.ok("UNSELECT");
    await expunge(c, "2,5:6");
    await c.ok("UID STORE 9 +FLAGS (\\Flagged)");
    const known = await remember(q, "INBOX");
    await q.ok("UNSELECT");
    await server.trim();
    await expunge(c, "8");

    // What it is not told of by history, the server works out of what is there.
    const late = await q.ok(`SELECT INBOX (QRESYNC (${uidValidity} ${modSeq} 1:10))`);
    const tail = late.untagged.slice(late.untagged.findIndex((it) => it.startsWith("VANISHED")));
    assert.equal(tail[0], "VANISHED (EARLIER) 2,5:6,8");
    assert.match(tail[1]!, /^5 FETCH \(UID 9 FLAGS \(\\Flagged\) MODSEQ \(\d+\)\)$/);
    const all = await q.ok(`SELECT INBOX (QRESYNC (${uidValidity} ${modSeq}))`);
    assert.ok(all.untagged.includes("VANISHED (EARLIER) 2,5:6,8"), all.untagged.join("\n"));
    const subset = await q.ok(`SELECT INBOX (QRESYNC (${uidValidity} ${modSeq} 4:5))`);
    assert.ok(subset.untagged.includes("VANISHED (EARLIER) 5"), subset.untagged.join("\n"));
    const fetched = await q.ok(`UID FETCH 1:10 (FLAGS) (CHANGEDSINCE ${modSeq} VANISHED)`);
    assert.equal(fetched.untagged[0], "VANISHED (EARLIER) 2,5:6,8");

    // One that saw the last of what was forgotten still gets the short answer.
    const recent = await q.ok(`SELECT INBOX (QRESYNC (${uidValidity} ${known.modSeq} 1:10))`);
    assert.ok(recent.untagged.includes("VANISHED (EARLIER) 8"), recent.untagged.join("\n"));
    assert.ok(!recent.untagged.some((line) => line.includes("FETCH")));
  }, { trim: { historySeconds: 0 } });
});
