/** Connections that work on a server until it is killed under them. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { type Result, TestClient } from "../support/client.ts";
import { type Boxes, bytesOf, EMPTY, ENTRIES, type Random, StepMaker, textOf } from "./model.ts";

/** Where the server listens now. */
export interface Server {
  readonly imapPort: number;
  readonly lmtpPort: number;
  readonly submissionPort: number;
  /** True from the moment of the kill: a connection that breaks before that is a failure. */
  isKilled: boolean;
}

export const PASSWORD = "kill password";

/** Commands sent before their answers are read, at most. */
const MAX_PIPELINE = 4;

export async function logIn(server: Server, address: string): Promise<TestClient> {
  const client = await TestClient.connect(server.imapPort);
  await client.ok(`LOGIN ${address} "${PASSWORD}"`);
  return client;
}

/** Has two mailboxes for itself, and knows what must be in them. */
export class ImapWorker {
  readonly address: string;
  readonly boxNames: readonly [string, string];
  /** Commands that were answered. */
  acknowledged = 0;
  readonly #random: Random;
  readonly #steps: StepMaker;
  readonly #uidValidity = new Map<string, string>();
  /** Highest mod-sequence that the server told of each mailbox. */
  readonly #modSeqs = new Map<string, number>();
  /** States that the mailboxes may be in: after what was acknowledged, and after each command since. */
  #possible: readonly Boxes[];

  constructor(name: string, address: string, random: Random) {
    this.address = address;
    this.boxNames = [`${name}-a`, `${name}-b`];
    this.#random = random;
    this.#steps = new StepMaker(name, random);
    this.#possible = [new Map(this.boxNames.map((box) => [box, EMPTY]))];
  }

  /** Makes the mailboxes. */
  async prepare(server: Server): Promise<void> {
    const client = await logIn(server, this.address);
    for (const box of this.boxNames) {
      await client.ok(`CREATE ${box}`);
      const { untagged } = await client.ok(`EXAMINE ${box}`);
      this.#uidValidity.set(box, numberIn(untagged, /^OK \[UIDVALIDITY (\d+)\]/));
    }
    await client.logout();
  }

  /** Works until the server is killed. */
  async run(server: Server): Promise<void> {
    let client: TestClient | undefined;
    try {
      client = await logIn(server, this.address);
      await client.ok("ENABLE QRESYNC");
      for (;;) await this.#burst(client);
    } catch (error) {
      if (!server.isKilled || error instanceof assert.AssertionError) throw error;
    } finally {
      client?.close();
    }
  }

  async #burst(client: TestClient): Promise<void> {
    const [a, b] = this.boxNames;
    const [selected, other] = this.#random() < 0.5 ? [a, b] : [b, a];
    this.#note(selected, await client.ok(`SELECT ${selected}`));
    for (let round = 0; round < 5; round++) {
      const begun: { tag: string; code: string | undefined; text: string }[] = [];
      const bytes: Uint8Array[] = [];
      const count = 1 + Math.floor(this.#random() * MAX_PIPELINE);
      for (let i = 0; i < count; i++) {
        const before = this.#possible.at(-1) ?? new Map();
        const { command, code, after } = this.#steps.next(before, selected, other);
        const tag = client.begin();
        begun.push({ tag, code, text: command.toString().slice(0, 200) });
        bytes.push(Buffer.from(`${tag} `), command, Buffer.from("\r\n"));
        this.#possible = [...this.#possible, after];
      }
      client.send(Buffer.concat(bytes));
      for (const { tag, code, text } of begun) {
        const result = await client.answer(tag);
        assert.equal(
          result.status,
          "OK",
          `${text}: ${result.status} ${result.code} ${result.text}`,
        );
        if (code !== undefined) this.#compareCode(code, result, text);
        this.#note(selected, result);
        this.#possible = this.#possible.slice(1);
        this.acknowledged++;
      }
    }
  }

  /** Compares what the server keeps with what was acknowledged. */
  async verify(client: TestClient): Promise<void> {
    const found: Map<string, { uidNext: number; messages: Map<number, never>; notes: never }> =
      new Map();
    for (const name of this.boxNames) found.set(name, await this.#read(client, name) as never);
    const actual = textOf(found as unknown as Boxes);
    const match = this.#possible.find((boxes) => textOf(boxes) === actual);
    assert.ok(
      match,
      `what is kept is none of the ${this.#possible.length} states that it may be in:\n` +
        difference(textOf(this.#possible[0] ?? new Map()), actual),
    );
    this.#possible = [match];
  }

  async #read(client: TestClient, name: string): Promise<unknown> {
    const selected = await client.ok(`SELECT ${name} (CONDSTORE)`);
    assert.equal(
      numberIn(selected.untagged, /^OK \[UIDVALIDITY (\d+)\]/),
      this.#uidValidity.get(name),
      `UIDVALIDITY of ${name}`,
    );
    const modSeq = Number(numberIn(selected.untagged, /^OK \[HIGHESTMODSEQ (\d+)\]/));
    const seen = this.#modSeqs.get(name) ?? 0;
    assert.ok(modSeq >= seen, `HIGHESTMODSEQ of ${name} is ${modSeq}, and was ${seen}`);
    const messages = new Map<number, { key: string; flags: string }>();
    const { untagged } = await client.ok("UID FETCH 1:* (FLAGS MODSEQ BODY.PEEK[])");
    for (const line of untagged) {
      const message = readFetch(line);
      if (!message) continue;
      assert.ok(!messages.has(message.uid), `UID ${message.uid} of ${name} comes twice`);
      assert.ok(message.modSeq <= modSeq, `MODSEQ of ${message.uid} in ${name}`);
      messages.set(message.uid, { key: identify(message.bytes), flags: message.flags });
    }
    const notes = new Map<string, string>();
    const metadata = await client.ok(`GETMETADATA ${name} (${ENTRIES.join(" ")})`);
    for (
      const [, entry = "", value = ""] of metadata.untagged.join(" ").matchAll(
        /(\/\S+) "([^"]*)"/g,
      )
    ) notes.set(entry, value);
    const uidNext = Number(numberIn(selected.untagged, /^OK \[UIDNEXT (\d+)\]/));
    return { uidNext, messages, notes };
  }

  #compareCode(expected: string, result: Result, text: string): void {
    const told = [result.code, ...result.untagged.map((line) => /^OK \[(.*?)\]/.exec(line)?.[1])]
      .map((code) => code?.replace(/^(APPENDUID|COPYUID) \d+/, "$1 V"));
    assert.ok(told.includes(expected), `${text}: expected ${expected}, told ${told}`);
  }

  #note(name: string, { code, untagged }: Result): void {
    const seqs = [code ?? "", ...untagged].join("\n").matchAll(
      /(?:HIGHESTMODSEQ |MODSEQ \()(\d+)/g,
    );
    for (const [, modSeq] of seqs) {
      this.#modSeqs.set(name, Math.max(this.#modSeqs.get(name) ?? 0, Number(modSeq)));
    }
  }
}

/** Who sends messages to INBOXes, and knows which were acknowledged. */
export interface Sender {
  readonly acknowledged: number;
  /** Keys that were acknowledged for a recipient. */
  delivered(address: string): Set<string>;
  /** The key of a message that may have been stored, or not. */
  readonly underWay: string | undefined;
}

/** Delivers to two accounts' INBOXes, which nobody else writes to but others of its kind. */
export class LmtpWorker implements Sender {
  readonly #name: string;
  readonly #recipients: readonly string[];
  /** Keys that were acknowledged, by recipient. */
  readonly #delivered: ReadonlyMap<string, Set<string>>;
  #underWay: string | undefined;
  #count = 0;

  constructor(name: string, recipients: readonly string[]) {
    this.#name = name;
    this.#recipients = recipients;
    this.#delivered = new Map(recipients.map((address) => [address, new Set<string>()]));
  }

  /** Delivers one message, given with CRLF, and gives the reply to it or to what comes before. */
  static async deliverOnce(server: Server, recipient: string, message: string): Promise<string> {
    const lines = new LineSocket(server.lmtpPort);
    try {
      await lines.expect("220");
      await lines.say("LHLO kill.example", "250");
      await lines.say("MAIL FROM:<sender@example.net>", "250");
      lines.write(`RCPT TO:<${recipient}>\r\n`);
      const accepted = await lines.reply();
      if (!accepted.startsWith("250")) return accepted;
      await lines.say("DATA", "354");
      lines.write(message.replaceAll(/^\./gm, ".."));
      lines.write(".\r\n");
      return await lines.reply();
    } finally {
      lines.close();
    }
  }

  get acknowledged(): number {
    return [...this.#delivered.values()].reduce((sum, { size }) => sum + size, 0);
  }

  delivered(address: string): Set<string> {
    return this.#delivered.get(address) ?? new Set();
  }

  get underWay(): string | undefined {
    return this.#underWay;
  }

  async run(server: Server): Promise<void> {
    const lines = new LineSocket(server.lmtpPort);
    try {
      await lines.expect("220");
      await lines.say("LHLO kill.example", "250");
      for (;;) {
        const key = `${this.#name}-${++this.#count}`;
        await lines.say("MAIL FROM:<sender@example.net>", "250");
        for (const address of this.#recipients) await lines.say(`RCPT TO:<${address}>`, "250");
        await lines.say("DATA", "354");
        this.#underWay = key;
        lines.write(bytesOf(key).toString("latin1").replaceAll(/^\./gm, ".."));
        lines.write(".\r\n");
        for (const address of this.#recipients) {
          await lines.expect("250");
          this.#delivered.get(address)?.add(key);
        }
      }
    } catch (error) {
      if (!server.isKilled || error instanceof assert.AssertionError) throw error;
    } finally {
      lines.close();
    }
  }
}

/** What was found in an INBOX, over all rounds. */
export class InboxWatch {
  readonly #address: string;
  readonly #known = new Map<number, string>();
  #uidNext = 1;

  constructor(address: string) {
    this.#address = address;
  }

  /** Compares an INBOX with what the workers were told. */
  async verify(client: TestClient, workers: readonly Sender[]): Promise<void> {
    const { untagged } = await client.ok("SELECT INBOX");
    const uidNext = Number(numberIn(untagged, /^OK \[UIDNEXT (\d+)\]/));
    assert.ok(uidNext >= this.#uidNext, `UIDNEXT of INBOX was ${this.#uidNext}, is ${uidNext}`);
    const uids = new Set(
      (await client.ok("UID SEARCH ALL")).untagged.flatMap((line) =>
        line.startsWith("SEARCH") ? line.split(" ").slice(1).map(Number) : []
      ),
    );
    for (const uid of this.#known.keys()) assert.ok(uids.has(uid), `UID ${uid} of INBOX is lost`);
    const fresh = (await client.ok(`UID FETCH ${this.#uidNext}:* (FLAGS BODY.PEEK[])`)).untagged
      .flatMap((line) => readFetch(line) ?? []).filter(({ uid }) => uid >= this.#uidNext);
    for (const { uid, bytes } of fresh) {
      assert.ok(!this.#known.has(uid));
      // Trace fields come before it.
      const start = bytes.indexOf("From: kill@example.org\r\n");
      this.#known.set(uid, identify(bytes.subarray(Math.max(0, start))));
    }
    assert.equal(this.#known.size, uids.size);
    assert.ok([...uids].every((uid) => uid < uidNext), "UIDs are below UIDNEXT");
    this.#uidNext = uidNext;
    const keys = [...this.#known.values()].sort();
    assert.equal(new Set(keys).size, keys.length, "no message came twice");
    const expected = workers.flatMap((worker) => [...worker.delivered(this.#address)]);
    const missing = expected.filter((key) => !keys.includes(key));
    assert.deepEqual(missing, [], "acknowledged deliveries are there");
    const allowed = new Set([...expected, ...workers.map(({ underWay }) => underWay)]);
    for (const worker of workers) {
      const { underWay } = worker;
      // From now on it is as good as acknowledged: it must not vanish again.
      if (underWay !== undefined && keys.includes(underWay)) {
        worker.delivered(this.#address).add(underWay);
      }
    }
    assert.deepEqual(keys.filter((key) => !allowed.has(key)), [], "nothing else is there");
  }
}

/** A client of SMTP or LMTP. */
export class LineSocket {
  readonly #socket: Socket;
  #text = "";
  #isEnded = false;
  #wake: (() => void) | undefined;

  constructor(port: number) {
    this.#socket = connect({ host: "127.0.0.1", port });
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (data) => {
      this.#text += data.toString("latin1");
      this.#wake?.();
    });
    const end = () => {
      this.#isEnded = true;
      this.#wake?.();
    };
    this.#socket.on("error", end);
    this.#socket.on("close", end);
  }

  write(text: string): void {
    this.#socket.write(Buffer.from(text, "latin1"));
  }

  async say(line: string, code: string): Promise<void> {
    this.write(`${line}\r\n`);
    await this.expect(code);
  }

  /** Reads a reply that must have this code. */
  async expect(code: string): Promise<void> {
    const reply = await this.reply();
    assert.equal(reply.slice(0, 3), code, reply);
  }

  /** Reads one reply, all of its lines; gives the last one. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-[^\r]*\r\n)*(\d{3} [^\r]*)\r\n/.exec(this.#text);
      if (match) {
        this.#text = this.#text.slice(match[0].length);
        return match[1] ?? "";
      }
      if (this.#isEnded) throw new Error("the connection ended");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

interface Fetched {
  readonly uid: number;
  readonly modSeq: number;
  readonly flags: string;
  readonly bytes: Buffer;
}

function readFetch(line: string): Fetched | undefined {
  const body = /^\d+ FETCH \(.*?BODY\[\] \{(\d+)\}\r\n/.exec(line);
  if (!body) return undefined;
  const head = body[0] + line.slice(body[0].length + Number(body[1]));
  const flags = /FLAGS \(([^)]*)\)/.exec(head)?.[1] ?? "";
  return {
    uid: Number(/UID (\d+)/.exec(head)?.[1]),
    modSeq: Number(/MODSEQ \((\d+)\)/.exec(head)?.[1] ?? 0),
    flags: flags.split(" ").filter((flag) => flag !== "\\Recent" && flag !== "").sort().join(" "),
    bytes: Buffer.from(line.substring(body[0].length, body[0].length + Number(body[1])), "latin1"),
  };
}

/** The key of a message that is whole; else what is wrong with it. */
export function identify(bytes: Buffer): string {
  const key = /^Subject: (\S+)\r\n/m.exec(bytes.subarray(0, 200).toString("latin1"))?.[1] ?? "";
  if (bytes.equals(bytesOf(key))) return key;
  return `${key || "a message"} of ${bytes.length} octets, which is not what was sent`;
}

function numberIn(lines: readonly string[], pattern: RegExp): string {
  for (const line of lines) {
    const found = pattern.exec(line)?.[1];
    if (found !== undefined) return found;
  }
  throw new assert.AssertionError({ message: `nothing like ${pattern} in ${lines}` });
}

/** The lines that differ. */
function difference(expected: string, actual: string): string {
  const [a, b] = [expected.split("\n"), actual.split("\n")];
  return [
    ...a.filter((line) => !b.includes(line)).map((line) => `- ${line}`),
    ...b.filter((line) => !a.includes(line)).map((line) => `+ ${line}`),
  ].slice(0, 40).join("\n");
}
