import assert from "node:assert/strict";
import { makeVerifier } from "../../src/auth/mod.ts";
import { METRIC_TABLE } from "../../src/base/mod.ts";
import { isReachedByStrangers } from "../../src/app/metrics_reach.ts";
import { handleMetricsRequest } from "../../src/web/mod.ts";
import { openSqliteHistory, openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { isInstalled } from "../interop/programs.ts";
import { RawClient } from "../delivery/raw_client.ts";
import { TestClient } from "../support/client.ts";
import { PASSWORD, TEST_COSTS, USER } from "../support/server.ts";
import { type ServerProcess, startPostern, withFolder } from "./postern_process.ts";

const LISTENERS = ["imaps", "imap", "lmtp", "web", "metrics"]
  .map((kind) => `[[listener]]\nkind = "${kind}"\naddress = "127.0.0.1:0"\n`).join("");

/** The samples of a page of metrics, by their name and labels as printed. */
type Page = ReadonlyMap<string, number>;

interface House {
  readonly server: ServerProcess;
  port(kind: string): number;
  get(path: string): Promise<Response>;
  scrape(): Promise<Page>;
  readonly dataDir: string;
}

/** Runs `body` beside a server process, as users start it, with one account. */
async function withServer(body: (house: House) => Promise<void>): Promise<void> {
  await withFolder(async ({ path, config }) => {
    const dataDir = `${path}/data`;
    const store = await openSqliteStore({ dataDir });
    await store.directory.addDomain("example.org");
    await store.directory.addAccount(USER, await makeVerifier(PASSWORD, TEST_COSTS));
    await store.close();
    const server = await startPostern(["serve", "--config", config]);
    const get = (path: string) => fetch(`http://${server.address("metrics")}${path}`);
    const port = (kind: string) => Number(server.address(kind).split(":")[1]);
    try {
      await body({ server, port, get, scrape: async () => parse(await get("/metrics")), dataDir });
    } finally {
      const { code, stderr } = await server.stop("SIGTERM");
      assert.equal(code, 0, stderr);
    }
  }, LISTENERS);
}

async function parse(response: Response): Promise<Page> {
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  const page = new Map<string, number>();
  for (const line of (await response.text()).split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const at = line.lastIndexOf(" ");
    page.set(line.slice(0, at), Number(line.slice(at + 1)));
  }
  return page;
}

/** Waits for what happens a moment later, such as the end of a connection. */
async function eventually(house: House, what: string, holds: (page: Page) => boolean) {
  for (let i = 0; i < 50; i++) {
    if (holds(await house.scrape())) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`waited in vain for ${what}`);
}

function command(cmd: string, result: string): string {
  return `postern_imap_command_duration_seconds_count{cmd="${cmd}",result="${result}"}`;
}

Deno.test("what clients do is seen in the numbers", () =>
  withServer(async (house) => {
    const before = await house.scrape();
    const rises = async (name: string, by: number) => {
      const rise = ((await house.scrape()).get(name) ?? 0) - (before.get(name) ?? 0);
      assert.equal(rise, by, name);
    };
    const client = await TestClient.connect(house.port("imaps"), { tls: true });
    assert.equal((await client.cmd(`LOGIN ${USER} wrong`)).status, "NO");
    assert.equal((await client.cmd(`LOGIN ${USER} "${PASSWORD}"`)).status, "OK");
    const attempt = 'postern_authentication_total{kind="imap",variant="LOGIN",result=';
    await rises(`${attempt}"badpassword"}`, 1);
    await rises(`${attempt}"ok"}`, 1);
    await rises('postern_logging_level_warn_total{room="auth"}', 1);
    await rises('postern_imap_connection_total{service="imaps"}', 1);
    const open = 'postern_connections_count{protocol="imap",listener="imaps"}';
    assert.equal((await house.scrape()).get(open), 1);

    const lmtp = await RawClient.connect(house.server.address("lmtp"));
    await lmtp.reply();
    const lines = ["LHLO test", "MAIL FROM:<ann@example.net>", `RCPT TO:<${USER}>`];
    for (const line of lines) assert.match(await lmtp.ask(line), /^250/);
    assert.match(await lmtp.ask("DATA"), /^354/);
    assert.match(await lmtp.ask("Subject: one\r\n\r\ntext\r\n."), /^250/);
    await rises('postern_deliveries_total{protocol="LMTP",result="delivered"}', 1);
    assert.ok(((await house.scrape()).get('postern_bytes_in_total{protocol="lmtp"}') ?? 0) > 80);

    await client.ok("SELECT INBOX");
    await client.ok("FETCH 1 (FLAGS)");
    await client.cmd("FETCH 1 (");
    await client.cmd("XSTRANGE1 a");
    await client.cmd("XSTRANGE2 a");
    await client.cmd("SELECT Nowhere");
    await rises(command("FETCH", "ok"), 1);
    await rises(command("FETCH", "badsyntax"), 1);
    await rises(command("SELECT", "usererror"), 1);
    // What strangers say is no label.
    await rises(command("other", "badsyntax"), 2);

    const idle = await client.idle();
    await rises("postern_idle_sessions", 1);
    await idle.done();
    await rises("postern_idle_sessions", 0);
    await rises(command("IDLE", "ok"), 1);

    const page = await house.scrape();
    assert.ok(
      (page.get('postern_store_operation_duration_seconds_count{operation="commit"}') ?? 0) > 0,
    );
    assert.ok((page.get("postern_process_resident_memory_bytes") ?? 0) > 2 ** 24);
    assert.ok((page.get("postern_disk_free_bytes") ?? 0) > 0);
    assert.ok((page.get("postern_process_cpu_seconds_total") ?? 0) > 0);
    assert.equal(page.get("postern_queue_length"), 0);
    assert.equal(page.get("postern_store_open_accounts"), 1);
    assert.equal(page.get('postern_panic_total{room="imap"}'), 0);
    const expiry = 'postern_certificate_expiry_timestamp_seconds{name="mail.example.org"}';
    assert.ok((page.get(expiry) ?? 0) > Date.now() / 1000);
    await eventually(house, "what accounts hold", (page) =>
      page.get("postern_messages") === 1 && (page.get("postern_storage_bytes") ?? 0) > 20);

    client.close();
    await eventually(house, "the end of the connection", (page) =>
      page.get(open) === 0);
  }));

Deno.test("every series printed is of a metric in the table", () =>
  withServer(async (house) => {
    const names = new Set(Object.keys(METRIC_TABLE));
    for (const series of (await house.scrape()).keys()) {
      const name = series.replace(/\{.*/, "");
      assert.ok(names.has(name) || names.has(name.replace(/_(bucket|sum|count)$/, "")), series);
    }
  }));

Deno.test("health and readiness have addresses beside the metrics, and the public pages have none", () =>
  withServer(async (house) => {
    for (
      const [path, status, text] of [["/healthz", 200, "ok"], ["/readyz", 200, "ready"]] as const
    ) {
      const response = await house.get(path);
      assert.deepEqual([response.status, await response.text()], [status, `${text}\n`]);
    }
    assert.equal((await house.get("/")).status, 404);
    for (const path of ["/metrics", "/healthz", "/readyz"]) {
      const response = await fetch(`http://${house.server.address("web")}${path}`);
      assert.equal(response.status, 404, path);
      assert.doesNotMatch(await response.text(), /postern_/);
    }
    assert.doesNotMatch(house.server.stderr(), /listener metrics/, "loopback needs no warning");
  }));

Deno.test("who is not ready says why, and a gauge that cannot be read hides no counter", async () => {
  const ask = (path: string, problem: string | undefined, method = "GET") =>
    handleMetricsRequest(new Request(`http://localhost${path}`, { method }), {
      measure: () => Promise.reject(new Error("the queue is broken")),
      problem: async () => problem,
    });
  const response = await ask("/readyz", "the server is stopping");
  assert.equal(response.status, 503);
  assert.equal(await response.text(), "the server is stopping\n");
  assert.equal((await ask("/healthz", "the server is stopping")).status, 200);
  assert.match(await (await ask("/metrics", undefined)).text(), /^postern_panic_total/m);
  assert.equal((await ask("/metrics", undefined, "POST")).status, 405);
});

Deno.test("a server that stops is not ready, and says so until the end", () =>
  withServer(async (house) => {
    const lmtp = await RawClient.connect(house.server.address("lmtp"));
    await lmtp.reply();
    for (const line of ["LHLO test", "MAIL FROM:<>", `RCPT TO:<${USER}>`, "DATA"]) {
      await lmtp.ask(line);
    }
    // A message that does not end keeps the server for a moment.
    lmtp.send("Subject: unfinished\r\n");
    house.server.kill("SIGTERM");
    let response: Response | undefined;
    for (let i = 0; i < 20 && response?.status !== 503; i++) {
      await response?.body?.cancel();
      await new Promise((resolve) => setTimeout(resolve, 20));
      response = await house.get("/readyz");
    }
    assert.equal(response?.status, 503);
    assert.equal(await response?.text(), "the server is stopping\n");
    assert.equal((await house.get("/healthz")).status, 200);
    lmtp.destroy();
  }));

Deno.test("a sample of what was counted is written when the server stops", async () => {
  await withFolder(async ({ path, config }) => {
    const dataDir = `${path}/data`;
    const server = await startPostern(["serve", "--config", config]);
    const client = await TestClient.connect(Number(server.address("imaps").split(":")[1]), {
      tls: true,
    });
    await client.cmd(`LOGIN ${USER} wrong`);
    client.close();
    await server.stop("SIGTERM");
    const history = await openSqliteHistory(dataDir);
    const now = Math.floor(Date.now() / 1000);
    const { values } = await history.read({
      from: now - 900,
      to: now + 1,
      step: 901,
      series: ["loginsFailed", "loginsOk", "memoryBytes"],
    });
    await history.close();
    assert.deepEqual(values.slice(0, 2), [[1], [0]]);
    assert.ok((values[2]?.[0] ?? 0) > 2 ** 24);
  }, LISTENERS);
});

Deno.test("a broken history.db costs charts, and nothing else", async () => {
  await withFolder(async ({ path, config }) => {
    await Deno.mkdir(`${path}/data`);
    await Deno.writeTextFile(
      `${path}/data/history.db`,
      "no database at all, but long enough".repeat(99),
    );
    const server = await startPostern(["serve", "--config", config]);
    assert.match(server.stderr(), /there will be no charts, history\.db cannot be used/);
    assert.equal((await fetch(`http://${server.address("metrics")}/readyz`)).status, 200);
    assert.equal((await server.stop("SIGTERM")).code, 0);
  }, LISTENERS);
});

Deno.test("loopback and private addresses are not for strangers, all others are", () => {
  const inner = [
    ...["127.0.0.1:9100", "[::1]:9100", "localhost:9100", "unix:/run/metrics", "10.1.2.3:1"],
    ...["192.168.1.1:1", "172.31.0.1:1", "[fd00::1]:1", "[fe80::1]:1", "[::ffff:10.0.0.1]:1"],
  ];
  const outer = [
    "0.0.0.0:9100",
    "[::]:9100",
    "198.51.100.1:1",
    "172.32.0.1:1",
    "mail.example.org:1",
  ];
  for (const address of inner) assert.equal(isReachedByStrangers(address), false, address);
  for (const address of outer) assert.equal(isReachedByStrangers(address), true, address);
});

Deno.test({
  name: "the README's lines for watching a server do what it says",
  ignore: !isInstalled("curl"),
  fn: async () => {
    const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
    const [, section = ""] = /^## Watching it\n(.*?)^## /ms.exec(readme) ?? [];
    const [, toml = ""] = /```toml\n(.*?)```/s.exec(section) ?? [];
    const named = [...section.matchAll(/`(postern_\w+)/g)].map(([, name = ""]) => name);
    assert.ok(named.length > 10);
    for (const name of named) assert.ok(name === "postern_" || name in METRIC_TABLE, name);
    await withFolder(async ({ config }) => {
      const server = await startPostern(["serve", "--config", config]);
      try {
        const said: string[] = [];
        for (const [line] of section.matchAll(/^curl .*/gm)) {
          const command = line.replace("127.0.0.1:9154", server.address("metrics"));
          const { code, stdout } = await new Deno.Command("sh", { args: ["-c", command] }).output();
          assert.equal(code, 0, line);
          said.push(new TextDecoder().decode(stdout));
        }
        assert.deepEqual(said.slice(0, 2), ["ready\n", "ok\n"]);
        assert.match(said[2] ?? "", /^postern_panic_total/m);
      } finally {
        await server.stop("SIGTERM");
      }
    }, toml.replace(":9154", ":0"));
  },
});
