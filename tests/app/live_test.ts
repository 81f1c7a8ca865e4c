import assert from "node:assert/strict";
import { RawClient } from "../delivery/raw_client.ts";
import { TestClient } from "../support/client.ts";
import { eventually, type LiveHouse, PASSWORD, withLiveServer } from "./live_house.ts";

/** What a running server tells of itself, and what it lets itself be told. */

const QUOTED = `"${PASSWORD.replace(/["\\]/g, "\\$&")}"`;

async function logIn(house: LiveHouse, user: string, kind = "imaps"): Promise<TestClient> {
  const client = await TestClient.connect(house.port(kind), { tls: kind === "imaps" });
  await client.ok(`LOGIN ${user}@example.org ${QUOTED}`);
  return client;
}

async function submit(house: LiveHouse): Promise<RawClient> {
  const client = await RawClient.connect(`127.0.0.1:${house.port("submission")}`);
  await client.reply();
  client.send("EHLO me\r\n");
  await client.reply();
  client.send(`AUTH PLAIN ${btoa(`\0bob@example.org\0${PASSWORD}`)}\r\n`);
  assert.match(await client.reply(), /^235 /);
  return client;
}

Deno.test("connections tell who is on them, by what, and what they do", async () => {
  await withLiveServer(async (house) => {
    const { host } = house.server;
    const alice = await logIn(house, "alice");
    await alice.ok('ID ("name" "Test client" "version" "7")');
    await alice.ok("SELECT INBOX");
    const idle = await alice.idle();
    const stranger = await TestClient.connect(house.port("imap"));
    const bob = await submit(house);
    const lmtp = await RawClient.connect(`127.0.0.1:${house.port("lmtp")}`);
    await lmtp.reply();
    const [ofAlice, ofStranger, ofBob, ofLmtp, ...others] = host.connections();
    assert.deepEqual(others, []);
    assert.ok(ofAlice && ofStranger && ofBob && ofLmtp);
    const { bytesIn, bytesOut, sinceMs, ...facts } = ofAlice;
    assert.deepEqual(facts, {
      id: 1,
      protocol: "imap",
      listener: "imaps",
      remote: "127.0.0.1",
      tls: "TLSv1.3",
      isCompressed: false,
      account: { id: house.alice, address: "alice@example.org" },
      client: 'name="Test client" version="7"',
      activity: "IDLE",
      mailbox: "INBOX",
    });
    assert.ok(bytesIn > 80 && bytesOut > 200, `${bytesIn} ${bytesOut}`);
    assert.ok(Math.abs(Date.now() - sinceMs) < 60_000);
    assert.deepEqual([ofStranger.account, ofStranger.tls], [undefined, undefined]);
    assert.deepEqual([ofBob.protocol, ofBob.account?.address], ["submission", "bob@example.org"]);
    assert.equal(ofLmtp.protocol, "lmtp");
    await idle.done();
    await alice.ok("UNSELECT");
    const [after] = host.connections();
    assert.deepEqual([after?.activity, after?.mailbox], ["", ""]);
    const { listeners, idleSessions, accounts, domains, queue } = await host.status();
    assert.deepEqual(
      listeners.map(({ kind, connections }) => [kind, connections]),
      [["imap", 1], ["imaps", 1], ["submission", 1], ["lmtp", 1], ["metrics", 0]],
    );
    assert.deepEqual([idleSessions, accounts, domains, queue.messages], [0, 2, 1, 0]);
    await alice.logout();
    for (const client of [bob, lmtp]) client.destroy();
    stranger.close();
    await eventually(() => host.connections().length === 0);
  });
});

Deno.test("a command is named from its first literal on", async () => {
  await withLiveServer(async (house) => {
    const client = await logIn(house, "alice");
    client.send("x APPEND INBOX {10}\r\n");
    assert.match(await client.response(), /^\+/);
    assert.equal(house.server.host.connections()[0]?.activity, "APPEND");
    client.send("Subject: x\r\n");
    await client.answer("x");
    assert.equal(house.server.host.connections()[0]?.activity, "");
    await client.logout();
  });
});

Deno.test("a connection is ended with a farewell of its protocol, in IDLE too, and others go on", async () => {
  await withLiveServer(async (house) => {
    const { host } = house.server;
    const [alice, other] = [await logIn(house, "alice"), await logIn(house, "bob")];
    await alice.idle();
    const bob = await submit(house);
    const [first, , third] = host.connections();
    assert.equal(host.endConnection(first?.id ?? 0), true);
    assert.match(
      await alice.rest(),
      /^\* BYE \[UNAVAILABLE\] Ended by the administrator or the owner of the account\r\n$/m,
    );
    assert.equal(host.endConnection(third?.id ?? 0), true);
    assert.match(await bob.reply(), /^421 4\.3\.2 Ended by the administrator/);
    assert.equal(await bob.reply(), "");
    assert.equal(host.endConnection(9_999), false);
    await eventually(() => host.connections().length === 1);
    await other.ok("NOOP");
    await other.logout();
  });
});

Deno.test("findings of a real server: what it lets in, lacks and holds too much of", async () => {
  await withLiveServer(async (house) => {
    const client = await logIn(house, "alice");
    await client.append("INBOX", `Subject: x\r\n\r\n${"x".repeat(960)}\r\n`);
    // Accounts are asked in the background.
    const texts = async () =>
      (await house.server.host.findings()).map(({ text }) => text)
        // Of this process, which runs other tests too, on a machine that may be busy.
        .filter((text) => !/^the server is late|in the program/.test(text));
    for (let i = 0; i < 100 && !(await texts()).some((text) => /quota/.test(text)); i++) {
      // Again and again: what was under way before may have asked too early.
      await house.server.measure();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(await texts(), [
      "the certificate of mail.example.org is self-signed: clients warn about it, and some refuse it",
      "account alice@example.org is at 97 % of its quota",
      "passwords are accepted without TLS",
    ]);
    await client.logout();
  }, `[quota]\ndefault = "1004B"\n`);
});

Deno.test("a room's log level is set in the running server, and taken back", async () => {
  await withLiveServer(async (house) => {
    const { host } = house.server;
    await host.setLogLevel("trace", "wire");
    assert.deepEqual([...host.logLevels().rooms], [["wire", "trace"]]);
    await host.setLogLevel(undefined, "wire");
    assert.deepEqual(host.logLevels(), { level: "error", rooms: new Map() });
  });
});
