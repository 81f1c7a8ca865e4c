import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { INFLATED_HIGH_WATER, INPUT_HIGH_WATER } from "../../src/net/limits.ts";
import type { Transport } from "../../src/net/mod.ts";
import {
  ascii,
  type Client,
  eventually,
  hasProgram,
  netTest,
  pause,
  python,
  readUntil,
  type Scope,
  storeFor,
  within,
} from "./support.ts";

const { Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_NO_FLUSH } = zlib.constants;

async function openCompressed(scope: Scope, secure = false) {
  const server = await scope.listen(
    secure ? { tls: { certificates: await storeFor("localhost") } } : {},
  );
  const client = secure ? await scope.connectTls(server.port) : await scope.connect(server.port);
  const { transport } = await server.next();
  transport.startCompression();
  assert.equal(transport.facts.compressed, true);
  return { client, transport };
}

/** Text that a client inflates from what it received. */
function inflated(client: Client): string {
  if (client.received.length === 0) return "";
  return zlib.inflateRawSync(client.received, { finishFlush: Z_SYNC_FLUSH }).toString();
}

/** A client's own deflater, which refers back and flushes as told. */
class Deflater {
  readonly #stream: zlib.DeflateRaw;
  #made: Buffer[] = [];

  constructor(options: zlib.ZlibOptions = {}) {
    this.#stream = zlib.createDeflateRaw(options);
    this.#stream.on("data", (chunk) => this.#made.push(chunk));
  }

  async deflate(text: string | Uint8Array, kind: number): Promise<Buffer> {
    await new Promise((resolve) => this.#stream.write(text, resolve));
    await new Promise<void>((resolve) => this.#stream.flush(kind, resolve));
    const all = Buffer.concat(this.#made);
    this.#made = [];
    return all;
  }

  close(): void {
    this.#stream.destroy();
  }
}

for (
  const [name, kind] of [["partial", Z_PARTIAL_FLUSH], ["sync", Z_SYNC_FLUSH], [
    "full",
    Z_FULL_FLUSH,
  ]] as const
) {
  for (const byByte of [false, true]) {
    netTest(
      `a client's ${name} flush arrives at once${byByte ? ", byte by byte too" : ""}`,
      async (scope) => {
        const { client, transport } = await openCompressed(scope);
        const deflater = new Deflater();
        scope.onClose(() => deflater.close());
        for (let i = 0; i < 20; i++) {
          const line = `a${i} UID FETCH ${i}:* (FLAGS BODYSTRUCTURE)\r\n`;
          const bytes = await deflater.deflate(line, kind);
          if (byByte) {
            for (const byte of bytes) {
              client.send(Uint8Array.of(byte));
              await new Promise((resolve) => setImmediate(resolve));
            }
          } else client.send(bytes);
          assert.equal(await readUntil(transport, "\n"), line);
        }
      },
    );
  }
}

for (const secure of [false, true]) {
  netTest(
    `each write is one flush that a client can read at once${secure ? ", over TLS" : ""}`,
    async (scope) => {
      const { client, transport } = await openCompressed(scope, secure);
      let expected = "";
      for (let i = 0; i < 20; i++) {
        const line = `* ${i} FETCH (FLAGS (\\Seen))\r\n`;
        expected += line;
        transport.write(ascii(line));
        await client.until((each) => inflated(each) === expected, line);
      }
    },
  );
}

netTest("a large answer survives, in writes of every size", async (scope) => {
  const { client, transport } = await openCompressed(scope);
  const inflater = zlib.createInflateRaw();
  scope.onClose(() => inflater.destroy());
  const received: Buffer[] = [];
  inflater.on("data", (chunk) => received.push(chunk));
  client.socket.on("data", (chunk) => inflater.write(chunk));
  const all = Buffer.alloc(3_000_000);
  for (let i = 0; i < all.length; i++) all[i] = (i * i >> 7) & 0xff;
  let offset = 0;
  for (let size = 1; offset < all.length; size = size * 3 % 99_991) {
    transport.write(all.subarray(offset, offset + size));
    offset += size;
    await transport.drain(5_000);
  }
  await client.until(
    () => received.reduce((sum, each) => sum + each.length, 0) === all.length,
    "all of it",
  );
  assert.equal(Buffer.concat(received).compare(all), 0);
});

netTest("bytes received before compression started are compressed ones", async (scope) => {
  const { port, next } = await scope.listen();
  const client = await scope.connect(port);
  const { transport } = await next();
  const deflater = new Deflater();
  scope.onClose(() => deflater.close());
  client.send(Buffer.concat([
    Buffer.from("a1 COMPRESS DEFLATE\r\n"),
    await deflater.deflate("a2 NOOP\r\n", Z_SYNC_FLUSH),
  ]));
  let all: Uint8Array = new Uint8Array(0);
  while (!all.includes(10)) all = Buffer.concat([all, await transport.read() ?? assert.fail()]);
  transport.unread(new Uint8Array(all.subarray(all.indexOf(10) + 1)));
  transport.startCompression();
  assert.equal(await readUntil(transport, "\n"), "a2 NOOP\r\n");
  client.send(await deflater.deflate("a3 NOOP\r\n", Z_SYNC_FLUSH));
  assert.equal(await readUntil(transport, "\n"), "a3 NOOP\r\n");
});

netTest("unread gives back decompressed bytes", async (scope) => {
  const { client, transport } = await openCompressed(scope);
  client.send(zlib.deflateRawSync("abc", { finishFlush: Z_SYNC_FLUSH }));
  const bytes = await transport.read();
  assert(bytes);
  transport.unread(bytes.subarray(1));
  assert.equal(Buffer.from(transport.tryRead() ?? []).toString(), "bc");
});

netTest("a bomb is inflated no further than it is read", async (scope) => {
  const { client, transport } = await openCompressed(scope);
  const total = 200_000_000;
  const bomb = zlib.deflateRawSync(Buffer.alloc(total), { level: 9 });
  assert(bomb.length < 250_000);
  const before = Deno.memoryUsage().rss;
  client.send(bomb);
  await pause(500);
  const first = transport.tryRead();
  assert(first);
  assert(first.length < INFLATED_HIGH_WATER + 32 * 1024, String(first.length));
  assert(Deno.memoryUsage().rss - before < 60_000_000);
  let length = first.length;
  for (let i = 0; i < 20; i++) {
    const bytes = await transport.read(5_000);
    assert(bytes);
    assert(bytes.length < INFLATED_HIGH_WATER + 32 * 1024, String(bytes.length));
    length += bytes.length;
  }
  assert(length < total);
});

netTest("a compressed flood that nobody reads stops its sender", async (scope) => {
  const { client, transport } = await openCompressed(scope);
  const noise = Buffer.alloc(20_000_000);
  for (let i = 0; i < noise.length; i += 4) noise.writeUInt32LE(Math.imul(i, 2654435761) >>> 0, i);
  const stored = zlib.deflateRawSync(noise, { level: 0, finishFlush: Z_SYNC_FLUSH });
  client.send(stored);
  await pause(500);
  assert(client.socket.writableLength > 5_000_000, "the sender should be held up");
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length < noise.length) {
    const bytes = await transport.read(10_000);
    assert(bytes);
    assert(bytes.length <= INPUT_HIGH_WATER);
    parts.push(bytes);
    length += bytes.length;
  }
  assert.equal(Buffer.concat(parts).compare(noise), 0);
});

netTest("input that is not deflate breaks the transport, gently", async (scope) => {
  const { client, transport } = await openCompressed(scope);
  client.send(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff));
  assert.equal(await within(transport.read(), "the end"), null);
  assert.equal(transport.broken, true);
  transport.write(ascii("into the void"));
  await transport.close();
  await client.waitForEnd();
});

netTest(
  "input that breaks off within a block still gives what came before, then the end",
  async (scope) => {
    const { client, transport } = await openCompressed(scope);
    const deflater = new Deflater();
    scope.onClose(() => deflater.close());
    client.send(await deflater.deflate("a1 NOOP\r\n", Z_SYNC_FLUSH));
    const second = await deflater.deflate("a2 " + "x".repeat(50), Z_NO_FLUSH + Z_SYNC_FLUSH);
    client.socket.end(second.subarray(0, 3));
    assert.match(await readUntil(transport, "\n"), /^a1 NOOP\r\n/);
    let last;
    do last = await transport.read(5_000); while (last instanceof Uint8Array);
    assert.equal(last, null);
    transport.write(ascii("* BYE\r\n"));
    await client.until((each) => inflated(each) === "* BYE\r\n", "the answer");
  },
);

netTest("after the end of a deflate stream nothing more is read", async (scope) => {
  const { client, transport } = await openCompressed(scope);
  client.send(zlib.deflateRawSync("last words"));
  assert.equal(await readUntil(transport, "words"), "last words");
  client.send("after the end");
  assert.equal(await within(transport.read(), "the end"), null);
  client.send("and more");
  await pause(50);
  assert.equal(transport.tryRead(), null);
  assert.equal(transport.broken, false);
});

netTest(
  "after a reset nothing touches the compressor, whatever is still written",
  async (scope) => {
    const { client, transport } = await openCompressed(scope);
    client.send(zlib.deflateRawSync("x".repeat(100_000), { finishFlush: Z_SYNC_FLUSH }));
    client.socket.resetAndDestroy();
    for (let i = 0; i < 50; i++) {
      transport.write(new Uint8Array(100_000));
      await pause(1);
    }
    await eventually(() => transport.broken, "broken");
    transport.write(ascii("more"));
    transport.destroy();
    transport.destroy();
  },
);

netTest("compression starts once", async (scope) => {
  const { transport }: { transport: Transport } = await openCompressed(scope);
  assert.throws(() => transport.startCompression());
});

netTest("Python's zlib understands us, and we its partial flushes", async (scope) => {
  const { port, next } = await scope.listen();
  const done = python(
    `
import socket, sys, zlib
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
c = zlib.compressobj(9, zlib.DEFLATED, -15); d = zlib.decompressobj(-15)
for i in range(10):
  s.sendall(c.compress(b"a%d NOOP\\r\\n" % i) + c.flush(zlib.Z_PARTIAL_FLUSH))
  got = b""
  while not got.endswith(b"\\n"): got += d.decompress(s.recv(4096))
print(got.decode().strip())
`,
    String(port),
  );
  const { transport } = await next();
  transport.startCompression(9);
  for (let i = 0; i < 10; i++) {
    assert.equal(await readUntil(transport, "\n"), `a${i} NOOP\r\n`);
    transport.write(ascii(`a${i} OK\r\n`));
  }
  assert.equal(await done, "a9 OK");
}, !hasProgram("python3"));
