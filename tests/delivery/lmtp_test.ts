import assert from "node:assert/strict";
import { metrics } from "../../src/base/mod.ts";
import nodemailer from "nodemailer";
import { MAX_RECIPIENTS } from "../../src/delivery/limits.ts";
import { parseAddress } from "../../src/net/mod.ts";
import { type Store, StoreError } from "../../src/store/mod.ts";
import {
  type House,
  MAX_MESSAGE_BYTES,
  messagesOf,
  openHouse,
  replacing,
  withAccounts,
} from "./house.ts";
import { RawClient } from "./raw_client.ts";

async function greeted(house: House, address?: string): Promise<RawClient> {
  const client = await RawClient.connect((await house.listen(address)).address);
  assert.match(await client.reply(), /^220 mail\.example\.org LMTP/);
  assert.match(await client.ask("LHLO client.example"), /^250/);
  return client;
}

async function inbox(house: House, id = house.alice.id): Promise<string[]> {
  return await messagesOf(await house.store.openAccount(id));
}

const MESSAGE = "Subject: hello\r\n\r\nworld\r\n";

Deno.test("LHLO announces what LMTP servers have to and nothing that we have not", async () => {
  await using house = await openHouse();
  const client = await greeted(house);
  const features = (await client.ask("LHLO client.example")).split("\r\n").slice(1)
    .map((line) => line.slice(4));
  assert.deepEqual(features, [
    "PIPELINING",
    "8BITMIME",
    "SMTPUTF8",
    "ENHANCEDSTATUSCODES",
    `SIZE ${MAX_MESSAGE_BYTES}`,
  ]);
  for (const refused of ["HELO x", "EHLO x", "AUTH PLAIN", "STARTTLS", "WIZ x", "BDAT 1 LAST"]) {
    assert.match(await client.ask(refused), /^500 /, refused);
  }
  assert.match(await client.ask("QUIT"), /^221 /);
  assert.equal(await client.reply(), "");
});

Deno.test("nodemailer delivers over TCP, to several at once", async () => {
  await using house = await openHouse();
  const where = parseAddress((await house.listen()).address);
  assert.ok(where.kind === "tcp");
  const transport = nodemailer.createTransport({ host: where.host, port: where.port, lmtp: true });
  const info = await transport.sendMail({
    from: "carol@far.example",
    to: ["alice@example.org", "bob@example.org", "nobody@example.org"],
    subject: "Grüße",
    text: "Hello\n.leading dot\n..two\n",
  });
  assert.deepEqual(info.accepted, ["alice@example.org", "bob@example.org"]);
  assert.deepEqual(info.rejected, ["nobody@example.org"]);
  for (const id of [house.alice.id, house.bob.id]) {
    const [text = ""] = await inbox(house, id);
    assert.match(text, /^Return-Path: <carol@far\.example>\r\n/);
    assert.match(text, /\r\n\.leading dot\r\n\.\.two\r\n/);
  }
});

Deno.test("each recipient gets the reply that is its own, equal ones too, and only after it is stored", async () => {
  await using house = await openHouse();
  await house.store.directory.setAccountQuota(house.bob.id, 300);
  const client = await greeted(house);
  client.send(
    "MAIL FROM:<carol@far.example>\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<nobody@example.org>\r\n" +
      "RCPT TO:<bob@example.org>\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<x@asleep.example>\r\nDATA\r\n",
  );
  const replies = await client.replies(7);
  assert.deepEqual(replies.map((reply) => reply.slice(0, 9)), [
    "250 2.1.0",
    "250 2.1.5",
    "550 5.1.1",
    "250 2.1.5",
    "250 2.1.5",
    "451 4.2.1",
    "354 End d",
  ]);
  client.send(`${MESSAGE}${"x".repeat(80)}\r\n.\r\n`);
  const results = (await client.replies(3)).map((reply) => reply.slice(0, 9));
  assert.deepEqual(results, ["250 2.6.0", "552 5.2.3", "250 2.6.0"]);
  assert.equal((await inbox(house)).length, 1);
  assert.equal((await inbox(house, house.bob.id)).length, 0);
  // The next transaction knows nothing of this one.
  assert.match(await client.ask("MAIL FROM:<>"), /^250/);
  assert.match(await client.ask("RCPT TO:<alice@example.org>"), /^250/);
  assert.match(await client.ask("DATA"), /^354/);
  assert.match(await client.ask("."), /^250 2\.6\.0/);
  assert.match((await inbox(house))[1] ?? "", /^Return-Path: <>\r\n/);
});

Deno.test("DATA without an accepted recipient is refused (RFC 2033 4.2)", async () => {
  await using house = await openHouse();
  const client = await greeted(house);
  await client.ask("MAIL FROM:<carol@far.example>");
  assert.match(await client.ask("RCPT TO:<nobody@example.org>"), /^550/);
  assert.match(await client.ask("DATA"), /^503/);
  await client.ask("RCPT TO:<alice@example.org>");
  assert.match(await client.ask("RSET"), /^250/);
  await client.ask("MAIL FROM:<carol@far.example>");
  assert.match(await client.ask("DATA"), /^503/);
});

Deno.test("a full mailbox is refused at RCPT, for now", async () => {
  await using house = await openHouse();
  const client = await greeted(house);
  const deliver = async () => {
    await client.ask("MAIL FROM:<carol@far.example>");
    const rcpt = await client.ask("RCPT TO:<alice@example.org>");
    if (!rcpt.startsWith("250")) return `RCPT ${rcpt}`;
    await client.ask("DATA");
    return `DATA ${await client.ask(`${MESSAGE}.`)}`;
  };
  assert.match(await deliver(), /^DATA 250/);
  const [text = ""] = await inbox(house);
  await house.store.directory.setAccountQuota(house.alice.id, text.length + 10);
  assert.match(await deliver(), /^DATA 452 4\.2\.2/);
  await house.store.directory.setAccountQuota(house.alice.id, text.length);
  await client.ask("RSET");
  const counted = () =>
    [...metrics.all()].find(({ name }) => name === "postern_deliveries_refused_total")
      ?.at({ reason: "over-quota" }).value ?? NaN;
  const before = counted();
  assert.match(await deliver(), /^RCPT 452 4\.2\.2/);
  assert.equal(counted(), before + 1);
});

Deno.test("everything pipelined at once, with QUIT or with the end of input, is answered in order", async () => {
  await using house = await openHouse();
  const all = "LHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<alice@example.org>\r\n" +
    `RCPT TO:<bob@example.org>\r\nDATA\r\n${MESSAGE}.\r\nNOOP\r\n`;
  for (const last of ["QUIT\r\n", ""]) {
    const client = await RawClient.connect((await house.listen()).address);
    await client.reply();
    client.send(all + last);
    client.end();
    const codes = (await client.replies(last ? 9 : 8)).map((reply) => reply.slice(0, 3));
    assert.deepEqual(
      codes,
      ["250", "250", "250", "250", "354", "250", "250", "250"].concat(last ? ["221"] : []),
    );
    assert.equal(await client.reply(), "");
  }
  assert.equal((await inbox(house)).length, 2);
});

Deno.test("a message in pieces of one octet, with dots and bare line feeds, is stored right", async () => {
  await using house = await openHouse();
  const client = await greeted(house);
  await client.ask("MAIL FROM:<a@b.example> BODY=8BITMIME SMTPUTF8");
  await client.ask("RCPT TO:<alice@example.org>");
  await client.ask("DATA");
  for (const octet of new TextEncoder().encode("S: ü\r\n\r\n..dot\r\nbare\nline\r\n.\r\n")) {
    client.send(Uint8Array.of(octet));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.match(await client.reply(), /^250/);
  const [text = ""] = await inbox(house);
  assert.ok(text.endsWith("\r\n\r\n.dot\r\nbare\r\nline\r\n"), JSON.stringify(text));
  assert.match(text, /with UTF8LMTP id/);
});

Deno.test("a message of exactly the limit is taken, one octet more is refused for each recipient", async () => {
  await using house = await openHouse();
  const client = await greeted(house);
  const send = async (octets: number) => {
    await client.ask("MAIL FROM:<a@b.example>");
    await client.ask("RCPT TO:<alice@example.org>");
    await client.ask("RCPT TO:<alice@example.org>");
    await client.ask("DATA");
    client.send(`${"x".repeat(octets - 2)}\r\n.\r\n`);
    return (await client.replies(2)).map((reply) => reply.slice(0, 9));
  };
  assert.deepEqual(await send(MAX_MESSAGE_BYTES), ["250 2.6.0", "250 2.6.0"]);
  assert.deepEqual(await send(MAX_MESSAGE_BYTES + 1), ["552 5.3.4", "552 5.3.4"]);
  assert.deepEqual(await send(MAX_MESSAGE_BYTES * 20), ["552 5.3.4", "552 5.3.4"]);
  assert.equal((await inbox(house)).length, 1);
  assert.match(
    await client.ask(`MAIL FROM:<a@b.example> SIZE=${MAX_MESSAGE_BYTES + 1}`),
    /^552 5\.3\.4/,
  );
  assert.match(await client.ask(`MAIL FROM:<a@b.example> SIZE=${MAX_MESSAGE_BYTES}`), /^250/);
});

Deno.test("recipients are counted, equal ones too, and the last one more is refused for now", async () => {
  await using house = await openHouse();
  const client = await greeted(house);
  await client.ask("MAIL FROM:<a@b.example>");
  for (let i = 0; i < MAX_RECIPIENTS; i++) {
    const address = i % 2 === 0 ? "alice@example.org" : `x${i}@catch.example`;
    assert.match(await client.ask(`RCPT TO:<${address}>`), /^250/);
  }
  assert.match(await client.ask("RCPT TO:<alice@example.org>"), /^452/);
  assert.match(await client.ask("RCPT TO:<another@catch.example>"), /^452/);
  await client.ask("DATA");
  client.send(`${MESSAGE}.\r\n`);
  const replies = await client.replies(MAX_RECIPIENTS);
  assert.ok(replies.every((reply) => reply.startsWith("250")));
  assert.equal((await inbox(house)).length, 1);
});

Deno.test("a client that goes away in the middle of a message leaves nothing behind", async () => {
  await using house = await openHouse();
  for (const leave of ["end", "destroy"] as const) {
    const client = await greeted(house);
    await client.ask("MAIL FROM:<a@b.example>");
    await client.ask("RCPT TO:<alice@example.org>");
    await client.ask("DATA");
    client.send("Subject: half\r\n\r\nnot all");
    await new Promise((resolve) => setTimeout(resolve, 20));
    client[leave]();
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(await inbox(house), []);
});

Deno.test("a command line that is too long ends the connection", async () => {
  await using house = await openHouse();
  const client = await greeted(house);
  assert.match(await client.ask(`NOOP ${"x".repeat(4000)}`), /^250/);
  assert.match(await client.ask(`NOOP ${"x".repeat(5000)}`), /^421/);
  assert.equal(await client.reply(), "");
});

Deno.test("postmaster needs no domain", async () => {
  await using house = await openHouse();
  await house.store.directory.addDomain("mail.example.org");
  await house.store.directory.addAddress("postmaster@mail.example.org", house.alice.id);
  const client = await greeted(house);
  await client.ask("MAIL FROM:<a@b.example>");
  assert.match(await client.ask("RCPT TO:<postmaster>"), /^250/);
});

Deno.test("LMTP works on a Unix socket, and says nothing of an address", async () => {
  await using house = await openHouse();
  const folder = await Deno.makeTempDir();
  try {
    const client = await greeted(house, `unix:${folder}/lmtp.sock`);
    await client.ask("MAIL FROM:<a@b.example>");
    await client.ask("RCPT TO:<alice@example.org>");
    await client.ask("DATA");
    assert.match(await client.ask(`${MESSAGE}.`), /^250/);
    assert.match((await inbox(house))[0] ?? "", /\r\nReceived: from client\.example\r\n\tby mail/);
    client.destroy();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** A store whose appends wait for `gate`. */
function gated(store: Store, gate: Promise<void>): Store {
  return withAccounts(store, (account) =>
    replacing(account, {
      append: async (...args) => {
        await gate;
        return await account.append(...args);
      },
    }));
}

Deno.test("nothing is acknowledged before the store says that it is durable", async () => {
  const gate = Promise.withResolvers<void>();
  await using house = await openHouse((store) => gated(store, gate.promise));
  const client = await greeted(house);
  await client.ask("MAIL FROM:<a@b.example>");
  await client.ask("RCPT TO:<alice@example.org>");
  await client.ask("DATA");
  const answer = client.ask(`${MESSAGE}.`);
  const early = await Promise.race([
    answer,
    new Promise((resolve) => setTimeout(resolve, 50, "none")),
  ]);
  assert.equal(early, "none");
  gate.resolve();
  assert.match(await answer, /^250/);
});

Deno.test("a store that fails is a temporary failure", async () => {
  const failing = Promise.reject(new StoreError("unavailable", "The disk is full."));
  failing.catch(() => {});
  await using house = await openHouse((store) => gated(store, failing));
  const client = await greeted(house);
  await client.ask("MAIL FROM:<a@b.example>");
  await client.ask("RCPT TO:<alice@example.org>");
  await client.ask("DATA");
  assert.match(await client.ask(`${MESSAGE}.`), /^451 4\.3\.0/);
  assert.match(await client.ask("NOOP"), /^250/);
});

Deno.test("closing lets what is under way finish and ends the rest with 421", async () => {
  const gate = Promise.withResolvers<void>();
  await using house = await openHouse((store) => gated(store, gate.promise));
  const [idle, busy] = [await greeted(house), await greeted(house)];
  await busy.ask("MAIL FROM:<a@b.example>");
  await busy.ask("RCPT TO:<alice@example.org>");
  await busy.ask("DATA");
  const answer = busy.ask(`${MESSAGE}.`);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const closing = house.lmtp.close(2000);
  gate.resolve();
  await closing;
  assert.match(await answer, /^250/);
  assert.match(await busy.reply(), /^421/);
  assert.match(await idle.reply(), /^421/);
  assert.equal(await idle.reply(), "");
  assert.equal((await inbox(house)).length, 1);
});

Deno.test("closing does not wait longer than it may for one who sends slowly", async () => {
  await using house = await openHouse();
  const client = await greeted(house);
  await client.ask("MAIL FROM:<a@b.example>");
  await client.ask("RCPT TO:<alice@example.org>");
  await client.ask("DATA");
  client.send("Subject: slow");
  const start = performance.now();
  await house.lmtp.close(100);
  assert.ok(performance.now() - start < 1000);
  assert.match(await client.reply(), /^421/);
  client.send("\r\n.\r\n");
  assert.equal(await client.reply(), "");
  assert.deepEqual(await inbox(house), []);
});
