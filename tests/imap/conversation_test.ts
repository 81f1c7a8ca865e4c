import assert from "node:assert/strict";
import { withServer } from "../support/server.ts";

const MESSAGE = "From: a@example.org\r\nTo: b@example.org\r\nSubject: Hello\r\n" +
  "Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <1@example.org>\r\n\r\nHello, world.\r\n";

Deno.test("a client logs in, selects, appends, fetches and logs out", async () => {
  await withServer(async (server) => {
    const c = await server.connect();
    assert.match(c.greeting, /^\* OK \[CAPABILITY IMAP4rev1 IMAP4rev2 /);
    await c.ok(`LOGIN user@example.org "correct horse"`);
    const select = await c.ok("SELECT INBOX");
    assert.equal(select.code, "READ-WRITE");
    const uid = await c.append("INBOX", MESSAGE, { flags: "\\Seen" });
    assert.equal(uid, 1);
    const fetch = await c.ok("FETCH 1 (FLAGS BODY[])");
    assert.deepEqual(fetch.untagged, [
      `1 FETCH (UID 1 FLAGS (\\Seen \\Recent) BODY[] {${MESSAGE.length}}\r\n${MESSAGE})`,
    ]);
    await c.ok("LOGOUT");
  });
});
