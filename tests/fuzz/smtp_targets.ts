import assert from "node:assert/strict";
import { encodeLatin1 } from "../../src/base/mod.ts";
import { memoryTlsFacts, memoryTransportPair } from "../support/memory_transport.ts";
import { simpleMessage } from "../support/messages.ts";
import { type House, messagesOf, openHouse } from "../delivery/house.ts";
import { PASSWORD, plain, SubmissionHouse } from "../delivery/submission_house.ts";
import { collect, CONVERSATION_MS, sendInPieces } from "./conversation.ts";
import type { FaultLog } from "./fault_log.ts";
import { type Random, tokensOf } from "./mutate.ts";
import type { Target } from "./target.ts";

/** Conversations with one house, which is then built anew, so that memory is bounded. */
const CASES_OF_A_HOUSE = 300;

/** What `countKept` gives at first. */
const NOTHING_KEPT = "0 0,0";

const MESSAGE = simpleMessage().replace(/^From:.*$/m, "From: alice@example.org");
const BODY = `${MESSAGE}..dot\r\n.\r\n`;

const TOKENS = tokensOf(
  ..."RSET|NOOP|QUIT|VRFY x|HELO x|EHLO x|LHLO x|STARTTLS|DATA|.|BDAT 3|BDAT 0 LAST|AUTH PLAIN|*|="
    .split("|").map((line) => `${line}\r\n`),
  "MAIL FROM:<alice@example.org>\r\n",
  "MAIL FROM:<>\r\n",
  "RCPT TO:<alice@example.org>\r\n",
  "RCPT TO:<info@example.org>\r\n",
  "RCPT TO:<bob@example.org>\r\n",
  "RCPT TO:<other@example.net>\r\n",
  "RCPT TO:<postmaster>\r\n",
  ...[" SIZE=1", " SIZE=999999999999", " BODY=8BITMIME", " SMTPUTF8", " AUTH=<>", " x=+3D+"],
  ...["\r\n.\r\n", "\n.\n", "\r\n.\n", "\r.\r", "\r\n", "\n", "\r", "\0", "\xc3\xa9", "\xff", " "],
  ...["<", ">", "@", '"', "\\", ":", ";", "@a,@b:", "[127.0.0.1]", "xn--", "LAST", "9".repeat(30)],
  ...["From: bob@example.org\r\n", "Bcc: x@y\r\n", "=?utf-8?q?", "(".repeat(100), "x".repeat(5000)],
);

/** What strangers can say to LMTP: its replies tell how many messages there are afterwards. */
class LmtpTarget implements Target {
  readonly name = "lmtp";
  readonly corpus = tokensOf(
    ...["alice@example.org", "info@example.org>\r\nRCPT TO:<alice@example.org", "postmaster"].map(
      (to) => `LHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<${to}>\r\nDATA\r\n${BODY}QUIT\r\n`,
    ),
    `LHLO x\r\nMAIL FROM:<> SIZE=10 BODY=8BITMIME\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n${BODY}` +
      `RSET\r\nMAIL FROM:<c@d>\r\nRCPT TO:<x@catch.example>\r\nDATA\r\n${BODY}`,
    "NOOP\r\nVRFY alice\r\nHELP\r\nSTARTTLS\r\nAUTH PLAIN AAAA\r\nEHLO x\r\n",
  );
  readonly tokens = TOKENS;
  readonly maxMs = CONVERSATION_MS;
  readonly #faults: FaultLog;
  #house: House;
  #cases = 0;
  #stored = 0;

  private constructor(house: House, faults: FaultLog) {
    this.#house = house;
    this.#faults = faults;
  }

  static async open(faults: FaultLog): Promise<LmtpTarget> {
    return new LmtpTarget(await openHouse(), faults);
  }

  async run(input: Uint8Array, random: Random): Promise<void> {
    if (this.#cases++ % CASES_OF_A_HOUSE === CASES_OF_A_HOUSE - 1) {
      await this.close();
      this.#house = await openHouse();
      this.#stored = 0;
    }
    const { server, client } = memoryTransportPair({ via: "lmtp" });
    const served = this.#house.lmtp.serve(server);
    sendInPieces(client, input, random);
    client.endOutput();
    const output = await collect(client, served);
    checkReplies(output);
    this.#faults.check();
    const before = this.#stored;
    this.#stored = await countStored(this.#house);
    const told = output.match(/^250 2\.\d\.\d .*Delivered\r$/gm)?.length ?? 0;
    // One account gets one copy, by however many addresses.
    const stored = this.#stored - before;
    assert.ok(told === 0 ? stored === 0 : 0 < stored && stored <= told, output.slice(-2000));
  }

  async close(): Promise<void> {
    await this.#house[Symbol.asyncDispose]();
  }
}

async function countStored({ store, alice, bob }: House): Promise<number> {
  let count = 0;
  for (const { id } of [alice, bob]) {
    count += (await messagesOf(await store.openAccount(id))).length;
  }
  return count;
}

/** What a user's program can say: within TLS or not, logged in or not. */
class SubmissionTarget implements Target {
  readonly name = "submission";
  readonly corpus = tokensOf(
    ...["bob@example.org", "x@example.net", "x@example.net>\r\nRCPT TO:<alice@example.org"].map(
      (to) => `MAIL FROM:<alice@example.org>\r\nRCPT TO:<${to}>\r\nDATA\r\n${BODY}QUIT\r\n`,
    ),
    "MAIL FROM:<sales@example.org> SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<bob@example.org>\r\n" +
      `BDAT ${MESSAGE.length}\r\n${MESSAGE}BDAT 3 LAST\r\nabc`,
    `AUTH PLAIN ${plain("alice")}\r\nRSET\r\nAUTH LOGIN\r\nYWxpY2U=\r\n${btoa(PASSWORD)}\r\n`,
    `AUTH SCRAM-SHA-256 ${btoa("n,,n=alice@example.org,r=abc")}\r\nYz1iaXdzLHI9\r\n*\r\n`,
    "STARTTLS\r\nHELP\r\nVRFY x\r\nXCLIENT A=B\r\nBDAT 5\r\nhello",
  );
  readonly tokens = TOKENS;
  readonly maxMs = CONVERSATION_MS;
  readonly #faults: FaultLog;
  #house: SubmissionHouse;
  #cases = 0;
  #kept = NOTHING_KEPT;

  private constructor(house: SubmissionHouse, faults: FaultLog) {
    this.#house = house;
    this.#faults = faults;
  }

  static async open(faults: FaultLog): Promise<SubmissionTarget> {
    return new SubmissionTarget(await openSubmission(), faults);
  }

  async run(input: Uint8Array, random: Random): Promise<void> {
    if (this.#cases++ % CASES_OF_A_HOUSE === CASES_OF_A_HOUSE - 1) {
      await this.close();
      this.#house = await openSubmission();
      this.#kept = NOTHING_KEPT;
    }
    const hasTls = random.below(5) > 0;
    const { server, client } = memoryTransportPair({
      via: "submission",
      tls: hasTls ? memoryTlsFacts() : undefined,
    });
    const served = this.#house.serve(server);
    if (random.below(10) > 0) client.write(encodeLatin1("EHLO x\r\n"));
    if (random.below(5) > 0) client.write(encodeLatin1(`AUTH PLAIN ${plain("alice")}\r\n`));
    sendInPieces(client, input, random);
    client.endOutput();
    const output = await collect(client, served);
    checkReplies(output);
    this.#faults.check();
    const before = this.#kept;
    this.#kept = await this.#countKept();
    const isTaken = /^250 2\.6\.0 /m.test(output);
    assert.equal(this.#kept !== before, isTaken, output.slice(-2000));
    // What follows a login in clear must find none.
    assert.ok(hasTls || !isTaken);
  }

  async #countKept(): Promise<string> {
    const queued = (await this.#house.queue.list()).length;
    const stored = [await this.#house.sizes("alice"), await this.#house.sizes("bob")];
    return `${queued} ${stored.map(({ length }) => length)}`;
  }

  async close(): Promise<void> {
    await this.#house[Symbol.asyncDispose]();
  }
}

async function openSubmission(): Promise<SubmissionHouse> {
  return await SubmissionHouse.open({ hasRelay: true });
}

/** Replies that a client can take apart: lines of one code each, with nothing odd in them. */
function checkReplies(output: string): void {
  assert.match(output, /^(?:(?:(\d)\d\d-[^\r\n\0]*\r\n)*[2-5]\d\d(?: [^\r\n\0]*)?\r\n)*$/);
  assert.doesNotMatch(output, /^421 .*(?:went wrong)|^451 4\.3\.0/m);
  for (const [, code, next] of output.matchAll(/^(\d{3})-.*\r\n(?=(\d{3}))/gm)) {
    assert.equal(next, code, "one reply, two codes");
  }
}

export async function openSmtpTargets(faults: FaultLog): Promise<readonly Target[]> {
  return [await LmtpTarget.open(faults), await SubmissionTarget.open(faults)];
}
