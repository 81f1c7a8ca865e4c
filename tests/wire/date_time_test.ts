import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDate, parseDateTime, writeDateTime } from "../../src/wire/mod.ts";

const at = (text: string) => parseDateTime(text);

Deno.test("date-times are read as RFC 9051 9 writes them", () => {
  assert.deepEqual(at(" 7-Feb-1994 21:52:25 -0800"), { seconds: 760686745, zoneMinutes: -480 });
  assert.deepEqual(at("07-feB-1994 21:52:25 -0800"), at(" 7-Feb-1994 21:52:25 -0800"));
  assert.deepEqual(at("01-Jan-1970 00:00:00 -0000"), { seconds: 0, zoneMinutes: 0 });
  assert.deepEqual(at("01-Jan-1970 00:00:00 +2359"), { seconds: -86_340, zoneMinutes: 1439 });
  // A leap second is the first second of the next minute.
  assert.deepEqual(at("31-Dec-2016 23:59:60 +0000"), at("01-Jan-2017 00:00:00 +0000"));
  assert.equal(at("29-Feb-2024 00:00:00 +0000")?.seconds, 1709164800);
});

Deno.test("what is no date-time is refused", () => {
  for (
    const text of [
      "",
      "7-Feb-1994 21:52:25 -0800",
      "  7-Feb-1994 21:52:25 -0800",
      " 7-Feb-1994  21:52:25 -0800",
      " 7-Feb-94 21:52:25 -0800",
      " 7-Fev-1994 21:52:25 -0800",
      " 7-Feb-1994 24:00:00 -0800",
      " 7-Feb-1994 21:60:25 -0800",
      " 7-Feb-1994 21:52:61 -0800",
      " 7-Feb-1994 21:52:25 -2400",
      " 7-Feb-1994 21:52:25 -0060",
      " 7-Feb-1994 21:52:25 0800",
      " 7-Feb-1994 21:52:25 GMT",
      " 7-Feb-1994 21:52:25 -0800 ",
      " 0-Feb-1994 21:52:25 -0800",
      "29-Feb-2023 00:00:00 +0000",
      "31-Apr-2024 00:00:00 +0000",
      "٣٠-Apr-2024 00:00:00 +0000",
    ]
  ) assert.equal(at(text), undefined, text);
});

Deno.test("a written date-time is read back, in the offset in which it was given", () => {
  const years = { min: -62_135_510_400, max: 253_402_214_400 }; // 0001 to 9999 in any zone
  fc.assert(
    fc.property(
      fc.integer(years),
      fc.integer({ min: -1439, max: 1439 }),
      (seconds, zoneMinutes) => {
        const written = writeDateTime({ seconds, zoneMinutes });
        assert.match(written, /^"[ \d]\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d [+-]\d{4}"$/);
        assert.deepEqual(at(written.slice(1, -1)), { seconds, zoneMinutes });
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("dates are days, one or two digits, of the calendar", () => {
  assert.equal(parseDate("1-Jan-1970"), 0);
  assert.equal(parseDate("01-JAN-1970"), 0);
  assert.equal(parseDate("31-Dec-1969"), -1);
  assert.equal(parseDate("29-Feb-2000"), 11016);
  for (const text of ["", "29-Feb-1900", "32-Jan-2000", "0-Jan-2000", "1-Jan-00", " 1-Jan-2000"]) {
    assert.equal(parseDate(text), undefined, text);
  }
  const day = fc.integer({ min: -719_000, max: 2_900_000 });
  fc.assert(fc.property(day, (days) => {
    const text = writeDateTime({ seconds: days * 86_400, zoneMinutes: 0 }).slice(1, 12).trim();
    assert.equal(parseDate(text), days);
  }));
});
