import assert from "node:assert/strict";
import { decodeLatin1, encodeLatin1 } from "../../src/base/mod.ts";
import { serveConnection } from "../../src/session/mod.ts";
import { Uploads } from "../../src/session/uploads.ts";
import { HeldTimers } from "../support/held_timers.ts";
import { memoryTransportPair } from "../support/memory_transport.ts";
import { PASSWORD, type TestServer, USER, withServer } from "../support/server.ts";

/** It goes on with the time that is passed, and a little by itself. */
const CLOCK = { now: () => 1_800_000_000_000 + Math.floor(performance.now()) };

/** A connection in memory, greeted; `login` logs in. */
async function connect(server: TestServer, login = true) {
  const { server: inner, client } = memoryTransportPair();
  let text = "";
  let isOver = false;
  client.onReadable = () => {
    for (let bytes; (bytes = client.tryRead()) !== undefined;) {
      if (bytes === null) {
        isOver = true;
        return;
      }
      text += decodeLatin1(bytes);
    }
  };
  const session = serveConnection(inner, server.services);
  const send = async (line: string, answer: RegExp) => {
    client.write(encodeLatin1(line));
    for (let i = 0; i < 1000 && !answer.test(text); i++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assert.match(text, answer);
  };
  await send("", /^\* OK/);
  if (login) await send(`l LOGIN ${USER} "${PASSWORD}"\r\n`, /^l OK/m);
  return {
    inner,
    client,
    session,
    send,
    get text() {
      return text;
    },
    get isOver() {
      return isOver;
    },
  };
}

Deno.test("before login a client has 60 s for a command (beforeLoginMs) and 5 min in all (untilLoginMs)", async () => {
  await withServer(async (server) => {
    using timers = new HeldTimers();
    const silent = await connect(server, false);
    await timers.until(60_000, 900);
    await timers.pass(59_000);
    assert.doesNotMatch(silent.text, /BYE/);
    await timers.pass(1_000);
    await silent.send("", /^\* BYE Inactive for too long\r\n$/m);
    await silent.session;

    const busy = await connect(server, false);
    for (let i = 0; i < 5; i++) {
      await timers.pass(55_000);
      await busy.send(`a${i} NOOP\r\n`, new RegExp(`^a${i} OK`, "m"));
    }
    await timers.pass(24_000);
    await busy.send("b NOOP\r\n", /^b OK/m);
    await timers.pass(1_000);
    await busy.send("c NOOP\r\n", /^\* BYE Logging in took too long\r\n/m);
    await busy.session;
  }, { clock: CLOCK });
});

Deno.test("after login a client may be silent for 30 min (idleMs), and for 60 s in the middle of a command (inCommandMs)", async () => {
  await withServer(async (server) => {
    using timers = new HeldTimers();
    const silent = await connect(server);
    await timers.until(1_800_000, 900);
    for (let i = 0; i < 29; i++) await timers.pass(60_000);
    await timers.pass(59_000);
    assert.doesNotMatch(silent.text, /BYE/);
    await timers.pass(1_000);
    await silent.send("", /^\* BYE /m);
    await silent.session;

    const halted = await connect(server);
    halted.client.write(encodeLatin1("a NO"));
    await timers.until(60_000, 900);
    await timers.pass(59_000);
    assert.doesNotMatch(halted.text, /BYE/);
    await timers.pass(1_000);
    await halted.send("", /^\* BYE /m);
    await halted.session;
  }, { clock: CLOCK });
});

Deno.test("who is in IDLE hears something each 4 min (keepAliveMs), and any client has 60 s to read (writeMs)", async () => {
  await withServer(async (server) => {
    using timers = new HeldTimers();
    const idle = await connect(server);
    const waits = new Set<number>();
    idle.inner.drain = (ms) => {
      waits.add(ms);
      return Promise.resolve(true);
    };
    await idle.send("a IDLE\r\n", /^\+ /m);
    assert.deepEqual([...waits], [60_000]);
    await timers.until(240_000, 900);
    const before = idle.text;
    await timers.pass(239_000);
    assert.equal(idle.text, before);
    await timers.pass(1_000);
    await idle.send("", /^\+ [^\r]*\r\n\* OK /m);
    void idle.client.close();
    await idle.session;
  }, { clock: CLOCK });
});

Deno.test("a login waits 1 s for the client's ID before it is told of (WAIT_FOR_ID_MS)", async () => {
  let told = 0;
  await withServer(async (server) => {
    using timers = new HeldTimers();
    const { client, session } = await connect(server);
    await timers.until(1_000);
    await timers.pass(999);
    assert.equal(told, 0);
    await timers.pass(1);
    assert.equal(told, 1);
    void client.close();
    await session;
  }, { authenticator: { onAttempt: () => void told++ } });
});

Deno.test("commands that came together are answered for 2 ms before others have their turn (TURN_MS)", async () => {
  await withServer(async (server) => {
    const { inner, client, session, send } = await connect(server);
    const { now } = performance;
    let bursts = 0;
    /** How many of ten commands that take so long each are answered in one turn. */
    const answersInTurn = async (ms: number) => {
      const pieces: number[] = [];
      const write = inner.write.bind(inner);
      inner.write = (bytes) => {
        pieces.push(decodeLatin1(bytes).match(/^t OK/gm)?.length ?? 0);
        write(bytes);
      };
      let time = 0;
      // Each command asks four times, so that three spans are in it.
      performance.now = () => time += ms / 3;
      try {
        await send(
          "t NOOP\r\n".repeat(10) + `u${++bursts} NOOP\r\n`,
          new RegExp(`^u${bursts} OK`, "m"),
        );
      } finally {
        performance.now = now;
        inner.write = write;
      }
      return pieces[0];
    };
    for (const [ms, count] of [[1.875, 2], [1.125, 2], [0.9375, 3]] as const) {
      // Before, so that the next begins with nothing.
      await answersInTurn(2.25);
      assert.equal(await answersInTurn(2.25), 1);
      assert.equal(await answersInTurn(ms), count, `${ms} ms`);
    }
    void client.close();
    await session;
  });
});

Deno.test("a streamed literal is handed on in pieces of 64 KiB (LITERAL_PIECE_BYTES)", async () => {
  const limits: number[] = [];
  const framer = {
    streamLiteral() {},
    takeLiteralBytes(limit: number) {
      limits.push(limit);
    },
    endStreamedLiteral() {},
  };
  const uploads = new Uploads({ framer } as never, {} as never, 0);
  await uploads.take({ isSynchronizing: false } as never, { end: async () => {} } as never);
  assert.deepEqual(limits, [65_536]);
});
