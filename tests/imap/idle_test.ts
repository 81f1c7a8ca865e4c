import assert from "node:assert/strict";
import { simpleMessage } from "../support/messages.ts";
import { USER, withServer } from "../support/server.ts";

Deno.test("IDLE tells new mail, flags and expunges as they happen", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const phone = await server.login("INBOX");
    const idle = await phone.idle();
    await c.append("INBOX", simpleMessage());
    assert.equal(await idle.next(), "1 EXISTS");
    assert.match(await idle.next(), /^[01] RECENT$/);
    await c.ok("STORE 1 +FLAGS (\\Seen)");
    assert.match(await idle.next(), /^1 FETCH \(UID 1 FLAGS \(.*\\Seen.*\)\)$/);
    await c.ok("STORE 1 +FLAGS (\\Deleted)");
    assert.match(await idle.next(), /\\Deleted/);
    await c.ok("EXPUNGE");
    assert.equal(await idle.next(), "1 EXPUNGE");
    assert.equal((await idle.done()).status, "OK");
  });
});

Deno.test("IDLE tells at its start what happened before it, and works without a mailbox", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const phone = await server.login("INBOX");
    await c.append("INBOX", simpleMessage());
    const idle = await phone.idle();
    assert.equal(await idle.next(), "1 EXISTS");
    await idle.done();
    const nothing = await (await server.login()).idle();
    await nothing.done();
  });
});

Deno.test("a line other than DONE ends IDLE with BAD, and the connection goes on", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const tag = c.begin();
    c.send(`${tag} IDLE\r\n`);
    assert.match(await c.response(), /^\+ /);
    c.send("x NOOP\r\n");
    assert.equal((await c.answer(tag)).status, "BAD");
    await c.ok("NOOP");
  });
});

Deno.test("IDLE shows signs of life, and ends with BYE after too long", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const idle = await c.idle();
    assert.match(await idle.next(), /^OK /);
    let line = await idle.next();
    while (line.startsWith("OK ")) line = await idle.next();
    assert.match(line, /^BYE /);
    await c.rest();
  }, { times: { keepAliveMs: 50, idleMs: 170 } });
});

Deno.test("a session that says nothing is ended with BYE, sooner before login", async () => {
  await withServer(async (server) => {
    const stranger = await server.connect();
    assert.match(await stranger.response(), /^\* BYE /);
    await stranger.rest();
    const c = await server.login("INBOX");
    assert.ok(await c.isQuiet(200));
    assert.match(await c.response(), /^\* BYE /);
  }, { times: { beforeLoginMs: 100, idleMs: 500 } });
});

Deno.test("sending an octet now and then does not keep a connection without login", async () => {
  await withServer(async (server) => {
    const c = await server.connect();
    const trickle = setInterval(() => c.send("x"), 40);
    assert.match(await c.response(), /^\* BYE Logging in took too long/);
    clearInterval(trickle);
    await c.rest();
  }, { times: { untilLoginMs: 300 } });
});

Deno.test("disabling an account or changing its password ends its sessions at once, in IDLE too", async () => {
  await withServer(async (server) => {
    const account = await server.store.directory.resolveAddress(USER);
    assert.ok(account);
    const idle = await (await server.login("INBOX")).idle();
    const waiting = await server.login("INBOX");
    await server.store.directory.setAccountDisabled(account.id, "Gone fishing");
    server.notifier.nudge(account.id, "security");
    assert.match(await idle.next(), /^BYE /);
    assert.match(await waiting.response(), /^\* BYE /);
    // The message is shown after right credentials only.
    const c = await server.connect();
    const refused = await c.no(`LOGIN ${USER} "correct horse"`);
    assert.match(refused.text, /Gone fishing/);
    assert.equal(refused.code, undefined);
    assert.doesNotMatch((await c.no(`LOGIN ${USER} wrong`, "AUTHENTICATIONFAILED")).text, /Gone/);
  });
});

Deno.test("when the server stops, sessions say BYE", async () => {
  await withServer(async (server) => {
    const idle = await (await server.login("INBOX")).idle();
    const waiting = await server.login();
    server.shutDown();
    assert.match(await idle.next(), /^BYE .*shutting down/);
    assert.match(await waiting.response(), /^\* BYE .*shutting down/);
  });
});
