import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { makeVerifier } from "../../src/auth/mod.ts";
import type { ControlClient } from "../../src/app/control/client.ts";
import type { TraceLine } from "../../src/app/live/tracer.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { RawClient } from "../delivery/raw_client.ts";
import { literal, TestClient } from "../support/client.ts";
import { ScramClient } from "../support/scram_client.ts";
import { TEST_COSTS } from "../support/server.ts";
import { eventually, type LiveHouse, PASSWORD, withLiveServer } from "./live_house.ts";

/** What a trace of a real server shows, and what it must not. */

const ALICE = "alice@example.org";
const quote = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`;
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** Traces an account from now on; gives what was shown so far. */
async function trace(client: ControlClient, account: number): Promise<TraceLine[]> {
  const lines: TraceLine[] = [];
  const messages = client.trace(account);
  const reading = (async () => {
    for await (const message of messages) if ("text" in message) lines.push(message);
  })();
  void reading;
  // The server answers when it traces; nothing has been said since.
  await new Promise((resolve) => setTimeout(resolve, 100));
  return lines;
}

const texts = (lines: readonly TraceLine[]) =>
  lines.map(({ direction, text }) => `${direction} ${text}`);

async function logIn(house: LiveHouse, user = ALICE): Promise<TestClient> {
  const client = await TestClient.connect(house.port("imaps"), { tls: true });
  await client.ok(`LOGIN ${user} ${quote(PASSWORD)}`);
  return client;
}

Deno.test("a trace shows an open session from its next command on, a new one from its greeting on, and nobody else's", async () => {
  await withLiveServer(async (house) => {
    const open = await logIn(house);
    const bob = await logIn(house, "bob@example.org");
    const lines = await trace(await house.control(), house.alice);
    await bob.ok("SELECT INBOX");
    await open.ok("SELECT INBOX");
    const fresh = await logIn(house);
    await fresh.ok("LOGOUT");
    await open.append("INBOX", "Subject: private\r\n\r\nprivate\r\n");
    await open.ok("FETCH 1 (FLAGS BODY.PEEK[])");
    open.close();
    await eventually(() =>
      texts(lines).filter((text) => /connection ended/.test(text)).length === 2
    );
    const of = (connection: number) =>
      texts(lines.filter((line) => line.connection === connection));
    const [first = "", ...rest] = of(1);
    assert.match(first, /^\* imap from 127\.0\.0\.1 by imaps, TLSv1\.3$/);
    assert.equal(rest[0], "< t2 SELECT INBOX");
    assert.ok(rest.some((text) => /^> t2 OK \[READ-WRITE\]/.test(text)));
    assert.ok(
      rest.some((text) => /^< t3 APPEND INBOX \{29\} \(29 octets\)$/.test(text)),
      rest.join("\n"),
    );
    assert.ok(
      rest.some((text) => /^> \* 1 FETCH \(.*BODY\[\] \{29\} \(29 octets\)$/.test(text)),
    );
    assert.equal(rest.at(-1), "* the connection ended");
    const session = of(3);
    assert.match(session[0] ?? "", /^\* imap from /);
    assert.match(session[1] ?? "", /^> \* OK \[CAPABILITY .*\] IMAP server ready$/);
    assert.equal(session[2], "< t1 LOGIN (masked)");
    assert.match(session[3] ?? "", /^> t1 OK /);
    assert.deepEqual(of(2), []);
    assert.ok(!texts(lines).join("\n").includes("private"));
    for (const { timeMs } of lines) assert.ok(Math.abs(Date.now() - timeMs) < 60_000);
    const times = lines.filter((line) => line.connection === 3).map(({ timeMs }) => timeMs);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
      "a login does not date what was before",
    );
    bob.close();
  });
});

Deno.test("a trace begun in IDLE shows what IDLE tells; one begun within a command waits for the next", async () => {
  await withLiveServer(async (house) => {
    const [idle, busy] = [await logIn(house), await logIn(house)];
    await idle.ok("SELECT INBOX");
    const idling = await idle.idle();
    busy.send("x APPEND INBOX {24}\r\n");
    assert.match(await busy.response(), /^\+/);
    const lines = await trace(await house.control(), house.alice);
    busy.send("a NOOP private\r\n* private\r\n".slice(0, 24) + "\r\n");
    await busy.answer("x");
    assert.equal(await idling.next(), "1 EXISTS");
    await busy.ok("NOOP");
    await idling.done();
    await eventually(() => lines.length >= 8);
    assert.deepEqual(
      texts(lines.filter(({ connection }) => connection === 1)).slice(1),
      ["> * 1 EXISTS", "> * 1 RECENT", "< DONE", "> t3 OK IDLE completed"],
    );
    assert.deepEqual(
      texts(lines.filter(({ connection }) => connection === 2)).slice(1),
      ["< t2 NOOP", "> t2 OK NOOP completed"],
    );
    idle.close();
    busy.close();
  });
});

Deno.test("a trace follows STARTTLS, COMPRESS and a change of account", async () => {
  await withLiveServer(async (house) => {
    const lines = await trace(await house.control(), house.alice);
    const client = await TestClient.connect(house.port("imap"));
    await client.startTls();
    await client.ok(`LOGIN ${ALICE} ${quote(PASSWORD)}`);
    await client.compress();
    await client.ok("SELECT INBOX");
    await client.ok("UNAUTHENTICATE");
    client.endCompressionLayer();
    await client.ok(`LOGIN ${ALICE} ${quote(PASSWORD)}`);
    await client.ok("UNAUTHENTICATE");
    await client.ok(`LOGIN bob@example.org ${quote(PASSWORD)}`);
    await client.ok("SELECT Trash");
    await client.logout();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const shown = texts(lines).join("\n");
    for (
      const text of ["STARTTLS", "LOGIN (masked)", "COMPRESS DEFLATE", "SELECT INBOX", "UNAUTH"]
    ) {
      assert.ok(shown.includes(text), `${text} is not in ${shown}`);
    }
    assert.ok(!shown.includes("Trash"), shown);
    // Both logins of alice and what followed, and nothing of bob's.
    assert.equal(shown.split("LOGIN (masked)").length, 3, shown);
    assert.equal(shown.match(/> \S+ OK Not logged in any more/g)?.length, 2, shown);
  });
});

Deno.test("a login that fails is shown to who traces the account, and what the stranger does next is not", async () => {
  await withLiveServer(async (house) => {
    const lines = await trace(await house.control(), house.alice);
    const client = await TestClient.connect(house.port("imaps"), { tls: true });
    await client.no(`LOGIN bob@example.org wrong-for-bob`);
    await client.no(`LOGIN ${ALICE} wrong-for-alice`);
    await client.no(`LOGIN ${ALICE} wrong-for-alice`);
    await client.ok("CAPABILITY");
    await client.logout();
    await eventually(() => texts(lines).at(-1) === "* the connection ended");
    const shown = texts(lines);
    assert.match(shown[0] ?? "", /^\* imap from /);
    assert.equal(shown.filter((text) => /^\* imap from /.test(text)).length, 1);
    assert.deepEqual(
      shown.filter((text) => /^< /.test(text)),
      ["< t1 LOGIN (masked)", "< t2 LOGIN (masked)", "< t3 LOGIN (masked)"],
    );
    assert.match(shown.at(-2) ?? "", /^> t3 NO \[AUTHENTICATIONFAILED\]/);
  });
});

Deno.test("nobody is looked into when nobody traces, or no longer", async () => {
  await withLiveServer(async (house) => {
    const client = await logIn(house);
    const control = await house.control();
    const lines = await trace(control, house.alice);
    // However many lines there are in one piece.
    client.send("x NOOP\r\n".repeat(500));
    await eventually(() => lines.length >= 1_001);
    for (let i = 0; i < 500; i++) await client.answer("x");
    control.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = lines.length;
    await client.ok("NOOP");
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(lines.length, before);
    client.close();
  });
});

type LogIn = (house: LiveHouse, password: string) => Promise<void>;

/** Says what answers challenges, if any; gives whether that let it in. */
async function converse(client: TestClient, first: string, ...answers: string[]): Promise<void> {
  const tag = client.begin();
  client.send(`${tag} ${first}\r\n`);
  for (const answer of answers) {
    if (!(await client.response()).startsWith("+")) return;
    client.send(`${answer}\r\n`);
  }
  await client.answer(tag);
}

const viaImap =
  (speak: (client: TestClient, password: string) => Promise<unknown>): LogIn =>
  async (house, password) => {
    const client = await TestClient.connect(house.port("imaps"), { tls: true });
    // What went wrong before a login is shown too, once it is known whose it was.
    for (const each of [`${password}x`, password]) await speak(client, each);
    await client.ok("NOOP");
    await client.logout();
  };

const viaSmtp =
  (speak: (client: RawClient, password: string) => Promise<unknown>): LogIn =>
  async (house, password) => {
    const client = await RawClient.connect(`127.0.0.1:${house.port("submission")}`);
    await client.reply();
    client.send("EHLO me\r\n");
    await client.reply();
    for (const each of [`${password}x`, password]) await speak(client, each);
    client.send("NOOP\r\n");
    assert.match(await client.reply(), /^250 /);
    client.destroy();
  };

const WAYS: Record<string, LogIn> = {
  "LOGIN, quoted": viaImap((client, password) => client.cmd(`LOGIN ${ALICE} ${quote(password)}`)),
  "LOGIN, literals": viaImap((client, password) =>
    client.cmd(["LOGIN ", literal(ALICE), " ", literal(password)])
  ),
  "LOGIN, a literal and quotes": viaImap((client, password) =>
    client.cmd(["LOGIN ", literal(ALICE), ` ${quote(password)}`])
  ),
  "LOGIN, literals at once": viaImap((client, password) =>
    client.cmd([
      "LOGIN ",
      literal(ALICE, { nonSync: true }),
      " ",
      literal(password, { nonSync: true }),
    ])
  ),
  "LOGIN with too much behind it": viaImap(async (client, password) => {
    await client.cmd(`LOGIN ${ALICE} ${quote(password)} ${quote(password)}`);
    await client.cmd(`LOGIN ${ALICE} ${quote(password)}`);
  }),
  "a password where a command belongs": viaImap(async (client, password) => {
    await client.cmd(`${quote(password)} ${quote(password)}`);
    await client.cmd(`LOGIN ${ALICE} ${quote(password)}`);
  }),
  "AUTHENTICATE PLAIN": viaImap((client, password) =>
    converse(client, "AUTHENTICATE PLAIN", base64(`\0${ALICE}\0${password}`))
  ),
  "AUTHENTICATE PLAIN at once": viaImap((client, password) =>
    converse(client, `AUTHENTICATE PLAIN ${base64(`\0${ALICE}\0${password}`)}`)
  ),
  "AUTHENTICATE SCRAM-SHA-256": viaImap(async (client, password) => {
    const scram = new ScramClient({ hash: "SHA-256", username: ALICE, password });
    const tag = client.begin();
    client.send(`${tag} AUTHENTICATE SCRAM-SHA-256 ${base64(scram.first)}\r\n`);
    const challenge = (await client.response()).slice(2);
    client.send(`${base64(await scram.final(Buffer.from(challenge, "base64").toString()))}\r\n`);
    if ((await client.response()).startsWith("+")) {
      client.send("\r\n");
      await client.answer(tag);
    }
  }),
  "AUTH PLAIN": viaSmtp(async (client, password) => {
    client.send(`AUTH PLAIN ${base64(`\0${ALICE}\0${password}`)}\r\n`);
    await client.reply();
  }),
  "AUTH PLAIN in two steps": viaSmtp(async (client, password) => {
    client.send("AUTH PLAIN\r\n");
    await client.reply();
    client.send(`${base64(`\0${ALICE}\0${password}`)}\r\n`);
    await client.reply();
  }),
  "AUTH LOGIN": viaSmtp(async (client, password) => {
    client.send("AUTH LOGIN\r\n");
    await client.reply();
    client.send(`${base64(ALICE)}\r\n`);
    await client.reply();
    client.send(`${base64(password)}\r\n`);
    await client.reply();
  }),
};

Deno.test("no password, nor anything made of it, is in a trace, however it is sent", async () => {
  await withLiveServer(async (house) => {
    const store = await openSqliteStore({ dataDir: `${house.folder}/data` });
    const lines = await trace(await house.control(), house.alice);
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.string({
            unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)),
            minLength: 12,
            maxLength: 40,
          })
            .map((text) => `p${text.trim()}q`),
          fc.constantFrom(...Object.keys(WAYS)),
          async (password, way) => {
            await store.directory.setPasswordVerifier(
              house.alice,
              await makeVerifier(password, TEST_COSTS),
            );
            lines.length = 0;
            await WAYS[way]?.(house, password);
            await eventually(() => lines.some(({ text }) => /\bNOOP\b/.test(text)));
            const shown = texts(lines).join("\n");
            assert.match(shown, /LOGIN|AUTH/, way);
            for (const secret of secretsOf(password)) {
              assert.ok(!shown.includes(secret), `${way}: ${secret} is in\n${shown}`);
            }
          },
        ),
        { numRuns: 36, examples: Object.keys(WAYS).map((way) => ["plain-and-simple", way]) },
      );
    } finally {
      await store.close();
    }
  });
});

/** The password, and the base64 of what has it in it, at each of three offsets. */
function secretsOf(password: string): string[] {
  const encoded = [`\0${ALICE}\0${password}`, password, ` ${password}`, `  ${password}`]
    .map((text) => base64(text).replace(/=+$/, "").slice(4, -4));
  return [password, quote(password), ...encoded].filter((text) => text.length >= 8);
}
