import { logger, metrics, writeMetrics } from "../base/mod.ts";

/** What a monitoring system asks the server for. */
export interface MonitoredServer {
  /** Brings the gauges up to date. */
  measure(): Promise<void>;
  /** Why clients cannot be served now; undefined when they can. */
  problem(): Promise<string | undefined>;
}

/**
 * Answers a monitoring system: `/metrics` for Prometheus, `/healthz` (the process runs) and `/readyz`
 * (it serves clients, 503 with a reason when not). For a listener of its own, never for the public
 * pages: the numbers tell much of a host.
 */
export async function handleMetricsRequest(
  request: Request,
  server: MonitoredServer,
): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return text(405, "This can only be read.", { allow: "GET, HEAD" });
  }
  switch (new URL(request.url).pathname) {
    case "/metrics": {
      await server.measure().catch((error) => {
        logger("web").error("gauges are not up to date: {error}", { error });
      });
      const written = await writeMetrics(metrics);
      return new Response(written.text, { headers: { "content-type": written.contentType } });
    }
    case "/healthz":
      return text(200, "ok");
    case "/readyz": {
      const problem = await server.problem();
      return problem === undefined ? text(200, "ready") : text(503, problem);
    }
    default:
      return text(404, "There are /metrics, /healthz and /readyz.");
  }
}

function text(status: number, line: string, headers: Record<string, string> = {}): Response {
  return new Response(`${line}\n`, {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      ...headers,
    },
  });
}
