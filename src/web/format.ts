const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Octets for people, such as `1.5 MiB`. */
export function bytesText(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  for (; amount >= 1024 && unit < UNITS.length - 1; unit++) amount /= 1024;
  return `${unit > 0 && amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[unit]}`;
}

/** A number for people, such as `12,345`. */
export function countText(count: number): string {
  return count.toLocaleString("en");
}

/** Such as `2026-11-24 14:30 UTC`; `ms` since 1970. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A length of time for people in its largest unit, such as `5 days`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  for (const [unit, length] of [["day", 86_400], ["hour", 3_600], ["minute", 60]] as const) {
    const count = Math.floor(seconds / length);
    if (count >= (unit === "minute" ? 1 : 2)) return `${count} ${unit}${count === 1 ? "" : "s"}`;
  }
  return `${seconds} second${seconds === 1 ? "" : "s"}`;
}
