import type { Attributes, Tracer } from "@opentelemetry/api";
import { VERSION } from "./version.ts";

/** Where Deno puts the interface of OpenTelemetry when OTEL_DENO=true was set, and only then. */
const OPEN_TELEMETRY = Symbol.for("opentelemetry.js.api.1");

let tracer: Tracer | undefined;

/** Has `traced` make spans from here on, if the process was started to be traced. */
export async function openTracing(): Promise<void> {
  // Loaded only then: that takes 30 ms.
  if (!(OPEN_TELEMETRY in globalThis)) return;
  const { trace } = await import("@opentelemetry/api");
  tracer = trace.getTracer("postern", VERSION);
}

/**
 * Does `work` within a span of OpenTelemetry, to which `work` may add attributes; without tracing it
 * just does it. Attributes leave the host: no names, addresses or content.
 */
export function traced<Result>(
  name: string,
  work: (note: (attributes: Attributes) => void) => Promise<Result>,
): Promise<Result> {
  if (tracer === undefined) return work(noteNothing);
  return tracer.startActiveSpan(name, async (span) => {
    try {
      return await work((attributes) => span.setAttributes(attributes));
    } catch (error) {
      span.setStatus({ code: ERROR, message: error instanceof Error ? error.name : "" });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** `SpanStatusCode.ERROR`, whose module is not loaded here. */
const ERROR = 2;

function noteNothing(): void {}
