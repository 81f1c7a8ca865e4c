import assert from "node:assert/strict";
import { setPassword } from "../../src/auth/mod.ts";
import { TEST_COSTS } from "../support/server.ts";
import { PASSWORD, SiteHouse } from "./site_house.ts";

const MINUTE_MS = 60_000;

Deno.test("who is not logged in is asked to, and sees nothing of the pages", async () => {
  await using house = await SiteHouse.open();
  for (const [path, login] of [["/account", "/account/login"], ["/admin", "/admin/login"]]) {
    const page = await house.visitor().get(path ?? "");
    assert.deepEqual([page.path, page.status], [login, 200]);
    assert.doesNotMatch(page.html, /postern 0|alice|Deno/i);
  }
});

Deno.test("an account's password opens its pages, and the admin's opens the others", async () => {
  await using house = await SiteHouse.open();
  const alice = house.visitor();
  const account = await alice.logIn("alice");
  assert.deepEqual([account.path, account.status], ["/account", 200]);
  assert.match(account.html, /alice@example\.org/);
  assert.equal((await alice.get("/admin")).path, "/admin/login");

  const admin = house.visitor();
  assert.equal((await admin.logInAsAdmin()).path, "/admin");
  assert.equal((await admin.get("/account")).path, "/account/login");
});

Deno.test("wrong passwords are refused in the same words for all, and counted by the gate", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  const texts = new Set<string>();
  for (const name of ["alice", "nobody"]) {
    const page = await visitor.logIn(name, "wrong password");
    assert.equal(page.status, 403);
    texts.add(/role="alert">([^<]*)/.exec(page.html)?.[1] ?? "");
  }
  assert.deepEqual([...texts], ["Authentication failed: wrong username or password."]);
  assert.equal((await visitor.logInAsAdmin("wrong password")).status, 403);
  assert.equal(visitor.cookies.size, 0);
  for (let i = 0; i < 20; i++) await visitor.logIn("alice", "wrong password");
  assert.equal((await visitor.logIn("alice")).status, 403);
  assert.equal(
    (await house.visitor({ remote: { address: "198.51.100.9" } }).logIn("alice")).status,
    200,
  );
});

Deno.test("no password is taken on a connection in clear", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor({ tls: undefined });
  assert.equal((await visitor.logIn("alice")).status, 403);
  assert.equal((await visitor.logInAsAdmin()).status, 403);
  assert.equal(visitor.cookies.size, 0);
});

Deno.test("the cookie is for TLS, this host and no script", async () => {
  await using house = await SiteHouse.open();
  const response = await house.answer(
    new Request("https://mail.example.org/account/login", {
      method: "POST",
      headers: { "sec-fetch-site": "same-origin" },
      body: new URLSearchParams({ address: "alice@example.org", password: PASSWORD }),
    }),
  );
  assert.match(
    response.headers.get("set-cookie") ?? "",
    /^__Host-account=[0-9a-f]{64}; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  );
});

Deno.test("forms of other sites are refused, and so is what does not say where it comes from", async () => {
  await using house = await SiteHouse.open();
  const origins: [Record<string, string>, number][] = [
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-site" }, 403],
    [{ "sec-fetch-site": "none" }, 403],
    [{ origin: "https://evil.example", host: "mail.example.org" }, 403],
    [{ origin: "null", host: "mail.example.org" }, 403],
    [{ origin: "http://mail.example.org", host: "mail.example.org" }, 403],
    [{}, 403],
    [{ origin: "https://mail.example.org", host: "mail.example.org" }, 303],
    [{ "sec-fetch-site": "same-origin" }, 303],
  ];
  for (const [headers, status] of origins) {
    const request = new Request("https://mail.example.org/account/logout", {
      method: "POST",
      headers,
    });
    assert.equal((await house.answer(request)).status, status, JSON.stringify(headers));
  }
});

Deno.test("every page forbids scripts, frames and sources of others", async () => {
  await using house = await SiteHouse.open();
  for (const path of ["/account/login", "/admin/login", "/account/nothing", "/assets/style.css"]) {
    const { headers } = await house.visitor().get(path);
    assert.match(
      headers.get("content-security-policy") ?? "",
      /^default-src 'none'; .*frame-ancestors 'none'/,
    );
    assert.doesNotMatch(headers.get("content-security-policy") ?? "", /unsafe|\*/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  }
});

Deno.test("a browser that does nothing for an hour, or stays for twelve, must log in again", async () => {
  await using house = await SiteHouse.open();
  const [idle, busy] = [house.visitor(), house.visitor()];
  await idle.logIn("alice");
  await busy.logIn("alice");
  house.time += 59 * MINUTE_MS;
  assert.equal((await busy.get("/account")).path, "/account");
  house.time += 2 * MINUTE_MS;
  assert.equal((await idle.get("/account")).path, "/account/login");
  assert.equal((await busy.get("/account")).path, "/account");
  for (let hours = 0; hours < 10; hours++) {
    house.time += 59 * MINUTE_MS;
    assert.equal((await busy.get("/account")).path, "/account");
  }
  house.time += 59 * MINUTE_MS;
  assert.equal((await busy.get("/account")).path, "/account");
  house.time += 15 * MINUTE_MS;
  assert.equal((await busy.get("/account")).path, "/account/login");
});

Deno.test("a new password, a disabled account and logging out end what a browser may see", async () => {
  await using house = await SiteHouse.open();
  const { directory } = house.store;
  const { id } = await house.account("alice");
  const visitor = house.visitor();
  await visitor.logIn("alice");
  await setPassword(directory, id, "another password", TEST_COSTS);
  assert.equal((await visitor.get("/account")).path, "/account/login");
  await visitor.logIn("alice", "another password");
  await directory.setAccountDisabled(id, "gone fishing");
  assert.equal((await visitor.get("/account")).path, "/account/login");
  assert.match((await visitor.logIn("alice", "another password")).html, /gone fishing/);

  const bob = house.visitor();
  await bob.logIn("bob");
  const cookies = new Map(bob.cookies);
  assert.equal((await bob.post("/account/logout", {})).path, "/account/login");
  for (const [name, value] of cookies) bob.cookies.set(name, value);
  assert.equal((await bob.get("/account")).path, "/account/login");
});

Deno.test("who looks at the mail server with a browser finds the way to the account", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  const { html } = await visitor.get("/");
  const [, href = ""] = /<a href="([^"]*)">Your account<\/a>/.exec(html) ?? [];
  assert.equal((await visitor.get(href)).path, "/account/login");
});
