import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import net from "node:net";
import {
  ANY_PROTOCOL,
  type ListenOptions,
  NetError,
  parseNetwork,
  parseRouteTarget,
  releaseSocket,
  type RouteTable,
  type RouteTarget,
} from "../../src/net/mod.ts";
import { chooseRoute } from "../../src/net/alpn.ts";
import { parseProxyHeader } from "../../src/net/proxy_protocol.ts";
import {
  ascii,
  buildClientHello,
  Client,
  eventually,
  hasProgram,
  netTest,
  pause,
  python,
  readUntil,
  type Scope,
  storeFor,
} from "./support.ts";

const own = (name: string): RouteTarget => ({ kind: "own", name });
const to = (kind: "tcp" | "tls", port: number, proxyHeader = false): RouteTarget => ({
  kind,
  host: "127.0.0.1",
  port,
  proxyHeader,
});

const TABLE: RouteTable = {
  protocols: new Map([["imap", own("imap")], ["smtp", own("submission")], [
    "http/1.1",
    own("web"),
  ]]),
  none: own("web"),
};

const ALERT = (code: number) => [21, 3, 3, 0, 2, 2, code];

/** An ALPN listener. */
async function listenAlpn(scope: Scope, routes: RouteTable, more: Partial<ListenOptions> = {}) {
  return await scope.listen({
    kind: "alpn",
    tls: { certificates: await storeFor("localhost") },
    routes,
    ...more,
  });
}

const hello = (alpn: string[], sni?: string) => ({ kind: "hello", sni, alpn } as const);

Deno.test("the table's order decides, not the client's", () => {
  const choose = (...alpn: string[]) => {
    const route = chooseRoute(TABLE, hello(alpn));
    return route?.target.kind === "own" ? `${route.alpn} ${route.target.name}` : undefined;
  };
  assert.equal(choose("imap"), "imap imap");
  assert.equal(choose("http/1.1", "smtp", "imap"), "imap imap");
  assert.equal(choose("h2", "http/1.1"), "http/1.1 web");
  assert.equal(choose(), "undefined web");
  assert.equal(choose("h2"), undefined);
  assert.equal(choose("IMAP"), undefined);
  assert.equal(choose("*"), undefined);
});

Deno.test("a table without none refuses those who offer nothing", () => {
  assert.equal(chooseRoute({ protocols: TABLE.protocols }, hello([])), undefined);
});

Deno.test("routes of a name hold instead of the others, wildcards too", () => {
  const table: RouteTable = {
    ...TABLE,
    byName: new Map([
      ["mail.example.org", { protocols: new Map([["imap", own("a")]]) }],
      ["*.example.org", { protocols: new Map([[ANY_PROTOCOL, to("tls", 1)]]) }],
    ]),
  };
  const nameFor = (sni: string, alpn: string[]) => {
    const target = chooseRoute(table, hello(alpn, sni))?.target;
    return target?.kind === "own" ? target.name : target?.kind;
  };
  assert.equal(nameFor("mail.example.org", ["imap"]), "a");
  assert.equal(nameFor("mail.example.org", ["http/1.1"]), undefined);
  assert.equal(nameFor("mail.example.org", []), undefined);
  assert.equal(nameFor("x.example.org", ["anything"]), "tls");
  assert.equal(nameFor("x.example.org", []), "tls");
  assert.equal(nameFor("example.net", ["imap"]), "imap");
});

Deno.test("an entry for any protocol never ends TLS here", () => {
  const table: RouteTable = { protocols: new Map([[ANY_PROTOCOL, own("imap")]]) };
  assert.equal(chooseRoute(table, hello(["h2"])), undefined);
  assert.equal(chooseRoute(table, hello([])), undefined);
});

Deno.test("targets are read as the configuration writes them", () => {
  const names = ["imap", "web"];
  assert.deepEqual(parseRouteTarget("imap", names), own("imap"));
  assert.deepEqual(parseRouteTarget("tcp://127.0.0.1:8080", names), to("tcp", 8080));
  assert.deepEqual(parseRouteTarget("tls://127.0.0.1:465?proxy=v2", names), to("tls", 465, true));
  assert.deepEqual(parseRouteTarget("tls://[::1]:465", names), {
    kind: "tls",
    host: "::1",
    port: 465,
    proxyHeader: false,
  });
  for (
    const bad of [
      "smtp",
      "tcp://",
      "tcp://x",
      "tcp://x:0",
      "udp://x:1",
      "tcp://x:1/",
      "tcp://x:1?a",
    ]
  ) {
    assert.throws(() => parseRouteTarget(bad, names), NetError, bad);
  }
});

netTest("each offer reaches its target, and the agreed protocol is in the facts", async (scope) => {
  const { port, next } = await listenAlpn(scope, TABLE);
  const offers: [string[] | undefined, string, string | undefined][] = [
    [["imap"], "imap", "imap"],
    [["smtp"], "submission", "smtp"],
    [["h2", "http/1.1"], "web", "http/1.1"],
    [["http/1.1", "imap"], "imap", "imap"],
    [undefined, "web", undefined],
  ];
  for (const [offer, target, agreed] of offers) {
    const client = await scope.connectTls(
      port,
      offer === undefined ? {} : { ALPNProtocols: offer },
    );
    const arrival = await next();
    assert.equal(arrival.target, target);
    assert.equal(arrival.transport.facts.via, "alpn");
    assert.equal(arrival.transport.facts.tls?.alpn, agreed);
    assert.equal(client.socket.alpnProtocol || undefined, agreed);
    client.send("hello");
    assert.equal(await readUntil(arrival.transport, "hello"), "hello");
  }
});

netTest(
  "OpenSSL agrees on each protocol and is refused by the alert, TLS 1.2 and 1.3",
  async (scope) => {
    const { port } = await listenAlpn(scope, TABLE, {
      onConnection: (transport, target) => {
        transport.write(ascii(target));
        void transport.close();
      },
    });
    const printed = await python(
      `
import socket, ssl, sys
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
  for offer in (["imap"], ["smtp"], ["http/1.1"], ["h2"], ["h2", "imap"], []):
    ctx = ssl.create_default_context(); ctx.check_hostname = False; ctx.verify_mode = ssl.CERT_NONE
    ctx.maximum_version = version
    if offer: ctx.set_alpn_protocols(offer)
    try:
      s = ctx.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
      print(s.selected_alpn_protocol(), s.recv(20).decode())
    except ssl.SSLError as e: print("no application protocol" in str(e))
`,
      String(port),
    );
    const once = "imap imap\nsmtp submission\nhttp/1.1 web\nTrue\nimap imap\nNone web";
    assert.equal(printed, `${once}\n${once}`);
  },
  !hasProgram("python3"),
);

netTest("an offer without a match gets no_application_protocol", async (scope) => {
  const { port, count } = await listenAlpn(scope, TABLE);
  const client = await scope.connect(port);
  client.send(buildClientHello({ alpn: ["h2", "ftp"] }));
  await client.waitForEnd();
  assert.deepEqual([...client.received], ALERT(120));
  assert.equal(client.error, undefined);
  assert.equal(count(), 0);
});

for (
  const [what, line, expected] of [
    [
      "HTTP",
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      /^HTTP\/1\.1 400 [\s\S]*Connection: close[\s\S]*TLS/,
    ],
    ["IMAP", "a1 CAPABILITY\r\n", /^\* BYE [^\r]+\r\n$/],
    ["SMTP", "EHLO client.example.org\r\n", /^421 4\.7\.0 [^\r]+\r\n$/],
  ] as const
) {
  netTest(`a client that speaks ${what} in clear is told in its own words`, async (scope) => {
    const { port, count } = await listenAlpn(scope, TABLE);
    const client = await scope.connect(port);
    for (const character of line.slice(0, 6)) {
      client.send(character);
      await pause(2);
    }
    client.send(line.slice(6));
    await client.waitForEnd();
    assert.match(client.text, expected);
    assert.equal(client.error, undefined);
    assert.equal(count(), 0);
  });
}

netTest("what else comes in clear is closed without a word", async (scope) => {
  const { port } = await listenAlpn(scope, TABLE);
  for (const noise of ["\x00\x01\x02\r\n", "SSH-2.0-x\r\n", "x".repeat(600), "\r\n\r\n"]) {
    const client = await scope.connect(port);
    client.send(noise);
    await client.waitForEnd();
    assert.equal(client.text, "");
  }
});

netTest("half a clear line is waited for two seconds only", async (scope) => {
  const { port } = await listenAlpn(scope, TABLE);
  const client = await scope.connect(port);
  const start = Date.now();
  client.send("GET / HT");
  await client.waitForEnd();
  assert(Date.now() - start > 1_500 && Date.now() - start < 4_000);
});

netTest(
  "a ClientHello over the limit and one that contradicts itself get decode_error",
  async (scope) => {
    const { port } = await listenAlpn(scope, TABLE);
    const big = await scope.connect(port);
    big.send(buildClientHello({ padding: 65_480, alpn: ["imap"] }));
    await big.waitForEnd();
    assert.deepEqual([...big.received], ALERT(50));
    const malformed = await scope.connect(port);
    malformed.send(buildClientHello({ alpn: [""] }));
    await malformed.waitForEnd();
    assert.deepEqual([...malformed.received], ALERT(50));
  },
);

netTest("a ClientHello over several records reaches its target's decision", async (scope) => {
  // An upstream that only records: the decision needs the whole hello, TLS need not succeed.
  const seen = Promise.withResolvers<Buffer>();
  const upstream = await scope.serve((socket) => socket.once("data", seen.resolve));
  const { port } = await listenAlpn(scope, { protocols: new Map([["x", to("tls", upstream)]]) });
  const client = await scope.connect(port);
  const bytes = buildClientHello({
    padding: 20_000,
    alpn: ["x"],
    sni: "a.example.org",
    recordSize: 9_000,
  });
  client.send(bytes.subarray(0, 12_345));
  await pause(20);
  client.send(bytes.subarray(12_345));
  assert.equal(
    Buffer.compare(await seen.promise, Buffer.from(bytes).subarray(0, (await seen.promise).length)),
    0,
  );
});

netTest("tcp:// ends TLS here and relays the bytes, ends included", async (scope) => {
  const upstream = await scope.serve((socket) => {
    socket.write("220 hello\r\n");
    let all = "";
    socket.on("data", (chunk) => all += chunk);
    socket.on("end", () => socket.end(`221 had ${all}`));
  });
  const { port, count } = await listenAlpn(scope, {
    protocols: new Map([["smtp", to("tcp", upstream)]]),
  });
  const client = await scope.connectTls(port, { ALPNProtocols: ["smtp"] });
  await client.waitFor("220 hello");
  client.socket.end("EHLO x");
  await client.waitFor("221 had EHLO x");
  await client.waitForEnd();
  assert.equal(count(), 0);
});

netTest("tls:// passes TLS through untouched, chosen by name", async (scope) => {
  const inner = await scope.listen({
    kind: "imaps",
    tls: { certificates: await storeFor("inner.example.org"), alpn: ["imap"] },
  });
  const { port } = await listenAlpn(scope, {
    ...TABLE,
    byName: new Map([
      ["inner.example.org", { protocols: new Map([[ANY_PROTOCOL, to("tls", inner.port)]]) }],
    ]),
  });
  const client = await scope.connectTls(port, {
    servername: "inner.example.org",
    ALPNProtocols: ["imap"],
  });
  assert.equal(client.socket.getPeerCertificate().subject.CN, "inner.example.org");
  const { transport } = await inner.next();
  assert.equal(transport.facts.tls?.alpn, "imap");
  assert.equal(transport.facts.tls?.sni, "inner.example.org");
  transport.write(ascii("* OK\r\n"));
  await client.waitFor("* OK");
  client.send("a1 NOOP\r\n");
  assert.equal(await readUntil(transport, "\n"), "a1 NOOP\r\n");
});

for (const kind of ["tcp", "tls"] as const) {
  netTest(
    `${kind}:// tells the client's address by PROXY v2 where that is wanted`,
    async (scope) => {
      const first = Promise.withResolvers<Buffer>();
      const upstream = await scope.serve((socket) => socket.once("data", first.resolve));
      const { port } = await listenAlpn(scope, {
        protocols: new Map([["x", to(kind, upstream, true)]]),
      });
      let localPort: number | undefined;
      if (kind === "tcp") {
        const client = await scope.connectTls(port, { ALPNProtocols: ["x"] });
        localPort = client.socket.localPort;
      } else {
        const client = await scope.connect(port);
        client.send(buildClientHello({ alpn: ["x"] }));
        localPort = client.socket.localPort;
      }
      const header = parseProxyHeader(await first.promise);
      assert(header.kind === "header");
      assert.deepEqual(header.addresses, {
        source: { address: "127.0.0.1", port: localPort },
        destination: { address: "127.0.0.1", port },
      });
    },
  );
}

netTest(
  "a PROXY header passed on from router to listener keeps the client's address",
  async (scope) => {
    const inner = await scope.listen({
      kind: "imaps",
      tls: { certificates: await storeFor("localhost") },
      trustedProxies: [parseNetwork("127.0.0.0/8")],
    });
    const { port } = await listenAlpn(scope, {
      protocols: new Map([["imap", to("tls", inner.port, true)]]),
    });
    const client = await scope.connectTls(port, { ALPNProtocols: ["imap"] });
    const { transport } = await inner.next();
    assert.deepEqual(transport.facts.remote, {
      address: "127.0.0.1",
      port: client.socket.localPort,
    });
    assert.equal(transport.facts.local.port, port);
    assert.equal(transport.facts.proxy?.address, "127.0.0.1");
  },
);

netTest("a target that is down costs its own clients only", async (scope) => {
  const closed = net.createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const deadPort = (closed.address() as net.AddressInfo).port;
  await new Promise((resolve) => closed.close(resolve));
  const { port, next } = await listenAlpn(scope, {
    protocols: new Map([["a", to("tcp", deadPort)], ["b", to("tls", deadPort)], [
      "imap",
      own("imap"),
    ]]),
  });
  const relayed = await scope.connectTls(port, { ALPNProtocols: ["a"] });
  await relayed.waitForEnd();
  const passed = await scope.connect(port);
  passed.send(buildClientHello({ alpn: ["b"] }));
  await passed.waitForEnd();
  assert.deepEqual([...passed.received], ALERT(80));
  await scope.connectTls(port, { ALPNProtocols: ["imap"] });
  await next();
});

for (const kind of ["tcp", "tls"] as const) {
  for (const direction of ["up", "down"] as const) {
    netTest(
      `50 MB ${direction} a ${kind}:// relay arrive whole, and a slow end holds the other up`,
      async (scope) => {
        const total = 50_000_000;
        const block = Buffer.alloc(65_536, "0123456789abcdef");
        let held = 0;
        let received = 0;
        const done = Promise.withResolvers<void>();
        /** Sends everything as fast as it is taken; counts what is not. */
        const send = (socket: net.Socket) => {
          let sent = 0;
          const more = () => {
            while (sent < total) {
              const part = block.subarray(0, Math.min(block.length, total - sent));
              sent += part.length;
              held = total - sent;
              if (!socket.write(part)) return;
            }
            socket.end();
          };
          socket.on("drain", more);
          more();
        };
        const receive = (socket: net.Socket) => {
          socket.on("data", (chunk) => received += chunk.length);
          socket.on("end", done.resolve);
        };
        const slow = Promise.withResolvers<net.Socket>();
        let upstreamPort: number;
        if (kind === "tcp") {
          upstreamPort = await scope.serve((socket) => {
            if (direction === "down") send(socket);
            else slow.resolve(socket);
          });
        } else {
          // Untouched TLS: to the relay the bytes are just bytes, so a plain peer will do.
          upstreamPort = await scope.serve((socket) => {
            socket.once("data", () => {
              if (direction === "down") send(socket);
              else slow.resolve(socket);
            });
          });
        }
        const { port } = await listenAlpn(scope, {
          protocols: new Map([["x", to(kind, upstreamPort)]]),
        });
        let near: net.Socket;
        if (kind === "tcp") {
          const raw = net.connect({ host: "127.0.0.1", port, allowHalfOpen: true });
          scope.onClose(() => raw.destroy());
          near = (await scope.connectTls(port, { ALPNProtocols: ["x"] })).socket;
          raw.destroy();
        } else {
          near = net.connect({ host: "127.0.0.1", port, allowHalfOpen: true });
          scope.onClose(() => near.destroy());
          near.write(buildClientHello({ alpn: ["x"] }));
        }
        near.on("error", () => {});
        near.removeAllListeners("data");
        if (direction === "up") {
          send(near);
          const socket = await slow.promise;
          socket.pause();
          await pause(700);
          assert(held > 20_000_000, `${held} held back`);
          receive(socket);
          socket.resume();
        } else {
          near.pause();
          await pause(700);
          assert(held > 20_000_000, `${held} held back`);
          receive(near);
          near.resume();
        }
        await done.promise;
        const extra = kind === "tls" && direction === "up" ? received - total : 0;
        assert.equal(received - extra, total);
        assert(extra === 0 || extra < 200);
      },
    );
  }
}

for (const kind of ["tcp", "tls"] as const) {
  netTest(`${kind}:// loses and confuses nothing, in bulk both ways at once`, async (scope) => {
    const upstream = await scope.serve((socket) => socket.pipe(socket));
    const { port } = await listenAlpn(scope, { protocols: new Map([["x", to(kind, upstream)]]) });
    const client = kind === "tcp"
      ? await scope.connectTls(port, { ALPNProtocols: ["x"] })
      : await scope.connect(port);
    const sent = createHash("sha256");
    const received = createHash("sha256");
    let total = 0;
    client.socket.removeAllListeners("data");
    client.socket.on("data", (data) => received.update(data));
    const send = async (data: Uint8Array) => {
      sent.update(data);
      total += data.length;
      if (!client.socket.write(data)) {
        await new Promise((resolve) => client.socket.once("drain", resolve));
      }
    };
    if (kind === "tls") await send(buildClientHello({ alpn: ["x"] }));
    const random = randomBytes(300_000);
    for (let i = 0; total < 12_000_000; i++) {
      // Large pieces, small ones, and pauses in which the other side catches up.
      await send(random.subarray(i % 1000, i % 7 === 0 ? 300_000 : i % 1000 + 1 + i * 37 % 900));
      if (i % 50 === 0) await pause(1);
    }
    client.socket.end();
    await client.waitForEnd();
    assert.equal(received.digest("hex"), sent.digest("hex"));
  });
}

netTest("a client that vanishes takes its relay's other side with it", async (scope) => {
  const upstreamClosed = Promise.withResolvers<void>();
  const upstream = await scope.serve((socket) => {
    socket.write("hello");
    socket.on("data", () => {});
    socket.on("close", () => upstreamClosed.resolve());
    socket.on("end", () => socket.end());
  });
  const { port } = await listenAlpn(scope, { protocols: new Map([["x", to("tls", upstream)]]) });
  const client = await scope.connect(port);
  client.send(buildClientHello({ alpn: ["x"] }));
  await client.waitFor("hello");
  client.socket.resetAndDestroy();
  await upstreamClosed.promise;
});

/** A listener whose trusted proxies are the whole loopback. */
function listenBehindProxy(scope: Scope, more: Partial<ListenOptions> = {}) {
  return scope.listen({ trustedProxies: [parseNetwork("127.0.0.0/8")], ...more });
}

const V1 = "PROXY TCP4 192.0.2.7 198.51.100.2 56324 143\r\n";

netTest(
  "behind a trusted proxy the client's address is the real one, for the gate too",
  async (scope) => {
    const asked: string[] = [];
    const { port, next } = await listenBehindProxy(scope, {
      accept: (remote) => {
        asked.push(remote.address);
        return true;
      },
    });
    const client = await scope.connect(port);
    client.send(V1 + "a1 NOOP\r\n");
    const { transport } = await next();
    assert.deepEqual(transport.facts.remote, { address: "192.0.2.7", port: 56324 });
    assert.deepEqual(transport.facts.local, { address: "198.51.100.2", port: 143 });
    assert.equal(transport.facts.proxy?.address, "127.0.0.1");
    assert.equal(transport.facts.proxy?.port, client.socket.localPort);
    assert.equal(await readUntil(transport, "\n"), "a1 NOOP\r\n");
    assert.deepEqual(asked, ["192.0.2.7"]);
  },
);

netTest("a PROXY header byte by byte, in front of TLS byte by byte, is read", async (scope) => {
  const { port, next } = await listenBehindProxy(scope, {
    tls: { certificates: await storeFor("localhost") },
  });
  const splitter = await scope.serve((socket) => {
    const onward = net.connect({ host: "127.0.0.1", port });
    onward.setNoDelay(true);
    scope.onClose(() => onward.destroy());
    let queue = Promise.resolve();
    const slowly = (bytes: Uint8Array) => {
      queue = queue.then(async () => {
        for (const byte of bytes) {
          onward.write(Uint8Array.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
    };
    slowly(ascii(V1));
    socket.on("data", slowly);
    onward.on("error", () => {});
    onward.pipe(socket);
  });
  const client = await scope.connectTls(splitter);
  const { transport } = await next();
  assert.equal(transport.facts.remote.address, "192.0.2.7");
  transport.write(ascii("hi"));
  await client.waitFor("hi");
});

netTest("a trusted peer without a valid PROXY header is closed unheard", async (scope) => {
  const { port, count } = await listenBehindProxy(scope);
  for (const first of ["a1 NOOP\r\n", V1.replace("TCP4", "TCP5"), "PROXY " + "x".repeat(200)]) {
    const client = await scope.connect(port);
    client.send(first);
    await client.waitForEnd();
    assert.equal(client.text, "");
  }
  const leaving = await scope.connect(port);
  leaving.send(V1.slice(0, 20));
  leaving.socket.end();
  await leaving.waitForEnd();
  assert.equal(count(), 0);
});

netTest("a trusted peer that sends no header is given up", async (scope) => {
  const { port, count } = await listenBehindProxy(scope, { handshakeTimeoutMs: 50 });
  const client = await scope.connect(port);
  await client.waitForEnd();
  assert.equal(count(), 0);
});

netTest("nobody else's PROXY header is believed", async (scope) => {
  const { port, next } = await scope.listen({ trustedProxies: [parseNetwork("192.0.2.0/24")] });
  const client = await scope.connect(port);
  client.send(V1);
  const { transport } = await next();
  assert.equal(transport.facts.remote.address, "127.0.0.1");
  assert.equal(transport.facts.proxy, undefined);
  assert.equal(await readUntil(transport, "\n"), V1);
});

netTest("a gate's line is sent behind a proxy too", async (scope) => {
  const { port } = await listenBehindProxy(scope, { accept: () => "* BYE banned" });
  const client = await scope.connect(port);
  client.send(V1);
  await client.waitForEnd();
  assert.equal(client.text, "* BYE banned\r\n");
});

netTest("a proxy that speaks for itself keeps its own address", async (scope) => {
  const { port, next } = await listenBehindProxy(scope);
  const client = await scope.connect(port);
  client.send("PROXY UNKNOWN\r\n");
  const { transport } = await next();
  assert.deepEqual(transport.facts.remote, { address: "127.0.0.1", port: client.socket.localPort });
  assert.equal(transport.facts.proxy, undefined);
  assert(client instanceof Client);
});

netTest("on a Unix socket any trusted network makes every peer a proxy", async (scope) => {
  const path = `${Deno.makeTempDirSync()}/p.sock`;
  const { next } = await listenBehindProxy(scope, { address: `unix:${path}` });
  const client = await scope.connect(path);
  client.send(V1);
  assert.equal((await next()).transport.facts.remote.address, "192.0.2.7");
});

for (const proxied of [false, true]) {
  netTest(
    `a released socket serves node:http, ${proxied ? "behind a proxy" : "directly"}`,
    async (scope) => {
      const web = createHttpServer((request, response) => {
        response.end(`${request.url} for ${request.socket.remoteAddress}`);
      });
      const { port } = await listenAlpn(scope, TABLE, {
        ...(proxied ? { trustedProxies: [parseNetwork("127.0.0.0/8")] } : {}),
        onConnection: (transport) => {
          const socket = releaseSocket(transport);
          scope.onClose(() => socket.destroy());
          assert.equal(transport.broken, true);
          web.emit("connection", socket);
        },
      });
      let client: Client;
      if (proxied) {
        const relayed = await scope.serve((socket) => {
          const onward = net.connect({ host: "127.0.0.1", port });
          scope.onClose(() => onward.destroy());
          onward.write(V1);
          socket.pipe(onward).pipe(socket);
        });
        client = await scope.connectTls(relayed, { ALPNProtocols: ["http/1.1"] });
      } else client = await scope.connectTls(port, { ALPNProtocols: ["http/1.1"] });
      client.send("GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      await client.waitForEnd();
      assert.match(client.text, /^HTTP\/1\.1 200 /);
      assert(client.text.includes(`/x for ${proxied ? "192.0.2.7" : "127.0.0.1"}`), client.text);
    },
  );
}

netTest("a released socket still has what was not read", async (scope) => {
  const { port, next } = await scope.listen();
  const client = await scope.connect(port);
  client.send("one two");
  const { transport } = await next();
  await readUntil(transport, "two");
  transport.unread(ascii("two"));
  const socket = releaseSocket(transport);
  scope.onClose(() => socket.destroy());
  let all = "";
  socket.on("data", (chunk) => all += chunk);
  socket.resume();
  client.send(" three");
  await eventually(() => all === "two three", "all");
  assert.equal(transport.tryRead(), null);
});
