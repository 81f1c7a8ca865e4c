/**
 * `deno task soak [--minutes 30] [--seconds-between 30]`: a server under mixed clients, of IMAP, LMTP
 * and submission, for so long. Prints memory, open files and what was done as tab-separated lines.
 * Ends with 1 when memory or open files grow over the second half, or a client meets what it should
 * not. Mailboxes stay at some size, so that nothing but a leak can grow.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { parseArgs } from "node:util";
import { runPostern } from "../app/postern_process.ts";
import { RawClient } from "../delivery/raw_client.ts";
import { RelaySink } from "../delivery/relay_sink.ts";
import { literal, TestClient } from "../support/client.ts";
import { type LoadedServer, withServerProcess } from "./server_process.ts";

/** Messages of a mailbox beyond which the oldest are expunged. */
const MAX_MESSAGES = 200;
const ACCOUNTS = 4;
/** Others may want the machine too. */
const ANSWER_MS = 120_000;
/** Growth from the second quarter to the last one that is still called flat. */
const MAX_GROWTH_MB = 25;
const MAX_GROWTH_FILES = 5;

interface Sample {
  readonly seconds: number;
  readonly rssMb: number;
  readonly openFiles: number;
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "30" },
      "seconds-between": { type: "string", default: "30" },
    },
  });
  await using sink = await RelaySink.open();
  const { host, port, caCertificates = "" } = sink.options;
  const folder = await Deno.makeTempDir({ prefix: "postern-soak-" });
  await Deno.writeTextFile(`${folder}/ca.pem`, caCertificates);
  await Deno.writeTextFile(`${folder}/password`, "relay-password\n");
  try {
    const samples = await withServerProcess(
      `[limits]
messages_per_minute = 0
[relay]
host = "${host}"
port = ${port}
ca_file = "${folder}/ca.pem"
username = "mailer"
password_file = "${folder}/password"
[[listener]]
kind = "lmtp"
address = "127.0.0.1:0"
[[listener]]
kind = "submissions"
address = "127.0.0.1:0"`,
      (server) =>
        new Soak(server, sink).run(
          Number(values.minutes) * 60,
          Number(values["seconds-between"]),
        ),
    );
    judge(samples);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

class Soak {
  readonly #server: LoadedServer;
  readonly #sink: RelaySink;
  readonly #users: string[] = [];
  readonly #done = new Map<string, number>();
  #isOver = false;

  constructor(server: LoadedServer, sink: RelaySink) {
    this.#server = server;
    this.#sink = sink;
  }

  async run(seconds: number, secondsBetween: number): Promise<Sample[]> {
    const { config, password, user } = this.#server;
    this.#users.push(user);
    for (let i = 1; i < ACCOUNTS; i++) {
      const address = `user${i}@example.org`;
      const args = ["--config", config, "account", "add", address, "--stdin"];
      const { code, stderr } = await runPostern(args, { stdin: `${password}\n` });
      assert.equal(code, 0, stderr);
      this.#users.push(address);
    }
    const workers = Array.from({ length: ACCOUNTS * 5 }, (_, i) => this.#idle(i));
    for (let i = 0; i < ACCOUNTS; i++) {
      workers.push(this.#read(i), this.#write(i), this.#deliver(i));
    }
    for (let i = 0; i < 2; i++) workers.push(this.#submit(i));
    const failed = Promise.all(workers).then(() => {});
    const samples: Sample[] = [];
    say("seconds", "rss_mb", "open_files", "done");
    const started = performance.now();
    const elapsed = () => (performance.now() - started) / 1000;
    while (elapsed() < seconds) {
      await Promise.race([pause(secondsBetween * 1000), failed]);
      // What the relay got is not what is looked at.
      this.#count("relayed", this.#sink.messages.splice(0).length);
      const sample = {
        seconds: Math.round(elapsed()),
        rssMb: Math.round(this.#server.rssMb()),
        openFiles: this.#server.openFiles(),
      };
      samples.push(sample);
      const done = [...this.#done].sort().map(([what, count]) => `${what} ${count}`).join(", ");
      say(sample.seconds, sample.rssMb, sample.openFiles, done);
    }
    this.#isOver = true;
    await failed;
    return samples;
  }

  #count(what: string, times = 1): void {
    this.#done.set(what, (this.#done.get(what) ?? 0) + times);
  }

  #user(i: number): string {
    return this.#users[i % this.#users.length] ?? "";
  }

  async #logIn(i: number): Promise<TestClient> {
    const client = await TestClient.connect(this.#server.tlsPort, {
      tls: true,
      timeoutMs: ANSWER_MS,
    });
    await client.ok(`LOGIN ${this.#user(i)} "${this.#server.password}"`);
    this.#count("login");
    return client;
  }

  /** Waits for news, as most clients do most of the time. */
  async #idle(i: number): Promise<void> {
    while (!this.#isOver) {
      const client = await this.#logIn(i);
      await client.ok("SELECT INBOX");
      for (let round = 0; round < 10 && !this.#isOver; round++) {
        const { done } = await client.idle();
        await pause(1000 + Math.random() * 10_000);
        await done();
        this.#count("idle");
      }
      await client.logout();
    }
  }

  async #read(i: number): Promise<void> {
    while (!this.#isOver) {
      const client = await this.#logIn(i);
      for (let round = 0; round < 20 && !this.#isOver; round++) {
        await client.ok("SELECT INBOX");
        await client.ok("UID FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)");
        await client.ok("UID FETCH *:4294967295 BODY.PEEK[]");
        await client.ok("UID SEARCH SUBJECT soak TEXT line");
        await client.ok('LIST "" *');
        this.#count("read");
        await pause(Math.random() * 1500);
      }
      // Not everybody says goodbye.
      if (Math.random() < 0.5) await client.logout();
      else client.close();
    }
  }

  async #write(i: number): Promise<void> {
    while (!this.#isOver) {
      const client = await this.#logIn(i);
      for (let round = 0; round < 30 && !this.#isOver; round++) {
        await client.ok([
          `APPEND INBOX (k${round % 5}) `,
          literal(message(i, 2 ** (6 + round % 12))),
        ]);
        const { untagged } = await client.ok("SELECT INBOX");
        const count = Number(/^(\d+) EXISTS/m.exec(untagged.join("\n"))?.[1]);
        await client.ok("UID STORE * +FLAGS (\\Flagged)");
        if (count > MAX_MESSAGES) {
          await client.ok(`STORE 1:${count - MAX_MESSAGES + 20} +FLAGS.SILENT (\\Deleted)`);
          await client.ok("EXPUNGE");
        }
        this.#count("write");
        await pause(Math.random() * 1500);
      }
      await client.logout();
    }
  }

  async #deliver(i: number): Promise<void> {
    while (!this.#isOver) {
      const client = await RawClient.connect(`127.0.0.1:${this.#server.portOf("lmtp")}`);
      await client.reply();
      await client.ask("LHLO soak.example");
      for (let round = 0; round < 10 && !this.#isOver; round++) {
        await send(client, "sender@example.net", [this.#user(i), this.#user(i + 1)], 2, i);
        this.#count("lmtp");
        await pause(Math.random() * 3000);
      }
      client.end();
    }
  }

  async #submit(i: number): Promise<void> {
    const { password } = this.#server;
    while (!this.#isOver) {
      const client = await RawClient.connectTls(this.#server.portOf("submissions"));
      await client.reply();
      await client.ask("EHLO soak.example");
      const user = this.#user(i);
      assert.match(await client.ask(`AUTH PLAIN ${btoa(`\0${user}\0${password}`)}`), /^235/);
      this.#count("login");
      for (let round = 0; round < 10 && !this.#isOver; round++) {
        await send(client, user, [this.#user(i + 2), "far@example.net"], 1, i);
        this.#count("submission");
        await pause(Math.random() * 3000);
      }
      await client.ask("QUIT");
      client.end();
    }
  }
}

/** Sends a message, and expects so many replies to its content. */
async function send(
  client: RawClient,
  from: string,
  to: readonly string[],
  replies: number,
  i: number,
): Promise<void> {
  assert.match(await client.ask(`MAIL FROM:<${from}>`), /^250/);
  for (const each of to) assert.match(await client.ask(`RCPT TO:<${each}>`), /^250/);
  assert.match(await client.ask("DATA"), /^354/);
  client.send(
    Buffer.concat([message(i, 2 ** (5 + Math.random() * 12), from), Buffer.from(".\r\n")]),
  );
  for (const reply of await client.replies(replies)) assert.match(reply, /^250/);
}

function message(i: number, lines: number, from = "soak@example.org"): Buffer {
  let text = `From: ${from}\r\nSubject: soak ${i} ${Math.random()}\r\n\r\n`;
  for (let line = 0; line < lines / 8; line++) text += `line ${line} ${Math.random()} soak\r\n`;
  return Buffer.from(text);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Compares the last quarter with the second one; the first one fills caches. */
function judge(samples: readonly Sample[]): void {
  const median = (from: number, to: number, of: (sample: Sample) => number) => {
    const part = samples.slice(from * samples.length, Math.ceil(to * samples.length));
    return part.map(of).sort((a, b) => a - b)[Math.floor(part.length / 2)] ?? 0;
  };
  const grown = (of: (sample: Sample) => number) => median(0.75, 1, of) - median(0.25, 0.5, of);
  const [mb, files] = [grown(({ rssMb }) => rssMb), grown(({ openFiles }) => openFiles)];
  say(`from the second quarter to the last one: ${mb} MB and ${files} open files`);
  assert.ok(mb <= MAX_GROWTH_MB, "memory grows");
  assert.ok(files <= MAX_GROWTH_FILES, "open files grow");
}

function say(...columns: readonly (string | number)[]): void {
  // deno-lint-ignore no-console -- a program for the terminal
  console.log(columns.join("\t"));
}

if (import.meta.main) await main(Deno.args);
