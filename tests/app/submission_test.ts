import assert from "node:assert/strict";
import { connect } from "node:tls";
import { makeVerifier } from "../../src/auth/mod.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { RawClient } from "../delivery/raw_client.ts";
import { RelaySink } from "../delivery/relay_sink.ts";
import { isInstalled, run } from "../interop/programs.ts";
import { TEST_COSTS } from "../support/server.ts";
import { runPostern, type ServerProcess, startPostern, withFolder } from "./postern_process.ts";

const PASSWORD = 'quote " and \\ backslash';

const LISTENERS = `
[[listener]]
kind = "imaps"
address = "127.0.0.1:0"
[[listener]]
kind = "alpn"
address = "127.0.0.1:0"
[listener.routes]
imap = "imap"
smtp = "submission"
[[listener]]
kind = "submissions"
address = "127.0.0.1:0"
[[listener]]
kind = "submission"
address = "127.0.0.1:0"
[limits]
messages_per_minute = 0
`;

interface Setting {
  readonly path: string;
  readonly config: string;
  readonly server: ServerProcess;
  /** After it was killed. */
  restart(): Promise<void>;
  postern(...args: string[]): Promise<string>;
}

/** Runs `body` beside a server with alice and bob, and a relay when there is a sink. */
async function withServer(
  body: (setting: Setting) => Promise<void>,
  sink?: RelaySink,
): Promise<void> {
  await withFolder(async ({ path, config }) => {
    if (sink) {
      const { host, port, caCertificates = "" } = sink.options;
      await Deno.writeTextFile(`${path}/relay.pem`, caCertificates);
      await Deno.writeTextFile(`${path}/relay.password`, "relay-password\n");
      const relay = `[relay]\nhost = "${host}"\nport = ${port}\nca_file = "relay.pem"\n` +
        'username = "mailer"\npassword_file = "relay.password"\n';
      await Deno.writeTextFile(config, relay, { append: true });
    }
    const postern = async (...args: string[]) => {
      const result = await runPostern([...args, "--config", config]);
      assert.equal(result.code, 0, result.stderr);
      return result.stdout;
    };
    const store = await openSqliteStore({ dataDir: `${path}/data` });
    await store.directory.addDomain("example.org");
    const verifier = await makeVerifier(PASSWORD, TEST_COSTS);
    for (const name of ["alice", "bob"]) {
      await store.directory.addAccount(`${name}@example.org`, verifier);
    }
    await store.close();
    let server = await startPostern(["serve", "--config", config]);
    try {
      await body({
        path,
        config,
        get server() {
          return server;
        },
        async restart() {
          await server.stop();
          server = await startPostern(["serve", "--config", config]);
        },
        postern,
      });
    } finally {
      const { code, stderr } = await server.stop("SIGTERM");
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, / error /);
    }
  }, LISTENERS);
}

function portOf(server: ServerProcess, kind: string): number {
  return Number(server.address(kind).split(":").at(-1));
}

async function logIn(server: ServerProcess): Promise<RawClient> {
  const client = await RawClient.connectTls(portOf(server, "alpn"), { ALPNProtocols: ["smtp"] });
  await client.reply();
  await client.ask("EHLO client.example");
  assert.match(await client.ask(`AUTH PLAIN ${btoa(`\0alice@example.org\0${PASSWORD}`)}`), /^235/);
  return client;
}

async function send(client: RawClient, subject: string, to: readonly string[]): Promise<boolean> {
  client.send(
    ["MAIL FROM:<alice@example.org>", ...to.map((each) => `RCPT TO:<${each}>`), "DATA", ""]
      .join("\r\n"),
  );
  await client.replies(to.length + 2);
  client.send(`From: alice@example.org\r\nSubject: ${subject}\r\n\r\nHello\r\n.\r\n`);
  return (await client.reply()).startsWith("250 ");
}

/** A session of IMAP with INBOX selected: gives what comes, from the command on. */
function imapSession(server: ServerProcess, user: string, command: string) {
  const socket = connect({
    host: "127.0.0.1",
    port: portOf(server, "imaps"),
    rejectUnauthorized: false,
  });
  let text = "";
  let wake = () => {};
  socket.on("data", (data) => {
    text += data.toString();
    wake();
  });
  const password = PASSWORD.replace(/["\\]/g, "\\$&");
  socket.write(
    `a LOGIN ${user}@example.org "${password}"\r\nb SELECT INBOX\r\nc ${command}\r\n`,
  );
  return {
    async until(pattern: RegExp): Promise<string> {
      const timer = setTimeout(() => socket.destroy(new Error(`no ${pattern} in: ${text}`)), 5000);
      while (!pattern.test(text)) {
        await new Promise<void>((resolve, reject) => {
          wake = resolve;
          socket.once("error", reject);
        });
      }
      clearTimeout(timer);
      return text;
    },
    close: () => socket.destroy(),
  };
}

Deno.test("an idle session hears within moments of what is sent through the one ALPN port", async () => {
  await withServer(async ({ server }) => {
    const watcher = imapSession(server, "bob", "IDLE");
    await watcher.until(/^\+ /m);
    const client = await logIn(server);
    const started = performance.now();
    assert.ok(await send(client, "hello", ["bob@example.org"]));
    await watcher.until(/^\* 1 EXISTS/m);
    const ms = performance.now() - started;
    assert.ok(ms < 1000, `${ms} ms`);
    watcher.close();
    client.destroy();
  });
});

Deno.test("a client that sends is cut off when its account is disabled", async () => {
  await withServer(async ({ server, postern }) => {
    const client = await logIn(server);
    assert.match(await client.ask("NOOP"), /^250 /);
    await postern("account", "disable", "alice@example.org", "--message", "No.");
    const started = performance.now();
    assert.match(await client.reply(), /^421 4\.7\.13 /);
    assert.ok(performance.now() - started < 1_000, "the server was told");
  });
});

const PYTHON = `
import smtplib, ssl, sys
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
alpn = ssl._create_unverified_context()
alpn.set_alpn_protocols(["smtp"])
password = sys.argv[4]
message = "From: alice@example.org\\r\\nSubject: by Python\\r\\n\\r\\n.dot\\r\\n"
with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as client:
    client.starttls(context=context)
    client.login("alice@example.org", password)
    assert client.sendmail("alice@example.org", ["bob@example.org"], message) == {}
with smtplib.SMTP_SSL("127.0.0.1", int(sys.argv[2]), context=context) as client:
    client.login("alice@example.org", password)
    client.sendmail("alice@example.org", ["bob@example.org"], message)
with smtplib.SMTP_SSL("127.0.0.1", int(sys.argv[3]), context=alpn) as client:
    assert client.sock.selected_alpn_protocol() == "smtp"
    client.login("alice@example.org", password)
    client.sendmail("alice@example.org", ["bob@example.org"], message)
    try:
        client.sendmail("bob@example.org", ["bob@example.org"], message)
        raise SystemExit("sent as somebody else")
    except smtplib.SMTPSenderRefused as error:
        assert error.smtp_code == 550
`;

Deno.test({
  name: "Python's smtplib and curl send by STARTTLS, by TLS and by ALPN",
  ignore: !isInstalled("python3") || !isInstalled("curl"),
  fn: async () => {
    await withServer(async ({ server, path }) => {
      const [clear, tls, alpn] = ["submission", "submissions", "alpn"]
        .map((kind) => String(portOf(server, kind)));
      assert.ok(clear && tls && alpn);
      const python = await run(path, "python3", ["-c", PYTHON, clear, tls, alpn, PASSWORD]);
      assert.equal(python.code, 0, python.stderr);
      const message = "From: alice@example.org\r\nSubject: by curl\r\n\r\nHello\r\n";
      for (const url of [`smtp://127.0.0.1:${clear}`, `smtps://127.0.0.1:${tls}`]) {
        for (const mechanism of ["PLAIN", "LOGIN"]) {
          const args = ["-sSk", "--ssl-reqd", "--user", `alice@example.org:${PASSWORD}`, url];
          args.push("--login-options", `AUTH=${mechanism}`, "--upload-file", "-");
          args.push("--mail-from", "alice@example.org", "--mail-rcpt", "bob@example.org");
          const curl = await run(path, "curl", args, message);
          assert.equal(curl.code, 0, curl.stderr);
        }
      }
      const inbox = imapSession(server, "bob", "FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]");
      const text = await inbox.until(/^c OK/m);
      assert.equal(text.match(/by Python/g)?.length, 3);
      assert.equal(text.match(/by curl/g)?.length, 4);
      inbox.close();
    });
  },
});

Deno.test("queue lists, shows, retries and drops what waits for the relay", async () => {
  await using sink = await RelaySink.open();
  let isOpen = false;
  sink.refuse = (to) => !isOpen || to.startsWith("never") ? "451 4.7.1 Not yet" : undefined;
  await withServer(async ({ server, postern, config }) => {
    const client = await logIn(server);
    assert.ok(await send(client, "first", ["eve@far.example", "mallory@far.example"]));
    assert.ok(await send(client, "second", ["never@far.example"]));
    let messages: { id: number; recipients: { attempts: number; lastError: string }[] }[] = [];
    for (let i = 0; i < 50 && messages.at(-1)?.recipients[0]?.attempts !== 1; i++) {
      messages = JSON.parse(await postern("queue", "list", "--json"));
    }
    assert.deepEqual(
      messages.map(({ recipients }) => recipients.map(({ lastError }) => lastError)),
      [["451 4.7.1 Not yet", "451 4.7.1 Not yet"], ["451 4.7.1 Not yet"]],
    );
    const table = await postern("queue", "list");
    assert.match(
      table,
      /^ID +QUEUED .*\n1 +20.* alice@example\.org +eve@far\.example +1 .* 451 4\.7\.1 Not yet\n/,
    );
    assert.match(
      await postern("queue", "show", "1"),
      /^Sender +alice@example\.org\n.*To +mallory@far/s,
    );
    assert.match(
      await postern("queue", "show", "1", "--content"),
      /^Received: [^]*Subject: first\r\n\r\nHello\r\n$/,
    );
    isOpen = true;
    assert.equal(await postern("queue", "retry", "1"), "2 recipients will be tried again\n");
    const asked = performance.now();
    for (let i = 0; i < 200 && sink.messages.length === 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // By itself the server looks every five seconds.
    assert.ok(performance.now() - asked < 2_500);
    assert.deepEqual(sink.messages.map(({ to }) => to), [[
      "eve@far.example",
      "mallory@far.example",
    ]]);
    assert.equal(await postern("queue", "drop", "2"), "dropped 2, for 1 recipients\n");
    assert.equal(await postern("queue", "list"), "");
    for (
      const [id, complaint] of [["2", /no message 2 is in the queue/], [
        "x",
        /expected a number/,
      ]] as const
    ) {
      const { code, stderr } = await runPostern(["queue", "drop", id, "--config", config]);
      assert.ok(code === 1 || code === 2);
      assert.match(stderr, complaint);
    }
    client.destroy();
  }, sink);
});

Deno.test("nothing that was accepted is lost when the server is killed under load", async () => {
  await using sink = await RelaySink.open();
  await withServer(async (setting) => {
    const accepted: string[] = [];
    for (let round = 0; round < 3; round++) {
      const workers = Array.from({ length: 4 }, async (_, worker) => {
        const client = await logIn(setting.server);
        for (let i = 0;; i++) {
          const subject = `m-${round}-${worker}-${i}`;
          const to = [`eve${worker}@far.example`, "bob@example.org"];
          if (!await send(client, subject, i % 3 === 0 ? to.slice(1) : to)) return;
          accepted.push(subject);
        }
      });
      setTimeout(() => setting.server.kill("SIGKILL"), 300 + round * 150);
      await Promise.all(workers);
      await setting.restart();
    }
    assert.ok(accepted.length > 20, `${accepted.length} messages`);
    const isEmpty = async () => await setting.postern("queue", "list") === "";
    for (let i = 0; i < 20 && !await isEmpty(); i++) await setting.postern("queue", "retry");
    const relayed = new Set(
      sink.messages.map(({ text }) => /^Subject: (.*)\r$/m.exec(text)?.[1]),
    );
    const command = "FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]";
    const inbox = imapSession(setting.server, "bob", command);
    const text = await inbox.until(/^c OK/m);
    inbox.close();
    const here = new Set([...text.matchAll(/^Subject: (.*)\r$/gm)].map(([, subject]) => subject));
    for (const subject of accepted) {
      assert.ok(here.has(subject), `${subject} is not in the mailbox`);
    }
    const isRemote = (subject: string) => Number(subject.split("-")[3]) % 3 !== 0;
    for (const subject of accepted.filter(isRemote)) {
      assert.ok(relayed.has(subject), `${subject} was not relayed`);
    }
  }, sink);
});
