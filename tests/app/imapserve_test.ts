import assert from "node:assert/strict";
import { posternCommand, runPostern, startPostern, withFolder } from "./postern_process.ts";

const ALICE = "alice@example.org";

/** A session with a process that speaks IMAP on its standard streams. */
class Tunnel implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly stderr: Promise<string>;
  #text = "";

  constructor(config: string, address = ALICE) {
    this.#child = posternCommand(["--config", config, "imapserve", address], {
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.stderr = new Response(this.#child.stderr).text();
  }

  async send(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** Reads until the pattern matches; gives what came, and forgets it. */
  async expect(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match) {
        const end = match.index + match[0].length;
        const text = this.#text.slice(0, end);
        this.#text = this.#text.slice(end);
        return text;
      }
      const { value, done } = await this.#reader.read();
      if (done) assert.fail(`ended before ${pattern}: ${this.#text} ${await this.stderr}`);
      this.#text += value;
    }
  }

  async ok(command: string): Promise<string> {
    await this.send(`t ${command}\r\n`);
    return await this.expect(/^t OK .*\r\n/m);
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Ends the input; gives what was still said, and the exit code. */
  async end(): Promise<{ code: number; text: string }> {
    await this.#writer.close().catch(() => undefined);
    let text = this.#text;
    for (let piece; (piece = await this.#reader.read()).value !== undefined;) text += piece.value;
    return { text, code: (await this.#child.status).code };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.stderr;
  }
}

async function withAccount(
  body: (config: string) => Promise<void>,
  toml = "",
): Promise<void> {
  await withFolder(async ({ config }) => {
    const domain = await runPostern(["--config", config, "domain", "add", "example.org"]);
    const account = await runPostern(["--config", config, "account", "add", ALICE, "--stdin"], {
      stdin: "a long password\n",
    });
    assert.deepEqual([domain.code, account.code], [0, 0], account.stderr);
    await body(config);
  }, toml);
}

const MESSAGE = "Subject: hello\r\n\r\nhello\r\n";

Deno.test("imapserve greets with PREAUTH, offers no TLS, and ends with its input", () =>
  withAccount(async (config) => {
    await using tunnel = new Tunnel(config);
    const greeting = await tunnel.expect(/\r\n/);
    assert.match(greeting, /^\* PREAUTH \[CAPABILITY IMAP4rev1 /);
    assert.doesNotMatch(greeting, /STARTTLS|COMPRESS|AUTH=|LOGINDISABLED/);
    await tunnel.send(`a APPEND INBOX {${MESSAGE.length}+}\r\n${MESSAGE}\r\n`);
    await tunnel.expect(/^a OK \[APPENDUID \d+ 1\]/m);
    assert.match(await tunnel.ok("SELECT INBOX"), /\* 1 EXISTS/);
    assert.match(await tunnel.ok("FETCH 1 BODY[]"), /hello\r\n\r\nhello/);
    assert.deepEqual(await tunnel.end(), { text: "", code: 0 });
    assert.equal(await tunnel.stderr, "");
  }));

Deno.test("imapserve and a running server tell each other at once, also when logins are disabled", () =>
  withAccount(async (config) => {
    const disable = ["account", "disable", ALICE, "--message", "Not now."];
    assert.equal((await runPostern(["--config", config, ...disable])).code, 0);
    const server = await startPostern(["--config", config, "serve"]);
    try {
      await using tunnel = new Tunnel(config);
      await using other = new Tunnel(config);
      for (const each of [tunnel, other]) {
        await each.expect(/PREAUTH/);
        await each.ok("SELECT INBOX");
        await each.send("i IDLE\r\n");
        await each.expect(/^\+ /m);
      }
      // The server's own connections: LMTP delivers, and both hear.
      const started = performance.now();
      await deliverByLmtp(server.address("lmtp"));
      for (const each of [tunnel, other]) await each.expect(/\* 1 EXISTS\r\n/);
      await tunnel.send("DONE\r\n");
      await tunnel.expect(/^i OK/m);
      await tunnel.ok("STORE 1 +FLAGS (\\Flagged)");
      await other.expect(/\* 1 FETCH \(.*\\Flagged/);
      assert.ok(performance.now() - started < 3_000);
      const { code, stderr } = await runPostern(["--config", config, "account", "remove", ALICE]);
      assert.equal(code, 0, stderr);
      assert.match((await other.end()).text, /\* BYE /);
    } finally {
      assert.equal((await server.stop("SIGTERM")).code, 0);
    }
  }, '[[listener]]\nkind = "lmtp"\naddress = "127.0.0.1:0"\n'));

Deno.test("without a server two imapserve see each other's changes within a second or so", () =>
  withAccount(async (config) => {
    await using tunnel = new Tunnel(config);
    await using other = new Tunnel(config);
    await other.expect(/PREAUTH/);
    await other.ok("SELECT INBOX");
    await other.send("i IDLE\r\n");
    await other.expect(/^\+ /m);
    await tunnel.send(`a APPEND INBOX {${MESSAGE.length}+}\r\n${MESSAGE}\r\n`);
    await tunnel.expect(/^a OK/m);
    await other.expect(/\* 1 EXISTS\r\n/);
    other.kill("SIGTERM");
    await other.expect(/\* BYE Server is shutting down/);
  }));

Deno.test("imapserve for nobody fails with one line on stderr and nothing on stdout", () =>
  withAccount(async (config) => {
    const { code, stdout, stderr } = await runPostern([
      ...["--config", config, "imapserve", "bob@example.org"],
    ]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^postern: there is no account bob@example.org.*\n$/);
  }));

Deno.test("a fetch larger than any buffer waits for a reader that reads late", () =>
  withAccount(async (config) => {
    await using tunnel = new Tunnel(config);
    await tunnel.expect(/PREAUTH/);
    const size = 3_000_000;
    await tunnel.send(`a APPEND INBOX {${size}+}\r\n`);
    const line = "0123456789".repeat(7) + "12345678\r\n";
    await tunnel.send(line.repeat(size / 80) + "\r\n");
    await tunnel.expect(/^a OK/m);
    await tunnel.ok("EXAMINE INBOX");
    await tunnel.send("f FETCH 1 BODY.PEEK[]\r\n");
    await new Promise((resolve) => setTimeout(resolve, 200));
    const text = await tunnel.expect(/^f OK/m);
    assert.equal(text.split(line.trim()).length - 1, size / 80);
  }));

async function deliverByLmtp(address: string): Promise<void> {
  const connection = await Deno.connect({ port: Number(address.split(":")[1]) });
  const dialogue = [
    "LHLO test",
    "MAIL FROM:<a@example.org>",
    `RCPT TO:<${ALICE}>`,
    "DATA",
    "Subject: x\r\n\r\nx\r\n.",
    "QUIT",
  ];
  const reader = connection.readable.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const answer = async () => {
    while (!/^\d{3} .*\r\n/m.test(text)) text += (await reader.read()).value ?? assert.fail(text);
    text = "";
  };
  await answer();
  const writer = connection.writable.getWriter();
  for (const line of dialogue) {
    await writer.write(new TextEncoder().encode(`${line}\r\n`));
    await answer();
  }
  await writer.close();
}
