import assert from "node:assert/strict";
import { ControlServer } from "../../src/app/control/server.ts";
import { ControlClient } from "../../src/app/control/client.ts";
import { MAX_CLIENTS, MAX_REQUEST_BYTES, MAX_WAITING_BYTES } from "../../src/app/control/limits.ts";
import { PROTOCOL_VERSION, type TraceMessage } from "../../src/app/control/protocol.ts";
import type { TraceLine } from "../../src/app/live/tracer.ts";
import type { Host } from "../../src/web/mod.ts";
import { eventually } from "./live_house.ts";

const HOST: Host = {
  status: () => Promise.reject(new Error("the disk is on fire")),
  connections: () => [],
  endConnection: (id) => id === 1,
  findings: async () => [],
  logLevels: () => ({ level: "info", rooms: new Map() }),
  setLogLevel: async () => {},
  tellSecurity() {},
  tellNetworks() {},
  tellQueue() {},
};

interface Setting {
  readonly path: string;
  readonly server: ControlServer;
  connect(): Promise<ControlClient>;
  /** Sends this as it is, and gives all that comes until the server ends. */
  say(text: string): Promise<string>;
  /** Has everybody who traces hear a line. */
  tell(text: string): void;
  readonly traces: number;
}

async function withControl(body: (setting: Setting) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  // As a package manager may have made it.
  await Deno.chmod(folder, 0o755);
  const path = `${folder}/control.sock`;
  const listeners = new Set<(line: TraceLine) => void>();
  const server = await ControlServer.open(path, {
    host: HOST,
    trace(_account, listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  const clients: ControlClient[] = [];
  try {
    await body({
      path,
      server,
      async connect() {
        const client = new ControlClient(await Deno.connect({ transport: "unix", path }));
        clients.push(client);
        return client;
      },
      async say(text) {
        using connection = await Deno.connect({ transport: "unix", path });
        await connection.write(new TextEncoder().encode(text));
        return await new Response(connection.readable).text();
      },
      tell(text) {
        for (const listener of listeners) {
          listener({ timeMs: 0, connection: 1, direction: "<", text });
        }
      },
      get traces() {
        return listeners.size;
      },
    });
  } finally {
    for (const client of clients) client.close();
    await server.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the socket is its owner's alone, replaces what a dead server left, and goes with the server", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/control.sock`;
  const dead = Deno.listen({ transport: "unix", path });
  dead.close();
  await Deno.writeTextFile(`${folder}/.socket`, "in the way");
  const server = await ControlServer.open(path, { host: HOST, trace: () => () => {} });
  const { mode, isSocket } = await Deno.lstat(path);
  assert.deepEqual([isSocket, ((mode ?? 0) & 0o777).toString(8)], [true, "600"]);
  assert.deepEqual((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name), [
    "control.sock",
  ]);
  await server.close();
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  await Deno.remove(folder);
});

Deno.test("a connection answers one request after the other, failures too", async () => {
  await withControl(async ({ connect }) => {
    const client = await connect();
    assert.deepEqual(await client.ask<"end">({ command: "end", connection: 1 }), { isEnded: true });
    await assert.rejects(
      client.ask<"status">({ command: "status" }),
      /^Failure: the disk is on fire$/,
    );
    assert.deepEqual(await client.ask<"end">({ command: "end", connection: 2 }), {
      isEnded: false,
    });
  });
});

Deno.test("what is no request, of another version, or too long is refused, and the connection ends", async () => {
  await withControl(async ({ say }) => {
    const ask = (request: unknown) => say(`${JSON.stringify(request)}\n`);
    const protocol = PROTOCOL_VERSION;
    assert.match(await say("{\n"), /^\{"ok":false,"error":"expected lines of JSON: /);
    for (const value of [null, 1, "x", [], { command: "status" }, { protocol: 2 }]) {
      assert.match(
        await ask(value),
        /the running server is postern .*: use the command of the same/,
      );
    }
    for (
      const request of [
        { command: "stop" },
        { command: "end" },
        { command: "end", connection: "1" },
        { command: "status", more: 1 },
        { command: "setLogLevel", level: "loud" },
        { command: "setLogLevel", level: "info", room: "kitchen" },
        { command: "trace", account: 0 },
      ]
    ) {
      assert.match(
        await ask({ protocol, ...request }),
        /expected a command that this server knows/,
      );
    }
    const long = (length: number) => {
      const text = JSON.stringify({ protocol, command: "logLevels" });
      return `${text}${" ".repeat(length - text.length)}\n`;
    };
    assert.match(await say(long(MAX_REQUEST_BYTES) + "\n"), /^\{"ok":true/);
    assert.match(
      await say(long(MAX_REQUEST_BYTES + 1)),
      /"error":"expected lines of JSON: .*too long/,
    );
    assert.match(await say("x".repeat(MAX_REQUEST_BYTES + 1)), /too long/);
  });
});

Deno.test("so many commands at once are served, and one more is told why not", async () => {
  await withControl(async ({ connect }) => {
    const clients = [];
    for (let i = 0; i < MAX_CLIENTS; i++) clients.push(await connect());
    for (const client of clients) await client.ask<"logLevels">({ command: "logLevels" });
    const late = await connect();
    await assert.rejects(
      late.ask<"logLevels">({ command: "logLevels" }),
      /too many commands ask the server at once/,
    );
    clients[0]?.close();
    for (let i = 0;; i++) {
      const next = await connect();
      const answer = await next.ask<"logLevels">({ command: "logLevels" }).catch(() => undefined);
      if (answer) break;
      assert.ok(i < 100);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
});

Deno.test("a trace goes to all who ask, ends with them, and is over when the server is", async () => {
  await withControl(async (setting) => {
    const [one, two] = [await setting.connect(), await setting.connect()];
    const heard = async (client: ControlClient) => {
      const texts: string[] = [];
      for await (const message of client.trace(7)) if ("text" in message) texts.push(message.text);
      return texts;
    };
    const [first, second] = [heard(one), heard(two)];
    await eventually(() => setting.traces === 2);
    setting.tell("a NOOP");
    await new Promise((resolve) => setTimeout(resolve, 50));
    one.close();
    assert.deepEqual(await first, ["a NOOP"]);
    await eventually(() => setting.traces === 1);
    setting.tell("b NOOP");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await setting.server.close().catch(() => {});
    assert.deepEqual(await second, ["a NOOP", "b NOOP"]);
    assert.equal(setting.traces, 0);
  }).catch((error) => {
    // Its socket is closed already.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  });
});

Deno.test("who reads a trace slowly costs bounded memory, and is told how much was left out", async () => {
  await withControl(async (setting) => {
    const client = await setting.connect();
    const messages = client.trace(7);
    const first = messages.next();
    await eventually(() => setting.traces === 1);
    const text = "x".repeat(900);
    const told = 10_000;
    // All in one turn of the event loop: nothing can be written meanwhile.
    for (let i = 0; i < told; i++) setting.tell(text);
    const received: TraceMessage[] = [];
    let omitted = 0;
    for (let next = await first; !next.done; next = await messages.next()) {
      received.push(next.value);
      if ("omitted" in next.value) omitted += next.value.omitted;
      if (received.length - (omitted > 0 ? 1 : 0) + omitted === told) break;
    }
    assert.ok(received.length * 1_000 <= MAX_WAITING_BYTES + 2_000, `${received.length}`);
    assert.ok("omitted" in (received.at(-1) ?? {}));
    assert.equal(received.length - 1 + omitted, told);
    setting.tell("again");
    const { value } = await messages.next();
    assert.ok(value && "text" in value && value.text === "again");
  });
});
