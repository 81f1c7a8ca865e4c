import assert from "node:assert/strict";
import { makeVerifier } from "../../src/auth/mod.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { RawClient } from "../delivery/raw_client.ts";
import { TestClient } from "../support/client.ts";
import { PASSWORD, TEST_COSTS, USER } from "../support/server.ts";
import { startPostern, withFolder } from "./postern_process.ts";

const LISTENERS = ["imaps", "lmtp"]
  .map((kind) => `[[listener]]\nkind = "${kind}"\naddress = "127.0.0.1:0"\n`).join("");

interface Span {
  readonly name: string;
  readonly scope: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface Otlp {
  readonly resourceSpans: {
    readonly scopeSpans: {
      readonly scope: { readonly name: string };
      readonly spans: {
        readonly name: string;
        readonly attributes: { key: string; value: Readonly<Record<string, unknown>> }[];
      }[];
    }[];
  }[];
}

/** Takes OTLP over HTTP in JSON, as a collector does. */
function openCollector() {
  const spans: Span[] = [];
  const paths = new Set<string>();
  let all = "";
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      paths.add(pathname);
      const text = await request.text();
      all += text;
      if (pathname === "/v1/traces") {
        for (const { scopeSpans } of (JSON.parse(text) as Otlp).resourceSpans) {
          for (const { scope, spans: some } of scopeSpans) {
            for (const { name, attributes } of some) {
              const entries = attributes.map(({ key, value }) => [key, Object.values(value)[0]]);
              spans.push({ name, scope: scope.name, attributes: Object.fromEntries(entries) });
            }
          }
        }
      }
      return Response.json({});
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  return { url, spans, paths, all: () => all, close: () => server.shutdown() };
}

async function prepare(path: string): Promise<void> {
  const store = await openSqliteStore({ dataDir: `${path}/data` });
  await store.directory.addDomain("example.org");
  await store.directory.addAccount(USER, await makeVerifier(PASSWORD, TEST_COSTS));
  await store.close();
}

Deno.test("each command and each delivery is a span, which names nobody", async () => {
  const collector = openCollector();
  await withFolder(async ({ path, config }) => {
    await prepare(path);
    const server = await startPostern(["serve", "--config", config], {
      env: {
        OTEL_DENO: "true",
        OTEL_DENO_CONSOLE: "ignore",
        OTEL_SERVICE_NAME: "postern",
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      },
    });
    const client = await TestClient.connect(Number(server.address("imaps").split(":")[1]), {
      tls: true,
    });
    await client.ok(`LOGIN ${USER} "${PASSWORD}"`);
    await client.ok("SELECT INBOX");
    await client.cmd("XSTRANGE secret-of-a-client");
    client.close();
    const lmtp = await RawClient.connect(server.address("lmtp"));
    await lmtp.reply();
    for (const line of ["LHLO test", "MAIL FROM:<ann@example.net>", `RCPT TO:<${USER}>`, "DATA"]) {
      await lmtp.ask(line);
    }
    assert.match(await lmtp.ask("Subject: confidential\r\n\r\ntext\r\n."), /^250/);
    lmtp.destroy();
    assert.equal((await server.stop("SIGTERM")).code, 0);
  }, LISTENERS);
  await collector.close();
  const ours = collector.spans.filter(({ scope }) => scope === "postern");
  const find = (name: string) => ours.find((span) => span.name === name)?.attributes;
  assert.equal(find("IMAP LOGIN")?.["postern.result"], "ok");
  assert.equal(find("IMAP SELECT")?.["postern.result"], "ok");
  assert.equal(find("IMAP other")?.["postern.result"], "badsyntax");
  assert.deepEqual(find("deliver"), {
    "postern.protocol": "LMTP",
    "postern.recipients": 1,
    "postern.delivered": 1,
  });
  for (const secret of [USER, PASSWORD, "secret-of-a-client", "ann@example.net", "confidential"]) {
    assert.ok(!collector.all().includes(secret), secret);
  }
  assert.ok(!collector.paths.has("/v1/logs"));
});

Deno.test("a server whose collector is gone serves and stops like any other", async () => {
  await withFolder(async ({ path, config }) => {
    await prepare(path);
    const server = await startPostern(["serve", "--config", config], {
      env: { OTEL_DENO: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" },
    });
    const client = await TestClient.connect(Number(server.address("imaps").split(":")[1]), {
      tls: true,
    });
    await client.ok(`LOGIN ${USER} "${PASSWORD}"`);
    client.close();
    const { code, ms } = await server.stop("SIGTERM");
    assert.equal(code, 0);
    assert.ok(ms < 6_000, `${ms} ms`);
  }, LISTENERS);
});
