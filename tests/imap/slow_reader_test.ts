import assert from "node:assert/strict";
import { decodeLatin1, encodeLatin1 } from "../../src/base/mod.ts";
import { serveConnection } from "../../src/session/mod.ts";
import { simpleMessage } from "../support/messages.ts";
import { type MemoryTransport, memoryTransportPair } from "../support/memory_transport.ts";
import { PASSWORD, type TestServer, USER, withServer } from "../support/server.ts";

/** Most octets that may wait for a client that does not read: 64 KiB, two pages and what is under way. */
const MOST_PENDING = 256 * 1024;

/** A connection in memory that is logged in, and what it must be ended with. */
async function connect(server: TestServer) {
  const { server: inner, client } = memoryTransportPair();
  const session = serveConnection(inner, server.services);
  client.write(encodeLatin1(`l LOGIN ${USER} "${PASSWORD}"\r\ns SELECT INBOX\r\n`));
  let text = "";
  while (!/^s OK.*\r\n/m.test(text)) text += decodeLatin1(await client.read() ?? assert.fail());
  return { inner, client, session };
}

/** Waits until answers wait for the client, and no more come. */
async function settle(transport: MemoryTransport): Promise<void> {
  for (let before = 0, same = 0; same < 10; before = transport.pendingBytes) {
    assert.ok(transport.pendingBytes < MOST_PENDING, `${transport.pendingBytes} octets wait`);
    same = transport.pendingBytes === before && before > 0 ? same + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

for (
  const [what, command] of [
    ["bodies", "FETCH 1:* BODY.PEEK[]"],
    ["large bodies", "FETCH 1 BODY.PEEK[]"],
    ["search results", "SEARCH NOT 2"],
    ["lists", 'LIST "" *'],
    ["capabilities", "CAPABILITY"],
    ["refusals", "XNONE {100}"],
    ["flags", "FETCH 1:* FLAGS"],
  ] as const
) {
  Deno.test(`${what} that a client asks for and does not read wait for it, and it gets them all`, async () => {
    await withServer(async (server) => {
      const helper = await server.login();
      await helper.append("INBOX", simpleMessage("large", "x".repeat(700_000)));
      const stage = (i: number) => `{3+}\r\nm${i % 10}\n`;
      helper.send(
        `m APPEND INBOX${Array.from({ length: 900 }, (_, i) => ` ${stage(i)}`).join("")}\r\n`,
      );
      assert.equal((await helper.answer("m")).status, "OK");
      for (let i = 0; i < 20; i++) await helper.ok(`CREATE box-with-a-long-name-${i}`);
      const { inner, client, session } = await connect(server);
      // BAD after BAD would end the connection.
      const count = command.startsWith("FETCH") ? 30 : 2000;
      for (let i = 0; i < count; i++) client.write(encodeLatin1(`x ${command}\r\ny NOOP\r\n`));
      await settle(inner);
      client.write(encodeLatin1("z LOGOUT\r\n"));
      let octets = 0;
      let answers = 0;
      let tail = "";
      for (let bytes; (bytes = await client.read());) {
        octets += bytes.length;
        const text = tail + decodeLatin1(bytes);
        answers += text.split("\nx ").length - 1 + (text.startsWith("x ") ? 1 : 0);
        tail = text.slice(-2);
      }
      assert.equal(answers, count);
      if (what !== "refusals") assert.ok(octets > 1_000_000, `only ${octets} octets`);
      await session;
    });
  });
}

Deno.test("a client that never reads is let go after a while", async () => {
  await withServer(async (server) => {
    const helper = await server.login();
    await helper.append("INBOX", simpleMessage("large", "x".repeat(700_000)));
    const { client, session } = await connect(server);
    client.write(encodeLatin1("x FETCH 1 BODY.PEEK[]\r\n"));
    await session;
  }, { times: { writeMs: 100 } });
});

Deno.test("over a real socket, answers nobody reads take no memory to speak of", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", simpleMessage("large", "x".repeat(1_000_000)));
    c.socket.pause();
    const before = Deno.memoryUsage().rss;
    c.send("x FETCH 1 BODY.PEEK[]\r\n".repeat(500));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const grown = (Deno.memoryUsage().rss - before) / 1e6;
    assert.ok(grown < 100, `${grown} MB more, of 500 MB asked for`);
    c.close();
  });
});
