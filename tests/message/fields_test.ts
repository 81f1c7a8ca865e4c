import assert from "node:assert/strict";
import {
  MAX_MESSAGE_ID_LENGTH,
  MAX_REFERENCES,
  MAX_SORT_KEY_LENGTH,
} from "../../src/message/mod.ts";
import { parse } from "./raw.ts";

const sent = (date: string) => {
  const { sentDate, sentDay } = parse(`Date: ${date}`, "");
  if (sentDate === undefined || sentDay === undefined) return undefined;
  const day = new Date(sentDay * 86_400_000).toISOString().slice(0, 10);
  return `${new Date(sentDate).toISOString().slice(0, 19)} ${day}`;
};

Deno.test("the Date field gives an instant in UTC and a day as written", () => {
  // RFC 5256 2.2.
  assert.equal(sent("31 Dec 2000 16:01:33 -0800"), "2001-01-01T00:01:33 2000-12-31");
  // RFC 5322 A.1.1, A.5 and A.6.2.
  assert.equal(sent("Fri, 21 Nov 1997 09:55:06 -0600"), "1997-11-21T15:55:06 1997-11-21");
  assert.equal(
    sent("Thu,\r\n  13\r\n  Feb\r\n  1969\r\n  23:32\r\n  -0330 (Newfoundland Time)"),
    "1969-02-14T03:02:00 1969-02-13",
  );
  assert.equal(sent("21 Nov 97 09:55:06 GMT"), "1997-11-21T09:55:06 1997-11-21");
  assert.equal(
    sent("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600"),
    "1997-11-21T15:55:06 1997-11-21",
  );
});

Deno.test("dates are read loosely", () => {
  assert.equal(sent("1 Jan 2024 10:00 EST"), "2024-01-01T15:00:00 2024-01-01");
  assert.equal(sent("1 Jan 49 00:00:00 Z"), "2049-01-01T00:00:00 2049-01-01");
  assert.equal(sent("1 Jan 50 00:00:00 Z"), "1950-01-01T00:00:00 1950-01-01");
  assert.equal(sent("1 Jan 101 00:00:00 Z"), "2001-01-01T00:00:00 2001-01-01");
  assert.equal(sent("Mon, 5 February 2024 09:07:00 +01:00"), "2024-02-05T08:07:00 2024-02-05");
  assert.equal(sent("Thu Jul 17 14:23:25 MET 1996"), "1996-07-17T14:23:25 1996-07-17");
  assert.equal(sent("Jul 17, 1996"), undefined);
  assert.equal(sent("2024-02-29T12:00:00+02:00"), "2024-02-29T10:00:00 2024-02-29");
  assert.equal(sent("2024-02-29 12:00:00 +0200"), "2024-02-29T10:00:00 2024-02-29");
  assert.equal(sent("29-Feb-2024 12:00:00 +0200"), "2024-02-29T10:00:00 2024-02-29");
});

Deno.test("an invalid zone is UTC and an invalid time is midnight", () => {
  // RFC 5256 2.2.
  assert.equal(sent("1 Jan 2024 10:00:00 +9999"), "2024-01-01T10:00:00 2024-01-01");
  assert.equal(sent("1 Jan 2024 10:00:00 Nowhere"), "2024-01-01T10:00:00 2024-01-01");
  assert.equal(sent("1 Jan 2024 25:00:00 +0000"), "2024-01-01T00:00:00 2024-01-01");
  assert.equal(sent("1 Jan 2024"), "2024-01-01T00:00:00 2024-01-01");
});

Deno.test("a date that is none gives nothing", () => {
  for (const date of ["", "yesterday", "30 Feb 2024 10:00:00 +0000", "1 Foo 2024", "0 Jan 2024"]) {
    assert.equal(sent(date), undefined, date);
  }
  assert.equal(parse("Subject: x", "").sentDate, undefined);
});

Deno.test("the base subject is what RFC 5256 2.1 leaves of a subject", () => {
  const cases: [string, string, boolean][] = [
    ["hello", "hello", false],
    ["Re: hello", "hello", true],
    ["re:RE : Fwd: fw:  hello", "hello", true],
    ["hello (fwd)", "hello", true],
    ["Re[2]: hello", "hello", true],
    ["Re: [list] hello (fwd) (FWD) ", "hello", true],
    ["[list] Re: [other] Fw: hello", "hello", true],
    ["[list] hello", "hello", false],
    ["[list]", "[list]", false],
    ["[one] [two]", "[two]", false],
    ["Re: [only]", "[only]", true],
    ["[Fwd: [list] Re: hello]", "hello", true],
    ["[fwd: hello", "[fwd: hello", false],
    ["Re:", "", true],
    ["", "", false],
    ["regard: x", "regard: x", false],
    ["a \t b\r\n  c", "a b c", false],
    ["=?utf-8?q?Re=3A_caf=C3=A9?=", "café", true],
  ];
  for (const [subject, base, isReply] of cases) {
    const message = parse(`Subject: ${subject}`, "");
    assert.deepEqual([message.baseSubject, message.isReply], [base, isReply], subject);
  }
});

Deno.test("message identifiers lose brackets, white space and needless quoting", () => {
  const message = parse(
    'Message-ID: <"01KF8JCEOCBS0045PS"@xxx.yyy.com>',
    "In-Reply-To: Your message of Monday <a@b> (comment)",
    "References: <one@x> <two@x>\r\n <one@x>garbage<three @x><>",
    "",
  );
  // RFC 5256 3.
  assert.equal(message.messageId, "01KF8JCEOCBS0045PS@xxx.yyy.com");
  assert.deepEqual(message.inReplyTo, ["a@b"]);
  assert.deepEqual(message.references, ["one@x", "two@x", "three@x"]);
  assert.equal(parse("Message-ID: bare@x", "").messageId, "bare@x");
  assert.equal(parse("Message-ID: not one", "").messageId, undefined);
  assert.equal(parse("Message-ID: <>", "").messageId, undefined);
});

Deno.test("of many references the first and the last are kept", () => {
  const ids = Array.from({ length: MAX_REFERENCES + 1 }, (_, i) => `${i}@x`);
  const references = (count: number) =>
    parse(`References: ${ids.slice(0, count).map((id) => `<${id}>`).join(" ")}`, "").references;
  assert.deepEqual(references(MAX_REFERENCES), ids.slice(0, MAX_REFERENCES));
  assert.deepEqual(references(MAX_REFERENCES + 1), ["0@x", ...ids.slice(2)]);
  const long = "x".repeat(MAX_MESSAGE_ID_LENGTH);
  assert.equal(parse(`Message-ID: <${long}>`, "").messageId, long);
  assert.equal(parse(`Message-ID: <${long}x>`, "").messageId, undefined);
});

Deno.test("sort keys are of the first address, decoded", () => {
  const { sortKeys } = parse(
    "From: =?utf-8?q?Ren=C3=A9?= <rene@x.test>, b@y",
    "To: plain@x.test",
    "Cc: Friends: a@b;",
    "",
  );
  assert.deepEqual(sortKeys, {
    from: "rene",
    to: "plain",
    cc: "Friends",
    displayFrom: "René",
    displayTo: "plain@x.test",
  });
  assert.deepEqual(parse("To: root", "").sortKeys, {
    from: "",
    to: "root",
    cc: "",
    displayFrom: "",
    displayTo: "root",
  });
  const long = "x".repeat(MAX_SORT_KEY_LENGTH);
  const smile = "=F0=9F=98=80";
  assert.equal(
    parse(`To: =?utf-8?q?${long.slice(1)}${smile}?= <a@b>`, "").sortKeys.displayTo,
    long.slice(1),
  );
  assert.equal(parse(`To: ${long}@y`, "").sortKeys.to, long);
  assert.equal(parse(`To: ${long}x@y`, "").sortKeys.to, long);
});
