import assert from "node:assert/strict";
import { MAX_WAITING_REQUESTS, serveHttp } from "../../src/app/http_connection.ts";
import { decodeLatin1, encodeUtf8 } from "../../src/base/mod.ts";
import { type MemoryTransport, memoryTransportPair } from "../support/memory_transport.ts";

const echo = async (request: Request) =>
  new Response(`${request.method} ${request.url} ${(await request.text()).length}`);

/** A browser's connection to `handle`. */
function connect(
  handle: (request: Request) => Response | Promise<Response> = echo,
  headTimeoutMs = 10_000,
  idleTimeoutMs = 60_000,
) {
  const { server, client } = memoryTransportPair({ via: "web" });
  const shutdown = new AbortController();
  const served = serveHttp(server, handle, {
    ...{ shutdown: shutdown.signal, headTimeoutMs, idleTimeoutMs },
  });
  return { client, served, shutdown };
}

/** What comes until `end` was seen, or all until the connection's end. */
async function read(client: MemoryTransport, end?: RegExp): Promise<string> {
  let text = "";
  while (!(end && end.test(text))) {
    const bytes = await client.read(15_000);
    if (!bytes) break;
    text += decodeLatin1(bytes);
  }
  return text;
}

const send = (client: MemoryTransport, text: string) => client.write(encodeUtf8(text));

Deno.test("requests with and without a body are answered one after the other on one connection", async () => {
  const { client, served } = connect();
  send(client, "POST /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
  assert.match(
    await read(client, /POST .*$/),
    /^HTTP\/1\.1 200 OK\r\n[^]*POST http:\/\/h\/a\?b 5$/,
  );
  send(client, "GET /c HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.match(await read(client, /GET .*$/), /GET http:\/\/h\/c 0$/);
  send(client, "GET /d HTTP/1.0\r\n\r\n");
  assert.match(await read(client), /GET http:\/\/localhost\/d 0$/);
  await served;
});

Deno.test("what is no request gets 400 and what is too large 431, and the connection ends", async () => {
  const heads = [
    ["a LOGIN b c\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["GET / HTTP/1.1\r\nno colon\r\n\r\n", /^HTTP\/1\.1 400 /],
    [
      "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      /^HTTP\/1\.1 400 /,
    ],
    [`GET / HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(17_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
  ] as const;
  for (const [head, answer] of heads) {
    const { client, served } = connect();
    send(client, head);
    assert.match(await read(client), answer, head.slice(0, 40));
    await served;
  }
  const { client, served } = connect();
  send(client, `GET / HTTP/1.0\r\nHost: h\r\nX: ${"x".repeat(15_000)}\r\n\r\n`);
  assert.match(await read(client), /^HTTP\/1\.1 200 /);
  await served;
});

Deno.test("a handler's mistake is answered with 500 and told to nobody but the log", async () => {
  const { client, served } = connect(() => {
    throw new Error("a secret");
  });
  send(client, "GET / HTTP/1.0\r\n\r\n");
  const answer = await read(client);
  assert.match(answer, /^HTTP\/1\.1 500 /);
  assert.doesNotMatch(answer, /secret/);
  await served;
});

Deno.test("a shutdown ends an idle connection at once and a busy one after its answer", async () => {
  const idle = connect();
  send(idle.client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await read(idle.client, /GET .*$/);
  idle.shutdown.abort();
  await idle.served;

  const answer = Promise.withResolvers<Response>();
  const busy = connect(() => answer.promise);
  send(busy.client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await new Promise((resolve) => setTimeout(resolve, 10));
  busy.shutdown.abort();
  answer.resolve(new Response("done"));
  assert.match(await read(busy.client), /done$/);
  await busy.served;
});

Deno.test("who does not finish the head of a request in time is left, however it drips", async () => {
  const { client, served } = connect(echo, 200);
  send(client, "GET / HTTP/1.1\r\nX: ");
  const drip = setInterval(() => send(client, "x"), 20);
  const begun = performance.now();
  await served;
  clearInterval(drip);
  assert.ok(performance.now() - begun >= 190);
});

Deno.test("requests that are sent ahead are answered in turn, one at a time", async () => {
  let running = 0;
  const { client } = connect(async (request) => {
    assert.equal(++running, 1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    running--;
    return await echo(request);
  });
  const numbers = Array.from({ length: MAX_WAITING_REQUESTS }, (_, i) => i);
  send(client, numbers.map((i) => `GET /${i}. HTTP/1.1\r\nHost: h\r\n\r\n`).join(""));
  const answers = await read(client, new RegExp(`/${numbers.at(-1)}\\. 0$`));
  assert.deepEqual(
    [...answers.matchAll(/GET http:\/\/h\/(\d+)/g)].map(([, i]) => Number(i)),
    numbers,
  );
  await client.close();
});

Deno.test("who sends more ahead than is answered in turn is cut off, and nothing of it is kept", async () => {
  let begun = 0;
  const { client, served } = connect((request) => {
    begun++;
    return echo(request);
  });
  send(client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(MAX_WAITING_REQUESTS + 1));
  await served;
  assert.ok(begun <= 1, `${begun} requests were begun`);
  assert.equal(await read(client), "");
});

Deno.test("an answer that takes longer than a head may is not cut off by requests before it", async () => {
  const { client } = connect(async (request) => {
    if (request.url.endsWith("/slow")) await new Promise((resolve) => setTimeout(resolve, 500));
    return await echo(request);
  }, 200);
  send(client, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.match(await read(client, /slow 0$/), /slow 0$/);
  await client.close();
});

Deno.test("who drips a body is left, and who sends it slowly is not", async () => {
  const head = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n";
  const dripping = connect(echo, 10_000, 200);
  send(dripping.client, head);
  const drip = setInterval(() => send(dripping.client, "x"), 20);
  await dripping.served;
  clearInterval(drip);

  const slow = connect(echo, 10_000, 200);
  send(slow.client, head);
  const flow = setInterval(() => send(slow.client, "x".repeat(5_000)), 25);
  assert.match(await read(slow.client, / 100000$/), / 100000$/);
  clearInterval(flow);
  await slow.client.close();
});

Deno.test("what is no address to ask for gets 400 and no error in the log", async () => {
  const heads = [
    "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n",
    "GET / HTTP/1.1\r\nHost: a b/c\r\n",
    "GET / HTTP/1.1\r\nHost: a@b/\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: h\r\n",
    "GET /\\h HTTP/1.1\r\nHost: h\r\n",
    // RFC 9112 3.2
    "GET / HTTP/1.1\r\nHost: h\r\nhost: h\r\n",
  ];
  for (const head of heads) {
    const { client, served } = connect();
    send(client, `${head}Connection: close\r\n\r\n`);
    assert.match(await read(client), /^HTTP\/1\.1 400 /, head);
    await served;
  }
});
