import assert from "node:assert/strict";
import type { TestClient } from "../support/client.ts";
import { PASSWORD, USER, withServer } from "../support/server.ts";

/** Told to everybody. */
const ALWAYS = ["IMAP4rev1", "IMAP4rev2", "LITERAL+", "ENABLE", "ID", "LANGUAGE"];
/** Told to strangers alone. */
const BEFORE_LOGIN = [...ALWAYS, "SASL-IR"];

/** Mechanisms with and without a channel to bind to, or a secret connection. */
const SCRAM = ["AUTH=SCRAM-SHA-256", "AUTH=SCRAM-SHA-1"];
const SCRAM_PLUS = ["AUTH=SCRAM-SHA-256-PLUS", "AUTH=SCRAM-SHA-1-PLUS"];

/** Told to those who are logged in. */
const AFTER_LOGIN = [
  ...["IDLE", "NAMESPACE", "UNSELECT", "UIDPLUS", "CHILDREN", "MOVE", "SPECIAL-USE"],
  ...["CREATE-SPECIAL-USE", "LIST-EXTENDED", "LIST-STATUS", "STATUS=SIZE", "ESEARCH", "SEARCHRES"],
  ...["BINARY", "UTF8=ACCEPT", "APPENDLIMIT=52428800", "CONDSTORE", "QRESYNC", "MULTIAPPEND"],
  ...["REPLACE", "COMPRESS=DEFLATE", "METADATA", "LIST-METADATA", "QUOTA", "QUOTA=RES-STORAGE"],
  ...["QUOTA=RES-MESSAGE", "QUOTA=RES-MAILBOX", "SAVEDATE", "WITHIN", "PREVIEW", "INPROGRESS"],
  ...["MULTISEARCH", "NOTIFY", "OBJECTID", "UIDONLY", "UNAUTHENTICATE", "SORT", "SORT=DISPLAY"],
  ...["THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "ESORT", "PARTIAL", "CONTEXT=SEARCH"],
  ...["CONTEXT=SORT", "CATENATE", "URL-PARTIAL", "UIDBATCHES", "I18NLEVEL=1", "SEARCH=FUZZY"],
];

const sorted = (names: readonly string[]) => [...names].sort();

function namesIn(text: string | undefined): string[] {
  const match = /CAPABILITY ([^\]]*)/.exec(text ?? "");
  assert.ok(match, text);
  const names = (match[1] ?? "").split(" ");
  assert.equal(new Set(names).size, names.length, "each once");
  return sorted(names);
}

async function ask(c: TestClient): Promise<string[]> {
  const { untagged } = await c.ok("CAPABILITY");
  assert.equal(untagged.length, 1);
  return namesIn(untagged[0]);
}

/** `names` without `gone`. */
const without = (names: readonly string[], ...gone: string[]) =>
  names.filter((name) => !gone.includes(name));

Deno.test("CAPABILITY before login tells what matters before login, by what the connection is", async () => {
  await withServer(async (server) => {
    const clear = await server.connect();
    const before = sorted([...BEFORE_LOGIN, "STARTTLS", "AUTH=PLAIN", ...SCRAM]);
    assert.deepEqual(namesIn(clear.greeting), before);
    assert.deepEqual(await ask(clear), before);
    await clear.startTls();
    const secure = sorted([...BEFORE_LOGIN, "AUTH=PLAIN", ...SCRAM, ...SCRAM_PLUS]);
    assert.deepEqual(await ask(clear), secure);
    const tls = await server.connect({ tls: true });
    assert.deepEqual(namesIn(tls.greeting), secure);
  });
  await withServer(async (server) => {
    const c = await server.connect();
    const names = sorted([...BEFORE_LOGIN, "STARTTLS", "LOGINDISABLED", ...SCRAM]);
    assert.deepEqual(namesIn(c.greeting), names);
  }, { allowPlaintext: false });
});

Deno.test("after login the same is told in the tagged OK, and ENABLE changes none of it", async () => {
  await withServer(async (server) => {
    const all = sorted([...ALWAYS, ...AFTER_LOGIN]);
    const c = await server.connect();
    const { code } = await c.ok(`LOGIN ${USER} "${PASSWORD}"`);
    assert.deepEqual(namesIn(code), all);
    const plain = await server.connect({ tls: true });
    const sasl = await plain.ok(`AUTHENTICATE PLAIN ${btoa(`\0${USER}\0${PASSWORD}`)}`);
    assert.deepEqual(namesIn(sasl.code), all);
    assert.deepEqual(await ask(c), all);
    await c.ok("ENABLE IMAP4rev2 QRESYNC UTF8=ACCEPT UIDONLY METADATA");
    assert.deepEqual(await ask(c), all);
    await c.ok("SELECT INBOX");
    assert.deepEqual(await ask(c), all);
  });
});

Deno.test("COMPRESS is announced until it is on", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.compress();
    assert.deepEqual(
      await ask(c),
      sorted(without([...ALWAYS, ...AFTER_LOGIN], "COMPRESS=DEFLATE")),
    );
  });
});

Deno.test("what is switched off for an account is not told to it, but to others", async () => {
  await withServer(async (server) => {
    await server.addAccount("other@example.org");
    const account = await server.store.directory.resolveAddress(USER);
    assert.ok(account);
    const off = ["ESORT", "SORT", "QRESYNC", "APPENDLIMIT", "IMAP4REV2"];
    await server.store.directory.setDisabledCapabilities(account.id, off);
    const c = await server.login();
    assert.deepEqual(
      await ask(c),
      sorted(without(
        [...ALWAYS, ...AFTER_LOGIN],
        ...["ESORT", "SORT", "QRESYNC", "APPENDLIMIT=52428800", "IMAP4rev2"],
      )),
    );
    assert.deepEqual((await c.ok("ENABLE QRESYNC IMAP4rev2")).untagged, ["ENABLED"]);
    const other = await server.login(undefined, "other@example.org");
    assert.deepEqual(await ask(other), sorted([...ALWAYS, ...AFTER_LOGIN]));
  });
});

Deno.test("limits of the host are announced with their numbers", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    assert.deepEqual(
      await ask(c),
      sorted([
        ...ALWAYS,
        ...without(AFTER_LOGIN, "APPENDLIMIT=52428800"),
        "APPENDLIMIT=1000",
        "MESSAGELIMIT=7",
      ]),
    );
  }, { limits: { maxMessageBytes: 1000, messageLimit: 7, saveLimit: 5 } });
});
