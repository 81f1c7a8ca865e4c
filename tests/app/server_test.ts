import assert from "node:assert/strict";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { ControlClient } from "../../src/app/control/client.ts";
import { controlSocketPath } from "../../src/app/control/protocol.ts";
import {
  posternCommand,
  runPostern,
  type ServerProcess,
  startPostern,
  withFolder,
} from "./postern_process.ts";

/** Connects in clear or with TLS, says `lines`, and gives everything that comes until the end. */
function converse(
  address: string,
  lines: readonly string[],
  tls?: { readonly alpn?: readonly string[] },
): Promise<string> {
  const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  const where = { host, port: Number(port) };
  const socket = tls
    ? connectTls({ ...where, rejectUnauthorized: false, ALPNProtocols: [...tls.alpn ?? []] })
    : connect(where);
  socket.write(lines.map((line) => `${line}\r\n`).join(""));
  let text = "";
  return new Promise((resolve, reject) => {
    socket.on("data", (data) => text += data.toString());
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}

/** What must be settled soon; a lost nudge would be made up for only later. */
function within<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("nothing within three seconds")), 3_000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const LOGIN = "a LOGIN demo@localhost postern-demo";

async function withDemo(
  run: (server: ServerProcess, folder: string) => Promise<void>,
): Promise<void> {
  const parent = await Deno.makeTempDir();
  const folder = `${parent}/demo`;
  const server = await startDemo(folder);
  try {
    await run(server, folder);
  } finally {
    const { code, stderr } = await server.stop("SIGTERM");
    await Deno.remove(parent, { recursive: true });
    assert.equal(code, 0, stderr);
  }
}

function startDemo(folder: string): Promise<ServerProcess> {
  return startPostern(["demo", "--data", folder, "--ports", "0,0,0,0,0"]);
}

Deno.test("demo makes its folder, names each listener, then says ready, then how to try it", async () => {
  await withDemo(async (server, folder) => {
    const kinds = server.lines.filter((line) => line.startsWith("listening "))
      .map((line) => /^listening (\w+) 127\.0\.0\.1:[1-9]\d*$/.exec(line)?.[1]);
    assert.deepEqual(kinds, ["imap", "imaps", "alpn", "submission", "lmtp"]);
    assert.equal(server.lines.findIndex((line) => line === "ready"), 5);
    assert.ok((await Deno.stat(folder)).isDirectory);
  });
});

Deno.test("the demo account has varied mail, readable over TLS and after STARTTLS only", async () => {
  await withDemo(async (server) => {
    const answers = await converse(server.address("imaps"), [
      LOGIN,
      "b SELECT INBOX",
      "c FETCH 1:* (FLAGS BODYSTRUCTURE)",
      "d STATUS Sent (MESSAGES)",
      "e LOGOUT",
    ], {});
    assert.match(answers, /^\* OK \[CAPABILITY [^\r]*\r\n/);
    assert.match(answers, /\* 7 EXISTS\r\n/);
    assert.match(answers, /\* STATUS Sent \(MESSAGES 1\)\r\n/);
    for (
      const part of ['"HTML"', '"PNG"', '"BASE64"', '"QUOTED-PRINTABLE"', "ALTERNATIVE", "MIXED"]
    ) {
      assert.ok(answers.toUpperCase().includes(part), part);
    }
    for (const tag of ["a", "b", "c", "d", "e"]) {
      assert.match(answers, new RegExp(`\r\n${tag} OK `));
    }
    const clear = await converse(server.address("imap"), [LOGIN, "b LOGOUT"]);
    assert.match(clear, /STARTTLS/);
    assert.match(clear, /\r\na NO \[PRIVACYREQUIRED\]/);
  });
});

Deno.test("one alpn port serves imap, smtp and the status page, and refuses other protocols", async () => {
  await withDemo(async (server) => {
    const port = server.address("alpn");
    assert.match(await converse(port, ["a LOGOUT"], { alpn: ["imap"] }), /^\* OK .*\r\na OK /s);
    const request = ["GET / HTTP/1.1", "Host: localhost", ""];
    for (const alpn of [["http/1.1"], []]) {
      const page = await converse(port, request, { alpn });
      assert.match(page, /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(page, /content-security-policy: default-src 'none'/);
      assert.match(page, /<h1>localhost<\/h1>/);
      assert.doesNotMatch(page, /postern/i);
    }
    const smtp = await converse(port, ["EHLO x", "QUIT"], { alpn: ["smtp"] });
    assert.match(smtp, /^220 localhost ESMTP\r\n.*\r\n250 AUTH .*\r\n221 /s);
    assert.match(await converse(port, ["nonsense", "", ""], { alpn: [] }), /^HTTP\/1\.1 400 /);
    await assert.rejects(converse(port, [], { alpn: ["pop3"] }), /alert|no application protocol/i);
  });
});

Deno.test("a message delivered by LMTP is there", async () => {
  await withDemo(async (server) => {
    const answers = await converse(server.address("lmtp"), [
      "LHLO test",
      "MAIL FROM:<a@example.org>",
      "RCPT TO:<demo@localhost>",
      "RCPT TO:<nobody@localhost>",
      "DATA",
      "Subject: by LMTP",
      "",
      "text",
      ".",
      "QUIT",
    ]);
    assert.match(answers, /\r\n250 .*\r\n250 .*\r\n550 .*\r\n354 .*\r\n250 .*\r\n221 /s);
    const search = ["b SELECT INBOX", "c SEARCH SUBJECT {7+}", "by LMTP", "d LOGOUT"];
    search.splice(1, 2, 'c SEARCH SUBJECT "by LMTP"');
    assert.match(
      await converse(server.address("imaps"), [LOGIN, ...search], {}),
      /\* SEARCH 8\r\n/,
    );
  });
});

Deno.test("a second start reuses the folder: same certificate, same mail, nothing added", async () => {
  const parent = await Deno.makeTempDir();
  const folder = `${parent}/demo`;
  const mail = async (server: ServerProcess) => {
    const text = await converse(
      server.address("imaps"),
      [LOGIN, "b STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY)", "c LOGOUT"],
      {},
    );
    return /\* STATUS .*/.exec(text)?.[0];
  };
  const first = await startDemo(folder);
  const before = await mail(first);
  const certificate = await Deno.readTextFile(`${folder}/self-signed.pem`);
  assert.equal((await first.stop("SIGTERM")).code, 0);
  const second = await startDemo(folder);
  assert.equal(await mail(second), before);
  assert.ok(before);
  assert.equal(await Deno.readTextFile(`${folder}/self-signed.pem`), certificate);
  assert.ok(!second.stderr().includes("self-signed"));
  await second.stop("SIGINT");
  await Deno.remove(parent, { recursive: true });
});

Deno.test("a second server on the same data is refused with advice, and the first goes on", async () => {
  await withDemo(async (server, folder) => {
    const second = await runPostern(["demo", "--data", folder, "--ports", "0,0,0,0,0"]);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /postern: another postern serves .*: stop it/);
    assert.match(await converse(server.address("imaps"), ["a LOGOUT"], {}), /a OK/);
  });
});

Deno.test("a port that is taken is named, with what to do", async () => {
  await withDemo(async (server) => {
    const port = server.address("imap").split(":")[1];
    const parent = await Deno.makeTempDir();
    const args = ["demo", "--data", `${parent}/d`, "--ports", `${port},0,0,0,0`];
    const { code, stderr, stdout } = await runPostern(args);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      new RegExp(`postern: listener imap: another program listens on 127.0.0.1:${port}; stop it`),
    );
    await Deno.remove(parent, { recursive: true });
  });
});

Deno.test("SIGTERM has every session say BYE and ends within three seconds, with 0", async () => {
  const parent = await Deno.makeTempDir();
  const server = await startDemo(`${parent}/demo`);
  const [host, port] = server.address("imaps").split(":");
  const sessions = ["", `${LOGIN}\r\nb IDLE\r\n`].map((opening) => {
    const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false });
    let text = "";
    socket.on("data", (data) => text += data.toString());
    socket.on("error", () => {});
    if (opening) socket.write(opening);
    const ended = new Promise<string>((resolve) => socket.on("close", () => resolve(text)));
    const has = async (pattern: RegExp) => {
      while (!pattern.test(text)) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    return { ended, has };
  });
  await sessions[0]?.has(/^\* OK/);
  await sessions[1]?.has(/^\+ /m);
  const stopped = server.stop("SIGTERM");
  for (const { ended } of sessions) assert.match(await ended, /\r\n\* BYE [^\r]*\r\n$/);
  const { code, ms, stderr } = await stopped;
  assert.equal(code, 0, stderr);
  assert.ok(ms < 4_000, `${ms} ms`);
  await assert.rejects(converse(server.address("imaps"), [], {}));
  await Deno.remove(parent, { recursive: true });
});

/** Until the server sends nothing more of much that was asked for, since all buffers are full. */
async function untilItWaits(folder: string): Promise<void> {
  using connection = await Deno.connect({ transport: "unix", path: controlSocketPath(folder) });
  const control = new ControlClient(connection);
  const end = performance.now() + 20_000;
  for (let [same, before] = [0, 0]; same < 20;) {
    assert.ok(performance.now() < end, "it never waits");
    const { connections } = await control.ask<"connections">({ command: "connections" });
    const [{ bytesOut = 0 } = {}] = connections;
    same = bytesOut > 64 * 1024 && bytesOut === before ? same + 1 : 0;
    before = bytesOut;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("SIGTERM waits three seconds and no more for a client that does not read its answers", async () => {
  const parent = await Deno.makeTempDir();
  const server = await startDemo(`${parent}/demo`);
  const [host, port] = server.address("imaps").split(":");
  // Deno's own sockets read nothing that was not asked for; node:tls reads on while paused.
  const socket = await Deno.connectTls({
    hostname: host ?? "",
    port: Number(port),
    caCerts: [await Deno.readTextFile(`${parent}/demo/self-signed.pem`)],
  });
  const fetches = "c FETCH 1:* BODY.PEEK[]\r\n".repeat(5_000);
  const written = socket.write(
    new TextEncoder().encode(`${LOGIN}\r\nb SELECT INBOX\r\n${fetches}`),
  ).catch(() => 0);
  await untilItWaits(`${parent}/demo`);
  const { code, ms } = await server.stop("SIGTERM");
  // It ended by itself, long before the client's minute to read was over; and not before the time
  // (STOP_TIMEOUT_MS).
  assert.equal(code, 0);
  assert.ok(ms > 2_900, `${ms} ms`);
  await written;
  socket.close();
  await Deno.remove(parent, { recursive: true });
});

Deno.test("a server whose log nobody reads any more goes on", async () => {
  const parent = await Deno.makeTempDir();
  const child = posternCommand(["demo", "--data", `${parent}/demo`, "--ports", "0,0,0,0,0"], {
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await child.stderr.cancel();
  let stdout = "";
  for await (
    const piece of child.stdout.pipeThrough(new TextDecoderStream()).values({ preventCancel: true })
  ) {
    stdout += piece;
    if (/^ready$/m.test(stdout)) break;
  }
  const address = /listening imaps (\S+)/.exec(stdout)?.[1] ?? "";
  // A failed login is logged.
  const wrong = ["a LOGIN demo@localhost wrong-password", "b LOGOUT"];
  for (let i = 0; i < 2; i++) assert.match(await converse(address, wrong, {}), /\r\nb OK/);
  child.kill("SIGTERM");
  assert.equal((await child.status).code, 0);
  await child.stdout.cancel().catch(() => undefined);
  await Deno.remove(parent, { recursive: true });
});

Deno.test("serve refuses a configuration without listeners", async () => {
  await withFolder(async ({ config }) => {
    const { code, stderr } = await runPostern(["serve", "--config", config]);
    assert.equal(code, 2);
    assert.match(stderr, /expected at least one \[\[listener\]\], found none\n$/);
  });
});

const IMAP_LISTENER = '[[listener]]\nkind = "imaps"\naddress = "127.0.0.1:0"\n';

Deno.test("serve names a certificate that is missing", async () => {
  await withFolder(async ({ config }) => {
    const { code, stderr } = await runPostern(["serve", "--config", config]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^postern: tls\.certificate_file: cannot read \S+c\.pem: no such file[^\n]*\n$/,
    );
  }, `${IMAP_LISTENER}[tls]\ncertificate_file = "c.pem"\nprivate_key_file = "k.pem"\n`);
});

/** The first DER certificate that the server presents. */
function presented(address: string): Promise<string> {
  const [host, port] = address.split(":");
  const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false });
  return new Promise((resolve, reject) => {
    socket.once("secureConnect", () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

Deno.test("SIGHUP takes a new certificate and log level, and keeps what it has when one is wrong", async () => {
  await withFolder(async ({ path, config }) => {
    const server = await startPostern(["serve", "--config", config]);
    const address = server.address("imaps");
    const old = await presented(address);
    const reloaded = async (pattern: RegExp) => {
      server.kill("SIGHUP");
      for (let i = 0; i < 300 && !pattern.test(server.stderr()); i++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.match(server.stderr(), pattern);
    };
    await Deno.remove(`${path}/data/self-signed.pem`);
    await reloaded(/read again/);
    const renewed = await presented(address);
    assert.notEqual(renewed, old);

    const toml = await Deno.readTextFile(config);
    await Deno.writeTextFile(config, `${toml}\n[log]\nlevel = "loud"\n`);
    await reloaded(/nothing was changed.*log\.level: expected/s);
    assert.equal(await presented(address), renewed);
    await Deno.writeTextFile(config, `${toml}\n[limits]\nmax_connections = 7\n`);
    await reloaded(/limits\.max_connections changed: restart/);
    assert.equal((await server.stop("SIGTERM")).code, 0);
  }, IMAP_LISTENER);
});

Deno.test("systemd hears READY=1 and STOPPING=1 where NOTIFY_SOCKET is set", async () => {
  await withFolder(async ({ path, config }) => {
    const socketPath = `${path}/systemd.sock`;
    const systemd = Deno.listenDatagram({ transport: "unixpacket", path: socketPath });
    const server = await startPostern(["serve", "--config", config], {
      env: { NOTIFY_SOCKET: socketPath, RUNTIME_DIRECTORY: path },
    });
    const hear = async () => new TextDecoder().decode((await systemd.receive())[0]);
    assert.equal(await hear(), "READY=1");
    const stopped = server.stop("SIGTERM");
    assert.equal(await hear(), "STOPPING=1");
    assert.equal((await stopped).code, 0);
    systemd.close();
  }, IMAP_LISTENER);
});

Deno.test("a command beside the server is acted on at once: new mail, new password, disabling", async () => {
  await withDemo(async (server, folder) => {
    const config = `${folder}/postern.toml`;
    const [host, port] = server.address("imaps").split(":");
    const session = () => {
      const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false });
      let text = "";
      socket.on("data", (data) => text += data.toString());
      socket.on("error", () => {});
      return {
        send: (line: string) => socket.write(`${line}\r\n`),
        ended: new Promise<string>((resolve) => socket.on("close", () => resolve(text))),
        async has(pattern: RegExp) {
          for (let i = 0; i < 300 && !pattern.test(text); i++) {
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          assert.match(text, pattern);
        },
      };
    };
    const idle = session();
    for (const line of [LOGIN, "b SELECT INBOX", "c IDLE"]) idle.send(line);
    await idle.has(/^\+ /m);
    const delivered = await runPostern(["deliver", "demo@localhost", "--config", config], {
      stdin: "Subject: by pipe\n\ntext\n",
    });
    assert.deepEqual(delivered, { code: 0, stdout: "", stderr: "" });
    await idle.has(/^\* 8 EXISTS\r$/m);

    const disable = ["account", "disable", "demo@localhost", "--message", "Not today."];
    assert.equal((await runPostern([...disable, "--config", config])).code, 0);
    assert.match(await within(idle.ended), /\* BYE /);
    const refused = await converse(server.address("imaps"), [LOGIN, "b LOGOUT"], {});
    assert.match(refused, /\r\na NO .*Not today\./);

    await runPostern(["account", "enable", "demo@localhost", "--config", config]);
    const other = session();
    other.send(LOGIN);
    await other.has(/^a OK/m);
    const password = ["account", "password", "demo@localhost", "--stdin", "--config", config];
    assert.equal((await runPostern(password, { stdin: "another-password\n" })).code, 0);
    assert.match(await within(other.ended), /\* BYE /);
    const changed = await converse(
      server.address("imaps"),
      ["a LOGIN demo@localhost another-password", "b LOGOUT"],
      {},
    );
    assert.match(changed, /\r\na OK /);
  });
});

Deno.test("deliver says by its exit code whether to try again", async () => {
  await withFolder(async ({ config }) => {
    const cli = (args: string[], stdin?: string) =>
      runPostern([...args, "--config", config], stdin === undefined ? {} : { stdin });
    await cli(["domain", "add", "example.org"]);
    await cli(["account", "add", "alice@example.org", "--generate"]);
    const message = "Subject: x\n\ntext\n";
    const deliver = async (...args: string[]) => (await cli(["deliver", ...args], message)).code;
    assert.equal(await deliver("alice@example.org"), 0);
    assert.equal(await deliver("alice+detail@example.org"), 0);
    assert.equal(await deliver("bob@example.org"), 1);
    assert.equal(await deliver("alice@example.org", "--mailbox", "Lists/Deno"), 1);
    assert.equal(await deliver("alice@example.org", "--mailbox", "Lists/Deno", "--create"), 0);
    assert.equal((await cli(["deliver", "alice@example.org"], "")).code, 2);
    await cli(["account", "quota", "alice@example.org", "1K"]);
    assert.equal(await deliver("alice@example.org"), 0);
    for (let i = 0; i < 4; i++) await deliver("alice@example.org");
    const full = await cli(["deliver", "alice@example.org"], message);
    assert.equal(full.code, 75);
    assert.match(
      full.stderr,
      /^postern: not delivered to alice@example.org: The mailbox is full\n$/,
    );
    await cli(["domain", "disable", "example.org"]);
    assert.equal(await deliver("alice@example.org"), 75);
    assert.equal((await cli(["check"])).stdout, "every invariant holds\n");
  });
});
