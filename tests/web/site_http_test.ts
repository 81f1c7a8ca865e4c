import assert from "node:assert/strict";
import { serveHttp } from "../../src/app/http_connection.ts";
import { decodeLatin1, encodeUtf8 } from "../../src/base/mod.ts";
import { MAX_FORM_BYTES } from "../../src/web/limits.ts";
import { bytesOf, put } from "../store/fixture.ts";
import { type MemoryTransport, memoryTransportPair } from "../support/memory_transport.ts";
import { HOSTNAME, MAX_UPLOAD_BYTES, SiteHouse } from "./site_house.ts";

/** A connection as the server speaks on it, and the head of each request of alice's browser. */
async function connect(house: SiteHouse) {
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const cookie = [...visitor.cookies].map((each) => each.join("=")).join("; ");
  const { server, client } = memoryTransportPair({ via: "web" });
  const served = serveHttp(server, (request) => house.answer(request));
  const head = (line: string, fields: readonly string[]) =>
    [
      ...[`${line} HTTP/1.1`, `Host: ${HOSTNAME}`, `Cookie: ${cookie}`],
      ...["Sec-Fetch-Site: same-origin", ...fields, "", ""],
    ].join("\r\n");
  const upload = (...fields: string[]) =>
    client.write(encodeUtf8(head("POST /account/transfer/import", [
      "Content-Type: multipart/form-data; boundary=y",
      ...fields,
    ])));
  return { visitor, client, served, head, upload };
}

const FILE_HEAD = '--y\r\nContent-Disposition: form-data; name="file"; filename="a.mbox"\r\n\r\n';
const FILE_END = "\r\n--y--\r\n";

async function readUntil(client: MemoryTransport, end: RegExp): Promise<string> {
  let text = "";
  while (!end.test(text)) {
    const bytes = await client.read(5_000);
    if (!bytes) break;
    text += decodeLatin1(bytes);
  }
  return text;
}

async function uploads(house: SiteHouse): Promise<number> {
  return (await Array.fromAsync(Deno.readDir(house.uploads)).catch(() => [])).length;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200 && !await condition(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(await condition());
}

Deno.test("a file comes over the wire as browsers send it, and what happens to it is told as events", async () => {
  await using house = await SiteHouse.open();
  const { client, served, head, upload } = await connect(house);
  const text = "x".repeat(400_000);
  const body = `${FILE_HEAD}From a@b Thu Jan  1 00:00:00 1970\nSubject: x\n\n${text}\n${FILE_END}`;
  upload(`Content-Length: ${body.length}`);
  for (let at = 0; at < body.length; at += 100_000) {
    client.write(encodeUtf8(body.slice(at, at + 100_000)));
  }
  assert.match(
    await readUntil(client, /\r\n\r\n/),
    /^HTTP\/1\.1 303 [^]*location: \/account\/transfer\r/i,
  );
  client.write(encodeUtf8(head("GET /account/transfer/events", [])));
  const events = await readUntil(client, /"isDone":true/);
  assert.match(events, /content-type: text\/event-stream/i);
  const mail = await house.store.openAccount((await house.account("alice")).id);
  assert.equal((await mail.findMailbox("a"))?.counts.messages, 1);
  await client.close();
  await served;
});

Deno.test("a file that says it is too large is refused before it is sent", async () => {
  await using house = await SiteHouse.open();
  const { client, served, upload } = await connect(house);
  upload("Content-Length: 3000000000");
  client.write(encodeUtf8(FILE_HEAD + "x".repeat(1000)));
  assert.match(await readUntil(client, /<\/html>/), /^HTTP\/1\.1 413 [^]*larger than/);
  await client.close();
  await served;
});

Deno.test("one that turns out to be too large is given up", async () => {
  await using house = await SiteHouse.open();
  const { client, served, upload } = await connect(house);
  upload("Transfer-Encoding: chunked");
  const chunk = (text: string) =>
    client.write(encodeUtf8(`${text.length.toString(16)}\r\n${text}\r\n`));
  chunk(FILE_HEAD);
  for (let sent = 0; sent <= MAX_UPLOAD_BYTES; sent += 100_000) chunk("x".repeat(100_000));
  await readUntil(client, /<\/html>/);
  assert.equal(await uploads(house), 0);
  await client.close();
  await served;
});

Deno.test("a browser that goes away while it sends leaves nothing, and may try again", async () => {
  await using house = await SiteHouse.open();
  const { visitor, client, served, upload } = await connect(house);
  upload("Content-Length: 100000");
  client.write(encodeUtf8(FILE_HEAD + "From "));
  await until(async () => await uploads(house) === 1);
  client.destroy();
  await served;
  await until(async () => await uploads(house) === 0);
  assert.doesNotMatch((await visitor.get("/account/transfer")).html, /import-bar/);
});

Deno.test("a browser that goes away while it downloads ends the export", async () => {
  await using house = await SiteHouse.open();
  const mail = await house.store.openAccount((await house.account("alice")).id);
  for (let i = 0; i < 20; i++) {
    // What does not get smaller, so that much has to be sent.
    const text = Array.from({ length: 10_000 }, () => Math.random().toString(36)).join("\r\n");
    await put(mail, "INBOX", { bytes: bytesOf(`Subject: ${i}\r\n\r\n${text}\r\n`) });
  }
  const { client, served, head } = await connect(house);
  client.write(encodeUtf8(head("GET /account/transfer/export", [])));
  assert.match(await readUntil(client, /PK\x03\x04/), /content-disposition: attachment/i);
  client.destroy();
  await served;
});

Deno.test("a form may come in chunks, or not at all, and is limited all the same", async () => {
  await using house = await SiteHouse.open();
  const { client, served, head } = await connect(house);
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  const type = "Content-Type: application/x-www-form-urlencoded";
  const post = (...body: string[]) => {
    client.write(encodeUtf8(head("POST /account/settings", [type, "Transfer-Encoding: chunked"])));
    for (const piece of body) client.write(encodeUtf8(chunk(piece)));
  };
  post("without=", "NOTIFY", "");
  assert.match(await readUntil(client, /\r\n\r\n/), /^HTTP\/1\.1 303 [^]*done=saved/);
  assert.deepEqual((await house.account("alice")).disabledCapabilities, ["NOTIFY"]);
  client.write(encodeUtf8(head("POST /account/transfer/abort", [])));
  assert.match(await readUntil(client, /\r\n\r\n/), /^HTTP\/1\.1 303 /);
  post("x".repeat(MAX_FORM_BYTES), "");
  assert.match(await readUntil(client, /\r\n\r\n/), /^HTTP\/1\.1 303 /);
  post("x".repeat(MAX_FORM_BYTES + 1), "");
  assert.match(await readUntil(client, /\r\n\r\n/), /^HTTP\/1\.1 413 /);
  await client.close();
  await served;
});
