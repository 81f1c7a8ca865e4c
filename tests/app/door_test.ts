import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import { parseProxyHeader } from "../../src/net/proxy_protocol.ts";
import { type CertificatePair, makeSelfSigned } from "../../src/net/mod.ts";
import { buildClientHello } from "../net/support.ts";
import { runPostern, type ServerProcess, startPostern, withFolder } from "./postern_process.ts";

/**
 * The door of a configured server: routes and PROXY headers of a TOML file, on real ports. Clients
 * from 127.0.0.2 are trusted proxies, all others are not.
 */

const PROXY = "127.0.0.2";
const PASSWORD = "correct horse";

interface Backend {
  readonly port: number;
  /** What each connection has sent, in the order of their arrival. */
  readonly received: string[];
  close(): void;
}

/** Answers each line with "NAME: " and the line; in clear, or with TLS of its own. */
async function startBackend(name: string, pair?: CertificatePair): Promise<Backend> {
  const received: string[] = [];
  const open = new Set<net.Socket>();
  const serve = (socket: net.Socket, prefix: string) => {
    const at = received.push(prefix) - 1;
    socket.on("error", () => {});
    socket.on("data", (data) => {
      received[at] += data.toString("latin1");
      socket.write(`${name}: ${data.toString("latin1")}`);
    });
  };
  const server = net.createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    if (pair === undefined) {
      serve(socket, "");
      return;
    }
    // A PROXY header is in clear, in front of TLS.
    socket.once("readable", () => {
      const bytes: Buffer = socket.read() ?? Buffer.alloc(0);
      const header = parseProxyHeader(bytes);
      const length = header.kind === "header" ? header.length : 0;
      socket.unshift(bytes.subarray(length));
      const secure = new tls.TLSSocket(socket, {
        isServer: true,
        cert: pair.certificate,
        key: pair.privateKey,
        ALPNProtocols: ["smtp", "h2", "imap"],
      });
      serve(secure, bytes.subarray(0, length).toString("latin1"));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    received,
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

interface Door {
  readonly server: ServerProcess;
  readonly clear: Backend;
  readonly secure: Backend;
  port(kind: string): number;
}

/** A server with every kind of listener, all of which trust 127.0.0.2 to be a proxy. */
async function withDoor(run: (door: Door) => Promise<void>): Promise<void> {
  const clear = await startBackend("clear");
  const secure = await startBackend("secure", await makeSelfSigned(["backend.test"], Date.now()));
  const proxy = `proxy_protocol = ["${PROXY}/32"]\n`;
  const listener = (kind: string) =>
    `[[listener]]\nkind = "${kind}"\naddress = "127.0.0.1:0"\n${proxy}`;
  const toml = `${["imap", "imaps", "lmtp", "web", "alpn"].map(listener).join("")}
[listener.routes]
imap = "imap"
smtp = "submission"
"http/1.1" = "web"
clear = "tcp://127.0.0.1:${clear.port}"
told = "tcp://127.0.0.1:${clear.port}?proxy=v2"
h2 = "tls://127.0.0.1:${secure.port}?proxy=v2"
none = "web"
[listener.sni."backend.test".routes]
"*" = "tls://127.0.0.1:${secure.port}"
[listener.sni."*.other.test".routes]
imap = "web"
[[listener]]
kind = "lmtp"
address = "unix:LMTP"
${proxy}
`;
  await withFolder(async ({ path, config }) => {
    const text = await Deno.readTextFile(config);
    await Deno.writeTextFile(config, text.replace("unix:LMTP", `unix:${path}/lmtp.sock`));
    const cli = (args: string[], stdin = "") =>
      runPostern([...args, "--config", config], { stdin });
    await cli(["domain", "add", "example.org"]);
    await cli(["account", "add", "alice@example.org", "--stdin"], `${PASSWORD}\n`);
    const server = await startPostern(["serve", "--config", config]);
    try {
      await run({
        server,
        clear,
        secure,
        port: (kind) => Number(server.address(kind).split(":")[1]),
      });
    } finally {
      clear.close();
      secure.close();
      const { code, stderr } = await server.stop("SIGTERM");
      assert.equal(code, 0, stderr);
    }
  }, toml);
}

interface Answer {
  readonly text: string;
  readonly alpn: string | false | null;
  readonly subject: string;
}

/** Sends `lines` over TLS, and gives what comes until the end or `until`. */
function askTls(
  raw: net.Socket,
  options: tls.ConnectionOptions,
  lines: readonly string[],
  until?: RegExp,
): Promise<Answer> {
  const socket = tls.connect({ socket: raw, rejectUnauthorized: false, ...options });
  return collect(socket, lines, until).then((text) => ({
    text,
    alpn: socket.alpnProtocol,
    subject: socket.getPeerCertificate()?.subject?.CN ?? subjects.get(socket) ?? "",
  }));
}

const subjects = new WeakMap<net.Socket, string>();

function collect(socket: net.Socket, lines: readonly string[], until?: RegExp): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`nothing more after ${JSON.stringify(text)}`));
    }, 8_000);
    socket.on("secureConnect", () => {
      if (socket instanceof tls.TLSSocket) {
        subjects.set(socket, socket.getPeerCertificate().subject.CN);
      }
    });
    socket.on("data", (data) => {
      text += data.toString("latin1");
      if (until?.test(text)) socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
    socket.write(lines.map((line) => `${line}\r\n`).join(""));
  });
}

function dial(port: number, localAddress = "127.0.0.1"): net.Socket {
  return net.connect({ host: "127.0.0.1", port, localAddress, family: 4 });
}

/** A connection through the trusted proxy, on behalf of `client`. */
function dialThrough(port: number, client: string, version: 1 | 2 = 1): net.Socket {
  const socket = dial(port, PROXY);
  if (version === 1) {
    const family = client.includes(":") ? "TCP6 " : "TCP4 ";
    const server = client.includes(":") ? "2001:db8::1" : "198.51.100.1";
    socket.write(`PROXY ${family}${client} ${server} 4711 443\r\n`);
  } else {
    const address = (text: string) => text.split(".").map(Number);
    const start = [..."\r\n\r\n\0\r\nQUIT\n"].map((character) => character.charCodeAt(0));
    const ends = [...address(client), ...address("198.51.100.1"), 0x12, 0x67, 1, 187];
    socket.write(Uint8Array.from([...start, 0x21, 0x11, 0, 12, ...ends]));
  }
  return socket;
}

/** Whom the PROXY header in front of what a backend received tells of. */
function toldSource(received: string): string | undefined {
  const header = parseProxyHeader(new Uint8Array(Buffer.from(received, "latin1")));
  return header.kind === "header" ? header.addresses?.source.address : undefined;
}

const IMAP = ["a LOGOUT"];
const HTTP = ["GET / HTTP/1.1", "Host: mail.example.org", ""];

Deno.test("routes of a configuration: the table's order decides, and what it has not is refused", async () => {
  await withDoor(async ({ port }) => {
    const alpn = port("alpn");
    const ask = (ALPNProtocols: string[] | undefined, lines: readonly string[], name = "") =>
      askTls(dial(alpn), {
        ...(ALPNProtocols ? { ALPNProtocols } : {}),
        ...(name ? { servername: name } : {}),
      }, lines);
    for (const offer of [["imap"], ["imap", "http/1.1"], ["http/1.1", "x", "imap"]]) {
      const { text, alpn } = await ask(offer, IMAP);
      assert.equal(alpn, "imap");
      assert.match(text, /^\* OK .*\r\na OK /s);
    }
    for (const offer of [["http/1.1"], ["x", "http/1.1"], undefined]) {
      const { text, alpn } = await ask(offer, HTTP);
      assert.equal(alpn, offer ? "http/1.1" : false);
      assert.match(text, /^HTTP\/1\.1 200 /);
    }
    const submission = await ask(["smtp", "imap-over-x"], ["EHLO client.example.org", "QUIT"]);
    assert.equal(submission.alpn, "smtp");
    assert.match(submission.text, /^220 [^]*\r\n250[ -][^]*\r\n221 /);
    // Not in the table; and "none" is no protocol.
    for (const offer of [["ftp"], ["none"], ["IMAP"], ["acme-tls/1"]]) {
      await assert.rejects(ask(offer, []), /alert|no application protocol/i, offer[0]);
    }
    // Routes of a name stand instead of the others.
    assert.match((await ask(["imap"], HTTP, "a.other.test")).text, /^HTTP\/1\.1 200 /);
    await assert.rejects(ask(["http/1.1"], [], "a.other.test"), /alert|no application protocol/i);
    await assert.rejects(ask(undefined, [], "a.other.test"), /alert|no application protocol/i);
    assert.match((await ask(["imap"], IMAP, "a.b.other.test")).text, /^\* OK /);

    // 993: the right protocol, or none.
    const imaps = port("imaps");
    for (const offer of [["imap"], ["x", "imap"], []]) {
      const options = { ALPNProtocols: offer };
      assert.match((await askTls(dial(imaps), options, IMAP)).text, /^\* OK .*\r\na OK /s);
    }
    await assert.rejects(
      askTls(dial(imaps), { ALPNProtocols: ["http/1.1"] }, []),
      /alert|no application protocol/i,
    );
  });
});

Deno.test("the door stands slow, long and broken ClientHellos, and answers who speaks in clear", async () => {
  await withDoor(async ({ port }) => {
    const alpn = port("alpn");
    /** TLS over a connection that carries the client's bytes one by one. */
    const through = await new Promise<net.Server>((resolve) => {
      const server = net.createServer((client) => {
        const upstream = dial(alpn);
        upstream.setNoDelay(true);
        let first = true;
        client.on("data", async (data) => {
          if (!first) {
            upstream.write(data);
            return;
          }
          first = false;
          client.pause();
          for (const byte of data) {
            upstream.write(Uint8Array.of(byte));
            await new Promise((resolve) => setImmediate(resolve));
          }
          client.resume();
        });
        upstream.pipe(client);
        client.on("close", () => upstream.destroy());
        client.on("error", () => {});
        upstream.on("error", () => {});
      }).listen(0, "127.0.0.1", () => resolve(server));
    });
    const slow = (through.address() as net.AddressInfo).port;
    const { text } = await askTls(dial(slow), { ALPNProtocols: ["imap"] }, IMAP);
    assert.match(text, /^\* OK .*\r\na OK /s);
    through.close();

    // Over 16 KiB: more than one record.
    const many = Array.from({ length: 900 }, (_, i) => `protocol-${i}-of-many-others`);
    const long = await askTls(dial(alpn), { ALPNProtocols: [...many, "imap"] }, IMAP);
    assert.match(long.text, /^\* OK .*\r\na OK /s);

    const raw = async (bytes: Uint8Array) => {
      const socket = dial(alpn);
      socket.write(bytes);
      return [...Buffer.from(await collect(socket, []), "latin1")];
    };
    const hello = buildClientHello({ alpn: ["imap"] });
    const broken = hello.slice();
    broken.fill(0xff, 43);
    assert.deepEqual(await raw(broken), [21, 3, 3, 0, 2, 2, 50], "decode_error");
    const endless = Uint8Array.from([
      22,
      3,
      1,
      0x40,
      0,
      1,
      0xff,
      0xff,
      0xff,
      ...Array(0x4000).fill(0),
    ]);
    assert.deepEqual(await raw(endless), [21, 3, 3, 0, 2, 2, 50], "too big");
    assert.deepEqual(await raw(Uint8Array.of(0, 1, 2, 3)), []);

    for (const kind of ["alpn", "imaps"]) {
      const clear = (line: string) => collect(dial(port(kind)), [line, ""]);
      assert.match(await clear("GET / HTTP/1.1"), /^HTTP\/1\.1 400 [^]*speaks TLS/);
      assert.match(await clear("a1 CAPABILITY"), /^\* BYE This port speaks TLS/);
      assert.match(await clear("EHLO client"), /^421 4\.7\.0 This port speaks TLS/);
    }
    assert.match((await askTls(dial(alpn), { ALPNProtocols: ["imap"] }, IMAP)).text, /^\* OK /);
  });
});

Deno.test("relays end TLS or pass it on, and tell the client's address where they are asked to", async () => {
  await withDoor(async ({ port, clear, secure, server }) => {
    const alpn = port("alpn");
    const hello = ["hello"];
    const plain = await askTls(dial(alpn), { ALPNProtocols: ["clear"] }, hello, /hello\r\n/);
    assert.deepEqual(plain, {
      text: "clear: hello\r\n",
      alpn: "clear",
      subject: "mail.example.org",
    });
    assert.deepEqual(clear.received, ["hello\r\n"], "no header, and TLS ended at the door");

    await askTls(dial(alpn, "127.0.0.9"), { ALPNProtocols: ["told"] }, hello, /hello\r\n/);
    assert.equal(toldSource(clear.received[1] ?? ""), "127.0.0.9");
    assert.ok(clear.received[1]?.endsWith("hello\r\n"));
    await askTls(
      dialThrough(alpn, "203.0.113.9"),
      { ALPNProtocols: ["told"] },
      hello,
      /hello\r\n/,
    );
    assert.equal(toldSource(clear.received[2] ?? ""), "203.0.113.9", "through a proxy in front");

    const passed = await askTls(
      dialThrough(alpn, "203.0.113.10", 2),
      { ALPNProtocols: ["h2"] },
      hello,
      /hello\r\n/,
    );
    assert.deepEqual(passed, { text: "secure: hello\r\n", alpn: "h2", subject: "backend.test" });
    assert.equal(toldSource(secure.received[0] ?? ""), "203.0.113.10");

    // By name: any protocol, and none, chosen by whom it is for.
    for (const ALPNProtocols of [["smtp"], ["imap"], undefined]) {
      const options = { servername: "backend.test", ...(ALPNProtocols ? { ALPNProtocols } : {}) };
      const { alpn: agreed, subject } = await askTls(dial(alpn), options, hello, /hello\r\n/);
      assert.equal(agreed, ALPNProtocols?.[0] ?? false);
      assert.equal(subject, "backend.test");
    }
    assert.equal(toldSource(secure.received[1] ?? ""), undefined);

    clear.close();
    await assert.rejects(
      async () => {
        const { text } = await askTls(dial(alpn), { ALPNProtocols: ["clear"] }, hello);
        throw new Error(`ended with ${JSON.stringify(text)}`);
      },
      /ended with ""|ECONNRESET|closed|socket hang up/,
    );
    assert.match((await askTls(dial(alpn), { ALPNProtocols: ["imap"] }, IMAP)).text, /^\* OK /);
    assert.doesNotMatch(server.stderr(), /should not have happened/);
  });
});

Deno.test("behind a trusted proxy every listener knows the client's own address", async () => {
  await withDoor(async ({ port, server }) => {
    const wrong = ["a LOGIN alice@example.org wrong", "b LOGOUT"];
    const over: [string, 1 | 2, string][] = [
      ["imaps", 1, "203.0.113.1"],
      ["imaps", 2, "203.0.113.2"],
      ["alpn", 1, "2001:db8::3"],
      ["alpn", 2, "203.0.113.4"],
    ];
    const failedFrom = async (client: string) => {
      const line = new RegExp(
        `failed authentication: [^\n]*remote=${client.replaceAll(".", "\\.")} `,
      );
      for (let i = 0; i < 200 && !line.test(server.stderr()); i++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.match(server.stderr(), line);
    };
    for (const [kind, version, client] of over) {
      const raw = dialThrough(port(kind), client, version);
      const { text } = await askTls(raw, { ALPNProtocols: ["imap"] }, wrong);
      assert.match(text, /\r\na NO \[AUTHENTICATIONFAILED\]/, kind);
      await failedFrom(client);
    }
    // STARTTLS behind a proxy.
    const socket = dialThrough(port("imap"), "203.0.113.5");
    await new Promise<void>((resolve) => {
      let text = "";
      const onData = (data: Uint8Array) => {
        text += Buffer.from(data).toString();
        if (!/^s OK/m.test(text)) return;
        socket.off("data", onData);
        socket.pause();
        resolve();
      };
      socket.on("data", onData);
      socket.write("s STARTTLS\r\n");
    });
    await askTls(socket, {}, wrong);
    await failedFrom("203.0.113.5");

    // LMTP writes down whom it had the message from, over TCP and over its Unix socket.
    const deliver = (socket: net.Socket) =>
      collect(socket, [
        "LHLO relay.example.net",
        "MAIL FROM:<a@example.net>",
        "RCPT TO:<alice@example.org>",
        "DATA",
        "Subject: x",
        "",
        "x",
        ".",
        "QUIT",
      ]);
    assert.match(await deliver(dialThrough(port("lmtp"), "203.0.113.6")), /\r\n250 .*\r\n221 /s);
    const path = /^listening lmtp unix:(.*)$/m.exec(server.lines.join("\n"))?.[1] ?? "";
    const unix = net.connect({ path });
    unix.write("PROXY TCP4 203.0.113.7 198.51.100.1 4711 24\r\n");
    assert.match(await deliver(unix), /\r\n250 .*\r\n221 /s);
    const { text } = await askTls(dial(port("imaps")), {}, [
      `a LOGIN alice@example.org "${PASSWORD}"`,
      "b SELECT INBOX",
      "c FETCH 1:* BODY[HEADER.FIELDS (RECEIVED)]",
      "d LOGOUT",
    ]);
    for (const client of ["203.0.113.6", "203.0.113.7"]) {
      assert.ok(text.includes(`[${client}]`), client);
    }
    assert.match(await collect(dialThrough(port("web"), "203.0.113.8"), HTTP), /^HTTP\/1\.1 200 /);

    // Nobody else is believed, and the proxy itself must speak for somebody.
    assert.match(
      await collect(dial(port("imap")), ["PROXY TCP4 203.0.113.99 1.2.3.4 1 2", "b LOGOUT"]),
      /BAD/,
    );
    assert.equal(
      await collect(dial(port("alpn")), ["PROXY TCP4 203.0.113.99 1.2.3.4 1 2"]).catch(() => ""),
      "",
    );
    for (const kind of ["imap", "imaps", "lmtp", "web", "alpn"]) {
      const unheard = collect(dial(port(kind), PROXY), ["a LOGOUT"]).catch(() => "");
      assert.equal(await unheard, "", kind);
    }
    assert.doesNotMatch(server.stderr(), /203\.0\.113\.99/);
    assert.doesNotMatch(server.stderr(), /remote=127\.0\.0\.2/);
  });
});
