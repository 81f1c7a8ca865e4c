import type { Challenges } from "../acme/mod.ts";
import { logger } from "../base/mod.ts";
import {
  type ConnectionBudget,
  listen,
  type Listener,
  type ListenOptions,
  MAX_HANDSHAKES,
  NetError,
  type TlsOptions,
} from "../net/mod.ts";
import type { ListenerConfig } from "./config/config.ts";
import { Failure } from "./failure.ts";
import type { GateKeeper } from "./gate_keeper.ts";
import { reachWarning } from "./metrics_reach.ts";
import { buildRouteTable } from "./routes.ts";

export interface ListenerServices extends Pick<ListenOptions, "onConnection"> {
  readonly budget: ConnectionBudget;
  readonly keeper: Pick<GateKeeper, "accept" | "closed">;
  readonly challenges: Challenges;
  readonly tls: TlsOptions;
}

/** Listens as the configuration says. Throws Failure, which says what to do. */
export async function openListener(
  config: ListenerConfig,
  { budget, keeper: { accept, closed }, challenges, tls, onConnection }: ListenerServices,
): Promise<Listener> {
  const { kind, address, trustedProxies } = config;
  const options: ListenOptions = {
    kind,
    address,
    trustedProxies,
    budget,
    // A flood of half-open handshakes must leave room for those who are through.
    maxHandshakes: Math.min(MAX_HANDSHAKES, Math.ceil(budget.max / 4)),
    onConnection,
  };
  try {
    switch (kind) {
      case "imap":
        return await listen({ ...options, accept, closed });
      case "imaps":
        return await listen({ ...options, accept, closed, tls });
      case "submission":
        return await listen({
          ...options,
          accept: (remote) => smtpRefusal(accept(remote)),
          closed,
        });
      case "submissions":
        return await listen({ ...options, accept, closed, tls: { ...tls, alpn: ["smtp"] } });
      case "alpn": {
        const routes = buildRouteTable(config, challenges);
        return await listen({ ...options, accept, closed, tls, routes });
      }
      case "metrics": {
        const warning = reachWarning(config);
        if (warning !== undefined) logger("app").warn("{warning}", { warning });
        return await listen(options);
      }
      default:
        return await listen(options);
    }
  } catch (error) {
    if (error instanceof NetError) throw new Failure(listenProblem(error, kind));
    throw error;
  }
}

/** The gate's answer as a greeting of SMTP (RFC 5321 3.1). */
function smtpRefusal(answer: boolean | string): boolean | string {
  return typeof answer === "string" ? answer.replace(/^\* BYE \[\w+\]/, "421 4.7.0") : answer;
}

function listenProblem({ code, message }: NetError, kind: string): string {
  const advice = code === "in_use"
    ? "stop it, or choose another address"
    : message.startsWith("not permitted")
    ? 'ports below 1024 need the capability CAP_NET_BIND_SERVICE, as the unit of "postern ' +
      'quickstart" gives it; or choose a port above 1023'
    : "choose another address";
  return `listener ${kind}: ${message}; ${advice}`;
}
