import assert from "node:assert/strict";
import { CertificateStore, NetError } from "../../src/net/mod.ts";
import { memoryTlsFacts, memoryTransportPair } from "../support/memory_transport.ts";
import { ascii, readUntil } from "./support.ts";

const options = { certificates: new CertificateStore([]) };

Deno.test("what one end writes the other reads, later", async () => {
  const { server, client } = memoryTransportPair();
  let calls = 0;
  server.onReadable = () => calls++;
  client.write(ascii("a1 "));
  client.write(ascii("NOOP\r\n"));
  assert.equal(calls, 0, "not within the write");
  assert.equal(await readUntil(server, "\n"), "a1 NOOP\r\n");
  await Promise.resolve();
  assert(calls > 0);
  assert.equal(server.tryRead(), undefined);
  assert.equal(await server.read(5), undefined);
});

Deno.test("an end in memory is seen after what came before it", async () => {
  const { server, client } = memoryTransportPair();
  client.write(ascii("x"));
  client.endOutput();
  assert.equal((await server.read())?.length, 1);
  assert.equal(await server.read(), null);
  server.write(ascii("bye"));
  assert.equal(await readUntil(client, "bye"), "bye");
  await server.close();
  assert.equal(server.broken, true);
  assert.equal(await client.read(), null);
});

Deno.test("a reader that does not read makes drain wait", async () => {
  const { server, client } = memoryTransportPair({}, 1000);
  server.write(new Uint8Array(1000 + 64 * 1024));
  assert.equal(server.pendingBytes, 64 * 1024);
  assert.equal(await server.drain(5), false);
  const drained = server.drain(5_000);
  client.tryRead();
  assert.equal(await drained, true);
  assert.equal(server.pendingBytes, 0);
  server.write(new Uint8Array(200_000));
  const broken = server.drain(5_000);
  server.destroy();
  assert.equal(await broken, false);
});

Deno.test("TLS in memory starts only when no clear bytes wait", async () => {
  const good = memoryTransportPair();
  good.server.tlsAfterUpgrade = memoryTlsFacts({ sni: "mail.example.org" });
  await good.server.upgradeTls(options);
  assert.equal(good.server.facts.tls?.sni, "mail.example.org");
  const bad = memoryTransportPair();
  bad.client.write(ascii("a2 LOGIN x y\r\n"));
  await assert.rejects(bad.server.upgradeTls(options), NetError);
  assert.equal(bad.server.tryRead(), null);
});

Deno.test("facts in memory are the two ends of one connection", () => {
  const { server, client } = memoryTransportPair({ via: "imaps", tls: memoryTlsFacts() });
  assert.deepEqual(server.facts.remote, client.facts.local);
  assert.equal(server.facts.via, "imaps");
  assert.equal(server.facts.tls?.version, "TLSv1.3");
  server.startCompression();
  assert.equal(server.facts.compressed, true);
});
