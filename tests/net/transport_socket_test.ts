import assert from "node:assert/strict";
import { once } from "node:events";
import { decodeUtf8, encodeUtf8 } from "../../src/base/mod.ts";
import { TransportSocket } from "../../src/net/transport_socket.ts";
import { memoryTransportPair } from "../support/memory_transport.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("a socket over a transport carries bytes both ways, and knows both ends", async () => {
  const { server, client } = memoryTransportPair();
  const socket = new TransportSocket(server);
  assert.equal(socket.remoteAddress, server.facts.remote.address);
  assert.equal(socket.localPort, server.facts.local.port);
  client.write(encodeUtf8("hello"));
  const [chunk] = await once(socket, "data");
  assert.equal(decodeUtf8(chunk), "hello");
  socket.write("answer");
  assert.equal(decodeUtf8(await client.read() ?? new Uint8Array()), "answer");
  socket.destroy();
});

Deno.test("a peer that is silent for the time set is noticed, one that speaks or is spoken to is not", async () => {
  const { server, client } = memoryTransportPair();
  const socket = new TransportSocket(server);
  let timeouts = 0;
  socket.resume();
  socket.setTimeout(60, () => timeouts++);
  for (let i = 0; i < 5; i++) {
    await pause(30);
    if (i % 2 === 0) client.write(encodeUtf8("."));
    else socket.write(".");
  }
  assert.equal(timeouts, 0);
  await pause(100);
  assert.equal(timeouts, 1);
  socket.destroy();
});

Deno.test("the end of the peer's input leaves ours open, and ours ends everything", async () => {
  const { server, client } = memoryTransportPair();
  const socket = new TransportSocket(server);
  socket.resume();
  const ended = once(socket, "end");
  void client.close();
  await ended;
  assert.equal(socket.writable, true);
  const closed = once(socket, "close");
  socket.end();
  await closed;
  assert.equal(socket.readyState, "closed");
});

Deno.test("a peer that does not read is dropped when its time is over", async () => {
  const { server } = memoryTransportPair();
  server.drain = () => Promise.resolve(false);
  const socket = new TransportSocket(server);
  socket.resume();
  const ended = once(socket, "end");
  socket.write("much");
  await ended;
  assert.ok(server.broken);
  socket.destroy();
});

Deno.test("destroying a socket destroys its transport", async () => {
  const { server } = memoryTransportPair();
  const socket = new TransportSocket(server);
  socket.destroy();
  await once(socket, "close");
  assert.ok(server.broken);
});
