import type { Config } from "./config/config.ts";

/** Keys that differ and that a running server does not follow. */
export function changedKeys(old: Config, now: Config): string[] {
  const settings: [string, (config: Config) => unknown][] = [
    ["hostname", (config) => config.hostname],
    ["data_dir", (config) => config.dataDir],
    ["tls.min_version", (config) => config.tls.minVersion],
    ["tls.acme", (config) => config.tls.acme ?? null],
    [
      "listener",
      ({ listeners }) =>
        listeners.map((each) => ({
          ...each,
          routes: [...each.routes],
          namedRoutes: [...each.namedRoutes].map(([name, routes]) => [name, [...routes]]),
        })),
    ],
    ["auth.allow_plaintext", (config) => config.allowPlaintext],
    ["auth.channel_binding", (config) => config.channelBinding],
    ["auth.unauthenticate", (config) => config.unauthenticate],
    ["auth.oauth", (config) => config.oauth],
    ["limits.max_message_size", (config) => config.maxMessageBytes],
    ["limits.message_limit", (config) => config.messageLimit],
    ["limits.save_limit", (config) => config.saveLimit],
    ["limits.max_connections", (config) => config.maxConnections],
    ["limits.connections_per_address", ({ gate }) => gate.openConnections],
    ["limits.connections_per_minute", ({ gate }) => gate.connectionsPerMinute],
    ["limits.failed_logins_per_minute", ({ gate }) => gate.failuresPerMinute],
    ["limits.failed_logins_per_day", ({ gate }) => gate.failuresPerDay],
    ["limits.max_connections_per_user", (config) => config.maxConnectionsPerUser],
    ["limits.messages_per_minute", ({ sending }) => sending.messagesPerMinute],
    ["limits.messages_burst", ({ sending }) => sending.burst],
    ["relay", ({ relay }) => relay ?? null],
    ["quota.default", (config) => config.defaultQuotaBytes],
    ["retention.trash", ({ trashAfterMs }) => trashAfterMs ?? null],
    ["chatmail", (config) => config.chatmail ?? null],
  ];
  return settings
    .filter(([, get]) => JSON.stringify(get(old)) !== JSON.stringify(get(now)))
    .map(([key]) => key);
}
