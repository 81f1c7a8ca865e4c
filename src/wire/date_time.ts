/** Dates of IMAP (RFC 9051 9: `date`, `date-time`). */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MS_PER_DAY = 86_400_000;

/** An instant, and the offset from UTC in which it was written. */
export interface DateTime {
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly seconds: number;
  /** Minutes east of UTC: -1439 to 1439. */
  readonly zoneMinutes: number;
}

/** Days since 1970-01-01 of `1-Feb-1994`; undefined when it is no date of the calendar. */
export function parseDate(text: string): number | undefined {
  const match = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/.exec(text);
  return match ? parseDay(match[1]!, match[2]!, match[3]!) : undefined;
}

/** Parses ` 7-Feb-1994 21:52:25 -0800`, without its quotes; undefined when it is not valid. */
export function parseDateTime(text: string): DateTime | undefined {
  const match = /^([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/.exec(
    text,
  );
  if (!match) return undefined;
  const day = parseDay(match[1]!.trim(), match[2]!, match[3]!);
  const [hour, minute, second] = [Number(match[4]), Number(match[5]), Number(match[6])];
  const [zoneHour, zoneMinute] = [Number(match[8]), Number(match[9])];
  // A leap second (60) is a second of the next minute: clients copy it from Date headers.
  if (day === undefined || hour > 23 || minute > 59 || second > 60) return undefined;
  if (zoneHour > 23 || zoneMinute > 59) return undefined;
  const zoneMinutes = (match[7] === "-" ? -1 : 1) * (zoneHour * 60 + zoneMinute);
  const seconds = day * 86_400 + hour * 3600 + (minute - zoneMinutes) * 60 + second;
  return { seconds, zoneMinutes: zoneMinutes || 0 };
}

/** Writes a date-time with its quotes: `" 7-Feb-1994 21:52:25 -0800"`. */
export function writeDateTime({ seconds, zoneMinutes }: DateTime): string {
  const local = new Date((seconds + zoneMinutes * 60) * 1000);
  const zone = Math.abs(zoneMinutes);
  const two = (value: number) => value < 10 ? `0${value}` : `${value}`;
  const day = local.getUTCDate();
  return `"${day < 10 ? " " : ""}${day}-${MONTHS[local.getUTCMonth()]}-` +
    `${String(local.getUTCFullYear()).padStart(4, "0")} ` +
    `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())} ` +
    `${zoneMinutes < 0 ? "-" : "+"}${two(Math.floor(zone / 60))}${two(zone % 60)}"`;
}

function parseDay(day: string, month: string, year: string): number | undefined {
  const monthIndex = MONTHS.findIndex((name) => name.toLowerCase() === month.toLowerCase());
  if (monthIndex < 0) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), monthIndex, Number(day));
  if (date.getUTCMonth() !== monthIndex || date.getUTCDate() !== Number(day)) return undefined;
  return date.getTime() / MS_PER_DAY;
}
