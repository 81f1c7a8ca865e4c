import assert from "node:assert/strict";
import { decodeLatin1, encodeLatin1 } from "../../src/base/mod.ts";
import { serveConnection } from "../../src/session/mod.ts";
import { LOOK_AGAIN_MS } from "../../src/session/limits.ts";
import { StoreError, SystemFlag } from "../../src/store/mod.ts";
import { SqliteAccountStore } from "../../src/store/sqlite/account.ts";
import { memoryTransportPair } from "../support/memory_transport.ts";
import { simpleMessage } from "../support/messages.ts";
import { PASSWORD, USER, withServer } from "../support/server.ts";

Deno.test(".SILENT does not hide what others changed in the same messages", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    for (let i = 0; i < 3; i++) await c.append("INBOX", simpleMessage());
    await c.ok("NOOP");
    const other = await server.login("INBOX");
    await other.ok("STORE 1:2 +FLAGS (\\Flagged)");
    // Not told before the STORE, as a nudge may be late.
    const { untagged } = await c.ok("STORE 2:3 +FLAGS.SILENT (\\Seen)");
    const told = [...untagged, ...(await c.ok("NOOP")).untagged].join("\n");
    assert.match(told, /^1 FETCH \(UID 1 FLAGS \(\\Flagged/m);
    assert.match(told, /^2 FETCH \(UID 2 FLAGS \(\\Flagged \\Seen/m);
    // With nothing in between, silence.
    assert.deepEqual((await c.ok("STORE 1 +FLAGS.SILENT (\\Draft)")).untagged, []);
    assert.deepEqual((await c.ok("NOOP")).untagged, []);
  });
});

Deno.test("VANISHED for 1:* names messages that were the last of the mailbox", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    for (let i = 0; i < 4; i++) await c.append("INBOX", simpleMessage());
    const q = await server.login();
    await q.ok("ENABLE QRESYNC");
    const { untagged: selected } = await q.ok("SELECT INBOX");
    const modSeq = /HIGHESTMODSEQ (\d+)/.exec(selected.join("\n"))![1];
    await c.ok("UID STORE 3:4 +FLAGS.SILENT (\\Deleted)");
    await c.ok("EXPUNGE");
    await q.ok("UNSELECT");
    await q.ok("SELECT INBOX");
    for (const set of ["1:*", "3:*", "*:3"]) {
      const { untagged } = await q.ok(`UID FETCH ${set} FLAGS (CHANGEDSINCE ${modSeq} VANISHED)`);
      assert.equal(untagged[0], "VANISHED (EARLIER) 3:4", set);
    }
    await c.ok("UID STORE 1:2 +FLAGS.SILENT (\\Deleted)");
    await c.ok("EXPUNGE");
    await q.ok("NOOP");
    const { untagged } = await q.ok(`UID FETCH 2:* FLAGS (CHANGEDSINCE ${modSeq} VANISHED)`);
    assert.deepEqual(untagged, ["VANISHED (EARLIER) 2:4"]);
  });
});

Deno.test("a body whose mailbox is deleted while it is read comes whole, or the connection ends", async () => {
  await withServer(async (server) => {
    const helper = await server.login();
    await helper.ok("CREATE Box");
    const message = simpleMessage("large", "x".repeat(20_000_000));
    await helper.append("Box", message);
    const c = await server.login("Box");
    c.send("a FETCH 1 BODY.PEEK[]\r\nb NOOP\r\n");
    assert.ok(!await c.isQuiet(5000));
    c.socket.pause();
    await helper.ok("DELETE Box");
    c.socket.resume();
    c.socket.end();
    const all = await c.rest();
    const start = all.indexOf("}\r\n") + 3;
    assert.equal(start > 3, true);
    const body = all.slice(start, start + message.length);
    assert.ok(message.startsWith(body), "something else stands in the literal");
    const rest = all.slice(start + message.length);
    if (body.length === message.length) assert.match(rest, /^\)\r\n.*^a /ms);
  });
});

/** `target` with some of its methods replaced. */
function replacing<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_, key) {
      const value = Reflect.get(key in methods ? methods : target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

Deno.test("when the store fails in the middle of a literal the connection ends, and nothing follows", async () => {
  await withServer(async (server) => {
    await (await server.login()).append("INBOX", simpleMessage("large", "x".repeat(700_000)));
    const real = server.services.store;
    const store = replacing(real, {
      openAccount: async (id) => {
        const mail = await real.openAccount(id);
        return replacing(mail, {
          async *readRaw(...args) {
            for await (const piece of mail.readRaw(...args)) {
              yield piece;
              throw new StoreError("message-not-found", "The message is gone.");
            }
          },
        });
      },
    });
    const { server: transport, client } = memoryTransportPair();
    const session = serveConnection(transport, { ...server.services, store });
    client.write(encodeLatin1(`l LOGIN ${USER} "${PASSWORD}"\r\ns SELECT INBOX\r\n`));
    client.write(encodeLatin1("f FETCH 1 BODY.PEEK[]\r\no LOGOUT\r\n"));
    let text = "";
    for (let bytes; (bytes = await client.read());) text += decodeLatin1(bytes);
    await session;
    assert.match(text.slice(text.indexOf("BODY[]")), /^BODY\[\] \{\d+\}\r\n[^*]*x$/);
  });
});

Deno.test("flags that somebody else set while FETCH set \\Seen are told", async () => {
  await withServer(async (server) => {
    await (await server.login()).append("INBOX", simpleMessage());
    const real = server.services.store;
    const store = replacing(real, {
      openAccount: async (id) => {
        const mail = await real.openAccount(id);
        const both = { mode: "add", flags: SystemFlag.seen | SystemFlag.flagged } as const;
        return replacing(mail, {
          async changeFlags(mailbox, uids, change) {
            await mail.changeFlags(mailbox, uids, { ...both, keywords: [] });
            return await mail.changeFlags(mailbox, uids, change);
          },
        });
      },
    });
    const { server: transport, client } = memoryTransportPair();
    const session = serveConnection(transport, { ...server.services, store });
    client.write(encodeLatin1(`l LOGIN ${USER} "${PASSWORD}"\r\ns SELECT INBOX\r\n`));
    client.write(encodeLatin1("f FETCH 1 BODY[TEXT]\r\nn NOOP\r\no LOGOUT\r\n"));
    let text = "";
    for (let bytes; (bytes = await client.read());) text += decodeLatin1(bytes);
    await session;
    assert.match(text, /^\* 1 FETCH \(UID 1 FLAGS \(\\Flagged \\Seen/m);
  });
});

Deno.test("IDLE looks for changes now and then though no nudge comes", async () => {
  await withServer(async (server) => {
    let ahead = 0;
    const { server: transport, client } = memoryTransportPair();
    const session = serveConnection(transport, {
      ...server.services,
      notifier: { subscribe: () => () => {} },
      clock: { now: () => Date.now() + ahead },
    });
    let text = "";
    const until = async (pattern: RegExp) => {
      const deadline = Date.now() + 5000;
      while (!pattern.test(text)) {
        assert.ok(Date.now() < deadline, text);
        text += decodeLatin1(await client.read() ?? assert.fail(text));
      }
    };
    client.write(encodeLatin1(`l LOGIN ${USER} "${PASSWORD}"\r\ns SELECT INBOX\r\ni IDLE\r\n`));
    await until(/^\+ idling/m);
    await (await server.login()).append("INBOX", simpleMessage());
    ahead += LOOK_AGAIN_MS;
    await until(/^\* 1 EXISTS/m);
    client.write(encodeLatin1("DONE\r\n"));
    await until(/^i OK/m);
    client.destroy();
    await session;
  }, { times: { keepAliveMs: 30 } });
});

Deno.test("a client that never pauses does not outlive the server", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    let more = true;
    const flood = (async () => {
      while (more) {
        c.send("n NOOP\r\n".repeat(2000));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    setTimeout(() => server.shutDown(), 50);
    const all = await c.rest();
    more = false;
    await flood;
    assert.match(all.slice(-200), /^\* BYE Server is shutting down\r\n$/m);
  });
});

Deno.test("a command is answered though what others changed cannot be read", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const read = SqliteAccountStore.prototype.messageChanges;
    SqliteAccountStore.prototype.messageChanges = async () => {
      throw new StoreError("unavailable", "injected");
    };
    try {
      await (await server.login()).append("INBOX", simpleMessage());
      assert.deepEqual((await c.ok("NOOP")).untagged, []);
    } finally {
      SqliteAccountStore.prototype.messageChanges = read;
    }
    assert.ok((await c.ok("NOOP")).untagged.includes("1 EXISTS"));
  });
});
