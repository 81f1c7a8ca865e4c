import assert from "node:assert/strict";
import { makeVerifier } from "../../src/auth/mod.ts";
import type { LoginFacts } from "../../src/store/mod.ts";
import { LOGINS_PAGE, MAX_FORM_BYTES } from "../../src/web/limits.ts";
import { run } from "../interop/programs.ts";
import { bytesOf, put } from "../store/fixture.ts";
import { TEST_COSTS } from "../support/server.ts";
import { noticeOf, rowsOf, textOf } from "./page_text.ts";
import { NOW, PASSWORD, SiteHouse } from "./site_house.ts";

const MINUTE_MS = 60_000;

async function addLogin(house: SiteHouse, facts: Partial<LoginFacts>, timeMs: number) {
  const { id } = await house.account("alice");
  await house.loginLog.add([{
    ...{ accountId: id, username: "alice@example.org", remote: "192.0.2.44", local: "" },
    ...{ tls: "", fingerprint: "", protocol: "imap", userAgent: "Thunderbird 140" },
    ...{ mechanism: "SCRAM-SHA-256", result: "ok", isFailure: false, timeMs, ...facts },
  }], []);
}

Deno.test("the overview shows storage, mailboxes, sessions and last logins of this account", async () => {
  await using house = await SiteHouse.open();
  const alice = await house.account("alice");
  const bob = await house.account("bob");
  const mail = await house.store.openAccount(alice.id);
  await put(mail, "INBOX", { bytes: bytesOf("Subject: 1\r\n\r\nText\r\n") });
  await put(mail, "INBOX", { bytes: bytesOf("Subject: 2\r\n\r\nText\r\n"), flags: 1 });
  await mail.createMailbox("Lists/<Deno>");
  await house.store.directory.setAccountQuota(alice.id, 10 * 1024 ** 2);
  house.host.connect({ account: alice });
  house.host.connect({ account: bob, client: "Bob's client" });
  await addLogin(house, {}, NOW - MINUTE_MS);
  const visitor = house.visitor();
  const { html } = await visitor.logIn("alice");
  assert.match(html, /of 10 MiB/);
  assert.deepEqual(rowsOf(html, "Mailboxes"), [
    ["INBOX", "1", "2", "40 B"],
    ["Lists", "0", "0", "0 B"],
    ["Lists/<Deno>", "0", "0", "0 B"],
  ]);
  assert.deepEqual(rowsOf(html, "Mail programs"), [
    ["Thunderbird 140", "192.0.2.44", "5 hours", "Waits for mail in INBOX", ""],
  ]);
  assert.equal(rowsOf(html, "Attempts")[0]?.[1], "Logged in");
  assert.doesNotMatch(html, /Bob/);
});

Deno.test("who has an account ends its own sessions and no others", async () => {
  await using house = await SiteHouse.open();
  const own = house.host.connect({ account: await house.account("alice") });
  const other = house.host.connect({ account: await house.account("bob") });
  const visitor = house.visitor();
  await visitor.logIn("alice");
  for (const id of [String(other), "99", "", "1x"]) {
    const page = await visitor.post("/account/sessions/end", { id });
    assert.equal(noticeOf(page.html), "That session had ended already.");
  }
  assert.equal(house.host.live.length, 2);
  const page = await visitor.post("/account/sessions/end", { id: String(own) });
  assert.equal(noticeOf(page.html), "The session was ended.");
  assert.deepEqual(house.host.live.map(({ id }) => id), [other]);
});

Deno.test("logins are shown ten at a time or all, the newest first, failures marked", async () => {
  await using house = await SiteHouse.open();
  for (let i = 0; i < 25; i++) {
    await addLogin(house, { remote: `192.0.2.${i}` }, NOW - i * MINUTE_MS);
  }
  const failed = { result: "badpassword", isFailure: true, userAgent: "", remote: "198.51.100.1" };
  await addLogin(house, failed, NOW + MINUTE_MS);
  const bob = await house.account("bob");
  await addLogin(house, { accountId: bob.id, remote: "203.0.113.1" }, NOW + MINUTE_MS);
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const first = await visitor.get("/account/logins");
  const rows = rowsOf(first.html, "Attempts");
  assert.equal(rows.length, 10);
  assert.deepEqual(rows[0], [
    ...["2026-11-24 12:01 UTC", "Failed: wrong password", "Unnamed", "198.51.100.1"],
    ...["IMAP, SCRAM-SHA-256", "1"],
  ]);
  assert.match(first.html, /<span class="failed">Failed: wrong password/);
  const older = /href="(\/account\/logins\?before=[^"]*)"/.exec(first.html)?.[1] ?? "";
  const second = rowsOf((await visitor.get(older)).html, "Attempts");
  assert.deepEqual([second.length, second[0]?.[3]], [10, "192.0.2.9"]);
  const all = await visitor.get("/account/logins?all");
  assert.equal(rowsOf(all.html, "Attempts").length, 26);
  assert.doesNotMatch(all.html, /203\.0\.113|Older/);
  assert.equal((await visitor.get("/account/logins?before=1-x'")).status, 200);
  for (let i = 26; i < LOGINS_PAGE; i++) {
    await addLogin(house, { userAgent: `Program ${i}` }, NOW - 60 * MINUTE_MS);
  }
  assert.doesNotMatch((await visitor.get("/account/logins?all")).html, /Older/);
  await addLogin(house, { userAgent: "One more" }, NOW);
  const most = await visitor.get("/account/logins?all");
  assert.equal(rowsOf(most.html, "Attempts").length, LOGINS_PAGE);
  const rest = /href="(\/account\/logins\?all&amp;before=[^"]*)"/.exec(most.html)?.[1] ?? "";
  const last = await visitor.get(rest.replace("&amp;", "&"));
  assert.equal(rowsOf(last.html, "Attempts").length, 1);
});

Deno.test("a new password ends what came in by the old one, but not this browser", async () => {
  await using house = await SiteHouse.open();
  const { id } = await house.account("alice");
  const [visitor, other] = [house.visitor(), house.visitor()];
  await visitor.logIn("alice");
  await other.logIn("alice");
  const fresh = { new: "another password", again: "another password", present: PASSWORD };
  const page = await visitor.post("/account/password", fresh);
  assert.match(noticeOf(page.html), /^The password was changed/);
  assert.deepEqual(house.host.told, [`tellSecurity ${id}`]);
  assert.equal((await visitor.get("/account")).path, "/account");
  assert.equal((await other.get("/account")).path, "/account/login");
  assert.equal((await other.logIn("alice")).status, 403);
  assert.equal((await other.logIn("alice", "another password")).status, 200);
});

Deno.test("a password that will not do is refused, and what was typed is not sent back", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const refused: [Record<string, string>, RegExp][] = [
    [{ new: "a secret word", again: "another one", present: PASSWORD }, /not the same both times/],
    [{ new: "short", again: "short", present: PASSWORD }, /shorter than 8/],
    [{ new: "tab\tis wrong", again: "tab\tis wrong", present: PASSWORD }, /cannot be used/],
    [
      { new: "a secret word", again: "a secret word", present: "wrong" },
      /present password is wrong/,
    ],
    [{ new: "a secret word", again: "a secret word" }, /present password is wrong/],
    [{}, /empty/],
  ];
  for (const [fields, problem] of refused) {
    const page = await visitor.post("/account/password", fields);
    assert.equal(page.status, 422);
    assert.match(noticeOf(page.html), problem);
    assert.doesNotMatch(page.html, /secret word|short"|battery/);
  }
  assert.deepEqual(house.host.told, []);
});

Deno.test("guesses at the present password are counted as at any login", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const fields = { new: "another password", again: "another password" };
  for (let i = 0; i < 20; i++) {
    await visitor.post("/account/password", { ...fields, present: `guess ${i}` });
  }
  assert.ok(house.gate.isBlocked("192.0.2.7"));
  const page = await visitor.post("/account/password", { ...fields, present: PASSWORD });
  assert.equal(page.status, 422);
});

Deno.test("a password is made up on request, another each time, and can be set as it is", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const made = [];
  for (let i = 0; i < 2; i++) {
    const { html } = await visitor.get("/account/password?generated");
    made.push(/<output class="secret">([^<]*)/.exec(html)?.[1] ?? "");
  }
  const [first = "", second = ""] = made;
  assert.match(first, /^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
  assert.notEqual(first, second);
  const fields = { new: first, again: first };
  const wrong = await visitor.post("/account/password?generated", { ...fields, present: "wrong" });
  assert.equal(wrong.status, 422);
  assert.doesNotMatch(wrong.html, new RegExp(first));
  const page = await visitor.post("/account/password?generated", { ...fields, present: PASSWORD });
  assert.match(noticeOf(page.html), /^The password was changed/);
  assert.doesNotMatch(page.html, new RegExp(first));
  assert.equal((await house.visitor().logIn("alice", first)).status, 200);
});

Deno.test("an app password is shown once, listed and removed; it does not open the pages", async () => {
  await using house = await SiteHouse.open();
  const { id } = await house.account("alice");
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const page = await visitor.post("/account/app-passwords", { name: "<phone>", scope: "imap" });
  assert.equal(page.status, 200);
  const password = /<output class="secret">([^<]*)/.exec(page.html)?.[1] ?? "";
  assert.match(password, /^[a-z2-9]{4}(-[a-z2-9]{4}){6}$/);
  const list = await visitor.get("/account/app-passwords");
  assert.doesNotMatch(list.html, new RegExp(password));
  const [row] = rowsOf(list.html, "App passwords");
  assert.deepEqual([row?.[0], row?.[1], row?.[3]], ["<phone>", "Read mail (IMAP)", "Never"]);
  const refused = await house.visitor().logIn("alice", password);
  assert.equal(refused.status, 403);
  const removed = await visitor.post("/account/app-passwords/remove", { name: "<phone>" });
  assert.match(noticeOf(removed.html), /^The app password was removed/);
  assert.deepEqual(house.host.told, [`tellSecurity ${id}`]);
  const gone = await visitor.post("/account/app-passwords/remove", { name: "<phone>" });
  assert.match(noticeOf(gone.html), /^There is no such/);
});

Deno.test("an app password needs a name of its own, and something that it is good for", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const both = new FormData();
  both.set("name", "phone");
  both.append("scope", "imap");
  both.append("scope", "submission");
  assert.equal((await visitor.post("/account/app-passwords", both)).status, 200);
  assert.equal(
    rowsOf((await visitor.get("/account/app-passwords")).html, "App")[0]?.[1],
    "Everything",
  );
  const refused: [Record<string, string>, RegExp][] = [
    [{ name: "phone", scope: "imap" }, /already/],
    [{ name: "tablet" }, /good for/],
    [{ name: "tablet", scope: "everything" }, /good for/],
    [{ name: " ", scope: "imap" }, /one line/],
    [{ name: "a\nb", scope: "imap" }, /one line/],
    [{ name: "x".repeat(101), scope: "imap" }, /one line/],
  ];
  for (const [fields, problem] of refused) {
    const page = await visitor.post("/account/app-passwords", fields);
    assert.equal(page.status, 422);
    assert.match(noticeOf(page.html), problem);
    if (fields.name === "tablet") assert.match(page.html, /value="tablet"/);
  }
  for (let i = 0; i < 40; i++) {
    await visitor.post("/account/app-passwords", { name: `p${i}`, scope: "imap" });
  }
  const page = await visitor.post("/account/app-passwords", { name: "one more", scope: "imap" });
  assert.match(noticeOf(page.html), /as many app passwords/);
});

/** Makes a certificate as the page says how to. */
async function followRecipe(html: string, folder: string): Promise<string> {
  const recipe = textOf(/<pre[^>]*>(.*?)<\/pre>/s.exec(html)?.[1] ?? "");
  assert.match(recipe, /^openssl req/);
  // The password of the last file is asked for on the terminal.
  const script = recipe.replace("-out key.p12", "-out key.p12 -passout pass:x");
  const { code, stderr } = await run(folder, "sh", ["-e", "-c", script]);
  assert.equal(code, 0, stderr);
  for (const file of ["key.pem", "key.p12"]) assert.ok((await Deno.stat(`${folder}/${file}`)).size);
  return await Deno.readTextFile(`${folder}/cert.pem`);
}

Deno.test("a key made by the recipe on the page is added, changed and removed", async () => {
  await using house = await SiteHouse.open();
  const { id } = await house.account("alice");
  const { credentials } = house.store.directory;
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const folder = await Deno.makeTempDir({ prefix: "postern-recipe-" });
  let pem: string;
  let key: string;
  try {
    pem = await followRecipe((await visitor.get("/account/keys")).html, folder);
    key = await Deno.readTextFile(`${folder}/key.pem`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const form = new FormData();
  // People send both in one file.
  form.set("file", new File([key, pem], "cert.pem"));
  form.set("name", "");
  assert.equal(noticeOf((await visitor.post("/account/keys", form)).html), "The key was added.");
  const [added] = await credentials.listClientKeys(id);
  assert.ok(added);
  const { fingerprint } = added;
  assert.deepEqual(
    [added.name, added.keyType, added.allowsPreauth, added.address],
    ["phone", "ECDSA prime256v1", false, "alice@example.org"],
  );

  const twice = await visitor.post("/account/keys", { pem, name: "other", preauth: "yes" });
  assert.equal(twice.status, 422);
  assert.match(noticeOf(twice.html), /already/);
  assert.match(twice.html, /value="other"/);
  assert.match(twice.html, /<input[^>]*name="preauth"[^>]*checked/);
  assert.match(twice.html, /BEGIN CERTIFICATE/);

  const bob = house.visitor();
  await bob.logIn("bob");
  for (const path of ["preauth", "remove"]) {
    const page = await bob.post(`/account/keys/${path}`, { fingerprint, allow: "yes" });
    assert.match(noticeOf(page.html), /^There is no such key/);
  }
  await visitor.post("/account/keys/preauth", { fingerprint, allow: "yes" });
  assert.equal((await credentials.findClientKey(fingerprint))?.allowsPreauth, true);
  const page = await visitor.post("/account/keys/preauth", { fingerprint, allow: "" });
  assert.equal(noticeOf(page.html), "The key was changed.");
  assert.deepEqual(house.host.told, []);
  await visitor.post("/account/keys/remove", { fingerprint });
  assert.deepEqual(await credentials.listClientKeys(id), []);
  assert.deepEqual(house.host.told, [`tellSecurity ${id}`]);
});

Deno.test("what is no certificate is refused, and a private key is not sent back", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const refused: [Record<string, string>, RegExp][] = [
    [{ name: "phone" }, /Send a certificate/],
    [{ name: "phone", pem: "no certificate" }, /not a certificate/],
    [{ name: "a\nb", pem: "x" }, /one line/],
    [{ pem: "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----" }, /not a certif/],
  ];
  for (const [fields, problem] of refused) {
    const page = await visitor.post("/account/keys", fields);
    assert.equal(page.status, 422);
    assert.match(noticeOf(page.html), problem);
    assert.doesNotMatch(page.html, /c2VjcmV0/);
  }
});

Deno.test("settings keep known capabilities from the account, and say what is deleted when", async () => {
  await using house = await SiteHouse.open();
  house.retention.push("Mail in Trash is deleted after 30 days.");
  const { directory } = house.store;
  const { id } = await house.account("alice");
  await directory.addAddress("info@example.org", id);
  await directory.setDisabledCapabilities(id, ["OLDONE"]);
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const { html } = await visitor.get("/account/settings");
  assert.match(html, /info@example\.org/);
  assert.match(html, /Mail in Trash is deleted after 30 days\./);
  assert.match(html, /<input[^>]*value="OLDONE"[^>]*checked/);
  const form = new FormData();
  for (const name of ["NOTIFY", "OLDONE", "IDLE", "IDLE", "INVENTED"]) form.append("without", name);
  const page = await visitor.post("/account/settings", form);
  assert.match(noticeOf(page.html), /^The settings were saved/);
  assert.deepEqual((await house.account("alice")).disabledCapabilities, [
    ...["IDLE", "NOTIFY", "OLDONE"],
  ]);
  await visitor.post("/account/settings", {});
  assert.deepEqual((await house.account("alice")).disabledCapabilities, []);
});

Deno.test("a form with more in it than any has, or that is none, is refused", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const large = await visitor.post("/account/keys", { pem: "x".repeat(MAX_FORM_BYTES) });
  assert.equal(large.status, 413);
  const response = await house.answer(
    new Request("https://mail.example.org/account/keys", {
      method: "POST",
      body: "x",
      headers: {
        "content-type": "multipart/form-data; boundary=y",
        "sec-fetch-site": "same-origin",
        cookie: [...visitor.cookies].map((cookie) => cookie.join("=")).join("; "),
      },
    }),
  );
  assert.equal(response.status, 422);
  await response.body?.cancel();
});

Deno.test("no page of an account is shown, and no form taken, without logging in", async () => {
  await using house = await SiteHouse.open();
  await house.store.directory.addAccount(
    "carol@example.org",
    await makeVerifier(PASSWORD, TEST_COSTS),
  );
  for (
    const path of ["", "/logins", "/password", "/app-passwords", "/keys", "/settings", "/transfer"]
  ) {
    assert.equal((await house.visitor().get(`/account${path}`)).path, "/account/login");
    if (path === "" || path === "/logins") continue;
    assert.equal((await house.visitor().post(`/account${path}`, {})).path, "/account/login");
  }
  for (const path of ["events", "export", "import", "abort", "forget"]) {
    const visitor = house.visitor();
    const isForm = !["events", "export"].includes(path);
    const page = await (isForm
      ? visitor.post(`/account/transfer/${path}`, {})
      : visitor.get(`/account/transfer/${path}`));
    assert.equal(page.path, "/account/login");
  }
});
