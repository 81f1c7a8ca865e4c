import assert from "node:assert/strict";
import type { AccountId } from "../../../src/base/mod.ts";
import { LOGIN_DAYS, MAX_LOGIN_ENTRIES } from "../../../src/store/limits.ts";
import type { LoginFacts, LoginLog, LoginQuery, NetworkRecord } from "../../../src/store/mod.ts";
import { openSqliteLoginLog } from "../../../src/store/sqlite/engine.ts";
import { withFolder } from "./account_fixture.ts";

const ANN = 1 as AccountId;
const BOB = 2 as AccountId;
const DAY_MS = 86_400_000;

function attempt(timeMs: number, differing: Partial<LoginFacts> = {}) {
  return {
    timeMs,
    accountId: ANN,
    username: "ann@example.org",
    remote: "192.0.2.7",
    local: "192.0.2.1",
    tls: "TLSv1.3",
    fingerprint: "",
    protocol: "imap",
    userAgent: "",
    mechanism: "PLAIN",
    result: "ok",
    isFailure: false,
    ...differing,
  };
}

interface House {
  log: LoginLog;
  readonly time: { now: number };
  reopen(): Promise<void>;
}

function withLog(run: (house: House) => Promise<void>): Promise<void> {
  return withFolder(async (dataDir) => {
    const time = { now: 1_000_000 };
    const open = () => openSqliteLoginLog({ dataDir, clock: { now: () => time.now } });
    const house: House = {
      log: open(),
      time,
      async reopen() {
        await house.log.close();
        house.log = open();
      },
    };
    await run(house);
    await house.log.close();
  });
}

Deno.test("attempts that differ in nothing but their time are one entry", () =>
  withLog(async (house) => {
    await house.log.add([attempt(10), attempt(30), attempt(20, { result: "badpassword" })], []);
    await house.log.add([attempt(25)], []);
    await house.reopen();
    const entries = await house.log.list({ limit: 10 });
    assert.deepEqual(entries.map(({ id: _, ...entry }) => entry), [
      { ...facts(attempt(0)), count: 3, firstMs: 10, lastMs: 30 },
      { ...facts(attempt(0, { result: "badpassword" })), count: 1, firstMs: 20, lastMs: 20 },
    ]);
    for (
      const other of [
        { accountId: BOB },
        { accountId: undefined },
        { username: "Ann@example.org" },
        { remote: "192.0.2.8" },
        { local: "192.0.2.2" },
        { tls: "" },
        { fingerprint: "x" },
        { protocol: "submission" },
        { userAgent: "x" },
        { mechanism: "LOGIN" },
      ]
    ) {
      const before = (await house.log.list({ limit: 100 })).length;
      await house.log.add([attempt(40, other), attempt(41, other)], []);
      assert.equal(
        (await house.log.list({ limit: 100 })).length,
        before + 1,
        JSON.stringify(other),
      );
    }
  }));

function facts({ timeMs: _, ...rest }: LoginFacts & { timeMs: number }): LoginFacts {
  return rest;
}

Deno.test("pages follow one another without gap or repetition, the newest first", () =>
  withLog(async ({ log }) => {
    // Several in the same millisecond.
    const attempts = Array.from(
      { length: 50 },
      (_, i) => attempt(Math.floor(i / 7), { remote: `192.0.2.${i}` }),
    );
    await log.add(attempts, []);
    const seen: string[] = [];
    let before;
    for (;;) {
      const page = await log.list({ limit: 8, ...(before ? { before } : {}) });
      seen.push(...page.map(({ remote }) => remote));
      before = page.at(-1);
      if (page.length < 8) break;
    }
    assert.deepEqual(seen, attempts.map(({ remote }) => remote).reverse());
  }));

Deno.test("the log can be asked for an account and for a text in any fact", () =>
  withLog(async ({ log }) => {
    await log.add([
      attempt(1),
      attempt(2, { accountId: BOB, username: "bob@example.org", userAgent: 'name="K-9 Mail"' }),
      attempt(3, {
        ...{ accountId: undefined, username: "eve@elsewhere.example" },
        ...{ result: "baduser", isFailure: true },
      }),
    ], []);
    const find = async (query: Omit<LoginQuery, "limit">) =>
      (await log.list({ limit: 10, ...query })).map(({ username }) => username.slice(0, 3));
    assert.deepEqual(await find({ accountId: BOB }), ["bob"]);
    assert.deepEqual(await find({ search: "k-9" }), ["bob"]);
    assert.deepEqual(await find({ search: "BADUSER" }), ["eve"]);
    assert.deepEqual(await find({ search: "%" }), []);
    assert.deepEqual(await find({ search: "192.0.2.7" }), ["eve", "bob", "ann"]);
    assert.deepEqual(await find({ accountId: ANN, search: "bob" }), []);
    assert.deepEqual(await find({ failuresOnly: true }), ["eve"]);
  }));

Deno.test("entries are kept for 30 days after their last attempt", () =>
  withLog(async ({ log, time }) => {
    await log.add([attempt(time.now), attempt(time.now, { remote: "192.0.2.8" })], []);
    time.now += LOGIN_DAYS * DAY_MS - 1;
    await log.add([attempt(time.now)], []);
    time.now += 2;
    assert.equal((await log.list({ limit: 10 })).length, 1, "not shown even before it is dropped");
    await log.trim();
    const [entry, ...more] = await log.list({ limit: 10 });
    assert.deepEqual([entry?.remote, entry?.count, more], ["192.0.2.7", 2, []]);
  }));

Deno.test("an account has so many entries of failures, and of successes, and the oldest go first", () =>
  withLog(async ({ log }) => {
    const many = (count: number, from: number, differing: Partial<LoginFacts>) =>
      Array.from(
        { length: count },
        (_, i) => attempt(from + i, { ...differing, remote: `${from + i}` }),
      );
    const failure = { isFailure: true, result: "badpassword" };
    await log.add([attempt(1), attempt(1, { ...failure, accountId: BOB })], []);
    await log.add(many(MAX_LOGIN_ENTRIES, 2, failure), []);
    const count = async () => (await log.list({ limit: 100_000 })).length;
    assert.equal(await count(), MAX_LOGIN_ENTRIES + 2);
    await log.add(many(5, 100_000, failure), []);
    assert.equal(await count(), MAX_LOGIN_ENTRIES + 2);
    const oldest = (await log.list({ limit: 100_000, accountId: ANN })).at(-2);
    assert.equal(oldest?.lastMs, 7);
    await log.add(many(MAX_LOGIN_ENTRIES + 5, 200_000, { accountId: undefined, ...failure }), []);
    assert.equal(await count(), 2 * MAX_LOGIN_ENTRIES + 2);
  }));

Deno.test("networks are kept, replaced, forgotten, and dropped when nothing is held against them", () =>
  withLog(async (house) => {
    const record = (network: string, differing: Partial<NetworkRecord> = {}): NetworkRecord => ({
      network,
      minuteStartMs: house.time.now,
      minuteFailures: 1,
      dayStartMs: house.time.now,
      dayFailures: 2,
      ...differing,
    });
    const ban = { reason: "many", sinceMs: 5, untilMs: house.time.now + 3 * DAY_MS };
    const records = [record("192.0.2.0/26"), record("192.0.2.7/32", { ban })];
    await house.log.add([], records);
    await house.reopen();
    assert.deepEqual(await house.log.listNetworks(), records);
    await house.log.add([], [record("192.0.2.0/26", { dayFailures: 3 })]);
    assert.equal((await house.log.listNetworks())[0]?.dayFailures, 3);
    house.time.now += DAY_MS + 1;
    await house.log.trim();
    assert.deepEqual((await house.log.listNetworks()).map(({ network }) => network), [
      "192.0.2.7/32",
    ]);
    await house.log.forgetNetworks(["192.0.2.7/32", "192.0.2.9/32"]);
    assert.deepEqual(await house.log.listNetworks(), []);
  }));
