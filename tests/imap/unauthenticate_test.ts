import assert from "node:assert/strict";
import { createRegistry } from "../../src/imap/mod.ts";
import { makeIdentity } from "../support/identities.ts";
import { readClientKey } from "../../src/auth/mod.ts";
import { simpleMessage } from "../support/messages.ts";
import { PASSWORD, type TestServer, USER, withServer } from "../support/server.ts";

const OTHER = "other@example.org";

async function withTwoAccounts(run: (server: TestServer) => Promise<void>): Promise<void> {
  await withServer(async (server) => {
    await server.addAccount(OTHER);
    await run(server);
  });
}

Deno.test("UNAUTHENTICATE is announced after login, and leads back to before it", () =>
  withTwoAccounts(async (server) => {
    const client = await server.connect();
    assert.doesNotMatch(client.greeting, /UNAUTHENTICATE/);
    await client.bad("UNAUTHENTICATE");
    const { code } = await client.ok(`LOGIN ${USER} "${PASSWORD}"`);
    assert.match(code ?? "", / UNAUTHENTICATE/);
    await client.bad("UNAUTHENTICATE x");
    await client.ok("UNAUTHENTICATE");
    for (const command of ["UNAUTHENTICATE", "SELECT INBOX", 'LIST "" *']) {
      await client.bad(command);
    }
    assert.match((await client.ok("CAPABILITY")).untagged.join(), /AUTH=PLAIN/);
    await client.no(`LOGIN ${USER} wrong`, "AUTHENTICATIONFAILED");
    await client.ok(`LOGIN ${OTHER} "${PASSWORD}"`);
  }));

Deno.test("the next user finds nothing of the one before: mailbox, modes, saved result, notices", () =>
  withTwoAccounts(async (server) => {
    const watcher = await server.login();
    const client = await server.login();
    await client.append("INBOX", simpleMessage("one"));
    await client.ok("ENABLE QRESYNC UTF8=ACCEPT IMAP4rev2");
    await client.ok("NOTIFY SET (PERSONAL (MessageNew MessageExpunge MailboxName))");
    await client.ok("SELECT INBOX");
    await client.ok("SEARCH RETURN (SAVE) ALL");
    const { untagged } = await client.ok("UNAUTHENTICATE");
    assert.deepEqual(untagged, []);
    await client.ok(`LOGIN ${OTHER} "${PASSWORD}"`);
    await client.bad("FETCH 1 FLAGS");
    const selected = await client.ok("SELECT INBOX");
    assert.ok(selected.untagged.includes("0 EXISTS"));
    assert.ok(selected.untagged.includes("0 RECENT"), "not in IMAP4rev2 any more");
    await client.append("INBOX", simpleMessage("other"));
    await client.ok("NOOP");
    assert.deepEqual((await client.ok("FETCH $ UID")).untagged, []);
    assert.doesNotMatch((await client.ok("FETCH 1 FLAGS")).untagged.join(), /MODSEQ/);
    await watcher.ok("CREATE told-to-nobody-else");
    await watcher.append("INBOX", simpleMessage("two"));
    assert.ok(await client.isQuiet(100));
    assert.deepEqual((await client.ok("ENABLE CONDSTORE")).untagged, ["ENABLED CONDSTORE"]);
  }));

Deno.test("what happens to the account before does not end the session of the next", () =>
  withTwoAccounts(async (server) => {
    const client = await server.login();
    const first = await server.store.directory.resolveAddress(USER);
    assert.ok(first);
    await client.ok("UNAUTHENTICATE");
    await server.store.directory.setAccountDisabled(first.id, "Gone.");
    server.notifier.nudge(first.id, "security");
    await client.ok(`LOGIN ${OTHER} "${PASSWORD}"`);
    await client.ok("NOOP");
  }));

Deno.test("the next login may be sent right behind it", () =>
  withTwoAccounts(async (server) => {
    const client = await server.login("INBOX");
    const plain = btoa(`\0${OTHER}\0${PASSWORD}`);
    client.send(
      `a UNAUTHENTICATE\r\nb AUTHENTICATE PLAIN ${plain}\r\nc STATUS INBOX (UIDNEXT)\r\n`,
    );
    assert.match(await client.response(), /^a OK /);
    assert.match(await client.response(), /^b OK /);
    assert.match(await client.response(), /^\* STATUS /);
  }));

Deno.test("compression ends with it in both directions, and can begin again", () =>
  withTwoAccounts(async (server) => {
    const client = await server.login("INBOX");
    await client.compress();
    await client.ok("NOOP");
    await client.ok("UNAUTHENTICATE");
    client.endCompressionLayer();
    await client.ok(`LOGIN ${OTHER} "${PASSWORD}"`);
    await client.ok("SELECT INBOX");
    await client.compress();
    await client.append("INBOX", simpleMessage("x".repeat(5000)));
    await client.ok("NOOP");
  }));

Deno.test("after PREAUTH it lets the same key log in by EXTERNAL", () =>
  withServer(async (server) => {
    const identity = await makeIdentity("ed25519");
    const account = await server.store.directory.resolveAddress(USER);
    assert.ok(account);
    await server.store.directory.credentials.addClientKey({
      ...readClientKey(identity.cert),
      accountId: account.id,
      address: USER,
      allowsPreauth: true,
    });
    const client = await server.connect({ tls: true, identity });
    assert.match(client.greeting, /^\* PREAUTH /);
    await client.ok("UNAUTHENTICATE");
    await client.bad("STARTTLS");
    await client.ok("AUTHENTICATE EXTERNAL =");
  }, { clientCertificates: true }));

Deno.test("it can be switched off for an account, and for everybody", async () => {
  await withTwoAccounts(async (server) => {
    const account = await server.store.directory.resolveAddress(USER);
    assert.ok(account);
    await server.store.directory.setDisabledCapabilities(account.id, ["UNAUTHENTICATE"]);
    const client = await server.login();
    assert.doesNotMatch((await client.ok("CAPABILITY")).untagged.join(), /UNAUTHENTICATE/);
    await client.bad("UNAUTHENTICATE");
    await client.ok("NOOP");
  });
  assert.ok(createRegistry().commands.has("UNAUTHENTICATE"));
  assert.ok(!createRegistry(["UNAUTHENTICATE"]).commands.has("UNAUTHENTICATE"));
});

Deno.test("an account has so many connections and no more, and is told so apart from a wrong password", () =>
  withServer(async (server) => {
    await server.addAccount(OTHER);
    const [first, second] = [await server.login(), await server.login()];
    const third = await server.connect();
    await third.no(`LOGIN ${USER} "${PASSWORD}"`, "LIMIT");
    await third.no(`AUTHENTICATE PLAIN ${btoa(`\0${USER}\0${PASSWORD}`)}`, "LIMIT");
    await third.no(`LOGIN ${USER} wrong`, "AUTHENTICATIONFAILED");
    await third.ok(`LOGIN ${OTHER} "${PASSWORD}"`);
    await third.ok("UNAUTHENTICATE");
    await first.ok("UNAUTHENTICATE");
    await third.ok(`LOGIN ${USER} "${PASSWORD}"`);
    await second.logout();
    const fourth = await server.connect();
    for (let i = 0; i < 100; i++) {
      if ((await fourth.cmd(`LOGIN ${USER} "${PASSWORD}"`)).status === "OK") return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.fail("the connection that ended still counts");
  }, { authenticator: { maxSessionsPerAccount: 2 } }));
