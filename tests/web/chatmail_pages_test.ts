import assert from "node:assert/strict";
import { mailServices } from "../../src/app/mail_services.ts";
import { InviteList, Registration, type RegistrationRules } from "../../src/chatmail/mod.ts";
import { ChatmailPages } from "../../src/web/mod.ts";
import { ModelStore } from "../store/model_store.ts";

const RULES: RegistrationRules = {
  domain: "chat.example",
  registration: "open",
  usernameMinLength: 9,
  usernameMaxLength: 9,
  passwordMinLength: 9,
  minAvailableMemoryBytes: 100,
  minFreeDiskBytes: 0,
};

interface Ask {
  ask(method: string, path: string, remote?: string): Promise<Response | undefined>;
  readonly store: ModelStore;
  readonly clock: { time: number };
  free: number;
}

async function withPages(
  rules: Partial<RegistrationRules>,
  run: (pages: Ask) => Promise<void>,
): Promise<void> {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "spring & summer\n");
  const store = new ModelStore();
  const all = { ...RULES, ...rules };
  await store.directory.addDomain(all.domain);
  const clock = { time: 1_000_000 };
  const host: Ask = {
    store,
    clock,
    free: 100,
    ask: (method, path, remote = "192.0.2.1") =>
      pages.answer(new Request(`http://localhost${path}`, { method }), remote),
  };
  const registration = new Registration(all, {
    directory: store.directory,
    resources: { availableMemoryBytes: () => host.free, freeDiskBytes: () => 0 },
    invites: new InviteList(file),
    clock: { now: () => clock.time },
  });
  const pages = new ChatmailPages(registration, [
    { protocol: "imap", port: 993, security: "SSL" },
    { protocol: "imap", port: 443, security: "SSL" },
    { protocol: "smtp", port: 443, security: "SSL" },
  ], { now: () => clock.time });
  try {
    await run(host);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("a phone gets a name and a password, and with the link its program", () =>
  withPages({}, async ({ ask, store }) => {
    const response = await ask("POST", "/new");
    assert.equal(response?.status, 200);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.equal(response.headers.get("cache-control"), "no-store");
    const { email, password, ...rest } = await response.json();
    assert.match(email, /^[a-z0-9]{9}@chat\.example$/);
    assert.match(password, /^[!-~]{12}$/);
    assert.deepEqual(rest, {});
    assert.deepEqual(await store.directory.listAccounts(), [], "the first login makes it");
    const link = await ask("GET", "/new");
    assert.equal(link?.status, 301);
    assert.equal(link.headers.get("location"), "dcaccount:https://chat.example/new");
    assert.equal(await ask("DELETE", "/new"), undefined);
    assert.equal(await ask("GET", "/elsewhere"), undefined);
  }));

Deno.test("the front page has a QR code that works without scripts, and names no product", () =>
  withPages({}, async ({ ask }) => {
    const response = await ask("GET", "/");
    assert.equal(response?.status, 200);
    const html = await response.text();
    assert.match(html, /<svg [^>]*viewBox="0 0 \d+ \d+"/);
    assert.match(html, /<a href="dcaccount:https:\/\/chat\.example\/new">/);
    assert.doesNotMatch(html, /<script|postern|delta/i);
  }));

Deno.test("an invitation is in the code and in the link, and needed for an account", () =>
  withPages({ registration: "invite" }, async ({ ask, store }) => {
    const without = await (await ask("GET", "/"))?.text();
    assert.doesNotMatch(without ?? "", /dcaccount|svg/);
    const refused = await ask("POST", "/new?t=autumn");
    assert.equal(refused?.status, 403);
    assert.match((await refused.json()).reason, /invitation/);
    const query = "?t=spring%20%26%20summer";
    const html = await (await ask("GET", `/${query}`))?.text();
    assert.match(
      html ?? "",
      /href="dcaccount:https:\/\/chat\.example\/new\?t=spring%20%26%20summer"/,
    );
    const { email } = await (await ask("POST", `/new${query}`))?.json();
    assert.deepEqual((await store.directory.listAccounts()).map(({ address }) => address), [email]);
  }));

Deno.test("a closed host gives nothing, and says so", () =>
  withPages({ registration: "closed" }, async ({ ask }) => {
    assert.equal((await ask("POST", "/new"))?.status, 403);
    assert.doesNotMatch(await (await ask("GET", "/"))?.text() ?? "", /dcaccount|svg/);
  }));

Deno.test("who asks too often, or when there is no room, is told why", () =>
  withPages({}, async (host) => {
    const statuses = async (remote: string, count: number) => {
      const all: (number | undefined)[] = [];
      for (let i = 0; i < count; i++) all.push((await host.ask("POST", "/new", remote))?.status);
      return all;
    };
    assert.deepEqual(await statuses("192.0.2.1", 6), [200, 200, 200, 200, 200, 429]);
    assert.deepEqual(await statuses("192.0.2.2", 1), [200]);
    host.clock.time += 1000;
    assert.deepEqual(await statuses("192.0.2.1", 3), [200, 200, 429]);
    host.clock.time += 60_000;
    host.free--;
    const short = await host.ask("POST", "/new");
    assert.equal(short?.status, 503);
    assert.match((await short.json()).reason, /later/);
  }));

Deno.test("a host that no authority vouches for says how to log in all the same", () =>
  withPages({ domain: "_chat.example" }, async ({ ask }) => {
    const { email, password, dclogin_url } = await (await ask("POST", "/new"))?.json();
    assert.equal(dclogin_url, `dclogin:${email}?p=${encodeURIComponent(password)}&v=1&ic=3`);
  }));

Deno.test("autoconfig has every way in, the ports that everybody knows first", () =>
  withPages({}, async ({ ask }) => {
    const response = await ask(
      "GET",
      "/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=a",
    );
    const xml = await response?.text() ?? "";
    assert.match(response?.headers.get("content-type") ?? "", /^text\/xml/);
    assert.deepEqual(
      [...xml.matchAll(/<(\w+Server) type="(\w+)">|<port>(\d+)</g)].map(([, , type, port]) =>
        type ?? port
      ),
      ["imap", "993", "imap", "443", "smtp", "443"],
    );
    const listener = (kind: string, address: string, routes: string[] = []) => ({
      kind: kind as "imap",
      address,
      routes: new Map(routes.map((name) => [name, { kind: "own", name: "imap" } as const])),
      namedRoutes: new Map(),
      trustedProxies: [],
      clientCertificates: false,
    });
    assert.deepEqual(
      mailServices([
        listener("alpn", "[::]:443", ["imap", "smtp"]),
        listener("imap", "0.0.0.0:143"),
        listener("submission", "0.0.0.0:587"),
        listener("lmtp", "unix:/run/lmtp"),
        listener("submissions", "0.0.0.0:465"),
        listener("imaps", "[::]:993"),
      ]).map(({ protocol, port, security }) => `${protocol} ${port} ${security}`),
      [
        "imap 993 SSL",
        "imap 143 STARTTLS",
        "imap 443 SSL",
        "smtp 465 SSL",
        "smtp 587 STARTTLS",
        "smtp 443 SSL",
      ],
    );
  }));
