import assert from "node:assert/strict";
import { ControlClient } from "../../src/app/control/client.ts";
import { PROTOCOL_VERSION } from "../../src/app/control/protocol.ts";
import { ControlServer } from "../../src/app/control/server.ts";
import { encodeUtf8 } from "../../src/base/mod.ts";
import type { Host } from "../../src/web/mod.ts";
import { FakeHost } from "../web/fake_host.ts";
import { HeldTimers } from "../support/held_timers.ts";

async function withServer(
  host: Host,
  run: (connect: () => Promise<Deno.Conn>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/control.sock`;
  const server = await ControlServer.open(path, { host, trace: () => () => {} });
  const connections: Deno.Conn[] = [];
  try {
    await run(async () => {
      const connection = await Deno.connect({ transport: "unix", path });
      connections.push(connection);
      return connection;
    });
  } finally {
    for (const connection of connections) {
      try {
        connection.close();
      } catch {
        // Read to its end.
      }
    }
    await server.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** All that comes until the server ends. */
async function readAll(connection: Deno.Conn): Promise<string> {
  return await new Response(connection.readable).text();
}

function request(command: string): Uint8Array {
  return encodeUtf8(`${JSON.stringify({ protocol: PROTOCOL_VERSION, command })}\n`);
}

Deno.test("a command may be silent for 5 min (CLIENT_IDLE_MS), and again after each answer", async () => {
  await withServer(new FakeHost(), async (connect) => {
    using timers = new HeldTimers();
    const connection = await connect();
    await timers.until(300_000);
    await timers.pass(299_999);
    await connection.write(request("logLevels"));
    const answer = await connection.read(new Uint8Array(1000));
    assert.ok(answer);
    await timers.pass(299_999);
    let isOver = false;
    const ended = readAll(connection).then(() => isOver = true);
    await timers.pass(0);
    assert.equal(isOver, false);
    await timers.pass(1);
    await ended;
  });
});

Deno.test("a command has 30 s to read an answer (WRITE_TIMEOUT_MS)", async () => {
  const host = new FakeHost();
  for (let i = 0; i < 500; i++) host.connect({ client: "x".repeat(5_000) });
  await withServer(host, async (connect) => {
    using timers = new HeldTimers();
    for (const [ms, isWhole] of [[29_999, true], [30_000, false]] as const) {
      const connection = await connect();
      await connection.write(request("connections"));
      await timers.until(30_000);
      await timers.pass(ms);
      const reading = readAll(connection);
      // Of who reads in time, and is silent then, the connection ends in the end.
      if (isWhole) {
        await timers.until(300_000);
        timers.passAtOnce(300_000);
      }
      assert.equal((await reading).endsWith("}\n"), isWhole, `${ms} ms`);
    }
  });
});

Deno.test("an answer has 1,000 connections in it unless more are asked for (DEFAULT_CONNECTIONS)", async () => {
  const host = new FakeHost();
  const ask = async (limit?: number) =>
    await withServer(host, async (connect) => {
      const client = new ControlClient(await connect());
      const { connections, total } = await client.ask<"connections">({
        command: "connections",
        ...(limit === undefined ? {} : { limit }),
      });
      shown.push([connections.length, total]);
    });
  const shown: number[][] = [];
  for (let i = 0; i < 1_000; i++) host.connect({});
  await ask();
  host.connect({});
  await ask();
  await ask(1_001);
  assert.deepEqual(shown, [[1_000, 1_000], [1_000, 1_001], [1_001, 1_001]]);
});

Deno.test("a command takes an answer of 64 MiB (MAX_ANSWER_BYTES) and no larger one", async () => {
  const ask = async (octets: number) => {
    const [head, tail] = ['{"ok":false,"error":"', '"}'];
    const line = new Uint8Array(octets + 1).fill(0x78);
    line.set(encodeUtf8(head));
    line.set(encodeUtf8(`${tail}\n`), octets - tail.length);
    let at = 0;
    const connection = {
      write: (bytes: Uint8Array) => Promise.resolve(bytes.length),
      read(buffer: Uint8Array) {
        const piece = line.subarray(at, at += buffer.length);
        buffer.set(piece);
        return Promise.resolve(piece.length || null);
      },
    } as unknown as Deno.Conn;
    return await new ControlClient(connection).ask<"logLevels">({ command: "logLevels" });
  };
  await assert.rejects(ask(64 * 1024 * 1024), { message: /^x{1000}/, name: "Failure" });
  await assert.rejects(ask(64 * 1024 * 1024 + 1), /a line is too long/);
});
