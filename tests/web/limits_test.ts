import assert from "node:assert/strict";
import type { Authenticator } from "../../src/auth/mod.ts";
import type { Directory } from "../../src/store/mod.ts";
import { WebSessions } from "../../src/web/web_sessions.ts";
import { HeldTimers } from "../support/held_timers.ts";
import { SiteHouse } from "./site_house.ts";

/** Browsers of the admin. */
function openSessions() {
  const time = { now: 0 };
  const directory = { adminVerifier: () => Promise.resolve("v") } as unknown as Directory;
  const sessions = new WebSessions(directory, {} as Authenticator, { now: () => time.now });
  const begin = () => sessions.begin({ kind: "admin", verifier: "v" });
  return { time, begin, isIn: (token: string) => sessions.isAdmin(token) };
}

Deno.test("1,000 browsers may be logged in (MAX_WEB_SESSIONS), for one more the idlest goes", async () => {
  const { time, begin, isIn } = openSessions();
  const tokens: string[] = [];
  for (; time.now < 1_000; time.now++) tokens.push(begin());
  for (const token of tokens) assert.ok(await isIn(token));
  time.now++;
  for (const token of tokens.slice(1)) assert.ok(await isIn(token));
  assert.ok(await isIn(begin()));
  assert.deepEqual(await Promise.all(tokens.slice(0, 3).map(isIn)), [false, true, true]);
});

Deno.test("a browser may do nothing for an hour (WEB_IDLE_MS), and stay for 12 hours (WEB_SESSION_MS)", async () => {
  const { time, begin, isIn } = openSessions();
  const [idle, busy] = [begin(), begin()];
  time.now = 3_600_000 - 1;
  assert.deepEqual([await isIn(idle), await isIn(busy)], [true, true]);
  time.now += 3_600_000;
  assert.equal(await isIn(idle), false);
  const stays = begin();
  const end = time.now + 12 * 3_600_000;
  while (time.now + 3_599_999 < end) {
    time.now += 3_599_999;
    assert.ok(await isIn(stays));
  }
  time.now = end - 1;
  assert.ok(await isIn(stays));
  time.now = end;
  assert.equal(await isIn(stays), false);
});

/** Body rows of the page's table. */
function rowsOf(html: string): number {
  const body = /<tbody>(.*?)<\/tbody>/s.exec(html)?.[1] ?? "";
  return body.match(/<tr[ >]/g)?.length ?? 0;
}

Deno.test("a page of the admin has 50 accounts (ADMIN_PAGE), or 200 connections (CONNECTIONS_PAGE)", async () => {
  await using house = await SiteHouse.open();
  const admin = house.visitor();
  await admin.logInAsAdmin();
  const rows = async (path: string) => rowsOf((await admin.get(path)).html);
  // There are two.
  for (let i = 2; i < 50; i++) await house.store.directory.addAccount(`a${i}@example.org`, "{}");
  assert.equal(await rows("/admin/accounts"), 50);
  await house.store.directory.addAccount("a50@example.org", "{}");
  assert.equal(await rows("/admin/accounts"), 50);
  for (let i = 0; i < 200; i++) house.host.connect({});
  assert.equal(await rows("/admin/connections"), 200);
  house.host.connect({});
  assert.equal(await rows("/admin/connections"), 200);
});

Deno.test("what is searched for has 200 letters at most (MAX_SEARCH)", async () => {
  await using house = await SiteHouse.open();
  const admin = house.visitor();
  await admin.logInAsAdmin();
  for (const path of ["accounts", "aliases", "connections"]) {
    for (const [length, shown] of [[199, 199], [200, 200], [201, 200]] as const) {
      const { html } = await admin.get(`/admin/${path}?search=${"q".repeat(length)}`);
      assert.equal(/value="(q+)"/.exec(html)?.[1]?.length, shown, path);
    }
  }
});

Deno.test("while an import goes on, room for it is looked at each second (ROOM_INTERVAL_MS)", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  let looks = 0;
  const status = house.host.status.bind(house.host);
  house.host.status = () => {
    looks++;
    return status();
  };
  using timers = new HeldTimers();
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const answer = house.answer(
    new Request("https://mail.example.org/account/transfer/import", {
      method: "POST",
      body: readable,
      headers: {
        "content-type": "multipart/form-data; boundary=y",
        "sec-fetch-site": "same-origin",
        cookie: [...visitor.cookies].map((cookie) => cookie.join("=")).join("; "),
      },
    }),
  );
  await timers.until(1_000);
  await timers.pass(999);
  assert.equal(looks, 0);
  await timers.pass(1);
  assert.equal(looks, 1);
  await timers.pass(1_000);
  assert.equal(looks, 2);
  await writable.close();
  assert.equal((await answer).status, 422);
});
