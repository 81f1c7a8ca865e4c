import assert from "node:assert/strict";
import { MAX_FOLLOWED_SEARCHES } from "../../src/imap/limits.ts";
import type { TestClient } from "../support/client.ts";
import { lines } from "../support/messages.ts";
import { type TestServer, withServer } from "../support/server.ts";

const message = (subject: string, text = "text") => lines(`Subject: ${subject}`, "", text);

async function withMail(server: TestServer, ...subjects: string[]): Promise<TestClient> {
  const c = await server.login("INBOX");
  for (const subject of subjects) await c.append("INBOX", message(subject));
  return c;
}

/** Asks a search whose updates come under the tag that is given back. */
async function follow(c: TestClient, command: string): Promise<string> {
  const tag = c.begin();
  const { status, text } = await c.finish(tag, command);
  assert.equal(status, "OK", text);
  return tag;
}

/** What ESEARCH responses for `tag` say. */
function updates(untagged: readonly string[], tag: string): string[] {
  const start = `ESEARCH (TAG "${tag}")`;
  return untagged.filter((line) => line.startsWith(start))
    .map((line) => line.slice(start.length).trim());
}

Deno.test("UPDATE tells what a search comes to match, and no longer matches", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, "a", "b", "c");
    const [other, third] = [await server.login("INBOX"), await server.login("INBOX")];
    const tag = await follow(c, "UID SEARCH RETURN (UPDATE COUNT) FLAGGED");
    const noop = async () => updates((await c.ok("NOOP")).untagged, tag);
    assert.deepEqual(await noop(), []);
    await other.ok("UID STORE 1,3 +FLAGS (\\Flagged)");
    assert.deepEqual(await noop(), ["UID ADDTO (0 1,3)"]);
    await third.ok("UID STORE 3 +FLAGS (\\Seen)");
    assert.deepEqual(await noop(), [], "it changed and still matches");
    await third.ok("UID STORE 1 -FLAGS (\\Flagged)");
    await other.append("INBOX", message("d"), { flags: "\\Flagged" });
    assert.deepEqual(await noop(), ["UID REMOVEFROM (0 1) ADDTO (0 4)"]);
    await other.ok("UID STORE 4 +FLAGS (\\Deleted)");
    await other.ok("EXPUNGE");
    const { untagged } = await c.ok("NOOP");
    assert.deepEqual(untagged.filter((line) => /EXPUNGE|REMOVEFROM/.test(line)), [
      `ESEARCH (TAG "${tag}") UID REMOVEFROM (0 4)`,
      "4 EXPUNGE",
    ]);
    await c.ok("UNSELECT");
    await c.ok("SELECT INBOX");
    await other.ok("UID STORE 2 +FLAGS (\\Flagged)");
    assert.deepEqual(await noop(), [], "another selection, another life");
  });
});

Deno.test("own changes are told too, and numbers mean what they meant before the expunge", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, "a", "b", "c", "d");
    const tag = await follow(c, "SEARCH RETURN (UPDATE) FLAGGED");
    const store = await c.ok("STORE 2:4 +FLAGS (\\Flagged)");
    assert.deepEqual(updates(store.untagged, tag), ["ADDTO (0 2:4)"]);
    await c.ok("STORE 1,3 +FLAGS.SILENT (\\Deleted)");
    const { untagged } = await c.ok("EXPUNGE");
    assert.deepEqual(untagged, [
      `ESEARCH (TAG "${tag}") REMOVEFROM (0 3)`,
      "3 EXPUNGE",
      "1 EXPUNGE",
    ]);
    const move = await c.ok("MOVE 1 Trash").catch(async () => {
      await c.ok("CREATE Elsewhere");
      return await c.ok("MOVE 1 Elsewhere");
    });
    assert.deepEqual(updates(move.untagged, tag), ["REMOVEFROM (0 1)"]);
  });
});

Deno.test("a sorted result is kept with positions", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, "delta", "bravo", "foxtrot");
    const other = await server.login("INBOX");
    const tag = await follow(c, "UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNDELETED");
    const noop = async () => updates((await c.ok("NOOP")).untagged, tag);
    await other.append("INBOX", message("charlie"));
    assert.deepEqual(await noop(), ["UID ADDTO (2 4)"]);
    for (const subject of ["alfa", "golf", "echo", "echo"]) {
      await other.append("INBOX", message(subject));
    }
    // alfa 5, bravo 2, charlie 4, delta 1, echo 7 and 8, foxtrot 3, golf 6
    assert.deepEqual(await noop(), ["UID ADDTO (1 5 5 7:8 8 6)"]);
    await other.ok("UID STORE 5,2,8,6 +FLAGS (\\Deleted)");
    assert.deepEqual(await noop(), ["UID REMOVEFROM (8 6 6 8 1 5,2)"]);
    await other.ok("UID STORE 8 -FLAGS (\\Deleted)");
    assert.deepEqual(await noop(), ["UID ADDTO (4 8)"]);
    await other.ok("EXPUNGE");
    assert.deepEqual(await noop(), []);
  });
});

Deno.test("an expunge that must wait is told of the result at once", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, "a", "b", "c");
    const other = await server.login("INBOX");
    const tag = await follow(c, "SEARCH RETURN (UPDATE) ALL");
    await other.ok("STORE 2 +FLAGS (\\Deleted)");
    await other.ok("EXPUNGE");
    const held = await c.ok("FETCH 1 FLAGS");
    assert.deepEqual(updates(held.untagged, tag), ["REMOVEFROM (0 2)"]);
    assert.ok(!held.untagged.some((line) => line.endsWith("EXPUNGE")));
    const told = await c.ok("NOOP");
    assert.deepEqual(told.untagged, ["2 EXPUNGE"]);
  });
});

Deno.test("IDLE tells updates as they happen", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, "a");
    const other = await server.login("INBOX");
    const tag = await follow(c, "UID SEARCH RETURN (UPDATE) UNSEEN");
    const idle = await c.idle();
    await other.append("INBOX", message("b"));
    const seen: string[] = [];
    while (!seen.some((line) => line.startsWith("ESEARCH"))) seen.push(await idle.next());
    assert.equal(seen[0], "2 EXISTS");
    assert.equal(seen.at(-1), `ESEARCH (TAG "${tag}") UID ADDTO (0 2)`);
    await idle.done();
  });
});

Deno.test("a tag in use is refused, and CANCELUPDATE ends what it names", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, "a");
    const other = await server.login("INBOX");
    const tag = await follow(c, "UID SEARCH RETURN (UPDATE) UNSEEN");
    assert.equal((await c.finish(tag, "SORT RETURN (UPDATE) (DATE) UTF-8 ALL")).status, "BAD");
    assert.equal((await c.finish(tag, "SEARCH RETURN (COUNT) ALL")).status, "OK");
    await c.no('CANCELUPDATE "nope"');
    await c.no(`CANCELUPDATE "${tag}" "nope"`);
    await c.bad("CANCELUPDATE");
    await other.append("INBOX", message("b"));
    assert.equal(updates((await c.ok("NOOP")).untagged, tag).length, 1);
    await c.ok(`CANCELUPDATE "${tag}"`);
    await other.append("INBOX", message("c"));
    assert.deepEqual(updates((await c.ok("NOOP")).untagged, tag), []);
    assert.equal((await c.finish(tag, "SEARCH RETURN (UPDATE) ALL")).status, "OK");
    await c.bad("UID SEARCH RETURN (NOPE UPDATE) ALL");
    const out = await server.login();
    await out.bad('ESEARCH IN (mailboxes "INBOX") RETURN (UPDATE) ALL');
  });
});

Deno.test("one search too many is answered, and not updated", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, "a");
    const tags: string[] = [];
    for (let i = 0; i < MAX_FOLLOWED_SEARCHES; i++) {
      tags.push(await follow(c, "UID SEARCH RETURN (UPDATE) SEEN"));
    }
    const tag = c.begin();
    const refused = await c.finish(tag, "UID SEARCH RETURN (UPDATE ALL) ALL");
    assert.equal(refused.status, "OK");
    assert.deepEqual(updates(refused.untagged, tag), ["UID ALL 1"]);
    assert.match(refused.untagged.at(-1) ?? "", new RegExp(`^NO \\[NOUPDATE "${tag}"\\] `));
    const { untagged } = await c.ok("STORE 1 +FLAGS (\\Seen)");
    for (const it of tags) assert.deepEqual(updates(untagged, it), ["UID ADDTO (0 1)"]);
    await c.ok(`CANCELUPDATE "${tags[0]}"`);
    assert.deepEqual(
      (await c.ok("UID SEARCH RETURN (UPDATE) SEEN")).untagged.filter((line) => /NOUPD/.test(line)),
      [],
    );
  });
});

Deno.test("sequence numbers in a followed search mean the messages that they meant", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, "a", "b", "c");
    const other = await server.login("INBOX");
    const numbers = await follow(c, "UID SEARCH RETURN (UPDATE) 2:*");
    const uids = await follow(c, "UID SEARCH RETURN (UPDATE) UID 3:*");
    await other.ok("STORE 1 +FLAGS (\\Deleted)");
    await other.ok("EXPUNGE");
    await other.append("INBOX", message("d"));
    const { untagged } = await c.ok("NOOP");
    assert.deepEqual(updates(untagged, numbers), []);
    assert.deepEqual(updates(untagged, uids), ["UID ADDTO (0 4)"]);
  });
});

Deno.test("where * is the last message, an expunge alone may change a result", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, "a", "b", "c");
    const other = await server.login("INBOX");
    const tag = await follow(c, "UID SEARCH RETURN (UPDATE ALL) UID 9:*");
    await other.ok("STORE 3 +FLAGS (\\Deleted)");
    assert.deepEqual(updates((await c.ok("NOOP")).untagged, tag), []);
    await other.ok("EXPUNGE");
    const { untagged } = await c.ok("NOOP");
    assert.deepEqual(updates(untagged, tag), ["UID REMOVEFROM (0 3)", "UID ADDTO (0 2)"]);
  });
});

Deno.test("what a FETCH does to \\Seen, and what ESEARCH follows, is told too", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, "a", "b", "c");
    const other = await server.login("INBOX");
    const unseen = await follow(c, "UID SEARCH RETURN (UPDATE) UNSEEN");
    const flagged = await follow(c, "ESEARCH IN (selected) RETURN (UPDATE) FLAGGED");
    const { untagged } = await c.ok("FETCH 2 BODY[]");
    assert.deepEqual(updates(untagged, unseen), ["UID REMOVEFROM (0 2)"]);
    await other.ok("STORE 1 +FLAGS (\\Flagged)");
    assert.deepEqual(updates((await c.ok("NOOP")).untagged, flagged), ["UID ADDTO (0 1)"]);
  });
});

Deno.test("NOTIFY has updates told between commands", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, "a", "b");
    const other = await server.login("INBOX");
    const tag = await follow(c, "SEARCH RETURN (UPDATE) FLAGGED");
    await c.ok("NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange))");
    await other.ok("STORE 2 +FLAGS (\\Flagged)");
    assert.match(await c.response(), /^\* 2 FETCH /);
    assert.equal(await c.response(), `* ESEARCH (TAG "${tag}") ADDTO (0 2)`);
    await other.ok("STORE 2 +FLAGS (\\Deleted)");
    await other.ok("EXPUNGE");
    const lines: string[] = [];
    while (!lines.at(-1)?.endsWith("EXPUNGE")) lines.push(await c.response());
    assert.equal(lines.at(-2), `* ESEARCH (TAG "${tag}") REMOVEFROM (0 2)`);
  });
});
