/**
 * base: leaves that know nothing of mail. Laws: imports no other room; does nothing at import;
 * no module keeps state of its own except the metric registry, the tracer and the queue of turns, of
 * which a process needs one each.
 */
export * from "./bytes.ts";
export * from "./clock.ts";
export { errorReason } from "./error_reason.ts";
export * from "./ids.ts";
export * from "./latch.ts";
export * from "./log.ts";
export {
  type LabelsOf,
  METRIC_TABLE,
  type MetricName,
  type MetricOf,
  type MetricSpec,
  type Room,
  ROOMS,
} from "./metric_table.ts";
export { metrics } from "./metrics.ts";
export { writeMetrics } from "./metrics_text.ts";
export * from "./private_file.ts";
export * from "./quantity.ts";
export * from "./random.ts";
export * from "./range_set.ts";
export { openTracing, traced } from "./trace.ts";
export * from "./turn.ts";
export * from "./version.ts";
