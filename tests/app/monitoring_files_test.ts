import assert from "node:assert/strict";
import dashboard from "../../scripts/grafana-dashboard.json" with { type: "json" };
import { METRIC_TABLE, metrics, type MetricSpec, writeMetrics } from "../../src/base/mod.ts";
import { isInstalled } from "../interop/programs.ts";

const ALERTS = new URL("../../scripts/prometheus-alerts.yml", import.meta.url);
const TABLE: Readonly<Record<string, MetricSpec>> = METRIC_TABLE;

const EXPRESSIONS = dashboard.panels.flatMap((panel) =>
  "targets" in panel ? (panel.targets ?? []).map(({ expr }) => expr) : []
);

function assertDeclared(text: string, where: string): void {
  const names = text.match(/postern_\w+/g) ?? [];
  for (const name of names) {
    const base = name.replace(/_(bucket|sum|count)$/, "");
    assert.ok(name in TABLE || TABLE[base]?.kind === "histogram", `${name} in ${where}`);
  }
}

/** A test that runs `promtool`; without it, it is skipped and says so. */
function promtoolTest(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !isInstalled("promtool"),
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "postern-promtool-" });
      try {
        await body(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** What it says, with what it says of errors; `code` 0: nothing is wrong. */
async function promtool(args: readonly string[], stdin = "") {
  const child = new Deno.Command("promtool", {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("the dashboard and the alerts name only metrics that there are", async () => {
  assert.ok(EXPRESSIONS.length > 50);
  for (const expr of EXPRESSIONS) assertDeclared(expr, expr);
  assertDeclared(await Deno.readTextFile(ALERTS), "the alerts");
});

Deno.test("the dashboard shows what an admin asks for, without overlapping panels", () => {
  const shown = EXPRESSIONS.join("\n");
  for (
    const name of [
      ...["authentication", "connections_count", "imap_command_duration_seconds", "deliveries"],
      ...["queue_length", "storage_bytes", "process_resident_memory_bytes", "panic"],
      ...["eventloop_delay_seconds"],
    ]
  ) assert.ok(shown.includes(`postern_${name}`), name);
  const cells = new Set<string>();
  for (const { gridPos: { x, y, w, h }, title } of dashboard.panels) {
    assert.ok(x + w <= 24, title);
    for (let i = x; i < x + w; i++) {
      for (let j = y; j < y + h; j++) {
        assert.ok(!cells.has(`${i} ${j}`), `${title} at ${i} ${j}`);
        cells.add(`${i} ${j}`);
      }
    }
  }
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

promtoolTest(
  "Prometheus takes the alerts, and every expression of the dashboard",
  async (folder) => {
    const alerts = await promtool(["check", "rules", ALERTS.pathname]);
    assert.equal(alerts.code, 0, alerts.text);
    const rules = EXPRESSIONS.map((expr, i) => ({
      record: `expression:${i}`,
      expr: expr.replaceAll("$__rate_interval", "5m").replaceAll("$instance", ".*"),
    }));
    // JSON is YAML.
    await Deno.writeTextFile(
      `${folder}/rules.yml`,
      JSON.stringify({ groups: [{ name: "dashboard", rules }] }),
    );
    const result = await promtool(["check", "rules", `${folder}/rules.yml`]);
    assert.equal(result.code, 0, result.text);
  },
);

promtoolTest("Prometheus takes the metrics, and minds one name only", async () => {
  for (const [name, spec] of Object.entries(TABLE)) {
    // One series of each, for gauges too.
    const labels = Object.keys(spec.labels).map((label) => [label, "x"]);
    if (spec.kind === "gauge") {
      metrics.set(name as "postern_accounts", Object.fromEntries(labels), 1);
    }
  }
  const { text } = await promtool(["check", "metrics"], (await writeMetrics(metrics)).text);
  // The name is that of the reference, which dashboards know.
  assert.match(text, /^postern_connections_count .*_count.*\n$/);
});

promtoolTest(
  "the first panic, an old queue and a certificate near its end raise an alert",
  async (folder) => {
    const at = (alertname: string, eval_time: string, exp_alerts: unknown[]) => ({
      alertname,
      eval_time,
      exp_alerts,
    });
    const tests = [{
      interval: "1m",
      input_series: [
        { series: 'postern_panic_total{room="imap"}', values: "0x10 1x20" },
        { series: "postern_queue_oldest_age_seconds", values: "0+600x60" },
        {
          series: 'postern_certificate_expiry_timestamp_seconds{name="a.example"}',
          values: "604800x200",
        },
        { series: 'up{job="postern",instance="a"}', values: "1x10 0x100" },
      ],
      alert_rule_test: [
        at("PosternPanic", "10m", []),
        at("PosternQueueOld", "20m", []),
        at("PosternDown", "10m", []),
        at("PosternCertificateExpiresSoon", "100m", []),
      ],
    }];
    await Deno.writeTextFile(
      `${folder}/tests.yml`,
      JSON.stringify({ rule_files: [ALERTS.pathname], tests }),
    );
    const quiet = await promtool(["test", "rules", `${folder}/tests.yml`]);
    assert.equal(quiet.code, 0, quiet.text);
    const later = ["PosternPanic", "PosternQueueOld", "PosternDown", "PosternCertificateExpires"];
    const times = ["11m", "45m", "14m", "100m"];
    for (const [i, alertname] of later.entries()) {
      const rule = at(alertname, times[i] ?? "", []);
      const loud = [{ ...tests[0], alert_rule_test: [rule] }];
      await Deno.writeTextFile(
        `${folder}/loud.yml`,
        JSON.stringify({ rule_files: [ALERTS.pathname], tests: loud }),
      );
      const result = await promtool(["test", "rules", `${folder}/loud.yml`]);
      assert.match(result.text, new RegExp(`got:\\[[^]*alertname="${alertname}"`), alertname);
    }
  },
);
