import type { Challenges } from "../acme/mod.ts";
import type { RouteTable, RouteTarget } from "../net/mod.ts";
import type { ListenerConfig, RoutesConfig } from "./config/config.ts";

/**
 * The routes of an alpn listener, in the order of the configuration.
 * `challenges` answers those who validate names.
 */
export function buildRouteTable(
  { routes, namedRoutes }: ListenerConfig,
  challenges: Challenges,
): RouteTable {
  const build = (config: RoutesConfig) => {
    const targets = [...config].map(([protocol, target]): [string, RouteTarget] => [
      protocol,
      target.kind === "own" && target.name === "acme"
        ? {
          kind: "validation",
          certificateFor: (name) => challenges.certificateFor(name),
        }
        : target,
    ]);
    const none = targets.find(([protocol]) => protocol === "none")?.[1];
    return {
      protocols: new Map(targets.filter(([protocol]) => protocol !== "none")),
      ...(none ? { none } : {}),
    };
  };
  const byName = new Map([...namedRoutes].map(([name, config]) => [name, build(config)]));
  return { ...build(routes), byName };
}
