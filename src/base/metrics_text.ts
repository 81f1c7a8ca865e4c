import type { Gauge } from "prom-client";
import type { Metric, Metrics } from "./metrics.ts";

/** The metrics in the text format of Prometheus, and the media type of that. */
export async function writeMetrics(
  metrics: Metrics,
): Promise<{ contentType: string; text: string }> {
  // Loaded when somebody asks, which for most commands and many servers is never: it takes 60 ms.
  const { Registry } = await import("prom-client");
  const registry = new Registry();
  for (const metric of metrics.all()) {
    const { name, spec: { help, kind: type } } = metric;
    const values = type === "histogram" ? splitHistogram(metric) : metric.series;
    // It writes what it did not count, since its own counters make a string for each increase; its
    // types know of no other metrics than those.
    const written = { name, get: () => Promise.resolve({ name, help, type, values }) };
    registry.registerMetric(written as unknown as Gauge);
  }
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/** Buckets that each hold all below them, sum and count. */
function splitHistogram({ name, spec: { buckets = [] }, series }: Metric) {
  const bounds = [...buckets.map(String), "+Inf"];
  return series.flatMap(({ labels, value, counts = [] }) => {
    let count = 0;
    return [
      ...bounds.map((le, i) => ({
        metricName: `${name}_bucket`,
        labels: { ...labels, le },
        value: count += counts[i] ?? 0,
      })),
      { metricName: `${name}_sum`, labels, value },
      { metricName: `${name}_count`, labels, value: count },
    ];
  });
}
