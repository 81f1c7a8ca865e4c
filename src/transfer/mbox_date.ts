import type { ZonedTime } from "../store/mod.ts";

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = [
  ...["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
];

/** Day and month by name, time, and a year with or without a zone on either side. */
const FROM_LINE = new RegExp(
  `^From .*\\b(?:${DAYS.join("|")}),? +(${MONTHS.join("|")}) +(\\d{1,2}) +` +
    `(\\d{1,2}):(\\d\\d)(?::(\\d\\d))?(?: +[A-Z]{1,5})?(?: +([+-]\\d{4}))?(?: +[A-Z]{1,5})?` +
    ` +(\\d{4})(?: +([+-]\\d{4}))?\\s*$`,
);

/** The date of an mbox separator line; undefined when the line is none. Without a zone it is UTC. */
export function parseFromLine(line: string): ZonedTime | undefined {
  const [, month, day, hours, minutes, seconds, zoneBefore, year, zoneAfter] =
    FROM_LINE.exec(line) ?? [];
  if (month === undefined) return undefined;
  const zone = zoneBefore ?? zoneAfter ?? "+0000";
  const sign = zone.startsWith("-") ? -1 : 1;
  const zoneMinutes = sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3)));
  const local = Date.UTC(
    Number(year),
    MONTHS.indexOf(month),
    Number(day),
    Number(hours),
    Number(minutes),
    Number(seconds ?? 0),
  ) / 1000;
  if (!Number.isFinite(local) || Math.abs(zoneMinutes) > 1439) return undefined;
  return { seconds: local - zoneMinutes * 60, zoneMinutes };
}

/** `From MAILER-DAEMON Thu Jan  1 00:00:00 1970`, in UTC as mboxrd has it. */
export function writeFromLine({ seconds }: ZonedTime): string {
  const date = new Date(seconds * 1000);
  const two = (number: number, fill = "0") => String(number).padStart(2, fill);
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
    .map((number) => two(number)).join(":");
  const year = String(date.getUTCFullYear()).padStart(4, "0");
  return `From MAILER-DAEMON ${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ` +
    `${two(date.getUTCDate(), " ")} ${time} ${year}`;
}
