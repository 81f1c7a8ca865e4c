/** The Date field, read in the two ways that IMAP needs it. */
export interface SentDate {
  /** The instant in milliseconds since 1970-01-01T00:00:00Z (RFC 5256 2.2). */
  readonly instantMs: number;
  /** The calendar day as written, in days since 1970-01-01 (RFC 9051 6.4.4). */
  readonly day: number;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const MONTH = `(${MONTHS.join("|")})[a-z]*`;
const USUAL = new RegExp(`(?:^|[^\\d])(\\d{1,2})[ -]${MONTH}[ ,-]{1,2}(\\d{2,4})(?!\\d)`, "i");
const ISO = /^ ?(\d{4})-(\d{2})-(\d{2})(?!\d)/;
const ASCTIME = new RegExp(
  `(?:^|[ ,])${MONTH} (\\d{1,2}),? (\\d{1,2}:\\d{2}(?::\\d{2})?) ?([a-z+-][a-z0-9]*)? ?(\\d{4})`,
  "i",
);

/** Hours east of UTC of the zone names of RFC 5322 4.3; others mean UTC. */
const ZONES = new Map([
  ["edt", -4],
  ["est", -5],
  ["cdt", -5],
  ["cst", -6],
  ["mdt", -6],
  ["mst", -7],
  ["pdt", -7],
  ["pst", -8],
]);

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Reads a raw Date value (RFC 5322 3.3 and 4.3); undefined when no day can be made out. An invalid
 * time counts as 00:00:00 and an invalid zone as UTC (RFC 5256 2.2). Also understood: the order of
 * C's asctime, hyphens between day, month and year, and ISO 8601.
 */
export function parseDate(raw: string): SentDate | undefined {
  const text = raw.slice(0, 200).replace(/\([^()]{0,100}\)/g, " ").replace(/[ \t]+/g, " ");
  const found = findDay(text);
  if (found === undefined) return undefined;
  const day = dayNumber(found.year, found.month, found.day);
  if (day === undefined) return undefined;
  const match = /(\d{1,2}) ?[:.] ?(\d{2})(?: ?[:.] ?(\d{2}))?(?:[.,]\d+)?/.exec(found.rest);
  let timeMs = 0;
  if (match !== null) {
    const [hours, minutes, seconds] = [match[1], match[2], match[3] ?? "0"].map(Number);
    const isValid = hours! < 24 && minutes! < 60 && seconds! <= 60;
    if (isValid) timeMs = ((hours! * 60 + minutes!) * 60 + seconds!) * 1000;
  }
  const zone = match === null ? "" : found.rest.slice(match.index + match[0].length);
  return { instantMs: day * DAY_MS + timeMs - zoneMinutes(zone) * 60_000, day };
}

function findDay(
  text: string,
): { year: string; month: number; day: string; rest: string } | undefined {
  const usual = USUAL.exec(text);
  if (usual !== null) {
    const [whole, day = "", month = "", year = ""] = usual;
    const rest = text.slice(usual.index + whole.length);
    return { year, month: MONTHS.indexOf(month.toLowerCase()), day, rest };
  }
  const iso = ISO.exec(text);
  if (iso !== null) {
    const [whole, year = "", month = "", day = ""] = iso;
    return { year, month: Number(month) - 1, day, rest: text.slice(whole.length) };
  }
  const asctime = ASCTIME.exec(text);
  if (asctime !== null) {
    const [, month = "", day = "", time = "", zone = "", year = ""] = asctime;
    return {
      year,
      month: MONTHS.indexOf(month.toLowerCase()),
      day,
      rest: `${time} ${zone}`,
    };
  }
  return undefined;
}

function dayNumber(yearText: string, month: number, dayText: string): number | undefined {
  let year = Number(yearText);
  // RFC 5322 4.3.
  if (yearText.length === 2) year += year < 50 ? 2000 : 1900;
  else if (yearText.length === 3) year += 1900;
  const day = Number(dayText);
  if (month < 0 || month > 11) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  if (date.getUTCMonth() !== month) return undefined;
  return Math.round(date.getTime() / DAY_MS);
}

function zoneMinutes(text: string): number {
  const match = /^ ?([+-])(\d{2}):?(\d{2})(?!\d)/.exec(text);
  if (match === null) {
    const name = /^ ?([a-z]{3})(?![a-z])/i.exec(text)?.[1] ?? "";
    return (ZONES.get(name.toLowerCase()) ?? 0) * 60;
  }
  const [, sign, hours, minutes] = match;
  const east = Number(hours) * 60 + Number(minutes);
  if (Number(minutes) > 59 || east >= 24 * 60) return 0;
  return sign === "-" ? -east : east;
}
