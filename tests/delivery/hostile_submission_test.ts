import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeUtf8 } from "../../src/base/mod.ts";
import { MAX_SUBMISSION_COMMAND_BYTES } from "../../src/delivery/limits.ts";
import { LineCheck } from "../../src/delivery/line_check.ts";
import type { RawClient } from "./raw_client.ts";
import { plain, SubmissionHouse } from "./submission_house.ts";

const BEGIN = "MAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\n";
const HEADER = "From: alice@example.org\r\nSubject: one\r\n\r\n";
/** What somebody would have taken for another message. */
const SMUGGLED = `${BEGIN}DATA\r\nFrom: alice@example.org\r\n\r\nsmuggled\r\n.\r\n`;

/** Codes of the next replies. */
async function codes(client: RawClient, count: number): Promise<string[]> {
  return (await client.replies(count)).map((reply) => reply.slice(0, 3));
}

Deno.test("nothing but CRLF dot CRLF ends a message, and one with other ends of lines is refused", async () => {
  await using house = await SubmissionHouse.open();
  const ends = [
    "\n.\n",
    "\n.\r\n",
    "\r.\r",
    "\r\n.\n",
    "\r\n.\r",
    "\r.\r\n",
    "\n.\r",
    "\r\n\0.\r\n",
  ];
  for (const end of ends) {
    const client = await house.connectTls("alice");
    client.send(`${BEGIN}DATA\r\n${HEADER}body${end}${SMUGGLED}NOOP\r\n`);
    assert.deepEqual(await codes(client, 5), ["250", "250", "354", "554", "250"], end);
    client.destroy();
  }
  // The same as a chunk, whose length alone ends it.
  for (const end of ["\n.\n", "\r.\r\n", "\0", "\r"]) {
    const client = await house.connectTls("alice");
    const text = HEADER + "body" + end;
    client.send(`${BEGIN}BDAT ${text.length} LAST\r\n${text}NOOP\r\n`);
    assert.deepEqual(await codes(client, 4), ["250", "250", "554", "250"], end);
    client.destroy();
  }
  assert.deepEqual(await house.inbox("bob"), []);
});

Deno.test("dots at the start of lines survive, wherever the message is cut", async () => {
  await using house = await SubmissionHouse.open();
  const body = "..\r\n.a\r\n...\r\n. \r\nb.\r\n";
  const wire = `${BEGIN}DATA\r\n${HEADER}${body.replace(/^\./gm, "..")}.\r\n`;
  for (const size of [1, 2, 3, 5]) {
    const client = await house.connectTls("alice");
    for (let at = 0; at < wire.length; at += size) {
      client.send(wire.slice(at, at + size));
      if (at % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert.deepEqual(await codes(client, 4), ["250", "250", "354", "250"]);
    client.destroy();
  }
  for (const text of await house.inbox("bob")) assert.ok(text.endsWith(`\r\n\r\n${body}`), text);
  assert.equal((await house.inbox("bob")).length, 4);
});

Deno.test("a command is a line that ends with CRLF, has no other CR, LF or NUL, and is whole", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  for (
    const line of [
      "NOOP\n",
      "MAIL FROM:<alice@example.org>\nRCPT TO:<bob@example.org>\r\n",
      "MAIL FROM:<alice@example.org>\rRCPT TO:<bob@example.org>\r\n",
      "NO\0OP\r\n",
    ]
  ) {
    client.send(line);
    assert.match(await client.reply(), /^500 5\.5\.2 /, JSON.stringify(line));
    if (line.includes("\nR")) assert.match(await client.reply(), /^503 /, "the rest is a line");
  }
  assert.match(await client.ask("NOOP"), /^250 /);
  client.send("MAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nBDAT 0 LAST");
  await client.replies(2);
  client.end();
  assert.equal(await client.reply(), "", "what is cut off is not run");
});

Deno.test("a command may be as long as the limit and no longer", async () => {
  await using house = await SubmissionHouse.open();
  for (const excess of [0, 1]) {
    const client = await house.connectTls("alice");
    const line = "NOOP ".padEnd(MAX_SUBMISSION_COMMAND_BYTES + excess, "x");
    assert.match(await client.ask(line), excess === 0 ? /^250 / : /^421 /);
    client.destroy();
  }
  // Without any end.
  const client = await house.connectTls("alice");
  client.send("x".repeat(MAX_SUBMISSION_COMMAND_BYTES + 3));
  assert.match(await client.reply(), /^421 /);
});

Deno.test("thousands of commands at once are all answered, in order", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  client.send("NOOP\r\n".repeat(5_000) + "VRFY\r\n");
  const replies = await codes(client, 5_001);
  assert.ok(replies.slice(0, -1).every((code) => code === "250"));
  assert.equal(replies.at(-1), "501");
});

Deno.test("what is pipelined behind AUTH is read by the exchange, or after it", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls();
  client.send(`AUTH PLAIN ${plain("alice")}\r\n${BEGIN}RSET\r\n`);
  assert.deepEqual(await codes(client, 4), ["235", "250", "250", "250"]);
  const other = await house.connectTls();
  // The second line is an answer, and no command.
  other.send(`AUTH PLAIN\r\n${BEGIN}QUIT\r\n`);
  assert.deepEqual(await codes(other, 4), ["334", "501", "530", "221"]);
  const third = await house.connectTls();
  third.send(`AUTH PLAIN\r\n${plain("alice")}\r\nAUTH PLAIN ${plain("bob")}\r\nNOOP\r\n`);
  assert.deepEqual(await codes(third, 4), ["334", "235", "503", "250"]);
});

Deno.test("RSET, EHLO and a second MAIL in the middle leave nothing of a transaction", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  for (const reset of ["RSET\r\n", "EHLO again.example\r\n", "HELO again.example\r\n"]) {
    client.send(`${BEGIN}${reset}DATA\r\n`);
    assert.deepEqual(await codes(client, 4), ["250", "250", "250", "503"], reset);
    client.send(`${BEGIN}BDAT 5\r\nhello${reset}BDAT 0 LAST\r\n`);
    assert.deepEqual(await codes(client, 5), ["250", "250", "250", "250", "503"], reset);
  }
  client.send(`${BEGIN}MAIL FROM:<alice@example.org>\r\nDATA\r\n${HEADER}body\r\n.\r\n`);
  assert.deepEqual(await codes(client, 5), ["250", "250", "503", "354", "250"]);
  client.send(`${BEGIN}BDAT 4\r\nFromDATA\r\n${HEADER}`);
  const mixed = await codes(client, 4);
  assert.equal(mixed[3], "503", "no DATA behind BDAT");
  client.destroy();
  assert.equal((await house.inbox("bob")).length, 1);
});

Deno.test("an empty last chunk ends a message, and without any message there is nothing to send", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  client.send(`${BEGIN}BDAT ${HEADER.length}\r\n${HEADER}BDAT 0\r\nBDAT 0 LAST\r\nBDAT 0 LAST\r\n`);
  assert.deepEqual(await codes(client, 6), ["250", "250", "250", "250", "250", "503"]);
  client.send(`${BEGIN}BDAT 0 LAST\r\n`);
  assert.deepEqual(await codes(client, 3), ["250", "250", "554"]);
  for (const bad of ["BDAT", "BDAT -1", "BDAT 1 2", "BDAT 1e3 LAST", "BDAT 99999999999999999"]) {
    const other = await house.connectTls("alice");
    other.send(`${BEGIN}${bad}\r\nQUIT\r\n`);
    assert.deepEqual(await codes(other, 3), ["250", "250", "421"], bad);
    assert.equal(await other.reply(), "");
  }
  assert.equal((await house.inbox("bob")).length, 1);
});

Deno.test("parameters that were not announced are refused, and no others", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  for (const parameter of ["FOO", "FOO=bar", "REQUIRETLS", "BY=1;R", "MT-PRIORITY=1"]) {
    assert.match(await client.ask(`MAIL FROM:<alice@example.org> ${parameter}`), /^555 5\.5\.4 /);
  }
  for (const [parameter, code] of [["BODY=BINARYMIME", 501], ["SIZE=x", 501], ["SIZE", 501]]) {
    assert.match(
      await client.ask(`MAIL FROM:<alice@example.org> ${parameter}`),
      new RegExp(`^${code} `),
    );
  }
  const all = "MAIL FROM:<alice@example.org> SIZE=100 BODY=8BITMIME SMTPUTF8 AUTH=<>";
  assert.match(await client.ask(all), /^250 /);
  assert.match(await client.ask("RCPT TO:<bob@example.org> FOO=bar"), /^555 5\.5\.4 /);
  assert.match(await client.ask("RCPT TO:<bob@example.org>"), /^250 /);
});

Deno.test("how a message is cut says nothing about its lines", () => {
  const octet = fc.constantFrom("\r", "\n", "\r\n", "\0", "a");
  fc.assert(
    fc.property(fc.array(octet), fc.integer({ min: 1, max: 4 }), (octets, size) => {
      const text = octets.join("");
      const bytes = encodeUtf8(text);
      const check = new LineCheck();
      let isGood = true;
      for (let at = 0; at < bytes.length && isGood; at += size) {
        isGood = check.write(bytes.subarray(at, at + size));
      }
      assert.equal(isGood && check.end(), /^(?:[^\r\n\0]|\r\n)*$/.test(text));
    }),
    { numRuns: 1_000 },
  );
});
