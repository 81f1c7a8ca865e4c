import assert from "node:assert/strict";
import { type TestClient } from "../support/client.ts";
import { type TestServer, withServer } from "../support/server.ts";

/** Fills INBOX with `count` messages, 500 with each command. */
async function fill(c: TestClient, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 500) {
    const tag = c.begin();
    c.send(`${tag} APPEND INBOX${" {3+}\r\na\r\n".repeat(Math.min(500, left))}\r\n`);
    assert.equal((await c.answer(tag)).status, "OK");
  }
}

async function batches(c: TestClient, args: string): Promise<string> {
  const { untagged } = await c.ok(`UIDBATCHES ${args}`);
  const line = untagged.find((it) => it.startsWith("UIDBATCHES"));
  const match = /^UIDBATCHES \(TAG "t\d+"\)(?: (\S+))?$/.exec(line ?? "");
  assert.ok(match, line);
  return match[1] ?? "";
}

async function withMail(server: TestServer, count: number): Promise<TestClient> {
  const c = await server.login("INBOX");
  await fill(c, count);
  return c;
}

Deno.test("UIDBATCHES divides a mailbox from its newest message down", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    assert.equal(await batches(c, "500"), "");
    await fill(c, 1201);
    const other = await server.login("INBOX");
    assert.equal(await batches(c, "500"), "1201:702,701:202,201:1");
    assert.equal(await batches(c, "600"), "1201:602,601:2,1");
    assert.equal(await batches(c, "2000"), "1201:1");
    assert.equal(await batches(c, "500 1:1"), "1201:702");
    assert.equal(await batches(c, "500 2:3"), "701:202,201:1");
    assert.equal(await batches(c, "500 3:9"), "201:1");
    assert.equal(await batches(c, "500 4:4294967295"), "");
    await other.ok("UID STORE 1,700:800,1201 +FLAGS.SILENT (\\Deleted)");
    await other.ok("EXPUNGE");
    // What others expunged is told first, and the batches are without it.
    assert.equal(await batches(c, "500"), "1200:600,599:100,99:2");
    for (const range of ["1200:600", "599:100"]) {
      const { untagged } = await c.ok(`UID SEARCH RETURN (COUNT) UID ${range}`);
      assert.match(untagged[0] ?? "", / COUNT 500$/);
    }
  });
});

Deno.test("small batches are refused, and what is no range is BAD", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.bad("UIDBATCHES 500");
    await c.ok("SELECT INBOX");
    await c.no("UIDBATCHES 499", "TOOSMALL");
    await c.no("UIDBATCHES 1", "TOOSMALL");
    const wrong = ["", " 0", " x", " 500 1", " 500 2:1", " 500 0:1", " 500 1:*", " 500 1:2 x"];
    for (const args of wrong) await c.bad(`UIDBATCHES${args}`);
  });
});

Deno.test("no batch is larger than MESSAGELIMIT, and UIDs do without numbers", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, 700);
    await c.ok("ENABLE UIDONLY");
    await c.no("UIDBATCHES 601", "MESSAGELIMIT 600");
    assert.equal(await batches(c, "600"), "700:101,100:1");
  }, { limits: { messageLimit: 600 } });
});
