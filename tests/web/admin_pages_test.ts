import assert from "node:assert/strict";
import { StoreError } from "../../src/store/mod.ts";
import { ADMIN_ROUTES } from "../../src/web/admin/mod.tsx";
import { ADMIN_PAGE, CONNECTIONS_PAGE } from "../../src/web/limits.ts";
import { bytesOf } from "../store/fixture.ts";
import { furnish } from "./admin_furniture.ts";
import { noticeOf, rowsOf } from "./page_text.ts";
import { ADMIN_PASSWORD, NOW, PASSWORD, SiteHouse, type Visitor } from "./site_house.ts";

const DAY_MS = 86_400_000;

/** A house, and a browser in which the admin is logged in. */
async function open(): Promise<{ house: SiteHouse; admin: Visitor }> {
  const house = await SiteHouse.open();
  const admin = house.visitor();
  await admin.logInAsAdmin();
  return { house, admin };
}

function secretOf(html: string): string {
  return /<output class="secret">([^<]*)/.exec(html)?.[1] ?? "";
}

async function addQueued(house: SiteHouse, sender: string, lastError = ""): Promise<number> {
  const seconds = NOW / 1000;
  const content = async function* () {
    yield bytesOf("Subject: x\r\n\r\nText\r\n");
  };
  const recipients = [{ address: "carol@elsewhere.example", due: seconds + 900, lastError }];
  const times = { queued: seconds, expires: seconds + 86_400 };
  return await house.queue.add({ sender, ...times, isUtf8: false, recipients }, content());
}

Deno.test("nothing below /admin answers to a browser without the admin's cookie", async () => {
  await using house = await SiteHouse.open();
  const alice = house.visitor();
  await alice.logIn("alice");
  const [[, cookie = ""] = []] = [...alice.cookies];
  // The cookie of an account, by the name of the admin's.
  const forger = house.visitor();
  forger.cookies.set("__Host-admin", cookie);
  assert.ok(ADMIN_ROUTES.length > 30);
  for (const visitor of [house.visitor(), alice, forger]) {
    for (const [method, route] of ADMIN_ROUTES) {
      const path = `/admin${route.replace(":id", "1")}`;
      const page = await (method === "GET" ? visitor.get(path) : visitor.post(path, {}));
      assert.deepEqual([page.path, page.status], ["/admin/login", 200], path);
    }
  }
  assert.deepEqual(house.host.told, []);
  assert.ok(await house.store.directory.getAccount((await house.account("alice")).id));
});

Deno.test("every page answers on a host that has nothing of anything", async () => {
  const { house, admin } = await open();
  await using _ = house;
  for (const [method, route] of ADMIN_ROUTES) {
    if (method !== "GET") continue;
    const id = String((await house.account("alice")).id);
    const { status } = await admin.get(`/admin${route === "/" ? "" : route.replace(":id", id)}`);
    assert.equal(status, route === "/queue/drop" ? 404 : 200, route);
    if (!route.includes(":id")) continue;
    for (const missing of ["99", "x", "0"]) {
      assert.equal((await admin.get(`/admin${route.replace(":id", missing)}`)).status, 404);
    }
  }
});

Deno.test("the overview says what is wrong, when certificates end and what goes where", async () => {
  const { house, admin } = await open();
  await using _ = house;
  assert.equal(noticeOf((await admin.get("/admin")).html), "Everything looks well.");
  await furnish(house);
  const { html } = await admin.get("/admin");
  assert.match(html, /The certificate of imap\.example\.net expires in 5 days\./);
  assert.match(html, /alice@example\.org is 90 % full\./);
  assert.deepEqual(rowsOf(html, "Certificates"), [
    ["mail.example.org", "acme", "Example CA", "In 35 days"],
  ]);
  assert.equal(
    rowsOf(html, "Listeners")[1]?.[2],
    "imap → imap, smtp → submission, http/1.1 → web, none → web",
  );
  assert.match(html, /2 messages, the oldest for 60 minutes/);
  assert.match(html, /<strong>44 GiB<\/strong><small>in all accounts/);
  assert.equal(html.match(/<svg class="spark"/g)?.length, 4);
  const [certificate] = house.host.facts.certificates;
  assert.ok(certificate);
  const late = { ...certificate, notAfterMs: NOW - DAY_MS * 3, problem: "no answer" };
  house.host.facts = { ...house.host.facts, certificates: [late] };
  assert.equal(
    rowsOf((await admin.get("/admin")).html, "Certificates")[0]?.[3],
    "Expired 3 days agoNo answer.",
  );
});

Deno.test("domains are added, disabled, enabled and removed; refusals are explained", async () => {
  const { house, admin } = await open();
  await using _ = house;
  const path = "/admin/domains";
  await admin.post(path, { name: " New.Example ", disabled: "yes" });
  const rows = async () => rowsOf((await admin.get(path)).html, "Domains");
  assert.deepEqual(await rows(), [
    ["example.org", "Is taken", "2", "Remove"],
    ["new.example", "Disabled", "0", "Remove"],
  ]);
  const again = await admin.post(path, { name: "new.example" });
  assert.equal(again.status, 422);
  assert.match(noticeOf(again.html), /exists already/);
  assert.match(again.html, /value="new\.example"/);
  assert.equal((await admin.post(path, { name: "not a domain<" })).status, 422);
  await admin.post(`${path}/change`, { name: "new.example", disabled: "" });
  assert.equal((await rows())[1]?.[1], "Is taken");
  await admin.post(`${path}/change`, { name: "new.example", disabled: "yes" });
  assert.equal((await rows())[1]?.[1], "Disabled");

  const question = await admin.get(`${path}/remove?name=example.org`);
  assert.match(question.html, /example\.org<\/strong>/);
  const refused = await admin.post(`${path}/remove`, { name: "example.org" });
  assert.equal(refused.status, 422);
  assert.match(noticeOf(refused.html), /still in this domain/);
  const removed = await admin.post(`${path}/remove`, { name: "new.example" });
  assert.equal(noticeOf(removed.html), "The domain was removed.");
  for (const action of ["remove", "change"]) {
    const gone = await admin.post(`${path}/${action}`, { name: "new.example" });
    assert.equal(noticeOf(gone.html), "There is no such domain any more.");
  }
});

Deno.test("accounts are added with a password that is shown once, or typed and never shown", async () => {
  const { house, admin } = await open();
  await using _ = house;
  const path = "/admin/accounts/new";
  const made = await admin.post(path, { address: "carol@example.org" });
  const password = secretOf(made.html);
  assert.match(password, /^[a-z2-9-]{23}$/);
  assert.equal((await house.visitor().logIn("carol", password)).path, "/account");
  const { id } = await house.account("carol");
  assert.ok(!(await admin.get(`/admin/accounts/${id}`)).html.includes(password));

  const typed = { address: "dave@example.org", password: PASSWORD };
  const added = await admin.post(path, typed);
  assert.equal(noticeOf(added.html), "The account was added.");
  assert.equal((await house.visitor().logIn("dave")).path, "/account");

  for (
    const [fields, problem] of [
      [{ ...typed, address: "dave@example.org" }, /taken/],
      [{ ...typed, address: "eve@elsewhere.example" }, /no(?:t.*| such) domain/i],
      [{ ...typed, address: "no address" }, /./],
      [{ ...typed, address: "eve@example.org", password: "short" }, /./],
    ] as const
  ) {
    const page = await admin.post(path, fields);
    assert.equal(page.status, 422);
    assert.match(noticeOf(page.html), problem);
    assert.ok(page.html.includes(`value="${fields.address}"`));
    assert.ok(!page.html.includes(`value="${fields.password}"`), "a password is not shown");
  }
});

Deno.test("accounts are found and shown fifty at a time, without opening any", async () => {
  const { house, admin } = await open();
  await using _ = house;
  const { directory } = house.store;
  await directory.addDomain("big.example");
  for (let i = 0; i < 120; i++) {
    const name = `p${String(i).padStart(3, "0")}`;
    const { id } = await directory.addAccount(`${name}@big.example`, "{}");
    const quota = { usedBytes: i * 1024, limitBytes: 100 * 1024, usedMessages: 1 };
    house.quotas.set(id, { ...quota, usedMailboxes: 1, deletedBytes: 0 });
  }
  house.store.openAccount = () => Promise.reject(new Error("a list opens no account"));
  const list = async (query: string) => {
    const { status, html } = await admin.get(`/admin/accounts?${query}`);
    assert.equal(status, 200);
    return { html, rows: rowsOf(html, "Accounts") };
  };
  const first = await list("search=BIG.example");
  assert.equal(first.rows.length, ADMIN_PAGE);
  assert.deepEqual(first.rows[1]?.slice(0, 4), [
    ...["p001@big.example", "Active", "1.0 KiB", "100 KiB"],
  ]);
  assert.match(first.html, /Page 1 of 3/);
  const last = await list("search=big.example&page=3");
  assert.equal(last.rows.length, 20);
  assert.equal(last.rows[16]?.[1], "116 % full");
  const { id } = await directory.resolveAddress("p116@big.example") ?? {};
  assert.ok(id);
  await directory.setAccountQuota(id, 1024 ** 2);
  assert.equal((await list("search=p116")).rows[0]?.[1], "Active");
  assert.match(last.html, /href="\/admin\/accounts\?search=big\.example&amp;page=2">Previous/);
  assert.equal((await list("page=9999")).rows.length, 0);
  assert.equal((await list("page=x'")).rows.length, ADMIN_PAGE);
  assert.equal((await list("search=%25")).rows.length, 0);
});

Deno.test("an account is disabled with a message and enabled, and its limit is changed", async () => {
  const { house, admin } = await open();
  await using _ = house;
  const { id } = await house.account("alice");
  const path = `/admin/accounts/${id}`;
  const { directory } = house.store;
  for (const message of ["", "x".repeat(501)]) {
    const page = await admin.post(`${path}/status`, { status: "disabled", message });
    assert.equal(page.status, 422);
    assert.ok(message === "" || page.html.includes(message));
  }
  assert.equal((await directory.getAccount(id))?.disabledMessage, undefined);
  await admin.post(`${path}/status`, { status: "disabled", message: "gone <fishing>" });
  assert.equal((await directory.getAccount(id))?.disabledMessage, "gone <fishing>");
  assert.match((await admin.get(path)).html, /gone &lt;fishing&gt;/);
  await admin.post(`${path}/status`, { status: "enabled" });
  assert.equal((await directory.getAccount(id))?.disabledMessage, undefined);
  assert.deepEqual(house.host.told, [`tellSecurity ${id}`, `tellSecurity ${id}`]);

  for (
    const [quota, bytes] of [
      ["500M", 500 * 1024 ** 2],
      ["2G", 2 * 1024 ** 3],
      ["none", null],
      ["default", undefined],
    ] as const
  ) {
    await admin.post(`${path}/quota`, { quota });
    assert.equal((await directory.getAccount(id))?.quotaBytes, bytes);
    assert.ok((await admin.get(path)).html.includes(`value="${quota}"`));
  }
  const refused = await admin.post(`${path}/quota`, { quota: "much" });
  assert.equal(refused.status, 422);
  assert.match(refused.html, /value="much"/);

  await admin.post(`${path}/capabilities`, { without: "IDLE" });
  assert.deepEqual((await directory.getAccount(id))?.disabledCapabilities, ["IDLE"]);
  await admin.post(`${path}/capabilities`, { without: "X-UNKNOWN" });
  assert.deepEqual((await directory.getAccount(id))?.disabledCapabilities, []);
});

Deno.test("an account gets another password, made up or typed", async () => {
  const { house, admin } = await open();
  await using _ = house;
  const { id } = await house.account("alice");
  const path = `/admin/accounts/${id}/password`;
  const password = secretOf((await admin.post(path, {})).html);
  assert.equal((await house.visitor().logIn("alice")).status, 403);
  assert.equal((await house.visitor().logIn("alice", password)).path, "/account");
  const short = await admin.post(path, { password: "short" });
  assert.equal(short.status, 422);
  assert.doesNotMatch(short.html, /value="short"/);
  const typed = await admin.post(path, { password: PASSWORD });
  assert.match(noticeOf(typed.html), /was changed/);
  assert.equal((await house.visitor().logIn("alice")).path, "/account");
  assert.deepEqual(house.host.told, [`tellSecurity ${id}`, `tellSecurity ${id}`]);
});

Deno.test("aliases come and go on the account's page and on the list of all", async () => {
  const { house, admin } = await open();
  await using _ = house;
  const { id } = await house.account("alice");
  const bob = await house.account("bob");
  const path = `/admin/accounts/${id}`;
  await admin.post(`${path}/aliases`, { alias: "info@example.org" });
  const taken = await admin.post(`${path}/aliases`, { alias: "bob@example.org" });
  assert.equal(taken.status, 422);
  assert.match(taken.html, /value="bob@example\.org"/);
  await admin.post("/admin/aliases", { alias: "@example.org", owner: "bob@example.org" });
  const rows = async (query = "") =>
    rowsOf((await admin.get(`/admin/aliases?search=${query}`)).html, "Aliases");
  assert.deepEqual(await rows(), [
    ["All else @example.org", "bob@example.org", ""],
    ["info@example.org", "alice@example.org", ""],
  ]);
  assert.deepEqual(await rows("ALICE"), [["info@example.org", "alice@example.org", ""]]);
  for (
    const [alias, owner] of [
      ["x@elsewhere.example", "bob@example.org"],
      ["x@example.org", "nobody@elsewhere.example"],
      ["x@example.org", "no address"],
    ]
  ) {
    const page = await admin.post("/admin/aliases", { alias: alias ?? "", owner: owner ?? "" });
    assert.equal(page.status, 422);
    assert.ok(page.html.includes(`value="${owner}"`));
  }
  // One of another account is out of reach of this one's page.
  const other = await admin.post(`${path}/aliases/remove`, { alias: "@example.org" });
  assert.equal(noticeOf(other.html), "That was gone already.");
  assert.deepEqual(await house.store.directory.listAddresses(bob.id), ["@example.org"]);
  await admin.post(`${path}/aliases/remove`, { alias: "info@example.org" });
  await admin.post("/admin/aliases/remove", { alias: "@example.org" });
  assert.deepEqual(await rows(), []);
  const gone = await admin.post("/admin/aliases/remove", { alias: "@example.org" });
  assert.equal(noticeOf(gone.html), "There is no such alias any more.");
});

Deno.test("keys and app passwords of an account are removed after a question", async () => {
  const { house, admin } = await open();
  await using _ = house;
  await furnish(house);
  const { id } = await house.account("alice");
  const bob = await house.account("bob");
  const { credentials } = house.store.directory;
  const path = `/admin/accounts/${id}`;
  const { html } = await admin.get(path);
  const links = [...html.matchAll(/href="([^"]*credentials\/remove[^"]*)"/g)]
    .map(([, href = ""]) => href.replaceAll("&amp;", "&"));
  assert.equal(links.length, 2);
  house.host.told.length = 0;
  for (const link of links) {
    const fields = Object.fromEntries(new URLSearchParams(link.split("?")[1]));
    assert.match((await admin.get(link)).html, /will no longer get in/);
    const others = await admin.post(`/admin/accounts/${bob.id}/credentials/remove`, fields);
    assert.equal(noticeOf(others.html), "That was gone already.");
    await admin.post(`${path}/credentials/remove`, fields);
  }
  assert.deepEqual(await credentials.listClientKeys(id), []);
  assert.deepEqual(await credentials.listAppPasswords(id), []);
  assert.deepEqual(house.host.told, [`tellSecurity ${id}`, `tellSecurity ${id}`]);
});

Deno.test("an account is deleted now, or after days in which it can be kept", async () => {
  const { house, admin } = await open();
  await using _ = house;
  const { directory } = house.store;
  const alice = await house.account("alice");
  const path = `/admin/accounts/${alice.id}`;
  assert.match((await admin.get(`${path}/delete`)).html, /In 7 days/);
  for (const [days, count] of [["7", 7], ["30", 30], ["", 7]] as const) {
    const page = await admin.post(`${path}/delete`, { days });
    assert.match(page.html, /This account will be deleted 2026-12/);
    const found = await directory.getAccount(alice.id);
    assert.equal(found?.removeAt, (NOW + count * DAY_MS) / 1000);
    assert.match(found?.disabledMessage ?? "", /will be removed on/);
  }
  await admin.post(`${path}/status`, { status: "enabled" });
  assert.equal((await directory.getAccount(alice.id))?.removeAt, undefined);
  const deleted = await admin.post(`${path}/delete`, { days: "0" });
  assert.deepEqual([deleted.path.split("?")[0], noticeOf(deleted.html)], [
    "/admin/accounts",
    "The account was deleted, with all its mail.",
  ]);
  assert.equal(await directory.getAccount(alice.id), undefined);
  assert.equal(house.host.told.length, 5);
  assert.equal((await admin.post(`${path}/delete`, { days: "0" })).status, 404);
});

Deno.test("connections are found by account and protocol, and ended", async () => {
  const { house, admin } = await open();
  await using _ = house;
  const alice = await house.account("alice");
  house.host.connect({ account: alice });
  const id = house.host.connect({ protocol: "submission", client: "<b>", mailbox: "" });
  house.host.connect({ account: await house.account("bob"), remote: "198.51.100.1" });
  const rows = async (query: string) =>
    rowsOf((await admin.get(`/admin/connections?${query}`)).html, "Open connections");
  assert.equal((await rows("")).length, 3);
  assert.equal((await rows("search=ALICE"))[0]?.[0], "alice@example.org");
  assert.equal((await rows("search=198.51.100")).length, 1);
  const [found] = await rows("protocol=submission");
  assert.deepEqual(found?.slice(0, 4), ["Nobody yet", "<b>", "192.0.2.44", "Submission"]);
  const ended = await admin.post("/admin/connections/end", { id: String(id), protocol: "imap" });
  assert.match(ended.path, /protocol=imap/);
  assert.equal(noticeOf(ended.html), "The connection was ended.");
  assert.equal(house.host.live.length, 2);
  for (const gone of [String(id), "", "x"]) {
    const page = await admin.post("/admin/connections/end", { id: gone });
    assert.equal(noticeOf(page.html), "That connection had ended already.");
  }
  const back = await admin.post("/admin/connections/end", { id: "1", account: String(alice.id) });
  assert.equal(back.path, `/admin/accounts/${alice.id}?done=ended`);
  for (let i = 0; i <= CONNECTIONS_PAGE; i++) house.host.connect({});
  assert.equal((await rows("")).length, CONNECTIONS_PAGE);
});

Deno.test("attempts to log in are filtered and paged; the admin's are among them", async () => {
  const { house, admin } = await open();
  await using _ = house;
  await furnish(house);
  const list = async (query: string) => {
    const { html } = await admin.get(`/admin/logins?${query}`);
    return { html, rows: rowsOf(html, "Attempts") };
  };
  const first = await list("");
  assert.equal(first.rows.length, ADMIN_PAGE);
  assert.deepEqual(first.rows[0]?.slice(1, 6), [
    ...["Administrator", "Logged in", "Firefox", "192.0.2.7", "Web page, ADMIN"],
  ]);
  const older = /href="([^"]*before=[^"]*)"/.exec(first.html)?.[1] ?? "";
  const second = rowsOf((await admin.get(older.replaceAll("&amp;", "&"))).html, "Attempts");
  assert.equal(first.rows.length + second.length, 71);
  const failures = await list("failures=yes");
  assert.equal(failures.rows.length, 18);
  assert.ok(failures.rows.every(([, , result]) => result === "Failed: wrong password"));
  assert.equal((await list("search=mutt&failures=yes")).rows.length, 4);
  const own = await list("account=info@example.org");
  assert.ok(own.rows.length === ADMIN_PAGE && own.rows.every(([, name]) => name?.startsWith("al")));
  for (const account of ["nobody@elsewhere.example", "no address"]) {
    const none = await list(`account=${account}`);
    assert.deepEqual([none.rows, noticeOf(none.html)], [[], `There is no account ${account}.`]);
  }
});

Deno.test("networks are forgiven, allowed and treated like others again", async () => {
  const { house, admin } = await open();
  await using _ = house;
  await furnish(house);
  const path = "/admin/bans";
  const rows = async (caption: string) => rowsOf((await admin.get(path)).html, caption);
  const [ban] = await rows("Networks that must wait");
  assert.equal(ban?.[0], "203.0.113.9/32");
  assert.match(ban?.[1] ?? "", /50 failed logins/);
  assert.equal(ban?.[3], "23 hours more");
  house.time += 24 * 3_600_000;
  await admin.logInAsAdmin();
  assert.deepEqual(await rows("Networks that must wait"), []);
  house.time = NOW;
  await admin.logInAsAdmin();
  for (const network of ["x", "198.51.100.1", ""]) {
    const page = await admin.post(`${path}/remove`, { network });
    assert.equal(noticeOf(page.html), "That was gone already.");
  }
  assert.deepEqual(house.host.told, []);
  await admin.post(`${path}/remove`, { network: "203.0.113.9" });
  assert.deepEqual(await rows("Networks that must wait"), []);

  const refused = await admin.post(`${path}/allow`, { network: "10.0.0.0/33" });
  assert.equal(refused.status, 422);
  assert.match(refused.html, /value="10\.0\.0\.0\/33"/);
  await admin.post(`${path}/allow`, { network: " 2001:DB8::1/32 " });
  assert.deepEqual(await house.store.directory.listAllowedNetworks(), [
    "10.0.0.0/8",
    "2001:db8::/32",
  ]);
  await admin.post(`${path}/disallow`, { network: "10.0.0.0/8" });
  await admin.post(`${path}/disallow`, { network: "10.0.0.0/8" });
  assert.deepEqual(await rows("Networks that are always"), [["2001:db8::/32", ""]]);
  assert.deepEqual(house.host.told, ["tellNetworks", "tellNetworks", "tellNetworks"]);
});

Deno.test("the queue is shown, tried again and dropped after a question", async () => {
  const { house, admin } = await open();
  await using _ = house;
  const path = "/admin/queue";
  const first = await addQueued(house, "alice@example.org", "451 <greylisted>");
  const second = await addQueued(house, "");
  const [row] = rowsOf((await admin.get(path)).html, "Messages that wait");
  assert.equal(
    row?.[1],
    "carol@elsewhere.exampleNot tried yet, next in 15 minutes451 <greylisted>",
  );
  await admin.post(`${path}/retry`, { id: String(second) });
  const due = async () => (await house.queue.listDue(NOW / 1000, 9)).map(({ id }) => id);
  assert.equal((await house.queue.get(first))?.recipients[0]?.due, NOW / 1000 + 900);
  await admin.post(`${path}/retry`, {});
  assert.deepEqual(await due(), [first, second]);
  assert.deepEqual(house.host.told, ["tellQueue", "tellQueue"]);
  assert.match((await admin.get(`${path}/drop?id=${first}`)).html, /alice@example\.org/);
  assert.ok(await house.queue.get(first), "asking drops nothing");
  await admin.post(`${path}/drop`, { id: String(first) });
  assert.equal(await house.queue.get(first), undefined);
  for (const action of ["drop", "retry"]) {
    const gone = await admin.post(`${path}/${action}`, { id: String(first) });
    assert.equal(noticeOf(gone.html), "That message is no longer in the queue.");
  }
  assert.equal((await admin.get(`${path}/drop?id=x`)).status, 404);
});

Deno.test("log levels are changed for all rooms and for one; the configuration is shown", async () => {
  const { house, admin } = await open();
  await using _ = house;
  const path = "/admin/server/log-level";
  await admin.post(path, { level: "debug" });
  assert.equal(house.host.level, "debug");
  await admin.post(path, { room: "imap", "room-level": "trace" });
  assert.deepEqual([...house.host.rooms], [["imap", "trace"]]);
  const { html } = await admin.get("/admin/server");
  assert.deepEqual(rowsOf(html, "Rooms"), [["imap", "trace", ""]]);
  assert.match(html, /password = &quot;\(hidden\)&quot;/);
  await admin.post(path, { room: "imap", "room-level": "" });
  assert.equal(house.host.rooms.size, 0);
  for (
    const fields of [{ level: "loud" }, { level: "" }, { room: "attic", "room-level": "info" }]
  ) {
    assert.equal((await admin.post(path, fields as Record<string, string>)).status, 422);
  }
  assert.equal(house.host.level, "debug");
});

Deno.test("charts have the numbers of a day, a week or 30 days, as tables and as JSON", async () => {
  const { house, admin } = await open();
  await using _ = house;
  await furnish(house);
  for (const [range, points, rows] of [["24h", 288, 24], ["7d", 336, 28], ["30d", 360, 30]]) {
    const data = await admin.get(`/admin/charts/data?range=${range}`);
    assert.match(data.headers.get("content-type") ?? "", /^application\/json/);
    const { times, series } = JSON.parse(data.html);
    assert.equal(times.length, points);
    assert.equal(series.loginsOk.length, points);
    assert.ok(series.connectionsImap.at(-1) > 50);
    const { html } = await admin.get(`/admin/charts?range=${range}`);
    const table = rowsOf(html, "Logins,");
    assert.equal(table.length, rows);
    assert.match(table[0]?.[0] ?? "", /^2026-11-24 /);
    assert.match(rowsOf(html, "Storage")[0]?.[1] ?? "", /^4[01] GiB$/);
  }
  assert.match((await admin.get("/admin/charts?range=9y")).html, /range=24h" aria-current="page"/);
});

Deno.test("the admin's password is changed: other browsers are out, this one stays", async () => {
  const { house, admin } = await open();
  await using _ = house;
  const other = house.visitor();
  await other.logInAsAdmin();
  const path = "/admin/password";
  const fresh = "another password of the house";
  for (
    const [fields, problem] of [
      [{ new: fresh, again: fresh, present: "wrong password" }, /present password is wrong/],
      [{ new: fresh, again: `${fresh}!`, present: ADMIN_PASSWORD }, /both times/],
      [{ new: "short", again: "short", present: ADMIN_PASSWORD }, /./],
    ] as const
  ) {
    const page = await admin.post(path, fields);
    assert.equal(page.status, 422);
    assert.match(noticeOf(page.html), problem);
    assert.ok(!page.html.includes(`value="${fields.new}"`));
  }
  assert.equal((await other.get("/admin")).path, "/admin");
  const changed = await admin.post(path, { new: fresh, again: fresh, present: ADMIN_PASSWORD });
  assert.match(noticeOf(changed.html), /was changed/);
  assert.equal((await admin.get("/admin")).path, "/admin");
  assert.equal((await other.get("/admin")).path, "/admin/login");
  assert.equal((await other.logInAsAdmin()).status, 403);
  assert.equal((await other.logInAsAdmin(fresh)).path, "/admin");
});

Deno.test("an account whose mail cannot be read still has a page", async () => {
  const { house, admin } = await open();
  await using _ = house;
  house.store.openAccount = () => Promise.reject(new StoreError("corrupt", "The file is damaged."));
  const { status, html } = await admin.get("/admin/accounts/1");
  assert.equal(status, 200);
  assert.match(html, /The mail cannot be read/);
});

Deno.test("without a history there are no charts, and everything else", async () => {
  await using house = await SiteHouse.open({ keepsHistory: false });
  const admin = house.visitor();
  await admin.logInAsAdmin();
  assert.equal((await admin.get("/admin")).status, 200);
  assert.match(noticeOf((await admin.get("/admin/charts")).html), /Nothing is kept for charts/);
  assert.deepEqual(JSON.parse((await admin.get("/admin/charts/data")).html).times, []);
});

Deno.test("lists have a page more for the first row too many", async () => {
  const { house, admin } = await open();
  await using _ = house;
  for (let i = 0; i < ADMIN_PAGE; i++) await addQueued(house, `person${i}@example.org`);
  assert.doesNotMatch((await admin.get("/admin/queue")).html, /Page 1 of/);
  await addQueued(house, "last@example.org");
  assert.match((await admin.get("/admin/queue")).html, /Page 1 of 2/);
  assert.match((await admin.get("/admin/queue?page=2")).html, /last@example\.org/);
});
