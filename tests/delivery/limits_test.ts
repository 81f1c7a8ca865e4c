import assert from "node:assert/strict";
import { decodeLatin1 } from "../../src/base/mod.ts";
import {
  MAX_COMMAND_BYTES,
  MAX_COMMANDS_BEFORE_LOGIN,
  MAX_FROM_ADDRESSES,
  MAX_RECEIVED_NAME_BYTES,
  MAX_REPORTED_HEADER_BYTES,
  MAX_SPOOLED_IN_MEMORY,
  MAX_SUBMITTED_HEADER_BYTES,
} from "../../src/delivery/limits.ts";
import { Spool } from "../../src/delivery/spool.ts";
import { readHeader } from "../../src/delivery/submitted_header.ts";
import { traceHeader } from "../../src/delivery/trace_header.ts";
import { content, openHouse } from "./house.ts";
import { RawClient } from "./raw_client.ts";
import { SubmissionHouse } from "./submission_house.ts";

Deno.test("a line that an LMTP client sends has MAX_COMMAND_BYTES octets at most", async () => {
  await using house = await openHouse();
  const { address } = await house.listen();
  const reply = async (octets: number) => {
    const client = await RawClient.connect(address);
    await client.reply();
    const answer = await client.ask("NOOP ".padEnd(octets, "x"));
    client.destroy();
    return answer;
  };
  assert.match(await reply(MAX_COMMAND_BYTES), /^250 /);
  assert.match(await reply(MAX_COMMAND_BYTES + 1), /^(?:421|500) /);
});

Deno.test("before a login a client has MAX_COMMANDS_BEFORE_LOGIN commands", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connect();
  for (let i = 0; i < MAX_COMMANDS_BEFORE_LOGIN; i++) {
    assert.match(await client.ask("NOOP"), /^250 /, `command ${i + 1}`);
  }
  assert.match(await client.ask("NOOP"), /^421 /);
  assert.equal(await client.reply(), "");
});

/** Sends a message with this header, and gives the reply. */
async function submit(house: SubmissionHouse, header: string): Promise<string> {
  const client = await house.connectTls("alice");
  await client.ask("MAIL FROM:<alice@example.org>");
  await client.ask("RCPT TO:<bob@example.org>");
  await client.ask("DATA");
  client.send(`${header}\r\nbody\r\n.\r\n`);
  const reply = await client.reply();
  client.destroy();
  return reply;
}

Deno.test("a submitted message has a header of MAX_SUBMITTED_HEADER_BYTES octets at most", async () => {
  await using house = await SubmissionHouse.open();
  const from = "From: alice@example.org\r\n";
  const header = (octets: number) => {
    const rest = octets - from.length;
    const lines = Math.floor(rest / 1000) - 1;
    return from + `X: ${"x".repeat(995)}\r\n`.repeat(lines) +
      `Y: ${"y".repeat(rest - lines * 1000 - 5)}\r\n`;
  };
  assert.equal(header(MAX_SUBMITTED_HEADER_BYTES).length, MAX_SUBMITTED_HEADER_BYTES);
  assert.match(await submit(house, header(MAX_SUBMITTED_HEADER_BYTES)), /^250 /);
  assert.match(await submit(house, header(MAX_SUBMITTED_HEADER_BYTES + 1)), /^552 /);
});

Deno.test("a From field has MAX_FROM_ADDRESSES addresses at most", async () => {
  await using house = await SubmissionHouse.open();
  const from = (count: number) =>
    `From: ${
      Array(count).fill("alice@example.org").join(",\r\n ")
    }\r\nSender: alice@example.org\r\n`;
  assert.match(await submit(house, from(MAX_FROM_ADDRESSES)), /^250 /);
  assert.match(await submit(house, from(MAX_FROM_ADDRESSES + 1)), /^554 5\.6\.0 /);
});

Deno.test("MAX_SPOOLED_IN_MEMORY octets of a message stay in memory, the next one makes a file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const files = () => [...Deno.readDirSync(folder)].length;
    const spool = new Spool(folder);
    await spool.write(new Uint8Array(MAX_SPOOLED_IN_MEMORY));
    assert.equal(files(), 0);
    await spool.write(new Uint8Array(1));
    assert.equal(files(), 1);
    let size = 0;
    for await (const piece of spool.content()) size += piece.length;
    assert.equal(size, MAX_SPOOLED_IN_MEMORY + 1);
    await spool.discard();
    assert.equal(files(), 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a report repeats MAX_REPORTED_HEADER_BYTES octets of a header, in whole lines", async () => {
  const header = (octets: number) => {
    const lines = octets / 64 - 1;
    return `${`X: ${"x".repeat(59)}\r\n`.repeat(lines)}Y: ${"y".repeat(59)}\r\n`;
  };
  const whole = header(MAX_REPORTED_HEADER_BYTES);
  assert.equal(whole.length, MAX_REPORTED_HEADER_BYTES);
  const read = async (text: string) =>
    decodeLatin1(await readHeader(content(`${text}\r\nbody`), MAX_REPORTED_HEADER_BYTES));
  assert.equal(await read(whole), whole);
  const longer = whole.replace("Y: ", "Y:  ");
  assert.equal(await read(longer), whole.slice(0, -64));
});

Deno.test("a Received field repeats MAX_RECEIVED_NAME_BYTES octets of a client's name", () => {
  const field = (octets: number) =>
    new TextDecoder().decode(
      traceHeader({
        hostname: "mail.example.org",
        sender: "",
        clientName: "a".repeat(octets),
        clientAddress: "192.0.2.1",
        protocol: "LMTP",
        isTraced: true,
        id: "1",
        time: 0,
      }, "x@y"),
    );
  const longest = "a".repeat(MAX_RECEIVED_NAME_BYTES);
  assert.ok(field(MAX_RECEIVED_NAME_BYTES).includes(`from ${longest} (`));
  assert.ok(field(MAX_RECEIVED_NAME_BYTES + 1).includes(`from ${longest} (`));
});
