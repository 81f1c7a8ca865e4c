import assert from "node:assert/strict";
import { makeVerifier } from "../../src/auth/mod.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { TestClient } from "../support/client.ts";
import { TEST_COSTS } from "../support/server.ts";
import { eventually, type LiveHouse, PASSWORD, withLiveServer } from "./live_house.ts";

/** The pages of a whole server, over TLS, as the web route serves them. */

const ALPN = `
[[listener]]
kind = "alpn"
address = "127.0.0.1:0"
[listener.routes]
"http/1.1" = "web"
none = "web"
`;

const CHATMAIL_BEHIND_PROXY = `
[[listener]]
kind = "web"
address = "127.0.0.1:0"
[web]
trusted_proxies = ["127.0.0.1"]
[chatmail]
domain = "example.org"
min_available_memory = "1M"
min_free_disk_space = "1M"
`;

class Browser {
  readonly #origin: string;
  readonly #client: Deno.HttpClient;
  readonly #cookies = new Map<string, string>();

  constructor(house: LiveHouse) {
    this.#origin = `https://127.0.0.1:${house.port("alpn")}`;
    const caCerts = [Deno.readTextFileSync(`${house.folder}/data/self-signed.pem`)];
    this.#client = Deno.createHttpClient({ caCerts });
  }

  async get(path: string, init: RequestInit = {}): Promise<{ url: string; html: string }> {
    const headers = new Headers(init.headers);
    headers.set("cookie", [...this.#cookies].map((cookie) => cookie.join("=")).join("; "));
    const response = await fetch(this.#origin + path, {
      ...init,
      headers,
      redirect: "manual",
      client: this.#client,
    } as RequestInit);
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      this.#cookies.set(name, value);
    }
    const html = await response.text();
    const location = response.headers.get("location");
    return location === null ? { url: path, html } : await this.get(location);
  }

  async post(path: string, fields: Record<string, string>): Promise<{ url: string; html: string }> {
    const headers = { origin: this.#origin };
    return await this.get(path, { method: "POST", headers, body: new URLSearchParams(fields) });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

Deno.test("who logs in to the pages sees the sessions of the account, and ends one", async () => {
  await withLiveServer(async (house) => {
    using browser = new Browser(house);
    const phone = await TestClient.connect(house.port("imaps"), { tls: true });
    await phone.ok(`LOGIN alice@example.org "${PASSWORD.replace(/["\\]/g, "\\$&")}"`);
    await phone.ok('ID ("name" "A phone")');

    assert.equal((await browser.get("/account")).url, "/account/login");
    const { url, html } = await browser.post("/account/login", {
      address: "alice@example.org",
      password: PASSWORD,
    });
    assert.equal(url, "/account");
    assert.match(html, /A phone/);
    const id = house.server.host.connections()
      .find(({ account, protocol }) => protocol === "imap" && account?.id === house.alice)?.id;
    await browser.post("/account/sessions/end", { id: String(id) });
    assert.match(await phone.response(), /^\* BYE /);
    await eventually(() => house.server.host.connections().every((one) => one.id !== id));
  }, ALPN);
});

Deno.test("the admin's password opens the admin's pages of a running server", async () => {
  await withLiveServer(async (house) => {
    using browser = new Browser(house);
    const store = await openSqliteStore({ dataDir: `${house.folder}/data` });
    await store.directory.setAdminVerifier(await makeVerifier("the admin's own", TEST_COSTS));
    await store.close();
    assert.equal((await browser.post("/admin/login", { password: PASSWORD })).url, "/admin/login");
    const { url, html } = await browser.post("/admin/login", { password: "the admin's own" });
    assert.equal(url, "/admin");
    assert.match(html, /Overview/);
  }, ALPN);
});

Deno.test("an admin sees who is connected, ends a connection, and disables an account", async () => {
  await withLiveServer(async (house) => {
    using browser = new Browser(house);
    const store = await openSqliteStore({ dataDir: `${house.folder}/data` });
    await store.directory.setAdminVerifier(await makeVerifier("the admin's own", TEST_COSTS));
    await store.close();
    await browser.post("/admin/login", { password: "the admin's own" });

    const logIn = async (name: string) => {
      const phone = await TestClient.connect(house.port("imaps"), { tls: true });
      await phone.ok(`LOGIN ${name}@example.org "${PASSWORD.replace(/["\\]/g, "\\$&")}"`);
      await phone.ok('ID ("name" "A phone")');
      return phone;
    };
    const phone = await logIn("alice");
    const { html } = await browser.get("/admin/connections?protocol=imap&search=alice");
    assert.match(html, /A phone/);
    const [, id = ""] = /name="id" value="(\d+)"/.exec(html) ?? [];
    assert.match((await browser.post("/admin/connections/end", { id })).html, /was ended/);
    assert.match(await phone.response(), /^\* BYE /);

    const again = await logIn("alice");
    const path = `/admin/accounts/${house.alice}`;
    await browser.post(`${path}/status`, { status: "disabled", message: "Call the office." });
    assert.match(await again.response(), /^\* BYE /);
    assert.match((await browser.get(path)).html, /Call the office\./);

    const bob = await logIn("bob");
    await browser.post(`/admin/accounts/${house.bob}/delete`, { days: "0" });
    assert.match(await bob.response(), /^\* BYE /);
    await browser.post("/admin/bans/allow", { network: "127.0.0.0/8" });
    for (const page of ["accounts", "logins", "bans", "queue", "charts", "server"]) {
      const { url, html } = await browser.get(`/admin/${page}`);
      assert.equal(url, `/admin/${page}`);
      assert.doesNotMatch(html, /Something went wrong/);
    }
    const { times } = JSON.parse((await browser.get("/admin/charts/data?range=7d")).html);
    assert.equal(times.length, 336);
  }, ALPN);
});

Deno.test("behind a reverse proxy each client has a limit of its own on accounts that it asks for", async () => {
  await withLiveServer(async (house) => {
    const ask = async (client: string) => {
      const response = await fetch(`http://127.0.0.1:${house.port("web")}/new`, {
        method: "POST",
        headers: { "x-forwarded-for": client, "x-forwarded-proto": "https" },
      });
      await response.body?.cancel();
      return response.status;
    };
    for (let i = 0; i < 12; i++) assert.equal(await ask(`192.0.2.${i}`), 200);
    const statuses = [];
    for (let i = 0; i < 12; i++) statuses.push(await ask("192.0.2.99"));
    assert.ok(statuses.includes(429), statuses.join(" "));
  }, CHATMAIL_BEHIND_PROXY);
});
