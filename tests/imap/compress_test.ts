import assert from "node:assert/strict";
import { constants } from "node:zlib";
import { literal } from "../support/client.ts";
import { simpleMessage } from "../support/messages.ts";
import { withServer } from "../support/server.ts";

const FLUSHES = {
  partial: constants.Z_PARTIAL_FLUSH,
  sync: constants.Z_SYNC_FLUSH,
  full: constants.Z_FULL_FLUSH,
};

for (const [name, flush] of Object.entries(FLUSHES)) {
  for (const oneByOne of [false, true]) {
    const how = `${name} flush${oneByOne ? ", octet by octet" : ""}`;
    Deno.test(`a compressed connection works with ${how}, and a second one watches`, async () => {
      await withServer(async (server) => {
        const c = await server.login("INBOX");
        const watcher = await server.login("INBOX");
        await c.compress(flush, { oneByOne });
        await c.no("COMPRESS DEFLATE", "COMPRESSIONACTIVE");
        const message = simpleMessage("compressed", "x".repeat(5000));
        await c.ok(["APPEND INBOX ", literal(message)]);
        const { untagged } = await c.ok("FETCH 1 BODY.PEEK[]");
        assert.ok(untagged.at(-1)!.endsWith(`${message})`));
        assert.ok((await watcher.ok("NOOP")).untagged.includes("1 EXISTS"));
        await watcher.ok("STORE 1 +FLAGS (\\Seen)");
        assert.match((await c.ok("NOOP")).untagged[0]!, /\\Seen/);
        await c.logout();
      });
    });
  }
}

Deno.test("a client that never flushes is answered when it ends its stream", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.compress(constants.Z_NO_FLUSH);
    c.send("n1 NOOP\r\nn2 CHECK\r\nn3 LOGOUT\r\n");
    c.endCompression();
    const rest = await c.rest();
    assert.match(rest, /^n1 OK .*\r\nn2 OK .*\r\n\* BYE .*\r\nn3 OK .*\r\n$/);
  });
});

Deno.test("COMPRESS works on TLS and after STARTTLS, tells new mail in IDLE, and then is not announced", async () => {
  await withServer(async (server) => {
    const tls = await server.connect({ tls: true });
    const upgraded = await server.connect();
    await upgraded.startTls();
    for (const c of [tls, upgraded]) {
      await c.ok('LOGIN user@example.org "correct horse"');
      assert.match((await c.ok("CAPABILITY")).untagged[0]!, / COMPRESS=DEFLATE( |$)/);
      await c.compress();
      assert.doesNotMatch((await c.ok("CAPABILITY")).untagged[0]!, /COMPRESS/);
      await c.ok("SELECT INBOX");
    }
    const idle = await tls.idle();
    await upgraded.append("INBOX", simpleMessage());
    assert.equal(await idle.next(), "1 EXISTS");
  });
});

Deno.test("COMPRESS is refused with an unknown algorithm, without one, and before login", async () => {
  await withServer(async (server) => {
    const c = await server.connect();
    await c.bad("COMPRESS DEFLATE");
    await c.ok('LOGIN user@example.org "correct horse"');
    await c.bad("COMPRESS");
    await c.bad("COMPRESS LZW");
    await c.ok("NOOP");
  });
});

Deno.test("what is not deflate ends a compressed connection and nothing else", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const other = await server.login("INBOX");
    await c.ok("COMPRESS DEFLATE");
    c.send("\xff\xff\xff\xff NOOP\r\n");
    await c.rest();
    await other.ok("NOOP");
  });
});
