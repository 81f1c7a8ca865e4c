/** Durations and sizes as people write them in the configuration and on the command line. */

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

export const DURATION_FORM = 'a duration with a unit, such as "30s", "5m", "12h" or "20d"';
export const SIZE_FORM = 'a size with a unit, such as "500K", "50M" or "2G"';
export const QUOTA_FORM = 'a size with a unit, such as "500M" or "2G", or "none"';

/** Milliseconds of "30s", "20d" and the like (ms, s, m, h, d, w); undefined when it is none. */
export function parseDurationMs(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d|w)$/.exec(text) ?? [];
  const unitMs = unit === undefined ? undefined : DURATION_UNITS_MS[unit];
  return unitMs === undefined ? undefined : Math.round(Number(amount) * unitMs);
}

/** Octets of "500M", "2G" and the like (B, K, M, G, T, powers of 1024); undefined when it is none. */
export function parseSizeBytes(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)([BKMGT])$/.exec(text) ?? [];
  const unitBytes = unit === undefined ? undefined : SIZE_UNITS[unit];
  if (unitBytes === undefined) return undefined;
  const bytes = Math.round(Number(amount) * unitBytes);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Octets of a quota; null for "none", which is no limit; undefined when it is neither. */
export function parseQuotaBytes(text: string): number | null | undefined {
  return text === "none" ? null : parseSizeBytes(text);
}

/** "1.5M" for 1,572,864: the largest unit that leaves at least 1, with at most one decimal. */
export function writeSize(bytes: number): string {
  let unit = "B";
  for (const [name, size] of Object.entries(SIZE_UNITS)) if (bytes >= size) unit = name;
  const amount = bytes / (SIZE_UNITS[unit] ?? 1);
  return `${Number.isInteger(amount) ? amount : amount.toFixed(1)}${unit}`;
}
