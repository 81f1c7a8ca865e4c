import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { type NetConnectOpts, Server, Socket } from "node:net";
import { deflateRawSync } from "node:zlib";
import { endPolitely } from "../../src/net/ending.ts";
import { Inflate } from "../../src/net/inflate.ts";
import { Listener } from "../../src/net/listener.ts";
import { connectTarget, relay } from "../../src/net/relay.ts";
import { TransportSocket } from "../../src/net/transport_socket.ts";
import { HeldTimers } from "../support/held_timers.ts";
import { memoryTransportPair } from "../support/memory_transport.ts";
import { eventually, netTest, storeFor } from "./support.ts";

const BUFFER: unique symbol = Symbol("kBuffer");
const CALLBACK: unique symbol = Symbol("kBufferCb");

/** A socket without a network. */
class FakeSocket extends EventEmitter {
  destroyed = false;
  readableEnded = false;
  writableFinished = false;
  readonly buffers: Uint8Array[] = [];
  /** As Deno's sockets have them, for `readInto`. */
  readonly _handle = { useUserBuffer: (buffer: Uint8Array) => void this.buffers.push(buffer) };
  readonly [BUFFER] = null;
  readonly [CALLBACK]: (length: number) => void = () => {};

  static make(): FakeSocket & Socket {
    return new FakeSocket() as unknown as FakeSocket & Socket;
  }

  destroy(): void {
    this.destroyed = true;
  }

  write(): boolean {
    return true;
  }

  end(): void {}
  pause(): void {}
  resume(): void {}

  /** As when so many octets are in the buffer. */
  fill(length: number): void {
    this[CALLBACK](length);
  }
}

netTest(
  "a handshake has 60 s (HANDSHAKE_TIMEOUT_MS), from the first byte or after STARTTLS",
  async (scope) => {
    const certificates = await storeFor("localhost");
    using timers = new HeldTimers();
    const secure = await scope.listen({ tls: { certificates } });
    const silent = await scope.connect(secure.port);
    await timers.until(60_000);
    await timers.pass(59_999);
    assert.equal(silent.closed || silent.ended, false);
    await timers.pass(1);
    await silent.waitForEnd();

    const clear = await scope.listen();
    const client = await scope.connect(clear.port);
    const { transport } = await clear.next();
    const failed = assert.rejects(transport.upgradeTls({ certificates }), /took too long/);
    await timers.until(60_000);
    await timers.pass(59_999);
    assert.equal(client.closed || client.ended, false);
    await timers.pass(1);
    await failed;
  },
);

Deno.test("2,000 handshakes may be under way (MAX_HANDSHAKES), with one more the oldest is dropped", () => {
  const listener = new Listener(
    { kind: "imaps", address: "127.0.0.1:0", onConnection: () => {} },
    { kind: "tcp", host: "127.0.0.1", port: 0 },
  );
  const sockets = Array.from({ length: 2_001 }, () => FakeSocket.make());
  const dropped = () => sockets.flatMap(({ destroyed }, i) => destroyed ? [i] : []);
  for (const socket of sockets.slice(0, 2_000)) listener.beginHandshake(socket);
  assert.deepEqual(dropped(), []);
  for (const socket of sockets.slice(2_000)) listener.beginHandshake(socket);
  assert.deepEqual(dropped(), [0]);
  for (const socket of sockets) listener.endHandshake(socket);
});

netTest(
  "the system is asked to hold 4,096 connections (LISTEN_BACKLOG), and after 5 min whether a peer lives (KEEP_ALIVE_MS)",
  async (scope) => {
    const { listen } = Server.prototype;
    const { setKeepAlive } = Socket.prototype;
    const asked: unknown[] = [];
    Server.prototype.listen = function (this: Server, options: NetConnectOpts, ...rest: unknown[]) {
      asked.push((options as unknown as { backlog: number }).backlog);
      return Reflect.apply(listen, this, [options, ...rest]);
    } as typeof listen;
    Socket.prototype.setKeepAlive = function (this: Socket, isOn, ms) {
      asked.push(ms);
      return setKeepAlive.call(this, isOn, ms);
    };
    try {
      const { port, next } = await scope.listen();
      assert.deepEqual(asked, [4_096]);
      const target = await connectTarget("127.0.0.1", port, undefined);
      scope.onClose(() => target.destroy());
      await next();
      assert.deepEqual(asked, [4_096, 300_000, 300_000]);
    } finally {
      Server.prototype.listen = listen;
      Socket.prototype.setKeepAlive = setKeepAlive;
    }
  },
);

netTest(
  "who speaks in clear on a TLS port has 2 s for a line (CLEAR_LINE_TIMEOUT_MS) of 512 octets (MAX_CLEAR_LINE)",
  async (scope) => {
    const { port } = await scope.listen({ tls: { certificates: await storeFor("localhost") } });
    using timers = new HeldTimers();
    const slow = await scope.connect(port);
    slow.send("GET / HT");
    await timers.until(2_000);
    await timers.pass(1_999);
    assert.equal(slow.closed || slow.ended, false);
    await timers.pass(1);
    await slow.waitForEnd();
    assert.equal(slow.text, "");

    const long = await scope.connect(port);
    long.send("GET /".padEnd(511, "x"));
    await timers.until(2_000);
    await timers.pass(0);
    assert.equal(long.text, "");
    long.send("x");
    await long.waitFor("400 Bad Request");
  },
);

Deno.test("a close waits 5 s for output to flow (CLOSE_FLUSH_MS), then 1 s for the peer's end (CLOSE_LINGER_MS)", async () => {
  using timers = new HeldTimers();
  const stuck = FakeSocket.make();
  void endPolitely(stuck);
  timers.passAtOnce(4_999);
  assert.equal(stuck.destroyed, false);
  timers.passAtOnce(1);
  assert.equal(stuck.destroyed, true);

  const lingering = FakeSocket.make();
  const closed = endPolitely(lingering);
  lingering.emit("finish");
  timers.passAtOnce(999);
  assert.equal(lingering.destroyed, false);
  timers.passAtOnce(1);
  assert.equal(lingering.destroyed, true);
  lingering.emit("close");
  await closed;
});

Deno.test("a close drops 4 MiB that still come, and no more (CLOSE_LINGER_BYTES)", async () => {
  const socket = FakeSocket.make();
  const closed = endPolitely(socket);
  for (let i = 0; i < 4; i++) socket.emit("data", new Uint8Array(1024 * 1024));
  assert.equal(socket.destroyed, false);
  socket.emit("data", new Uint8Array(1));
  assert.equal(socket.destroyed, true);
  socket.emit("close");
  await closed;
});

Deno.test("from 1 MiB on (RELAY_BULK) a relay has a buffer of 256 KiB (RELAY_BUFFER), and drops CLOSE_LINGER_BYTES for a side that is gone", () => {
  const [client, target] = [FakeSocket.make(), FakeSocket.make()];
  relay(client, target, new Uint8Array(0));
  client.emit("data", new Uint8Array(1024 * 1024 - 1));
  assert.deepEqual(client.buffers, []);
  client.emit("data", new Uint8Array(1));
  assert.deepEqual(client.buffers.map(({ length }) => length), [256 * 1024]);
  target.destroyed = true;
  for (let i = 0; i < 16; i++) client.fill(256 * 1024);
  assert.equal(client.destroyed, false);
  client.fill(1);
  assert.equal(client.destroyed, true);
});

Deno.test("the target of a relay has 10 s to answer (RELAY_CONNECT_MS)", async () => {
  using timers = new HeldTimers();
  let outcome = "none";
  // Before the event loop comes to its turn nobody can have answered.
  const connecting = connectTarget("127.0.0.1", 9, undefined);
  connecting.catch((error) => outcome = error.code);
  timers.passAtOnce(9_999);
  await Promise.resolve();
  assert.equal(outcome, "none");
  timers.passAtOnce(1);
  await assert.rejects(connecting, { code: "timeout" });
});

Deno.test("a peer of a TransportSocket may leave output unread for 60 s (READER_TIMEOUT_MS)", async () => {
  using timers = new HeldTimers();
  const { server } = memoryTransportPair();
  server.drain = (ms) => new Promise((resolve) => setTimeout(resolve, ms, false));
  const socket = new TransportSocket(server);
  socket.resume();
  socket.write("much");
  await timers.until(60_000);
  await timers.pass(59_999);
  assert.equal(server.broken, false);
  await timers.pass(1);
  assert.equal(server.broken, true);
  socket.destroy();
});

netTest(
  "64 KiB are inflated at a turn (INFLATED_PER_TURN), 16 KiB at a time (INFLATED_PIECE)",
  async (scope) => {
    const { read } = Inflate.prototype;
    const pieces: number[] = [];
    Inflate.prototype.read = function (limit) {
      pieces.push(limit);
      return read.call(this, limit);
    };
    try {
      const server = await scope.listen();
      const client = await scope.connect(server.port);
      const { transport } = await server.next();
      transport.startCompression();
      const turns: number[][] = [];
      let all = 0;
      transport.onReadable = () => {
        for (let bytes; (bytes = transport.tryRead());) all += bytes.length;
        turns.push(pieces.splice(0));
      };
      client.send(deflateRawSync(new Uint8Array(1024 * 1024)));
      await eventually(() => all === 1024 * 1024, "all of it");
      assert.deepEqual(turns[0], Array(4).fill(16 * 1024));
      assert.equal(Math.max(...turns.map(({ length }) => length)), 4);
    } finally {
      Inflate.prototype.read = read;
    }
  },
);
