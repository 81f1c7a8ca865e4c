import { V8_FLAGS } from "../app/postern_process.ts";
import { Buffer } from "node:buffer";
import { constants, inflateRawSync } from "node:zlib";
import { makeVerifier } from "../../src/auth/mod.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { TEST_COSTS } from "../support/server.ts";
import { cpuSeconds, memoryKib, openFiles } from "./process_usage.ts";
import { serve, type Server } from "./postern_target.ts";
import { delay } from "./target.ts";

/**
 * A chatmail host and its phones: as many accounts, each with one TLS connection in IDLE, which came
 * in by ALPN, without and with COMPRESS. Mail is delivered to one after the other, and how long it
 * takes a phone to hear of it is measured on the phone's side.
 */

const DOMAIN = "chat.example";
const PASSWORD = "phone password";
/** Phones that connect at a time. */
const CONNECTING = 32;
/** Messages that wake a phone up, one at a time and so many at a time. */
const WAKE_UPS = 1_000;
const AT_A_TIME = 16;
const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** Measures `count` phones; `folder` has certificate.pem and key.pem. */
export async function measurePhones(
  folder: string,
  count: number,
  runFlags: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  await Deno.writeTextFile(`${folder}/phones.toml`, config(count));
  const began = performance.now();
  await makeAccounts(`${folder}/phones`, count);
  say(`${count} accounts made in ${seconds(began)} s`);
  const caCerts = [await Deno.readTextFile(`${folder}/certificate.pem`)];
  for (const isCompressed of [false, true]) {
    say("");
    say(isCompressed ? "with COMPRESS" : "without COMPRESS");
    const args = [
      "run",
      "-A",
      ...V8_FLAGS,
      ...runFlags,
      MAIN,
      "--config",
      `${folder}/phones.toml`,
      "serve",
    ];
    const server = await serve(
      new Deno.Command(Deno.execPath(), {
        args,
        cwd: folder,
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }),
    );
    const phones: (Phone | undefined)[] = [];
    try {
      for (const line of await measureServer(server, phones, count, caCerts, isCompressed)) {
        say(`  ${line}`);
      }
    } finally {
      for (const phone of phones) phone?.close();
      server.child.kill("SIGTERM");
      await Promise.all([server.child.status, server.output]);
    }
  }
}

async function measureServer(
  { child: { pid }, ports }: Server,
  phones: (Phone | undefined)[],
  count: number,
  caCerts: string[],
  isCompressed: boolean,
): Promise<string[]> {
  const lines: string[] = [];
  const alpn = ports.get("alpn") ?? 0;
  await delay(1_000);
  const before = memoryKib(pid);
  const began = performance.now();
  const cpuBefore = cpuSeconds(pid);
  let next = 0;
  await Promise.all(Array.from({ length: CONNECTING }, async () => {
    while (next < count) {
      const number = next++;
      phones[number] = await Phone.connect(alpn, caCerts, number, isCompressed);
    }
  }));
  const cpu = cpuSeconds(pid) - cpuBefore;
  lines.push(
    `connected, logged in, in IDLE: ${seconds(began)} s, ` +
      `${(cpu * 1000 / count).toFixed(1)} ms of processor time each`,
  );
  lines.push(`memory at once: ${kibEach(pid, before, count)} KiB per connection`);
  await delay(20_000);
  lines.push(`memory after 20 s: ${kibEach(pid, before, count)} KiB per connection`);
  const idleFrom = cpuSeconds(pid);
  await delay(10_000);
  const idle = (cpuSeconds(pid) - idleFrom) * 10;
  lines.push(`processor while nothing happens: ${idle.toFixed(1)} % of one core`);
  lines.push(`open files: ${openFiles(pid)}, of them ${openFiles(pid, "socket:")} sockets`);
  for (const atATime of [1, AT_A_TIME]) {
    lines.push(await measureWakeUps(pid, ports.get("lmtp") ?? 0, phones, atATime));
  }
  lines.push(`open files after that: ${openFiles(pid)}`);
  lines.push(`memory after that: ${kibEach(pid, before, count)} KiB per connection`);
  return lines;
}

/** Delivers to random phones, so many at a time: from the final dot to the phone's first octet. */
async function measureWakeUps(
  pid: number,
  lmtpPort: number,
  phones: readonly (Phone | undefined)[],
  atATime: number,
): Promise<string> {
  const took: number[] = [];
  const began = performance.now();
  const cpuBefore = cpuSeconds(pid);
  const busy = new Set<number>();
  let begun = 0;
  await Promise.all(Array.from({ length: atATime }, async () => {
    const sender = await Sender.connect(lmtpPort);
    while (begun++ < WAKE_UPS) {
      let number;
      do number = Math.floor(Math.random() * phones.length); while (busy.has(number));
      busy.add(number);
      const heard = phones[number]?.heard();
      const sent = await sender.send(`${name(number)}@${DOMAIN}`);
      took.push(await (heard ?? 0) - sent);
      await sender.reply();
      busy.delete(number);
    }
    sender.close();
  }));
  const elapsed = (performance.now() - began) / 1000;
  const cpu = (cpuSeconds(pid) - cpuBefore) * 1000 / took.length;
  took.sort((a, b) => a - b);
  const at = (share: number) => (took[Math.floor(took.length * share)] ?? NaN).toFixed(1);
  return `${took.length} wake-ups, ${atATime} at a time: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ` +
    `${(took.length / elapsed).toFixed(0)}/s, ${cpu.toFixed(1)} ms of processor time each`;
}

/** A connection in IDLE, which keeps as little as can be on its side. */
class Phone {
  readonly #conn: Deno.TlsConn;
  /** What came while it connects; undefined once it is in IDLE. */
  #received: Uint8Array[] | undefined = [];
  #wake: (() => void) | undefined;
  #isEnded = false;
  #hear: ((at: number) => void) | undefined;

  private constructor(conn: Deno.TlsConn) {
    this.#conn = conn;
    void this.#read();
  }

  static async connect(
    port: number,
    caCerts: string[],
    number: number,
    isCompressed: boolean,
  ): Promise<Phone> {
    const conn = await Deno.connectTls({
      hostname: "localhost",
      port,
      caCerts,
      alpnProtocols: ["imap"],
    });
    const phone = new Phone(conn);
    await phone.#send(`a LOGIN ${name(number)}@${DOMAIN} "${PASSWORD}"\r\n`);
    await phone.#until(/^a OK.*\r\n/m);
    if (isCompressed) {
      await phone.#send("b COMPRESS DEFLATE\r\n");
      await phone.#until(/^b OK.*\r\n/m);
    }
    phone.#received = [];
    const commands = "c SELECT INBOX\r\nd IDLE\r\n";
    await phone.#send(isCompressed ? storedBlock(commands) : commands);
    await phone.#until(/^\+ .*\r\n/m, isCompressed);
    phone.#received = undefined;
    return phone;
  }

  /** When the next octets come, on the clock of `performance`. */
  heard(): Promise<number> {
    return new Promise((resolve) => this.#hear = resolve);
  }

  close(): void {
    try {
      this.#conn.close();
    } catch {
      // The server was first.
    }
  }

  async #send(data: string | Uint8Array): Promise<void> {
    let rest = typeof data === "string" ? new TextEncoder().encode(data) : data;
    while (rest.length > 0) rest = rest.subarray(await this.#conn.write(rest));
  }

  async #until(pattern: RegExp, isCompressed = false): Promise<void> {
    for (;;) {
      if (this.#isEnded) throw new Error("the server ended a connection");
      const octets = Buffer.concat(this.#received ?? []);
      const text = isCompressed && octets.length > 0
        ? inflateRawSync(octets, { finishFlush: constants.Z_SYNC_FLUSH })
        : octets;
      if (pattern.test(text.toString("latin1"))) return;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(2048);
    try {
      for (let count; (count = await this.#conn.read(buffer)) !== null;) {
        if (this.#hear) {
          this.#hear(performance.now());
          this.#hear = undefined;
        }
        this.#received?.push(buffer.slice(0, count));
        this.#wake?.();
      }
    } catch {
      // Closed.
    }
    this.#isEnded = true;
    this.#wake?.();
  }
}

/** Text as DEFLATE has it without compressing (RFC 1951 3.2.4), in a block that is not the last. */
function storedBlock(text: string): Uint8Array {
  const octets = new TextEncoder().encode(text);
  const { length } = octets;
  const header = [0, length & 255, length >> 8, ~length & 255, (~length >> 8) & 255];
  return Uint8Array.from([...header, ...octets]);
}

/** Delivers by LMTP. */
class Sender {
  readonly #conn: Deno.Conn;
  #text = "";

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  static async connect(port: number): Promise<Sender> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    const sender = new Sender(conn);
    await sender.reply();
    await sender.#ask("LHLO bench");
    return sender;
  }

  /** Gives when the message was whole, on the clock of `performance`; its reply is yet to be read. */
  async send(to: string): Promise<number> {
    for (const command of ["MAIL FROM:<a@b.example>", `RCPT TO:<${to}>`, "DATA"]) {
      await this.#ask(command);
    }
    const body = `${"x".repeat(70)}\r\n`.repeat(30);
    await this.#write(`From: a@b.example\r\nSubject: [...]\r\n\r\n${body}`);
    const sent = performance.now();
    await this.#write(".\r\n");
    return sent;
  }

  async reply(): Promise<void> {
    const buffer = new Uint8Array(2048);
    for (;;) {
      const match = /^(?:\d{3}-.*\r\n)*(\d{3}) .*\r\n/.exec(this.#text);
      if (match) {
        this.#text = this.#text.slice(match[0].length);
        if (!/^[23]/.test(match[1] ?? "")) throw new Error(match[0]);
        return;
      }
      const count = await this.#conn.read(buffer);
      if (count === null) throw new Error("LMTP ended");
      this.#text += new TextDecoder().decode(buffer.subarray(0, count));
    }
  }

  close(): void {
    this.#conn.close();
  }

  async #ask(command: string): Promise<void> {
    await this.#write(`${command}\r\n`);
    await this.reply();
  }

  async #write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }
}

/** Accounts with one password, whose hash is cheap: hashing is not what is measured. */
async function makeAccounts(dataDir: string, count: number): Promise<void> {
  const store = await openSqliteStore({ dataDir });
  try {
    await store.directory.addDomain(DOMAIN);
    const verifier = await makeVerifier(PASSWORD, TEST_COSTS);
    for (let i = 0; i < count; i++) {
      await store.directory.addAccount(`${name(i)}@${DOMAIN}`, verifier);
    }
  } finally {
    await store.close();
  }
}

function name(number: number): string {
  return `p${String(number).padStart(8, "0")}`;
}

function config(count: number): string {
  return `hostname = "localhost"
data_dir = "phones"
[tls]
certificate_file = "certificate.pem"
private_key_file = "key.pem"
[[listener]]
kind = "alpn"
address = "127.0.0.1:0"
[listener.routes]
imap = "imap"
smtp = "submission"
"http/1.1" = "web"
[[listener]]
kind = "lmtp"
address = "127.0.0.1:0"
[chatmail]
domain = "${DOMAIN}"
push_url = "none"
[limits]
max_connections = ${count + 100}
[log]
level = "warn"
`;
}

function kibEach(pid: number, before: number, count: number): string {
  return ((memoryKib(pid) - before) / count).toFixed(1);
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
