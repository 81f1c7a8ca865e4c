import assert from "node:assert/strict";
import { accountId } from "../../src/base/mod.ts";
import { HostEntries, type HostFacts, PushNotifier } from "../../src/chatmail/mod.ts";
import type { Account } from "../../src/store/mod.ts";
import { openSqlitePush } from "../../src/store/sqlite/engine.ts";
import { withServer } from "../support/server.ts";

const FACTS: HostFacts = {
  domain: "example.org",
  admin: "mailto:admin@example.org",
  irohRelay: "https://iroh.example.org/",
  turn: { host: "turn.example.org", port: 3478, secret: "shared" },
  maxRecipients: 1000,
  appVersions: undefined,
};

const DAY_MS = 86_400_000;

interface House {
  readonly clock: { time: number };
  readonly push: ReturnType<typeof openSqlitePush>;
  /** Bodies that the service got. */
  readonly posted: string[];
  readonly url: string;
  /** What it answers; undefined: it hangs up. */
  answer: (token: string) => number;
}

async function withPush(run: (house: House) => Promise<void>): Promise<void> {
  const dataDir = await Deno.makeTempDir();
  const push = openSqlitePush(dataDir);
  const posted: string[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const token = await request.text();
      posted.push(`${request.method} ${token}`);
      return new Response("", { status: house.answer(token) });
    },
  );
  const house: House = {
    clock: { time: Date.UTC(2026, 0, 1) },
    push,
    posted,
    url: `http://127.0.0.1:${server.addr.port}/notify`,
    answer: () => 200,
  };
  try {
    await run(house);
  } finally {
    await server.shutdown();
    await push.close();
    await Deno.remove(dataDir, { recursive: true });
  }
}

function account(id: number, address = "user@example.org"): Account {
  return { id: accountId(id), address } as Account;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 5_000;
  while (!await condition()) {
    assert.ok(Date.now() < end, "it never happened");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("a chatmail host is known by its entries, and by capabilities after login alone", () =>
  withPush(async ({ push, clock }) => {
    const entries = new HostEntries(FACTS, push, { now: () => clock.time });
    await withServer(async (server) => {
      const client = await server.connect();
      const before = await client.ok("CAPABILITY");
      assert.doesNotMatch(before.untagged.join(), /XCHATMAIL|XDELTAPUSH/);
      await client.ok('LOGIN user@example.org "correct horse"');
      const [capabilities] = (await client.ok("CAPABILITY")).untagged;
      assert.match(capabilities ?? "", / XDELTAPUSH XCHATMAIL(?: |$)/);
      const vendor = "/shared/vendor/deltachat";
      const { untagged } = await client.ok(
        `GETMETADATA "" (/shared/comment /shared/admin ${vendor}/irohrelay ${vendor}/turn ` +
          `${vendor}/maxsmtprecipients ${vendor}/appversions)`,
      );
      // TURN_LIFE_SECONDS
      const until = clock.time / 1000 + 5 * 86_400;
      const text = untagged.join();
      assert.match(text, /\/shared\/admin "mailto:admin@example.org"/);
      assert.match(text, /\/shared\/comment NIL/);
      assert.match(text, /irohrelay "https:\/\/iroh.example.org\/"/);
      assert.match(text, new RegExp(`turn "turn.example.org:3478:${until}:[A-Za-z0-9+/]{27}="`));
      assert.match(text, /maxsmtprecipients "?1000"?/);
      assert.match(text, /appversions NIL/);
      await client.no(`SETMETADATA "" (${vendor}/turn "mine")`, "NOPERM");
    }, { serverEntries: entries });
    const stranger = account(1, "user@example.net");
    assert.deepEqual(entries.capabilities(stranger), []);
    assert.deepEqual(await entries.list(stranger), []);
  }));

Deno.test("each device adds a token, and tokens nobody names for 90 days are forgotten", () =>
  withPush(async ({ push, clock }) => {
    const entries = new HostEntries(FACTS, push, { now: () => clock.time });
    await withServer(async (server) => {
      const client = await server.login();
      const tokens = async () => {
        const { untagged } = await client.ok("GETMETADATA INBOX /private/devicetoken");
        return /devicetoken (.*)\)$/.exec(untagged.join())?.[1];
      };
      assert.equal(await tokens(), "NIL");
      await client.ok(
        'SETMETADATA inbox (/private/devicetoken "openpgp:AAAA" /private/comment "x")',
      );
      clock.time += 60 * DAY_MS;
      await client.ok('SETMETADATA INBOX (/private/devicetoken "openpgp:BBBB")');
      await client.ok('SETMETADATA INBOX (/private/devicetoken "openpgp:BBBB")');
      assert.equal(await tokens(), '"openpgp:AAAA openpgp:BBBB"');
      clock.time += 31 * DAY_MS;
      assert.equal(await tokens(), '"openpgp:BBBB"');
      await client.no('SETMETADATA INBOX (/private/devicetoken "two words")');
      await client.ok('SETMETADATA Trash (/private/devicetoken "an ordinary entry")');
      for (let i = 0; i < 12; i++) {
        clock.time += 1000;
        await client.ok(`SETMETADATA INBOX (/private/devicetoken "t${i}")`);
      }
      const last = Array.from({ length: 10 }, (_, i) => `t${i + 2}`).join(" ");
      assert.equal(await tokens(), `"${last}"`);
      await client.ok("SETMETADATA INBOX (/private/devicetoken NIL)");
      assert.equal(await tokens(), "NIL");
      const { untagged } = await client.ok("GETMETADATA INBOX /private/comment");
      assert.match(untagged.join(), /"x"/);
    }, { serverEntries: entries });
  }));

Deno.test("every device of an account is woken up; one that is no more loses its token", () =>
  withPush(async (house) => {
    const { push, clock, posted, url } = house;
    const now = clock.time / 1000;
    await push.addToken(accountId(1), "one", now, 10);
    await push.addToken(accountId(1), "gone", now, 10);
    await push.addToken(accountId(2), "other", now, 10);
    house.answer = (token) => token === "gone" ? 410 : 200;
    const notifier = new PushNotifier(push, url, { now: () => clock.time });
    await notifier.notify(account(1));
    await until(async () => await push.nextDue() === undefined);
    assert.deepEqual(posted.sort(), ["POST gone", "POST one"]);
    assert.deepEqual(await push.listTokens(accountId(1), 0), ["one"]);
    await notifier.notify(account(3));
    await notifier.stop();
    assert.equal(posted.length, 2);
  }));

Deno.test("a service that is down is asked again, later and later, over restarts, for five hours", () =>
  withPush(async (house) => {
    const { push, clock, posted, url } = house;
    const start = clock.time / 1000;
    await push.addToken(accountId(1), "one", start, 10);
    house.answer = () => 503;
    const waits: number[] = [];
    for (let due: number | undefined = start; due !== undefined;) {
      clock.time = due * 1000;
      const before = posted.length;
      const notifier = new PushNotifier(push, url, { now: () => clock.time });
      if (posted.length === 0) await notifier.notify(account(1));
      else notifier.start();
      const last: number = due;
      await until(async () => posted.length > before && await push.nextDue() !== last);
      await notifier.stop();
      due = await push.nextDue();
      if (due !== undefined) waits.push(due - last);
    }
    // 8^5 seconds are nine hours.
    assert.deepEqual(waits, [8, 64, 512, 4096]);
    assert.equal(posted.length, 5);
    assert.deepEqual(await push.listTokens(accountId(1), 0), ["one"]);
  }));

Deno.test("mail that comes while a device is being woken up wakes it up once more", () =>
  withPush(async (house) => {
    const { push, clock, posted, url } = house;
    await push.addToken(accountId(1), "one", clock.time / 1000, 10);
    const notifier = new PushNotifier(push, url, { now: () => clock.time });
    let isSecond = false;
    house.answer = () => {
      if (!isSecond) void notifier.notify(account(1));
      isSecond = true;
      return 200;
    };
    await notifier.notify(account(1));
    await until(async () => posted.length === 2 && await push.nextDue() === undefined);
    await notifier.stop();
  }));
