import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, X509Certificate } from "node:crypto";
import tls from "node:tls";
import { CertificateStore, makeSelfSigned, NetError, SELF_SIGNED_DAYS } from "../../src/net/mod.ts";
import {
  ascii,
  buildClientHello,
  type Client,
  eventually,
  hasProgram,
  netTest,
  pairFor,
  python,
  readUntil,
  storeFor,
  within,
} from "./support.ts";

const noPython = !hasProgram("python3");
const noOpenssl = !hasProgram("openssl");
const DAY_MS = 86_400_000;

/** A Python client that talks to PORT; `ctx` trusts anyone. */
const PYTHON = `
import socket, ssl, sys
port = int(sys.argv[1])
ctx = ssl.create_default_context()
ctx.check_hostname = False
ctx.verify_mode = ssl.CERT_NONE
def tcp():
  s = socket.create_connection(("127.0.0.1", port), 10)
  return s
`;

Deno.test("a self-signed certificate names its hosts and addresses and holds 820 days", async () => {
  const now = Date.now();
  const pair = await makeSelfSigned(["mail.example.org", "localhost", "127.0.0.1", "::1"], now);
  const x509 = new X509Certificate(pair.certificate);
  assert.equal(x509.checkHost("mail.example.org"), "mail.example.org");
  assert.equal(x509.checkHost("localhost"), "localhost");
  assert.equal(x509.checkIP("127.0.0.1"), "127.0.0.1");
  assert.equal(x509.checkHost("other.example.org"), undefined);
  const certificate = new CertificateStore([pair]).forName(undefined);
  assert(certificate);
  assert.deepEqual(certificate.names, ["mail.example.org", "localhost"]);
  const days = (certificate.notAfterMs - now) / DAY_MS;
  assert(days > SELF_SIGNED_DAYS - 2 && days < SELF_SIGNED_DAYS, String(days));
});

Deno.test("a store finds exact names before wildcards before the default", async () => {
  const fallback = await pairFor("default.example.org");
  const wild = await pairFor("*.example.org");
  const exact = await pairFor("a.example.org");
  const store = new CertificateStore([fallback, wild, exact]);
  const nameFor = (sni: string | undefined) => store.forName(sni)?.names[0];
  assert.equal(nameFor("a.example.org"), "a.example.org");
  assert.equal(nameFor("b.example.org"), "*.example.org");
  assert.equal(nameFor("a.b.example.org"), "default.example.org");
  assert.equal(nameFor("example.org"), "default.example.org");
  assert.equal(nameFor(undefined), "default.example.org");
  const strict = new CertificateStore([exact], { fallback: false });
  assert.equal(strict.forName("x.example.net"), undefined);
  assert.equal(strict.forName(undefined), undefined);
});

Deno.test("a store refuses what cannot serve and keeps what it had", async () => {
  const good = await pairFor("localhost");
  const other = await pairFor("a.example.org");
  const store = new CertificateStore([good]);
  const bad = [
    { certificate: "junk", privateKey: good.privateKey },
    { certificate: good.certificate, privateKey: "junk" },
    { certificate: good.certificate, privateKey: other.privateKey },
  ];
  for (const pair of bad) {
    assert.throws(
      () => store.replace([other, pair]),
      (error: NetError) => error.code === "certificate",
    );
  }
  assert.deepEqual(store.certificates.map((each) => each.names), [["localhost"]]);
});

netTest("a TLS listener tells the session's facts", async (scope) => {
  const { port, next } = await scope.listen({
    kind: "imaps",
    tls: { certificates: await storeFor("localhost"), alpn: ["imap"] },
  });
  const client = await scope.connectTls(port, { ALPNProtocols: ["imap"], servername: "LocalHost" });
  const { transport, target } = await next();
  assert.equal(target, "imaps");
  const facts = transport.facts.tls;
  assert(facts);
  assert.equal(facts.version, "TLSv1.3");
  assert.match(facts.cipher, /^TLS_/);
  assert.equal(facts.alpn, "imap");
  assert.equal(facts.sni, "localhost");
  assert.equal(facts.resumed, false);
  assert.equal(facts.clientCertificate, undefined);
  const seen = client.socket.getPeerCertificate().raw;
  assert.equal(Buffer.compare(Buffer.from(facts.serverCertificate ?? []), seen), 0);
  // RFC 5929 4.1: an ecdsa-with-SHA256 certificate is hashed by SHA-256.
  assert.deepEqual(
    Buffer.from(facts.serverEndPoint ?? []).toString("hex"),
    createHash("sha256").update(seen).digest("hex"),
  );
  transport.write(ascii("* OK\r\n"));
  await client.waitFor("* OK");
  client.send("a1 NOOP\r\n");
  assert.equal(await readUntil(transport, "\n"), "a1 NOOP\r\n");
});

netTest(
  "on a direct TLS port the right protocol or none is served, another refused",
  async (scope) => {
    const { port, next, count } = await scope.listen({
      kind: "imaps",
      tls: { certificates: await storeFor("localhost"), alpn: ["imap"] },
    });
    await scope.connectTls(port);
    assert.equal((await next()).transport.facts.tls?.alpn, undefined);
    await scope.connectTls(port, { ALPNProtocols: ["h2", "imap"] });
    assert.equal((await next()).transport.facts.tls?.alpn, "imap");
    const client = await scope.connect(port);
    client.send(buildClientHello({ alpn: ["h2", "http/1.1"] }));
    await client.waitForEnd();
    assert.deepEqual([...client.received], [21, 3, 3, 0, 2, 2, 120]);
    await assert.rejects(scope.connectTls(port, { ALPNProtocols: ["pop3"] }));
    assert.equal(count(), 2);
  },
);

netTest("a name without a certificate is refused where there is no default", async (scope) => {
  const certificates = new CertificateStore([await pairFor("a.example.org")], { fallback: false });
  const { port, next } = await scope.listen({ tls: { certificates } });
  await scope.connectTls(port, { servername: "a.example.org" });
  await next();
  const client = await scope.connect(port);
  client.send(buildClientHello({ sni: "b.example.org" }));
  await client.waitForEnd();
  assert.deepEqual([...client.received], [21, 3, 3, 0, 2, 2, 112]);
});

netTest(
  "SNI chooses the certificate, and a replaced one serves new handshakes only",
  async (scope) => {
    const a = await pairFor("a.example.org");
    const b = await pairFor("b.example.org");
    const certificates = new CertificateStore([a, b]);
    const { port, next } = await scope.listen({ tls: { certificates } });
    const subjectFor = async (servername: string) => {
      const client = await scope.connectTls(port, { servername });
      return { subject: client.socket.getPeerCertificate().subject.CN, client };
    };
    const old = await subjectFor("a.example.org");
    const { transport } = await next();
    assert.equal(old.subject, "a.example.org");
    assert.equal((await subjectFor("b.example.org")).subject, "b.example.org");
    assert.equal((await subjectFor("c.example.org")).subject, "a.example.org");
    certificates.replace([await pairFor("new.example.org")]);
    assert.equal((await subjectFor("a.example.org")).subject, "new.example.org");
    transport.write(ascii("unhurt"));
    await old.client.waitFor("unhurt");
  },
);

netTest("the oldest TLS version spoken is what the store says", async (scope) => {
  const pair = await pairFor("localhost");
  for (const minVersion of ["1.2", "1.3"] as const) {
    const certificates = new CertificateStore([pair], { minVersion });
    const { port } = await scope.listen({ tls: { certificates } });
    const versions = await python(
      `${PYTHON}
for v in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
  ctx.minimum_version = ssl.TLSVersion.TLSv1_2
  ctx.maximum_version = v
  try: print(ctx.wrap_socket(tcp()).version())
  except ssl.SSLError: print("refused")
`,
      String(port),
    );
    assert.equal(versions, minVersion === "1.2" ? "TLSv1.2\nTLSv1.3" : "refused\nTLSv1.3");
  }
}, noPython);

netTest("sessions resume, and the facts say so", async (scope) => {
  const { port, next } = await scope.listen({ tls: { certificates: await storeFor("localhost") } });
  for (const version of ["TLSv1_2", "TLSv1_3"]) {
    const script = `${PYTHON}
ctx.maximum_version = ssl.TLSVersion.${version}
session = None
for i in range(2):
  s = ctx.wrap_socket(tcp(), server_hostname="localhost", session=session)
  print(s.session_reused, s.recv(2))
  session = s.session
  s.close()
`;
    const done = python(script, String(port));
    const resumed: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      const { transport } = await next();
      resumed.push(transport.facts.tls?.resumed);
      transport.write(ascii("hi"));
    }
    assert.equal(await done, "False b'hi'\nTrue b'hi'");
    assert.deepEqual(resumed, [false, true]);
  }
}, noPython);

netTest("a client certificate is in the facts when one was asked for and sent", async (scope) => {
  const pair = await pairFor("user@example.org");
  const { port, next } = await scope.listen({
    tls: { certificates: await storeFor("localhost"), requestClientCertificate: true },
  });
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    await scope.connectTls(port, { cert: pair.certificate, key: pair.privateKey, maxVersion });
    const { transport } = await next();
    const expected = new X509Certificate(pair.certificate).raw;
    assert.deepEqual(Buffer.from(transport.facts.tls?.clientCertificate ?? []), expected);
  }
  await scope.connectTls(port);
  assert.equal((await next()).transport.facts.tls?.clientCertificate, undefined);
});

netTest("STARTTLS makes a clear connection a TLS one", async (scope) => {
  const { port, next } = await scope.listen();
  const certificates = await storeFor("localhost");
  const done = python(
    `${PYTHON}
s = tcp(); s.recv(100); s.sendall(b"a1 STARTTLS\\r\\n"); assert s.recv(100) == b"a1 OK\\r\\n"
t = ctx.wrap_socket(s, server_hostname="localhost")
t.sendall(b"a2 NOOP\\r\\n"); print(t.recv(100)); t.close()
`,
    String(port),
  );
  const { transport } = await next();
  transport.write(ascii("* OK\r\n"));
  await readUntil(transport, "\n");
  transport.write(ascii("a1 OK\r\n"));
  await transport.upgradeTls({ certificates, alpn: ["imap"] });
  assert.equal(transport.facts.via, "imap");
  assert.equal(transport.facts.tls?.sni, "localhost");
  assert.equal(await readUntil(transport, "\n"), "a2 NOOP\r\n");
  transport.write(ascii("a2 OK\r\n"));
  assert.equal(await done, String.raw`b'a2 OK\r\n'`);
  await assert.rejects(transport.upgradeTls({ certificates }));
}, noPython);

netTest("a ClientHello that came right behind STARTTLS is used", async (scope) => {
  const { port, next } = await scope.listen();
  const done = python(
    `${PYTHON}
s = tcp()
inb = ssl.MemoryBIO(); out = ssl.MemoryBIO(); o = ctx.wrap_bio(inb, out, server_hostname="localhost")
try: o.do_handshake()
except ssl.SSLWantReadError: pass
s.sendall(b"a1 STARTTLS\\r\\n" + out.read())
data = b""
while not data.startswith(b"a1 OK\\r\\n"): data += s.recv(8)
inb.write(data[7:])
def step(f):
  while True:
    try:
      r = f(); s.sendall(out.read()); return r
    except ssl.SSLWantReadError:
      s.sendall(out.read()); inb.write(s.recv(65536))
step(o.do_handshake)
step(lambda: o.write(b"hello"))
print(step(lambda: o.read(10)))
`,
    String(port),
  );
  const { transport } = await next();
  let all: number[] = [];
  while (!all.includes(10)) all = [...all, ...(await transport.read()) ?? assert.fail("ended")];
  transport.unread(Uint8Array.from(all.slice(all.indexOf(10) + 1)));
  transport.write(ascii("a1 OK\r\n"));
  await transport.upgradeTls({ certificates: await storeFor("localhost") });
  assert.equal(await readUntil(transport, "hello"), "hello");
  transport.write(ascii("hi"));
  assert.equal(await done, "b'hi'");
}, noPython);

for (
  const [what, injected] of [
    ["a command", "a2 LOGIN mallory x\r\n"],
    ["half a command", "a2 LOG"],
    ["a byte", "\r"],
    ["an endless line", "x".repeat(300_000)],
  ] as const
) {
  netTest(`${what} sent in clear behind STARTTLS is never seen`, async (scope) => {
    const { port, next } = await scope.listen();
    const client = await scope.connect(port);
    const { transport } = await next();
    client.send("a1 STARTTLS\r\n" + injected);
    client.send(buildClientHello({ sni: "localhost" }));
    const seen: unknown[] = [];
    let all = "";
    while (!all.includes("\n")) {
      all += Buffer.from(await transport.read() ?? assert.fail()).toString("latin1");
    }
    transport.unread(ascii(all.slice(all.indexOf("\n") + 1)));
    transport.onReadable = () => seen.push(transport.tryRead());
    transport.write(ascii("a1 OK\r\n"));
    const upgrading = transport.upgradeTls({ certificates: await storeFor("localhost") });
    assert.equal(transport.tryRead(), undefined);
    await assert.rejects(upgrading, NetError);
    assert.equal(transport.broken, true);
    assert.equal(transport.tryRead(), null);
    await client.waitForEnd();
    assert.deepEqual(seen.filter((bytes) => bytes instanceof Uint8Array), []);
  });
}

netTest(
  "clear bytes that arrive while the STARTTLS answer is still going out are not seen",
  async (scope) => {
    const { port, next } = await scope.listen();
    const client = await scope.connect(port);
    const { transport } = await next();
    client.socket.pause();
    transport.write(new Uint8Array(8_000_000)); // an answer that takes its time
    const upgrading = transport.upgradeTls({ certificates: await storeFor("localhost") });
    const seen: unknown[] = [];
    transport.onReadable = () => seen.push(transport.tryRead());
    client.send("a2 LOGIN mallory x\r\n");
    client.socket.resume();
    await assert.rejects(within(upgrading, "refusal"), NetError);
    assert.deepEqual(seen.filter((bytes) => bytes instanceof Uint8Array), []);
  },
);

netTest("everything written in clear is out before TLS begins", async (scope) => {
  const { port, next } = await scope.listen();
  const size = 8_000_000;
  const done = python(
    `${PYTHON}
import time
s = tcp()
inb = ssl.MemoryBIO(); out = ssl.MemoryBIO(); o = ctx.wrap_bio(inb, out)
try: o.do_handshake()
except ssl.SSLWantReadError: pass
s.sendall(out.read())
time.sleep(0.3); n = 0
while n < ${size}:
  d = s.recv(min(65536, ${size} - n)); n += len(d)
  assert d == b"x" * len(d)
while True:
  try: o.do_handshake(); break
  except ssl.SSLWantReadError:
    s.sendall(out.read()); inb.write(s.recv(65536))
s.sendall(out.read())
while True:
  try: print(o.read(10)); break
  except ssl.SSLWantReadError: inb.write(s.recv(65536))
`,
    String(port),
  );
  const { transport } = await next();
  for (let i = 0; i < 8; i++) transport.write(new Uint8Array(size / 8).fill(0x78));
  await transport.upgradeTls({ certificates: await storeFor("localhost") });
  transport.write(ascii("hi"));
  assert.equal(await done, "b'hi'");
}, noPython);

netTest("a STARTTLS handshake that does not come is given up", async (scope) => {
  const { port, next } = await scope.listen();
  const client = await scope.connect(port);
  const { transport } = await next();
  await assert.rejects(
    transport.upgradeTls({ certificates: await storeFor("localhost"), handshakeTimeoutMs: 50 }),
    (error: NetError) => error.code === "timeout",
  );
  await client.waitForEnd();
  assert.equal(transport.broken, true);
});

netTest("a handshake that does not finish is given up, wherever it stopped", async (scope) => {
  const { port, count } = await scope.listen({
    tls: { certificates: await storeFor("localhost") },
    handshakeTimeoutMs: 200,
  });
  const hello = buildClientHello({ sni: "localhost" });
  const silent = await scope.connect(port);
  const partial = await scope.connect(port);
  partial.send(hello.subarray(0, 30));
  await silent.waitForEnd();
  await partial.waitForEnd();
  // OpenSSL's hello is one that can be answered: it stops after the server's flight.
  const out = await python(
    `${PYTHON}
s = tcp()
inb = ssl.MemoryBIO(); out = ssl.MemoryBIO(); o = ctx.wrap_bio(inb, out)
try: o.do_handshake()
except ssl.SSLWantReadError: pass
s.sendall(out.read())
n = 0
while True:
  try: d = s.recv(65536)
  except ConnectionResetError: break
  if not d: break
  n += len(d)
print("flight" if n > 500 else n)
`,
    String(port),
  );
  assert.equal(out, "flight");
  assert.equal(count(), 0);
}, noPython);

netTest("when handshakes crowd, the oldest goes and the newest is served", async (scope) => {
  const { port, next } = await scope.listen({
    tls: { certificates: await storeFor("localhost") },
    maxHandshakes: 3,
  });
  const idle: Client[] = [];
  for (let i = 0; i < 4; i++) idle.push(await scope.connect(port));
  await eventually(() => idle[0]?.closed || idle[0]?.ended || false, "the oldest to be dropped");
  await scope.connectTls(port);
  (await next()).transport.write(ascii("welcome"));
  await eventually(() => idle[1]?.closed || idle[1]?.ended || false, "the next oldest to go");
  assert.equal(idle[3]?.ended, false);
});

netTest("a ClientHello that comes byte by byte is answered", async (scope) => {
  const { port, next } = await scope.listen({
    tls: { certificates: await storeFor("localhost"), alpn: ["imap"] },
  });
  const done = python(
    `${PYTHON}
import time
ctx.set_alpn_protocols(["imap"])
s = tcp(); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
inb = ssl.MemoryBIO(); out = ssl.MemoryBIO(); o = ctx.wrap_bio(inb, out, server_hostname="localhost")
def send(d):
  for i in range(len(d)): s.send(d[i:i+1]); time.sleep(0.0002)
def step(f):
  while True:
    try:
      r = f(); send(out.read()); return r
    except ssl.SSLWantReadError:
      send(out.read()); inb.write(s.recv(65536))
step(o.do_handshake)
step(lambda: o.write(b"hello"))
print(step(lambda: o.read(10)), o.selected_alpn_protocol())
`,
    String(port),
  );
  const { transport } = await next();
  assert.equal(await readUntil(transport, "hello"), "hello");
  transport.write(ascii("hi"));
  assert.equal(await done, "b'hi' imap");
}, noPython);

netTest("openssl s_client completes a handshake and reads the greeting", async (scope) => {
  const pair = await pairFor("localhost");
  const { port } = await scope.listen({
    tls: { certificates: new CertificateStore([pair]), alpn: ["imap"] },
    onConnection: (transport) => {
      transport.write(ascii("* OK hello\r\n"));
      void transport.close();
    },
  });
  const file = Deno.makeTempFileSync();
  Deno.writeTextFileSync(file, pair.certificate);
  const output = await new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "localhost", "-alpn", "imap"]
      .concat(["-CAfile", file, "-verify_return_error", "-verify_hostname", "localhost"])
      .concat(["-ign_eof"]),
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(output.stdout);
  assert.match(text, /\* OK hello/);
  assert.match(text, /Verify return code: 0 \(ok\)/);
  assert.match(text, /ALPN protocol: imap/);
}, noOpenssl);

netTest("one client's failed handshakes do not disturb another's session", async (scope) => {
  const { port, next } = await scope.listen({ tls: { certificates: await storeFor("localhost") } });
  const steady = await scope.connectTls(port);
  const { transport } = await next();
  const hello = buildClientHello({ sni: "localhost" });
  for (let i = 0; i < 50; i++) {
    const noisy = await scope.connect(port);
    noisy.send(
      i % 2 ? hello.subarray(0, i) : Uint8Array.from(hello, (byte) => byte ^ (i > 25 ? 1 : 0)),
    );
    if (i % 3 === 0) noisy.socket.resetAndDestroy();
    else if (i % 3 === 1) noisy.socket.destroy();
  }
  transport.write(ascii("steady"));
  await steady.waitFor("steady");
  assert(steady.socket instanceof tls.TLSSocket);
});
