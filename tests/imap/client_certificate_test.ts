import assert from "node:assert/strict";
import { readClientKey } from "../../src/auth/mod.ts";
import type { LoginAttempt } from "../../src/auth/mod.ts";
import type { TestIdentity } from "../support/client.ts";
import { makeIdentity } from "../support/identities.ts";
import { PASSWORD, type TestServer, USER, withServer } from "../support/server.ts";

const OTHER = "other@example.org";

interface House {
  readonly server: TestServer;
  readonly identity: TestIdentity;
  readonly attempts: LoginAttempt[];
}

async function register(
  server: TestServer,
  { cert }: TestIdentity,
  { allowsPreauth = true, owner = USER }: { allowsPreauth?: boolean; owner?: string } = {},
): Promise<string> {
  const account = await server.store.directory.resolveAddress(owner);
  assert.ok(account);
  const key = readClientKey(cert);
  await server.store.directory.credentials.addClientKey({
    ...key,
    accountId: account.id,
    address: owner,
    allowsPreauth,
  });
  return key.fingerprint;
}

/** A server that asks for certificates, with two accounts and a key that is nobody's yet. */
async function withHouse(run: (house: House) => Promise<void>): Promise<void> {
  const attempts: LoginAttempt[] = [];
  const identity = await makeIdentity("ecdsa");
  await withServer(async (server) => {
    await server.addAccount(OTHER);
    await run({ server, identity, attempts });
  }, {
    clientCertificates: true,
    authenticator: { onAttempt: (attempt) => void attempts.push(attempt) },
  });
}

function security(server: TestServer, owner = USER): Promise<void> {
  return server.store.directory.resolveAddress(owner).then((account) => {
    assert.ok(account);
    server.notifier.nudge(account.id, "security");
  });
}

for (const kind of ["rsa", "ecdsa", "ed25519"] as const) {
  Deno.test(`a client with a registered ${kind} key is logged in before it says a word`, () =>
    withHouse(async ({ server, attempts }) => {
      const identity = await makeIdentity(kind);
      const fingerprint = await register(server, identity);
      const client = await server.connect({ tls: true, identity });
      assert.match(client.greeting, /^\* PREAUTH \[CAPABILITY /);
      assert.doesNotMatch(client.greeting, /AUTH=/);
      await client.ok("SELECT INBOX");
      await client.bad(`LOGIN ${USER} "${PASSWORD}"`);
      await client.ok('ID ("name" "Phone")');
      const [{ mechanism, result, username, ...attempt } = assert.fail()] = attempts;
      assert.deepEqual([mechanism, result, username], ["CERTIFICATE", "ok", USER]);
      assert.equal(attempt.fingerprint, fingerprint);
      assert.equal(attempt.userAgent, 'name="Phone"');
    }));
}

Deno.test("an expired certificate logs in as well as another: only its key counts", () =>
  withHouse(async ({ server, identity }) => {
    await register(server, identity);
    const again = await makeIdentity("ecdsa", { key: identity.key, name: "changed", days: 1 });
    const client = await server.connect({ tls: true, identity: again });
    assert.match(client.greeting, /^\* PREAUTH /);
  }));

Deno.test("a key that is nobody's is refused, and counts as a failed login", () =>
  withHouse(async ({ server, identity, attempts }) => {
    const client = await server.connect({ tls: true, identity });
    assert.match(client.greeting, /^\* BYE \[ALERT\] .*not registered/);
    assert.equal(await client.rest(), "");
    assert.deepEqual(attempts.map(({ result, mechanism }) => [mechanism, result]), [
      ["CERTIFICATE", "badcreds"],
    ]);
    const weak = await makeIdentity("ecdsa");
    const clear = await server.connect();
    await clear.startTls("", weak);
    assert.match(await clear.rest(), /^\* BYE \[ALERT\]/);
  }));

Deno.test("a client without a certificate logs in as ever, and hears nothing of EXTERNAL", () =>
  withHouse(async ({ server }) => {
    const client = await server.connect({ tls: true });
    assert.match(client.greeting, /^\* OK /);
    assert.doesNotMatch(client.greeting, /EXTERNAL/);
    await client.no("AUTHENTICATE EXTERNAL =");
    await client.ok(`LOGIN ${USER} "${PASSWORD}"`);
  }));

Deno.test("a key without PREAUTH, and any key after STARTTLS, logs in by EXTERNAL", () =>
  withHouse(async ({ server, identity }) => {
    await register(server, identity, { allowsPreauth: false });
    const preauthorised = await makeIdentity("ecdsa");
    await register(server, preauthorised);
    const direct = async () => {
      const client = await server.connect({ tls: true, identity });
      assert.match(client.greeting, /^\* OK .*AUTH=EXTERNAL/);
      return client;
    };
    const upgraded = async () => {
      const client = await server.connect();
      assert.doesNotMatch(client.greeting, /EXTERNAL/);
      await client.startTls("", preauthorised);
      assert.match((await client.ok("CAPABILITY")).untagged.join(), /AUTH=EXTERNAL/);
      return client;
    };
    for (const connect of [direct, upgraded]) {
      await (await connect()).ok("AUTHENTICATE EXTERNAL =");
      await (await connect()).ok(`AUTHENTICATE EXTERNAL ${btoa("user+x@example.org")}`);
      const asked = await connect();
      asked.send("a AUTHENTICATE EXTERNAL\r\n");
      assert.equal(await asked.response(), "+ ");
      asked.send("\r\n");
      assert.match(await asked.response(), /^a OK /);
      const other = await connect();
      await other.no(`AUTHENTICATE EXTERNAL ${btoa(OTHER)}`, "AUTHORIZATIONFAILED");
      await other.no(`AUTHENTICATE EXTERNAL ${btoa("nobody")}`, "AUTHORIZATIONFAILED");
      await other.bad(`AUTHENTICATE EXTERNAL ${btoa("a\0b")}`);
    }
  }));

Deno.test("who shows a key logs in by other mechanisms only as its owner", () =>
  withHouse(async ({ server, identity }) => {
    await register(server, identity, { allowsPreauth: false });
    const client = await server.connect({ tls: true, identity });
    await client.no(`LOGIN ${OTHER} "${PASSWORD}"`, "AUTHENTICATIONFAILED");
    const plain = btoa(`\0${OTHER}\0${PASSWORD}`);
    await client.no(`AUTHENTICATE PLAIN ${plain}`, "AUTHENTICATIONFAILED");
    await client.ok(`LOGIN ${USER} "${PASSWORD}"`);
  }));

Deno.test("a key removed while its client waits for login does not log in any more", () =>
  withHouse(async ({ server, identity }) => {
    const fingerprint = await register(server, identity, { allowsPreauth: false });
    const client = await server.connect({ tls: true, identity });
    await server.store.directory.credentials.removeClientKey(fingerprint);
    await client.no("AUTHENTICATE EXTERNAL =", "AUTHENTICATIONFAILED");
    await client.no(`LOGIN ${USER} "${PASSWORD}"`, "AUTHENTICATIONFAILED");
  }));

Deno.test("removing a key ends the sessions that rely on it, and no others, at once", () =>
  withHouse(async ({ server, identity }) => {
    const fingerprint = await register(server, identity);
    const second = await makeIdentity("ed25519");
    await register(server, second);
    const removed = await server.connect({ tls: true, identity });
    const kept = await server.connect({ tls: true, identity: second });
    const byPassword = await server.login();
    await removed.ok("SELECT INBOX");
    await removed.idle();
    await server.store.directory.credentials.removeClientKey(fingerprint);
    await security(server);
    assert.match(await removed.rest(), /^\* BYE /);
    for (const client of [kept, byPassword]) await client.ok("NOOP");
  }));

Deno.test("a new password ends the sessions of the old one and leaves those of keys", () =>
  withHouse(async ({ server, identity }) => {
    await register(server, identity);
    const byKey = await server.connect({ tls: true, identity });
    const byPassword = await server.login();
    const account = await server.store.directory.resolveAddress(USER);
    assert.ok(account);
    await server.store.directory.setPasswordVerifier(account.id, "{}");
    await security(server);
    assert.match(await byPassword.rest(), /^\* BYE /);
    await byKey.ok("NOOP");
    await server.store.directory.setAccountDisabled(account.id, "Gone.");
    await security(server);
    assert.match(await byKey.rest(), /^\* BYE /);
  }));

Deno.test("the owner of a disabled account hears its message once the key has proven who it is", () =>
  withHouse(async ({ server, identity }) => {
    await register(server, identity);
    const quiet = await makeIdentity("ecdsa");
    await register(server, quiet, { allowsPreauth: false });
    const account = await server.store.directory.resolveAddress(USER);
    assert.ok(account);
    await server.store.directory.setAccountDisabled(account.id, "Please call.");
    const preauth = await server.connect({ tls: true, identity });
    assert.match(preauth.greeting, /^\* BYE \[ALERT\] .*Please call\./);
    const client = await server.connect({ tls: true, identity: quiet });
    assert.match(client.greeting, /^\* OK /);
    const refused = await client.no("AUTHENTICATE EXTERNAL =");
    assert.match(refused.text, /Please call\./);
  }));

/** Runs a Python script in a folder with the identity's both.pem; gives its output. */
async function python(identity: TestIdentity, script: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/both.pem`, identity.cert + identity.key);
    const child = new Deno.Command("python3", {
      args: ["-c", script],
      cwd: folder,
      stdin: "null",
    });
    const { stdout, stderr } = await child.output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const CONTEXT = `
import ssl, socket
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.load_cert_chain("both.pem")
`;

Deno.test("a resumed session is as good as its key is now", () =>
  withHouse(async ({ server, identity }) => {
    const fingerprint = await register(server, identity);
    // Between the second connection and the third it says so and waits for the key's removal.
    const script = (version: string) =>
      `${CONTEXT}
import sys
context.maximum_version = ssl.TLSVersion.${version}
session = None
for i in range(3):
    raw = socket.create_connection(("127.0.0.1", ${server.tlsPort}))
    client = context.wrap_socket(raw, session=session)
    print(client.session_reused, client.recv(9).decode().strip(), flush=True)
    session = client.session
    client.close()
    if i == 1:
        socket.create_connection(("127.0.0.1", gate)).recv(1)
`;
    const gate = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    for (const version of ["TLSv1_2", "TLSv1_3"]) {
      if (!await server.store.directory.credentials.findClientKey(fingerprint)) {
        await register(server, identity);
      }
      const output = python(identity, `gate = ${gate.addr.port}\n${script(version)}`);
      const waiting = await gate.accept();
      await server.store.directory.credentials.removeClientKey(fingerprint);
      waiting.close();
      assert.deepEqual((await output).trim().split("\n"), [
        "False * PREAUTH",
        "True * PREAUTH",
        "True * BYE [AL",
      ]);
    }
    gate.close();
  }));

Deno.test("Python's ssl and imaplib find themselves logged in", () =>
  withHouse(async ({ server, identity }) => {
    await register(server, identity);
    const output = await python(
      identity,
      `${CONTEXT}
import imaplib
client = imaplib.IMAP4_SSL("127.0.0.1", ${server.tlsPort}, ssl_context=context)
print(client.state, client.select("INBOX")[0])
client.logout()
`,
    );
    assert.equal(output, "AUTH OK\n");
  }));
