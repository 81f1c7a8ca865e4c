import assert from "node:assert/strict";
import { literal } from "../support/client.ts";
import { lines } from "../support/messages.ts";
import { type TestServer, withServer } from "../support/server.ts";

async function withMail(server: TestServer, count: number, enable?: string) {
  const c = await server.login();
  if (enable) await c.ok(`ENABLE ${enable}`);
  await c.ok("SELECT INBOX");
  for (let i = 1; i <= count; i++) await c.append("INBOX", lines(`Subject: ${i}`, "", "x"));
  await c.ok("CREATE Other");
  return c;
}

const uidsOf = (untagged: readonly string[]) =>
  untagged.flatMap((line) => /UID (\d+)/.exec(line)?.[1] ?? []).map(Number);

Deno.test("without a limit none is announced and none holds", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, 5);
    assert.doesNotMatch(
      (await c.ok("CAPABILITY")).untagged.join(),
      /LIMIT=\d+ .*SAVELIMIT|MESSAGELIMIT/,
    );
    assert.equal((await c.ok("FETCH 1:* UID")).code, undefined);
    assert.match((await c.ok("COPY 1:* Other")).code ?? "", /^COPYUID/);
  });
});

Deno.test("a command takes the newest messages and names the lowest that it took", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, 5);
    const watcher = await server.login("INBOX");
    assert.match((await c.ok("CAPABILITY")).untagged.join(), / MESSAGELIMIT=3( |$)/);
    const fetched = await c.ok("FETCH 1:* UID");
    assert.deepEqual(uidsOf(fetched.untagged), [3, 4, 5]);
    assert.equal(fetched.code, "MESSAGELIMIT 3 3");
    assert.equal((await c.ok("UID FETCH 2:4 FLAGS")).code, undefined, "exactly the limit");
    assert.equal((await c.ok("UID FETCH 1:4 FLAGS")).code, "MESSAGELIMIT 3 2");
    const stored = await c.ok("UID STORE 1:* +FLAGS (\\Flagged)");
    assert.equal(stored.code, "MESSAGELIMIT 3 3");
    assert.deepEqual((await watcher.ok("NOOP")).untagged.map((it) => it.slice(0, 7)), [
      "3 FETCH",
      "4 FETCH",
      "5 FETCH",
    ]);
    await c.no("UID FETCH 1:* FLAGS (PARTIAL 1:4)", "MESSAGELIMIT 3");
    assert.deepEqual(uidsOf((await c.ok("UID FETCH 1:* FLAGS (PARTIAL 1:3)")).untagged), [1, 2, 3]);
  }, { limits: { messageLimit: 3 } });
});

Deno.test("a search looks at the newest of what it addresses, and can go on below", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, 7);
    const search = async (keys: string) => {
      const { untagged, code } = await c.ok(`UID SEARCH ${keys}`);
      return [untagged[0], code];
    };
    assert.deepEqual(await search("UNSEEN"), ["SEARCH 5 6 7", "MESSAGELIMIT 3 5"]);
    assert.deepEqual(await search("UNSEEN UIDBEFORE 5"), ["SEARCH 2 3 4", "MESSAGELIMIT 3 2"]);
    assert.deepEqual(await search("UNSEEN UIDBEFORE 2"), ["SEARCH 1", undefined]);
    assert.deepEqual(await search("UIDBEFORE 1"), ["SEARCH", undefined]);
    assert.deepEqual(await search("UIDAFTER 5 UNSEEN"), ["SEARCH 6 7", undefined]);
    assert.deepEqual(await search("UIDAFTER 4294967295"), ["SEARCH", undefined]);
    assert.deepEqual(await search("2:4"), ["SEARCH 2 3 4", undefined]);
    assert.deepEqual(await search("UID 1:2 UNSEEN"), ["SEARCH 1 2", undefined]);
    assert.deepEqual(await search("NOT UID 1:2"), ["SEARCH 5 6 7", "MESSAGELIMIT 3 5"]);
    await c.bad("UID SEARCH UIDBEFORE 0");
    await c.bad("UID SEARCH UIDAFTER 1:2");
    await c.no("SORT (DATE) UTF-8 ALL", "MESSAGELIMIT 3");
    await c.no("UID THREAD REFERENCES UTF-8 ALL", "MESSAGELIMIT 3");
    assert.deepEqual((await c.ok("SORT (SUBJECT) UTF-8 5:7")).untagged, ["SORT 5 6 7"]);
    const { untagged } = await c.ok("UID SEARCH RETURN (UPDATE COUNT) ALL");
    assert.ok(untagged.some((line) => line.includes("NOUPDATE")), untagged.join());
  }, { limits: { messageLimit: 3 } });
});

Deno.test("MOVE and UID EXPUNGE take the newest, COPY and APPEND all or none", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, 6);
    await c.no("COPY 1:* Other", "MESSAGELIMIT 2");
    const one = () => literal("Subject: x\r\n\r\n");
    await c.no(["APPEND Other ", one(), " ", one(), " ", one()], "MESSAGELIMIT 2");
    assert.deepEqual((await c.ok("STATUS Other (MESSAGES)")).untagged, [
      "STATUS Other (MESSAGES 0)",
    ]);
    await c.ok(["APPEND Other ", one(), " ", one()]);
    const moved = await c.ok("MOVE 1:* Other");
    assert.equal(moved.code, "MESSAGELIMIT 2 5");
    assert.deepEqual(moved.untagged.slice(-2), ["6 EXPUNGE", "5 EXPUNGE"]);
    await c.ok("UID STORE 1:2 +FLAGS.SILENT (\\Deleted)");
    await c.ok("UID STORE 3 +FLAGS.SILENT (\\Deleted)");
    assert.equal((await c.ok("UID EXPUNGE 1:*")).code, "MESSAGELIMIT 2 2");
    assert.deepEqual((await c.ok("UID SEARCH UID 1:2")).untagged, ["SEARCH 1"]);
    assert.equal((await c.ok("UID EXPUNGE 1:*")).code, undefined);
    await c.ok("UID STORE 4 +FLAGS.SILENT (\\Deleted)");
    await c.ok("EXPUNGE");
    assert.deepEqual((await c.ok("SEARCH ALL")).untagged, ["SEARCH"]);
  }, { limits: { messageLimit: 2 } });
});

Deno.test("where the tagged OK has another code, the limit is told by an untagged NO", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, 4, "QRESYNC");
    const { untagged, code } = await c.ok("UID MOVE 1:* Other");
    assert.match(code ?? "", /^HIGHESTMODSEQ /);
    assert.ok(untagged.some((line) => line.startsWith("NO [MESSAGELIMIT 2 3] ")), untagged.join());
    const store = await c.ok("UID STORE 1:* (UNCHANGEDSINCE 1) +FLAGS (\\Seen)");
    assert.equal(store.code, "MODIFIED 1:2");
  }, { limits: { messageLimit: 2 } });
});

Deno.test("SAVELIMIT is for APPEND and COPY alone", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, 4);
    assert.match((await c.ok("CAPABILITY")).untagged.join(), / SAVELIMIT=2( |$)/);
    assert.equal((await c.ok("FETCH 1:* FLAGS")).untagged.length, 4);
    await c.no("UID COPY 1:3 Other", "MESSAGELIMIT 2");
    await c.ok("UID COPY 1:2 Other");
    assert.match((await c.ok("UID MOVE 1:* Other")).untagged[0] ?? "", /COPYUID \d+ 1:4 /);
  }, { limits: { saveLimit: 2 } });
});
