import assert from "node:assert/strict";
import { MAX_SERIES, Metric, Metrics } from "../../src/base/metrics.ts";
import { METRIC_TABLE, ROOMS, writeMetrics } from "../../src/base/mod.ts";

Deno.test("what is counted under the same labels adds up", () => {
  const metrics = new Metrics();
  const attempt = { kind: "imap", variant: "PLAIN", result: "ok" };
  metrics.add("postern_authentication_total", attempt);
  metrics.add("postern_authentication_total", { ...attempt }, 2);
  metrics.add("postern_authentication_total", { ...attempt, result: "badpassword" });
  assert.equal(metrics.sum("postern_authentication_total", attempt), 3);
  assert.equal(metrics.sum("postern_authentication_total", { variant: "PLAIN" }), 4);
  assert.equal(metrics.sum("postern_authentication_total"), 4);
  metrics.add("postern_queue_messages_total");
  metrics.add("postern_queue_messages_total", undefined, 4);
  assert.equal(metrics.sum("postern_queue_messages_total"), 5);
});

Deno.test("only what the table declares can be counted", () => {
  const metrics = new Metrics();
  // @ts-expect-error: no such metric
  assert.throws(() => metrics.add("postern_typo_total"));
  // These are mistakes to the compiler alone: `deno check` sees to it that they are.
  // @ts-expect-error: no such label
  metrics.add("postern_queue_attempts_total", { outcome: "done" });
  // @ts-expect-error: not one of its values
  metrics.add("postern_panic_total", { room: "cellar" });
  // @ts-expect-error: a label is missing
  metrics.add("postern_authentication_total", { kind: "imap" });
  // @ts-expect-error: labels are missing
  metrics.add("postern_authentication_total");
  // @ts-expect-error: a histogram is observed
  metrics.add("postern_imap_command_duration_seconds", { cmd: "NOOP", result: "ok" });
  // @ts-expect-error: a counter is not set
  metrics.set("postern_queue_messages_total", {}, 3);
});

Deno.test("a histogram counts what is at most a bound, and all that is above", async () => {
  const metrics = new Metrics();
  const labels = { cmd: "FETCH", result: "ok" };
  for (const seconds of [0, .001, .0011, 20, 21]) {
    metrics.observe("postern_imap_command_duration_seconds", labels, seconds);
  }
  assert.equal(metrics.sum("postern_imap_command_duration_seconds", { cmd: "FETCH" }), 5);
  const { text } = await writeMetrics(metrics);
  const lines = text.split("\n").filter((line) => line.includes("duration_seconds"));
  for (
    const [series, value] of [
      ['_bucket{cmd="FETCH",result="ok",le="0.001"}', 2],
      ['_bucket{cmd="FETCH",result="ok",le="0.005"}', 3],
      ['_bucket{cmd="FETCH",result="ok",le="20"}', 4],
      ['_bucket{cmd="FETCH",result="ok",le="+Inf"}', 5],
      ['_count{cmd="FETCH",result="ok"}', 5],
      ['_sum{cmd="FETCH",result="ok"}', 41.0021],
    ]
  ) {
    const line = `postern_imap_command_duration_seconds${series} ${value}`;
    assert.ok(lines.includes(line), `${line}\n${lines.join("\n")}`);
  }
});

Deno.test("each room's panics are there at 0, so that an alert sees the first one", async () => {
  const metrics = new Metrics();
  const before = (await writeMetrics(metrics)).text;
  for (const room of ROOMS) {
    assert.match(before, new RegExp(`^postern_panic_total.*"${room}"} 0$`, "m"));
  }
  const error = new Error("x");
  error.stack = "Error: x\n    at f (file:///opt/postern/src/imap/commands/fetch.ts:1:1)";
  metrics.panic(error, "session");
  metrics.panic("not even an error", "session");
  metrics.panic(new Error("out of a test"), "app");
  for (const room of ["imap", "session", "app"] as const) {
    assert.equal(metrics.sum("postern_panic_total", { room }), 1, room);
  }
});

Deno.test("the rooms that are counted are those of the source", async () => {
  const folders = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL("../../src", import.meta.url))) {
    if (isDirectory) folders.push(name);
  }
  assert.deepEqual(folders.sort(), [...ROOMS].sort());
});

Deno.test("a gauge is not there before it is measured, and can be forgotten", async () => {
  const metrics = new Metrics();
  const name = "postern_certificate_expiry_timestamp_seconds";
  assert.doesNotMatch((await writeMetrics(metrics)).text, /^postern_disk_free_bytes/m);
  assert.doesNotMatch((await writeMetrics(metrics)).text, new RegExp(`^${name}`, "m"));
  metrics.set(name, { name: 'a"b\\c\n' }, 7);
  assert.ok((await writeMetrics(metrics)).text.includes(`${name}{name="a\\"b\\\\c\\n"} 7\n`));
  metrics.clear(name);
  assert.doesNotMatch((await writeMetrics(metrics)).text, new RegExp(`^${name}`, "m"));
});

Deno.test("label values without end share one series", () => {
  const metric = new Metric("postern_x_total", {
    kind: "counter",
    help: "",
    labels: { a: [], b: [] },
  });
  for (let i = 0; i < MAX_SERIES; i++) metric.at({ a: "a", b: String(i) }).value++;
  assert.equal(metric.series.length, MAX_SERIES);
  assert.ok(metric.series.every(({ labels }) => labels.b !== "other"));
  for (let i = 0; i < 10; i++) metric.at({ a: "b", b: `more ${i}` }).value++;
  assert.equal(metric.series.length, MAX_SERIES + 1);
  assert.deepEqual(metric.at({ a: "c", b: "c" }).labels, { a: "other", b: "other" });
  assert.equal(metric.at({ a: "c", b: "c" }).value, 10);
  assert.equal(metric.at({ a: "a", b: "7" }).value, 1, "those that are there go on");
});

Deno.test("names and help texts are as Prometheus wants them", () => {
  for (const [name, spec] of Object.entries(METRIC_TABLE)) {
    assert.match(name, /^postern_[a-z0-9_]+$/);
    assert.equal(name.endsWith("_total"), spec.kind === "counter", name);
    assert.match(spec.help, /^[A-Z].*\.$/, name);
    for (const label of Object.keys(spec.labels)) assert.match(label, /^[a-z_]+$/);
    assert.equal("buckets" in spec, spec.kind === "histogram", name);
  }
});
