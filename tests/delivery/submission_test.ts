import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { MAX_SUBMISSION_RECIPIENTS } from "../../src/delivery/limits.ts";
import { ScramClient } from "../support/scram_client.ts";
import { RawClient } from "./raw_client.ts";
import { MAX_SUBMITTED_BYTES, PASSWORD, plain, SubmissionHouse } from "./submission_house.ts";

const MESSAGE = "From: Alice <alice@example.org>\r\nTo: bob@example.org\r\nSubject: hello\r\n" +
  "Date: Tue, 24 Nov 2026 11:00:00 +0100\r\nMessage-ID: <1@example.org>\r\n\r\nworld\r\n";

function features(reply: string): string[] {
  return reply.split("\r\n").slice(1).map((line) => line.slice(4));
}

/** Sends a message by DATA, and gives the last reply. */
async function send(
  client: RawClient,
  message = MESSAGE,
  { from = "alice@example.org", to = ["bob@example.org"] } = {},
): Promise<string> {
  for (const command of [`MAIL FROM:<${from}>`, ...to.map((each) => `RCPT TO:<${each}>`), "DATA"]) {
    const reply = await client.ask(command);
    if (!/^[23]/.test(reply)) return reply;
  }
  client.send(message.replace(/^\./gm, "..") + "\r\n.\r\n".slice(message.endsWith("\r\n") ? 2 : 0));
  return await client.reply();
}

Deno.test("EHLO announces what there is, and logging in only within TLS", async () => {
  await using house = await SubmissionHouse.open();
  const common = [
    ...["PIPELINING", "8BITMIME", "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES"],
    `SIZE ${MAX_SUBMITTED_BYTES}`,
  ];
  const clear = await house.connect();
  assert.deepEqual(features(await clear.ask("EHLO client.example")), [...common, "STARTTLS"]);
  assert.match(await clear.ask(`AUTH PLAIN ${plain("alice")}`), /^538 5\.7\.11 /);
  assert.match(await clear.ask("MAIL FROM:<alice@example.org>"), /^530 5\.7\.0 /);
  assert.match(await clear.ask("STARTTLS now"), /^501 /);
  assert.match(await clear.ask("STARTTLS"), /^220 /);
  await clear.startTls();
  assert.match(await clear.ask("MAIL FROM:<alice@example.org>"), /^503 /, "EHLO is forgotten");
  const within = features(await clear.ask("EHLO client.example"));
  assert.deepEqual(within.slice(0, -1), common);
  assert.deepEqual(within.at(-1)?.split(" "), [
    "AUTH",
    ...["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN", "LOGIN"],
  ]);
  assert.match(await clear.ask("STARTTLS"), /^503 /);
  assert.match(await clear.ask(`AUTH PLAIN ${plain("alice")}`), /^235 2\.7\.0 /);
  assert.equal(await send(clear), "250 2.6.0 OK: message queued");
  for (const refused of ["WIZ x", "XCLIENT NAME=x", "HELP", "LHLO x"]) {
    assert.match(await clear.ask(refused), /^500 /, refused);
  }
  assert.match(await clear.ask("QUIT"), /^221 /);
  assert.equal(await clear.reply(), "");
});

Deno.test("what is sent in clear after STARTTLS is never looked at", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connect();
  await client.ask("EHLO client.example");
  client.send("STARTTLS\r\nRSET\r\nNOOP\r\nNOOP\r\n");
  assert.match(await client.reply(), /^220 /);
  await client.startTls();
  assert.match(
    await client.ask("EHLO client.example"),
    /^250-mail/,
    "no answer to anything before",
  );
  // The same in a segment of its own is no ClientHello.
  const other = await house.connect();
  await other.ask("EHLO client.example");
  assert.match(await other.ask("STARTTLS"), /^220 /);
  other.send("NOOP\r\n");
  assert.equal(await other.reply(), "");
});

Deno.test("every mechanism of the house logs in", async () => {
  await using house = await SubmissionHouse.open();
  const login = await house.connectTls();
  assert.equal(await login.ask("AUTH LOGIN"), `334 ${btoa("Username:")}`);
  assert.equal(await login.ask(btoa("alice@example.org")), `334 ${btoa("Password:")}`);
  assert.match(await login.ask(btoa(PASSWORD)), /^235 /);
  assert.match(await login.ask("AUTH LOGIN"), /^503 5\.5\.1 /);
  assert.equal(features(await login.ask("EHLO again.example")).some((f) => /AUTH/.test(f)), false);

  const initial = await house.connectTls();
  assert.equal(
    await initial.ask(`AUTH login ${btoa("alice@example.org")}`),
    `334 ${btoa("Password:")}`,
  );
  assert.match(await initial.ask(btoa(PASSWORD)), /^235 /);

  const asked = await house.connectTls();
  assert.equal(await asked.ask("AUTH PLAIN"), "334");
  assert.match(await asked.ask(plain("alice")), /^235 /);

  for (const hash of ["SHA-1", "SHA-256"] as const) {
    const client = await house.connectTls();
    const scram = new ScramClient({ hash, username: "alice@example.org", password: PASSWORD });
    const first = await client.ask(`AUTH SCRAM-${hash} ${btoa(scram.first)}`);
    const final = await client.ask(btoa(await scram.final(atob(first.slice(4)))));
    assert.equal(atob(final.slice(4)), `v=${scram.serverSignature}`);
    assert.match(await client.ask(""), /^235 /);
    assert.match(await send(client), /^250 /);
  }
  assert.equal((await house.inbox("bob")).length, 2);
});

Deno.test("logins fail with the codes that RFC 4954 has, and end a connection that tries too often", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls();
  assert.match(await client.ask(`AUTH PLAIN ${plain("alice", "wrong")}`), /^535 5\.7\.8 /);
  assert.match(await client.ask(`AUTH PLAIN ${plain("nobody")}`), /^535 5\.7\.8 /);
  assert.match(await client.ask("AUTH CRAM-MD5"), /^504 5\.5\.4 /);
  assert.match(await client.ask("AUTH PLAIN !!!"), /^501 5\.5\.2 /);
  assert.match(await client.ask("AUTH PLAIN a b"), /^501 5\.5\.4 /);
  assert.equal(await client.ask("AUTH PLAIN"), "334");
  assert.match(await client.ask("*"), /^501 5\.7\.0 /);
  await house.store.directory.setAccountDisabled(house.account("bob").id, "Ask the admin.");
  assert.match(await client.ask(`AUTH PLAIN ${plain("bob")}`), /^535 5\.7\.13 Ask the admin\.$/);
  for (let i = 0; i < 40; i++) {
    if (/^421 /.test(await client.ask("NOOP"))) return assert.equal(await client.reply(), "");
  }
  assert.fail("it may go on for ever");
});

Deno.test("an account that is disabled while it is logged in sends nothing more", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  assert.match(await send(client), /^250 /);
  await house.store.directory.setAccountDisabled(house.account("alice").id, "No.");
  assert.match(await client.ask("MAIL FROM:<alice@example.org>"), /^421 4\.7\.13 /);
  assert.equal(await client.reply(), "");
});

Deno.test("a connection ends at once when its account may not stay, also in the middle of a message", async () => {
  const told = new Map<number, Set<() => void>>();
  await using house = await SubmissionHouse.open({
    watchAccount: (account, tell) => {
      const watchers = told.get(account) ?? new Set();
      told.set(account, watchers.add(tell));
      return () => watchers.delete(tell);
    },
  });
  const { id } = house.account("alice");
  const tell = () => told.get(id)?.forEach((each) => each());
  const idle = await house.connectTls("alice");
  const busy = await house.connectTls("alice");
  const chunked = await house.connectTls("alice");
  const bob = await house.connectTls("bob");
  for (const client of [busy, chunked]) {
    await client.ask("MAIL FROM:<alice@example.org>");
    await client.ask("RCPT TO:<bob@example.org>");
  }
  await busy.ask("DATA");
  busy.send(MESSAGE);
  await chunked.ask(`BDAT ${MESSAGE.length}\r\n${MESSAGE.slice(0, -2)}`);
  tell();
  assert.match(await idle.ask("NOOP"), /^250 /, "nothing changed that matters");
  await house.store.directory.setAccountDisabled(id, "No.");
  tell();
  for (const client of [idle, busy, chunked]) {
    assert.match(await client.reply(), /^421 4\.7\.13 /);
    assert.equal(await client.reply(), "");
  }
  assert.match(await bob.ask("NOOP"), /^250 /);
  await house.until(() => told.get(id)?.size === 0);
  assert.deepEqual(await house.inbox("bob"), []);
});

Deno.test("an account may have as many connections as the limit", async () => {
  await using house = await SubmissionHouse.open({
    authenticator: { maxSessionsPerAccount: 2 },
  });
  const first = await house.connectTls("alice");
  await house.connectTls("alice");
  await house.connectTls("bob");
  const third = await house.connectTls();
  assert.match(await third.ask(`AUTH PLAIN ${plain("alice")}`), /^454 4\.7\.0 .*too many/);
  assert.match(await third.ask("MAIL FROM:<alice@example.org>"), /^530 /);
  await first.ask("QUIT");
  await first.reply();
  await house.until(async () => /^235 /.test(await third.ask(`AUTH PLAIN ${plain("alice")}`)));
  assert.match(await send(third), /^250 /);
});

Deno.test("a message is there for its recipient when it is acknowledged, with one Received field", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  assert.match(await send(client, MESSAGE + ".dot\r\n"), /^250 2\.6\.0 /);
  const [text = "", ...more] = await house.inbox("bob");
  assert.deepEqual(more, []);
  assert.match(
    text,
    /^Return-Path: <alice@example\.org>\r\nDelivered-To: bob@example\.org\r\nReceived: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby mail\.example\.org with ESMTPSA id [0-9a-f]{16}\r\n\tfor <bob@example\.org>; Tue, 24 Nov 2026 12:00:00 \+0000\r\nFrom: /,
  );
  assert.equal(text.slice(text.indexOf("From: ")), MESSAGE + ".dot\r\n");
});

Deno.test("Bcc goes, Date and Message-ID come where they are missing, and nothing else changes", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  const odd = "X-Odd:  two  spaces \r\n\tfolded\r\nFROM: alice@example.org\r\nsubject:a\tb\r\n";
  const body = "\r\nBcc: in the body\r\n\tend without newline";
  assert.match(
    await send(client, `bcc: eve@example.org,\r\n bob@example.org\r\n${odd}Bcc:\r\n${body}`),
    /^250 /,
  );
  const [text = ""] = await house.inbox("bob");
  const added =
    /Date: Tue, 24 Nov 2026 12:00:00 \+0000\r\nMessage-ID: <[0-9a-f]{32}@example\.org>\r\n/;
  const match = added.exec(text);
  assert.ok(match);
  assert.equal(text.slice(match.index + match[0].length), `${odd}${body}\r\n`);
});

Deno.test("sender and From must be the account's, by any of its addresses", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  assert.match(await client.ask("MAIL FROM:<bob@example.org>"), /^550 5\.7\.1 /);
  assert.match(await client.ask("MAIL FROM:<alice@far.example>"), /^550 5\.7\.1 /);
  const as = (from: string) => MESSAGE.replace("Alice <alice@example.org>", from);
  for (const from of ["alice+shop@example.org", "ALICE@EXAMPLE.ORG", "sales@example.org"]) {
    assert.match(await send(client, as(from), { from }), /^250 /, from);
  }
  assert.match(await send(client, as("alice@example.org"), { from: "" }), /^250 /, "for MDNs");
  for (
    const from of [
      ...["bob@example.org", "Alice <alice@example.org>, bob@example.org", "alice", "x: ;"],
      "alice@example.org\r\nFrom: bob@example.org",
    ]
  ) {
    assert.match(await send(client, as(from)), /^55[04] 5\.[67]\.[01] /, from);
  }
  assert.match(await send(client, "Subject: no From\r\n\r\nx\r\n"), /^554 5\.6\.0 /);
  assert.match(await send(client, "\r\nno header\r\n"), /^554 5\.6\.0 /);
  assert.equal((await house.inbox("bob")).length, 4);
});

Deno.test("who cannot be reached is refused at RCPT", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  await client.ask("MAIL FROM:<alice@example.org>");
  assert.match(await client.ask("RCPT TO:<nobody@example.org>"), /^550 5\.1\.1 /);
  assert.match(await client.ask("RCPT TO:<eve@far.example>"), /^550 5\.7\.1 .*no relay/);
  assert.match(await client.ask("RCPT TO:<bad>"), /^501 /);
  assert.match(await client.ask("DATA"), /^503 /);
});

Deno.test("as many recipients as the limit, and not one more, each of whom gets it", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  const names = Array.from({ length: MAX_SUBMISSION_RECIPIENTS }, (_, i) => `bob+${i}@example.org`);
  client.send([
    "MAIL FROM:<alice@example.org>",
    ...[...names, "bob+more@example.org"].map((name) => `RCPT TO:<${name}>`),
    "",
  ].join("\r\n"));
  const replies = await client.replies(names.length + 2);
  assert.ok(replies.slice(0, -1).every((reply) => reply.startsWith("250 ")));
  assert.match(replies.at(-1) ?? "", /^452 4\.5\.3 /);
  assert.match(await client.ask("DATA"), /^354 /);
  assert.match(await client.ask(MESSAGE + "."), /^250 /);
  assert.equal((await house.inbox("bob")).length, 1, "all of them are one account");
});

Deno.test("a message may be as large as the limit and no larger, by DATA and by BDAT", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  const fill = (size: number) => MESSAGE + "x".repeat(size - MESSAGE.length - 2) + "\r\n";
  assert.match(
    await client.ask(`MAIL FROM:<alice@example.org> SIZE=${MAX_SUBMITTED_BYTES + 1}`),
    /^552 5\.3\.4 /,
  );
  assert.match(await send(client, fill(MAX_SUBMITTED_BYTES)), /^250 /);
  assert.match(await send(client, fill(MAX_SUBMITTED_BYTES + 1)), /^552 5\.3\.4 /);
  for (
    const [size, expected] of [[MAX_SUBMITTED_BYTES, /^250 /], [
      MAX_SUBMITTED_BYTES + 1,
      /^552 5\.3\.4 /,
    ]] as const
  ) {
    await client.ask("MAIL FROM:<alice@example.org>");
    await client.ask("RCPT TO:<bob@example.org>");
    client.send(`BDAT ${size} LAST\r\n${fill(size)}`);
    assert.match(await client.reply(), expected);
  }
  const [first = 0, second = 0, ...more] = await house.sizes("bob");
  assert.deepEqual(more, []);
  assert.equal(first, second);
  assert.ok(first > MAX_SUBMITTED_BYTES && first < MAX_SUBMITTED_BYTES + 400);
});

Deno.test("BDAT brings a message in chunks, however they are cut", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  const begin = "MAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\n";
  const text = MESSAGE + "..two dots\r\n.\r\nQUIT\r\n";
  // All at once, the last chunk empty, and a command after it.
  client.send(
    `${begin}BDAT 10\r\n${text.slice(0, 10)}BDAT ${text.length - 10}\r\n${text.slice(10)}` +
      "BDAT 0 LAST\r\nNOOP\r\n",
  );
  const replies = await client.replies(6);
  assert.match(replies[2] ?? "", /^250 2\.0\.0 10 octets/);
  assert.match(replies[4] ?? "", /^250 2\.6\.0 /);
  assert.match(replies[5] ?? "", /^250 2\.0\.0 OK/);
  // In pieces.
  client.send(begin);
  await client.replies(2);
  for (const char of `BDAT ${text.length} LAST\r\n${text}`) {
    client.send(char);
    if (Math.random() < 0.1) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.match(await client.reply(), /^250 2\.6\.0 /);
  for (const received of await house.inbox("bob")) {
    assert.equal(received.slice(received.indexOf("From: ")), text);
  }
  // Out of order: the octets are not taken for commands.
  client.send("BDAT 6 LAST\r\nRSET\r\nNOOP\r\n");
  assert.match(await client.reply(), /^503 5\.5\.1 /);
  assert.match(await client.reply(), /^250 /);
  client.send(
    `${begin}BDAT 4\r\nRSETDATA\r\nRCPT TO:<alice@example.org>\r\nRSET\r\nBDAT 2 LAST\r\nxx`,
  );
  assert.deepEqual((await client.replies(7)).map((reply) => reply.slice(0, 3)), [
    ...["250", "250", "250", "503", "503", "250", "503"],
  ]);
  assert.match(await client.ask("BDAT x LAST"), /^421 /);
  const lost = await house.connectTls("alice");
  assert.match(await lost.ask(`BDAT ${MAX_SUBMITTED_BYTES + 1} LAST`), /^421 5\.5\.1 /);
  const stranger = await house.connectTls();
  stranger.send("BDAT 6 LAST\r\nRSET\r\n");
  assert.match(await stranger.reply(), /^530 /);
  assert.equal((await house.inbox("bob")).length, 2);
});

Deno.test("a client that is gone in the middle of a message has sent nothing", async () => {
  await using house = await SubmissionHouse.open();
  for (const half of ["DATA\r\n" + MESSAGE + "half", `BDAT 9999 LAST\r\n${MESSAGE}`]) {
    const client = await house.connectTls("alice");
    await client.ask("MAIL FROM:<alice@example.org>");
    await client.ask("RCPT TO:<bob@example.org>");
    client.send(half);
    await new Promise((resolve) => setTimeout(resolve, 30));
    client.destroy();
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(await house.inbox("bob"), []);
});

Deno.test("an account may send a burst, and then as much as its rate", async () => {
  await using house = await SubmissionHouse.open({ rate: { messagesPerMinute: 60, burst: 3 } });
  const client = await house.connectTls("alice");
  for (let i = 0; i < 3; i++) assert.match(await send(client), /^250 /);
  assert.match(await client.ask("MAIL FROM:<alice@example.org>"), /^450 4\.7\.1 /);
  const bob = await house.connectTls("bob");
  assert.match(await bob.ask("MAIL FROM:<bob@example.org>"), /^250 /);
  house.time += 999;
  assert.match(await client.ask("MAIL FROM:<alice@example.org>"), /^450 4\.7\.1 /);
  house.time += 1;
  assert.match(await send(client), /^250 /);
  assert.match(await client.ask("MAIL FROM:<alice@example.org>"), /^450 4\.7\.1 /);
  house.time += 60_000;
  for (let i = 0; i < 3; i++) assert.match(await send(client), /^250 /);
});

Deno.test("a policy hides the client, replaces fields, and refuses senders and messages", async () => {
  const seen: string[] = [];
  await using house = await SubmissionHouse.open({
    policy: {
      hidesClient: true,
      replacedFields: () => new Map([["subject", "[...]"]]),
      checkSender: async (_account, sender) =>
        sender === "sales@example.org"
          ? { code: 550, status: "5.7.1", text: "Not today" }
          : undefined,
      checkMessage: async ({ content, from, recipients }) => {
        let text = "";
        for await (const piece of content()) text += new TextDecoder().decode(piece);
        seen.push(`${from} ${recipients} ${/^Subject: (.*)\r$/m.exec(text)?.[1]}`);
        return text.includes("secret") ? undefined : {
          code: 523,
          status: "5.7.1",
          text: "Encryption Needed",
        };
      },
    },
  });
  const client = await house.connectTls("alice");
  assert.equal(await client.ask("MAIL FROM:<sales@example.org>"), "550 5.7.1 Not today");
  assert.equal(await send(client), "523 5.7.1 Encryption Needed");
  const trace =
    "Received: from phone\r\n\tby x; y\r\nX-Originating-IP: 192.0.2.1\r\nUser-Agent: z\r\n";
  assert.match(await send(client, trace + MESSAGE + "secret\r\n"), /^250 /);
  const [text = ""] = await house.inbox("bob");
  assert.doesNotMatch(text, /Received|X-Originating|User-Agent|client\.example|127\.0\.0\.1/);
  assert.match(text, /^Subject: \[\.\.\.\]\r$/m);
  assert.doesNotMatch(text, /hello/);
  assert.deepEqual(seen[1], "alice@example.org bob@example.org [...]");
});

Deno.test("addresses beyond ASCII need SMTPUTF8, which the trace tells of", async () => {
  await using house = await SubmissionHouse.open();
  await house.store.directory.addAddress("jürgen@example.org", house.account("bob").id);
  const client = await house.connectTls("alice");
  await client.ask("MAIL FROM:<alice@example.org>");
  assert.match(await client.ask("RCPT TO:<jürgen@example.org>"), /^553 5\.6\.7 /);
  await client.ask("RSET");
  await client.ask("MAIL FROM:<alice@example.org> SMTPUTF8 BODY=8BITMIME");
  assert.match(await client.ask("RCPT TO:<jürgen@example.org>"), /^250 /);
  await client.ask("DATA");
  assert.match(await client.ask(MESSAGE + "Grüße\r\n."), /^250 /);
  const [text = ""] = await house.inbox("bob");
  assert.match(text, /with UTF8SMTPSA id/);
  assert.match(text, /Grüße/);
});

Deno.test("nodemailer sends by both ports, with attachments", async () => {
  await using house = await SubmissionHouse.open();
  for (const kind of ["submission", "submissions"] as const) {
    const transport = nodemailer.createTransport({
      host: "127.0.0.1",
      port: house.port(kind),
      secure: kind === "submissions",
      requireTLS: true,
      tls: { rejectUnauthorized: false },
      auth: { user: "alice@example.org", pass: PASSWORD },
    });
    const info = await transport.sendMail({
      from: '"Alice" <alice@example.org>',
      to: "bob@example.org",
      bcc: "alice@example.org",
      subject: "Grüße",
      text: "Hello",
      attachments: [{ filename: "a.bin", content: "x".repeat(300_000) }],
    });
    assert.deepEqual(info.accepted, ["bob@example.org", "alice@example.org"]);
    transport.close();
  }
  assert.equal((await house.inbox("bob")).length, 2);
  assert.equal((await house.inbox("alice")).length, 2);
  assert.doesNotMatch((await house.inbox("bob")).join(), /bcc/i);
});

Deno.test("a server that stops finishes what is under way and says 421 to the others", async () => {
  await using house = await SubmissionHouse.open();
  const idle = await house.connectTls("alice");
  const busy = await house.connectTls("alice");
  await busy.ask("MAIL FROM:<alice@example.org>");
  await busy.ask("RCPT TO:<bob@example.org>");
  await busy.ask("DATA");
  busy.send(MESSAGE);
  const closed = house.server.close(2000);
  busy.send(".\r\n");
  assert.match(await busy.reply(), /^250 /);
  assert.match(await idle.reply(), /^421 /);
  await closed;
  assert.equal((await house.inbox("bob")).length, 1);
});
