import type { ListenerStatus } from "../../web/mod.ts";
import type { Config, ListenerConfig, RoutesConfig } from "../config/config.ts";
import { isReachedByStrangers } from "../metrics_reach.ts";

/** Listeners on which TLS is spoken, from the beginning or later. */
const TLS_KINDS: ReadonlySet<string> = new Set([
  "imap",
  "imaps",
  "alpn",
  "submission",
  "submissions",
]);

/** Whether clients are offered TLS at all. */
export function offersTls({ listeners }: Config): boolean {
  return listeners.some(({ kind }) => TLS_KINDS.has(kind));
}

/** Addresses of metrics listeners that strangers may reach. */
export function openMetrics({ listeners }: Config): string[] {
  return listeners
    .filter(({ kind, address }) => kind === "metrics" && isReachedByStrangers(address))
    .map(({ address }) => address);
}

/** Whether browsers are shown the pages of this server. */
export function hasPages({ listeners }: Config): boolean {
  return listeners.some(({ kind, routes, namedRoutes }) =>
    kind === "web" ||
    [routes, ...namedRoutes.values()].some((table) =>
      [...table.values()].some((target) => target.kind === "own" && target.name === "web")
    )
  );
}

/** Where a listener sends its clients. */
export function routesOf({ routes, namedRoutes }: ListenerConfig): ListenerStatus["routes"] {
  const of = (table: RoutesConfig, suffix: string) =>
    [...table].map(([protocol, target]) => ({
      protocol: protocol + suffix,
      target: "name" in target
        ? target.name
        : "host" in target
        ? `${target.kind}://${target.host}:${target.port}`
        : target.kind,
    }));
  return [
    ...of(routes, ""),
    ...[...namedRoutes].flatMap(([name, table]) => of(table, ` for ${name}`)),
  ];
}
