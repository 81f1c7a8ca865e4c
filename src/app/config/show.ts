import { stringify } from "smol-toml";
import { toConfig } from "./config.ts";
import type { LoadedFile } from "./load.ts";

/** Keys whose values are never printed. Names of files with secrets are no secrets. */
const SECRET = /(?:^|_)(?:password|secret|token|username)$/;

/** What stands for a secret. */
const MASK = "(hidden)";

/** The configuration with defaults filled in and secrets masked, as the file would spell it. */
export function maskedContent(loaded: LoadedFile): Record<string, unknown> {
  const { content } = loaded;
  const { hostname, log, gate } = toConfig(loaded);
  const filled = {
    ...content,
    hostname,
    // Their defaults depend on other settings.
    log: { ...content.log, addresses: log.addresses },
    limits: {
      ...content.limits,
      connections_per_address: gate.openConnections,
      connections_per_minute: gate.connectionsPerMinute,
      failed_logins_per_minute: gate.failuresPerMinute,
      failed_logins_per_day: gate.failuresPerDay,
    },
  };
  return mask(filled) as Record<string, unknown>;
}

/** The same as TOML. */
export function writeConfig(loaded: LoadedFile): string {
  return stringify(maskedContent(loaded));
}

function mask(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mask);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, SECRET.test(key) ? MASK : mask(inner)]),
  );
}
