import assert from "node:assert/strict";
import { accountId, encodeLatin1 } from "../../src/base/mod.ts";
import {
  HostEntries,
  InviteList,
  MessageCheck,
  type MessageKind,
  PushNotifier,
} from "../../src/chatmail/mod.ts";
import {
  MAX_ARMOR_LINE,
  MAX_CHECKED_HEADER_BYTES,
  MAX_CHECKED_LINE,
  MAX_INVITE_FILE_BYTES,
  MAX_PREAMBLE_BYTES,
  MAX_PUSHES,
  MAX_SECURE_JOIN_BYTES,
  MAX_TOKEN_BYTES,
  MAX_TOKENS,
  TOKEN_LIFE_SECONDS,
} from "../../src/chatmail/limits.ts";
import type { Account } from "../../src/store/mod.ts";
import { openSqlitePush } from "../../src/store/sqlite/engine.ts";

function kindOf(message: string): MessageKind {
  const check = new MessageCheck();
  check.write(encodeLatin1(message));
  return check.end();
}

/** An encrypted message, with something more or something else in it. */
function encrypted(
  { header = "", preamble = "", data = btoa(`\xd2\x0a${"x".repeat(10)}`) },
): string {
  return `${header}Content-Type: multipart/encrypted; boundary=b\r\n\r\n${preamble}--b\r\n` +
    "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--b\r\n" +
    "Content-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n" +
    `\r\n${data}\r\n=abcd\r\n-----END PGP MESSAGE-----\r\n\r\n--b--\r\n`;
}

/** A header field in a line of so many octets, its CRLF not counted. */
function field(octets: number, name = "X"): string {
  return `${name}: ${"x".repeat(octets - name.length - 2)}\r\n`;
}

Deno.test("a line of mail that is looked at may have MAX_CHECKED_LINE octets", () => {
  // The CR counts.
  assert.equal(kindOf(encrypted({ header: field(MAX_CHECKED_LINE - 1) })), "encrypted");
  assert.equal(kindOf(encrypted({ header: field(MAX_CHECKED_LINE) })), "clear");
});

Deno.test("a header that is looked at may have MAX_CHECKED_HEADER_BYTES octets", () => {
  const rest = encrypted({}).indexOf("\r\n\r\n") + 4;
  const filler = field(998).repeat(Math.floor((MAX_CHECKED_HEADER_BYTES - rest) / 1000) - 1);
  const last = MAX_CHECKED_HEADER_BYTES - rest - filler.length - 2;
  assert.equal(kindOf(encrypted({ header: filler + field(last) })), "encrypted");
  assert.equal(kindOf(encrypted({ header: filler + field(last + 1) })), "clear");
});

Deno.test("before the first part there may be MAX_PREAMBLE_BYTES octets", () => {
  const preamble = (octets: number) => kindOf(encrypted({ preamble: `${"x".repeat(octets)}\r\n` }));
  assert.equal(preamble(MAX_PREAMBLE_BYTES), "encrypted");
  assert.equal(preamble(MAX_PREAMBLE_BYTES + 1), "clear");
});

Deno.test("a line of armor may have MAX_ARMOR_LINE octets", () => {
  const data = btoa(`\xd2\xff\0\0\x04\0${"x".repeat(1024)}`);
  // The CR counts.
  const body = (octets: number) =>
    kindOf(encrypted({ data: `${data.slice(0, octets - 1)}\r\n${data.slice(octets - 1)}` }));
  assert.equal(body(MAX_ARMOR_LINE), "encrypted");
  assert.equal(body(MAX_ARMOR_LINE + 1), "clear");
});

Deno.test("the first message of a secure join may have MAX_SECURE_JOIN_BYTES octets", () => {
  const message = (octets: number) => {
    const start = "Secure-Join: vc-request\r\n";
    const end = "\r\nSecure-Join: vc-request\r\n";
    const rest = octets - start.length - end.length;
    const lines = Math.floor(rest / 1000) - 1;
    const header = field(998).repeat(lines) + field(rest - lines * 1000 - 2);
    return `${start}${header}${end}`;
  };
  assert.equal(message(MAX_SECURE_JOIN_BYTES).length, MAX_SECURE_JOIN_BYTES);
  assert.equal(kindOf(message(MAX_SECURE_JOIN_BYTES)), "secure-join");
  assert.equal(kindOf(message(MAX_SECURE_JOIN_BYTES + 1)), "clear");
});

Deno.test("a file of invitations is read up to MAX_INVITE_FILE_BYTES octets", async () => {
  const file = await Deno.makeTempFile();
  try {
    const write = (octets: number) =>
      Deno.writeTextFile(file, `token\n#${"x".repeat(octets - "token\n#".length)}`);
    await write(MAX_INVITE_FILE_BYTES);
    assert.equal(await new InviteList(file).has("token"), true);
    await write(MAX_INVITE_FILE_BYTES + 1);
    await assert.rejects(new InviteList(file).has("token"), /too large/);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("device tokens are bounded in length, in number and in time", async () => {
  const dataDir = await Deno.makeTempDir();
  const push = openSqlitePush(dataDir);
  try {
    let seconds = 1_000_000_000;
    const facts = {
      ...{ domain: "example.org", admin: undefined, irohRelay: undefined, turn: undefined },
      ...{ maxRecipients: 1, appVersions: undefined },
    };
    const { kept } = new HostEntries(facts, push, { now: () => seconds * 1000 });
    const account = { id: accountId(1), address: "ann@example.org" } as Account;
    const entry = "/private/devicetoken";
    const add = (token: string) =>
      kept.set(account, "INBOX", { entry, value: encodeLatin1(token), isBinary: false });
    const tokens = async () => {
      const [found] = await kept.list(account, "INBOX");
      return found?.value ? new TextDecoder().decode(found.value).split(" ") : [];
    };
    await add("x".repeat(MAX_TOKEN_BYTES));
    assert.equal((await tokens()).length, 1);
    await assert.rejects(add("x".repeat(MAX_TOKEN_BYTES + 1)), /octets/);
    for (let i = 1; i < MAX_TOKENS; i++) await add(`t${i}`);
    assert.equal((await tokens()).length, MAX_TOKENS);
    await add("another");
    assert.equal((await tokens()).length, MAX_TOKENS);
    seconds += TOKEN_LIFE_SECONDS;
    assert.equal((await tokens()).length, MAX_TOKENS);
    seconds += 1;
    assert.deepEqual(await tokens(), []);
  } finally {
    await push.close();
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("the push service has MAX_PUSHES requests at a time", async () => {
  const dataDir = await Deno.makeTempDir();
  const push = openSqlitePush(dataDir);
  let [open, most] = [0, 0];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async () => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setTimeout(resolve, 100));
    open--;
    return new Response("");
  });
  try {
    for (let i = 0; i <= MAX_PUSHES; i++) await push.addToken(accountId(1), `t${i}`, 1000, 100);
    const clock = { now: () => 1_000_000 };
    const url = `http://127.0.0.1:${server.addr.port}/`;
    const notifier = new PushNotifier(push, url, clock);
    await notifier.notify({ id: accountId(1), address: "ann@example.org" } as Account);
    while (await push.nextDue() !== undefined) await new Promise((done) => setTimeout(done, 10));
    await notifier.stop();
    assert.equal(most, MAX_PUSHES);
  } finally {
    await server.shutdown();
    await push.close();
    await Deno.remove(dataDir, { recursive: true });
  }
});
