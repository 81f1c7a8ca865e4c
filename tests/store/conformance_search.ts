import assert from "node:assert/strict";
import type { ModSeq } from "../../src/base/mod.ts";
import { encodeUtf8, RangeSet } from "../../src/base/mod.ts";
import type { Predicate } from "../../src/store/mod.ts";
import { fuzzyWords, SystemFlag } from "../../src/store/mod.ts";
import { ALL, box, bytesOf, found, mail, put, rows } from "./fixture.ts";
import type { StoreTest } from "./conformance.ts";

const { seen, flagged } = SystemFlag;
const DAY_SECONDS = 86_400;

const not = (of: Predicate): Predicate => ({ op: "not", of });
const and = (...of: Predicate[]): Predicate => ({ op: "and", of });
const or = (...of: Predicate[]): Predicate => ({ op: "or", of });
const body = (value: string): Predicate => ({ op: "body", value });
const text = (value: string): Predicate => ({ op: "text", value });
const header = (name: string, value: string): Predicate => ({ op: "header", name, value });

function htmlMail(): string {
  return "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\n" +
    "Subject: =?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?b?IGF1cyBLw7ZsbiE=?=\r\n" +
    "X-Empty:\r\nX-Folded: one\r\n two\r\n\tthree\r\nX-Folded: four\r\n" +
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n" +
    "preamble\r\n--bb\r\nContent-Type: text/plain; charset=koi8-r\r\n" +
    "Content-Transfer-Encoding: base64\r\n\r\n8NLJ18XU\r\n" +
    "--bb\r\nContent-Type: text/html; charset=utf-8\r\n" +
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n" +
    "<p>long=20l=\r\nine with <b>bo</b>ld &amp; caf=C3=A9</p><script>secret()</script>\r\n" +
    "--bb--\r\n";
}

/** SEARCH: every predicate, with answers written by hand. */
export const searchTests: readonly StoreTest[] = [
  ["flags, keywords, UIDs and sizes are searched", async ({ a }) => {
    await put(
      a,
      "INBOX",
      { flags: seen, bytes: mail("a", 100) },
      { flags: seen | flagged, keywords: ["Blue"], bytes: mail("b", 200) },
      { keywords: ["Green"], bytes: mail("c", 300) },
      { flags: flagged, bytes: mail("d", 400) },
    );
    const { id } = await box(a, "INBOX");
    await a.expunge(id, RangeSet.of(4), { onlyDeleted: false });
    const search = (predicate: Predicate) => found(a, id, predicate);
    assert.equal(await search({ op: "all" }), "1:3");
    assert.equal(await search(not({ op: "all" })), "");
    assert.equal(await search({ op: "flags", mask: seen }), "1:2");
    assert.equal(await search({ op: "flags", mask: seen | flagged }), "2");
    assert.equal(await search({ op: "flags", mask: 0 }), "1:3");
    assert.equal(await search(not({ op: "flags", mask: seen })), "3");
    assert.equal(await search({ op: "keyword", name: "bLUE" }), "2");
    assert.equal(await search(not({ op: "keyword", name: "blue" })), "1,3");
    assert.equal(await search({ op: "keyword", name: "unknown" }), "");
    assert.equal(await search(not({ op: "keyword", name: "unknown" })), "1:3");
    assert.equal(await search({ op: "keyword", name: "Blu" }), "");
    assert.equal(await search({ op: "uid", set: RangeSet.of(2, 4, 9) }), "2");
    assert.equal(await search({ op: "uid", set: new RangeSet() }), "");
    assert.equal(await search(not({ op: "uid", set: RangeSet.of(2) })), "1,3");
    assert.equal(await search({ op: "larger", bytes: 200 }), "3");
    assert.equal(await search({ op: "larger", bytes: 199 }), "2:3");
    assert.equal(await search({ op: "smaller", bytes: 200 }), "1");
    assert.equal(await search(and()), "1:3");
    assert.equal(await search(or()), "");
    assert.equal(await search(and({ op: "flags", mask: seen }, { op: "larger", bytes: 150 })), "2");
    assert.equal(
      await search(or({ op: "larger", bytes: 250 }, { op: "smaller", bytes: 150 })),
      "1,3",
    );
    const nested = not(or(
      not({ op: "flags", mask: seen }),
      and({ op: "uid", set: ALL }, {
        op: "keyword",
        name: "blue",
      }),
    ));
    assert.equal(await search(nested), "1");
  }],

  ["the internal date is searched by day in its own zone, and as an instant", async ({ a }) => {
    const day = 19_000;
    const midnight = day * DAY_SECONDS;
    await put(
      a,
      "INBOX",
      { seconds: midnight, zoneMinutes: 0 },
      { seconds: midnight - 1, zoneMinutes: 0 },
      { seconds: midnight - 1, zoneMinutes: 60 },
      { seconds: midnight, zoneMinutes: -60 },
      { seconds: midnight + DAY_SECONDS, zoneMinutes: 0 },
      { seconds: -5, zoneMinutes: 0 },
    );
    const { id } = await box(a, "INBOX");
    const on = (is: "before" | "on" | "since") =>
      found(a, id, { op: "day", of: "internal", is, day });
    assert.equal(await on("before"), "2,4,6");
    assert.equal(await on("on"), "1,3");
    assert.equal(await on("since"), "1,3,5");
    assert.equal(await found(a, id, { op: "day", of: "internal", is: "on", day: -1 }), "6");
    assert.equal(
      await found(a, id, { op: "received", is: "atOrBefore", seconds: midnight }),
      "1:4,6",
    );
    assert.equal(
      await found(a, id, { op: "received", is: "atOrAfter", seconds: midnight }),
      "1,4:5",
    );
  }],

  [
    "the Date header is searched as written; without a readable one nothing matches",
    async ({ a }) => {
      const dated = (date: string) => ({ bytes: bytesOf(`${date}Subject: x\r\n\r\nx\r\n`) });
      await put(
        a,
        "INBOX",
        dated("Date: Fri, 31 Dec 1999 23:59:59 -0800\r\n"),
        dated("Date: 1 Jan 2000 00:00:00 +0900\r\n"),
        dated("Date: yesterday\r\n"),
        dated(""),
      );
      const { id } = await box(a, "INBOX");
      const day = Date.UTC(2000, 0, 1) / 86_400_000;
      const on = (is: "before" | "on" | "since"): Predicate => ({ op: "day", of: "sent", is, day });
      assert.equal(await found(a, id, on("before")), "1");
      assert.equal(await found(a, id, on("on")), "2");
      assert.equal(await found(a, id, on("since")), "2");
      assert.equal(await found(a, id, not(on("since"))), "1,3:4");
    },
  ],

  ["the save date is searched by day", async ({ a }) => {
    await put(a, "INBOX", { seconds: 0 });
    const { id } = await box(a, "INBOX");
    const [row] = await rows(a, id);
    const day = Math.floor((row?.saveDate ?? 0) / DAY_SECONDS);
    assert.equal(await found(a, id, { op: "day", of: "saved", is: "on", day }), "1");
    assert.equal(await found(a, id, { op: "day", of: "saved", is: "before", day }), "");
    assert.equal(await found(a, id, { op: "day", of: "saved", is: "since", day: day + 1 }), "");
  }],

  ["mod-sequences and object ids are searched", async ({ a }) => {
    await put(a, "INBOX");
    await put(a, "INBOX", { bytes: mail("other") });
    const { id, modSeq } = await box(a, "INBOX");
    await a.createMailbox("x");
    await a.copy(id, RangeSet.of(2), "INBOX");
    const [one, two] = await rows(a, id);
    assert.ok(one && two);
    assert.equal(await found(a, id, { op: "modSeq", atLeast: modSeq }), "2:3");
    assert.equal(await found(a, id, { op: "modSeq", atLeast: (modSeq + 1000) as ModSeq }), "");
    assert.equal(await found(a, id, { op: "emailId", id: one.emailId }), "1");
    assert.equal(await found(a, id, { op: "emailId", id: two.emailId }), "2:3");
    assert.equal(await found(a, id, { op: "emailId", id: "nothing" }), "");
    assert.ok((await found(a, id, { op: "threadId", id: two.threadId })).endsWith("2:3"));
    const result = await a.search(id, { op: "uid", set: RangeSet.of(1, 3) });
    assert.equal(result.modSeq, (await rows(a, id)).at(-1)?.modSeq);
    assert.equal((await a.search(id, { op: "uid", set: RangeSet.of(1) })).modSeq, one.modSeq);
    assert.equal((await a.search(id, { op: "uid", set: RangeSet.of(9) })).modSeq, undefined);
  }],

  ["text matches as i;unicode-casemap has it, where that decomposes too", async ({ a }) => {
    const texts = ["caf\u00e9 \uff21\uff22", "\ufb01sh \u01c4", "\ud55c\uae00 \u30ac"];
    await put(
      a,
      "INBOX",
      ...texts.map((it) => ({
        bytes: encodeUtf8(
          `Content-Type: text/plain; charset=utf-8\r\nSubject: ${it}\r\n\r\n${it}\r\n`,
        ),
      })),
    );
    const { id } = await box(a, "INBOX");
    const cases: [string, string][] = [
      ["cafe\u0301", "1"],
      ["CAFE", "1"],
      ["caff\u00e9", ""],
      ["cafe\u0300", ""],
      ["ab", "1"],
      ["fish", "2"],
      ["d\u017e", "2"],
      ["DZ", "2"],
      ["\ud55c\uae00", "3"],
      ["\u30ab\u3099", "3"],
    ];
    for (const [value, uids] of cases) {
      assert.equal(await found(a, id, body(value)), uids, value);
      assert.equal(await found(a, id, text(value)), uids, value);
    }
  }],

  ["a fuzzy search finds words in any order, without marks and punctuation", async ({ a }) => {
    const put8 = (subject: string, text: string) => ({
      bytes: encodeUtf8(
        `Content-Type: text/plain; charset=utf-8\r\nSubject: ${subject}\r\n` +
          `Comments: second field\r\n\r\n${text}\r\n`,
      ),
    });
    await put(
      a,
      "INBOX",
      put8("IMAP is broken", "R\u00e9sum\u00e9 attached"),
      put8("broken, imap!", "nothing to see"),
      put8("imap", "it is broken; see resume"),
      put8("Re: Verg\u00fctung", "O'Neill wrote, na\u00efvely"),
    );
    const { id } = await box(a, "INBOX");
    const fuzzy = (op: "fuzzyBody" | "fuzzyText", value: string) =>
      found(a, id, { op, words: fuzzyWords(value) });
    const subject = (value: string) =>
      found(a, id, { op: "fuzzyHeader", name: "subject", words: fuzzyWords(value) });
    assert.equal(await subject("broken IMAP"), "1:2");
    assert.equal(await subject("vergutung"), "4");
    assert.equal(await subject("VERG\u00dcTUNG re"), "4");
    assert.equal(await subject("imap field"), "", "words of two fields");
    assert.equal(await fuzzy("fuzzyText", "broken imap"), "1:3");
    assert.equal(await fuzzy("fuzzyText", "imap second see"), "2:3");
    assert.equal(await fuzzy("fuzzyBody", "resum\u00e9"), "1,3");
    assert.equal(await fuzzy("fuzzyBody", "imap"), "");
    assert.equal(await fuzzy("fuzzyBody", "naively, oneill"), "");
    assert.equal(await fuzzy("fuzzyBody", "naively: o-neill"), "4");
    assert.equal(await found(a, id, not({ op: "fuzzyText", words: ["imap"] })), "4");
    assert.deepEqual(fuzzyWords("?! \u0301"), []);
    assert.deepEqual(fuzzyWords("a b A \u00e0 9"), ["a", "b", "9"]);
  }],

  ["text is searched decoded, in any script, without regard to case", async ({ a }) => {
    await put(a, "INBOX", { bytes: mail("plain") }, { bytes: bytesOf(htmlMail()) });
    const { id } = await box(a, "INBOX");
    const search = (predicate: Predicate) => found(a, id, predicate);
    for (const value of ["Привет", "ПРИВЕТ", "риве", "bold & café", "CAFÉ", "long line with"]) {
      assert.equal(await search(body(value)), "2", value);
      assert.equal(await search(text(value)), "2", value);
    }
    for (const value of ["grüße", "GRÜSSE", "Grüße aus Köln!", "e A", "JÜRGEN", "köln"]) {
      assert.equal(await search(text(value)), "2", value);
      assert.equal(await search(body(value)), "", value);
    }
    assert.equal(await search(body("body of plain")), "1");
    assert.equal(await search(body("")), "1:2");
    assert.equal(await search(text("")), "1:2");
    assert.equal(await search(body("nothing like it")), "");
    assert.equal(await search(not(body("café"))), "1");
    assert.equal(await search(body("secret()")), "", "script is not text");
    assert.equal(await search(body("<b>")), "", "markup is not text");
  }],

  ["header fields are searched by name, decoded and unfolded", async ({ a }) => {
    await put(a, "INBOX", { bytes: mail("plain") }, { bytes: bytesOf(htmlMail()) });
    const { id } = await box(a, "INBOX");
    const search = (name: string, value: string) => found(a, id, header(name, value));
    assert.equal(await search("subject", "PLAIN"), "1");
    assert.equal(await search("SUBJECT", "grüsse aus köln"), "2");
    assert.equal(await search("Subject", ""), "1:2");
    assert.equal(await search("x-empty", ""), "2");
    assert.equal(await search("x-empty", "a"), "");
    assert.equal(await search("x-folded", "one two three"), "2");
    assert.equal(await search("x-folded", "four"), "2");
    assert.equal(await search("x-folded", "three four"), "", "not across fields");
    assert.equal(await search("folded", ""), "");
    assert.equal(await search("x-folde", ""), "");
    assert.equal(await search("from", "jürgen"), "2");
    assert.equal(await search("to", "jürgen"), "");
    assert.equal(await search("content-type", "koi8"), "", "only the message's own header");
  }],

  ["short needles, quotes and wildcards are plain text", async ({ a }) => {
    const texts = [
      'say "hi" AND 100%',
      "a_b OR c*",
      "x",
      "it's NEAR(here)",
      "日本語のメール",
      "\u{1f600}!",
    ];
    await put(
      a,
      "INBOX",
      ...texts.map((value) => ({
        bytes: encodeUtf8(
          `Content-Type: text/plain; charset=utf-8\r\nX-A: 1\r\n\r\n${value}\r\n`,
        ),
      })),
    );
    const { id } = await box(a, "INBOX");
    const cases: [string, string][] = [
      ['"', "1"],
      ['"hi"', "1"],
      ["%", "1"],
      ["0%", "1"],
      ["_", "2"],
      ["a_b", "2"],
      ["axb", ""],
      ["c*", "2"],
      ["AND 1", "1"],
      ["it's", "4"],
      ["near(", "4"],
      ["日", "5"],
      ["本語", "5"],
      ["本語の", "5"],
      ["\u{1f600}", "6"],
      ["\u{1f600}!", "6"],
      ["\u0000", ""],
    ];
    for (const [needle, wanted] of cases) {
      assert.equal(await found(a, id, body(needle)), wanted, needle);
    }
  }],

  ["a search may be limited, and ask for just the lowest or highest match", async ({ a }) => {
    await put(a, "INBOX", ...Array.from({ length: 9 }, (_, i) => ({ flags: i % 2 ? seen : 0 })));
    const { id } = await box(a, "INBOX");
    const predicate: Predicate = { op: "flags", mask: seen };
    const within = RangeSet.fromRanges([{ first: 3, last: 7 }, { first: 20, last: 30 }]);
    const ask = async (options: Parameters<typeof a.search>[2]) =>
      (await a.search(id, predicate, options)).uids.toString();
    assert.equal(await ask({}), "2,4,6,8");
    assert.equal(await ask({ within }), "4,6");
    assert.equal(await ask({ only: "min" }), "2");
    assert.equal(await ask({ only: "max" }), "8");
    assert.equal(await ask({ within, only: "max" }), "6");
    assert.equal(await ask({ within: new RangeSet() }), "");
    const byText = async (only: "min" | "max", value: string) =>
      (await a.search(id, body(value), { only })).uids.toString();
    assert.equal(await byText("min", "body"), "1");
    assert.equal(await byText("max", "body"), "9");
    assert.equal(await byText("max", "b"), "9");
    assert.equal(await byText("min", "absent"), "");
  }],

  ["a search that was called off rejects", async ({ a }) => {
    await put(a, "INBOX");
    const { id } = await box(a, "INBOX");
    const signal = AbortSignal.abort(new Error("called off"));
    await assert.rejects(a.search(id, body("x"), { signal }), /called off/);
  }],

  ["what was appended a moment ago is found, and what was expunged is not", async ({ a, b }) => {
    const { id } = await box(a, "INBOX");
    for (let i = 1; i <= 30; i++) {
      await put(a, "INBOX", { bytes: mail(`needle${i}x`) });
      assert.equal(await found(b, id, text(`Needle${i}x`)), `${i}`);
      if (i % 3 === 0) {
        await a.expunge(id, RangeSet.of(i), { onlyDeleted: false });
        assert.equal(await found(b, id, text(`needle${i}x`)), "");
      }
    }
    assert.equal(await found(b, id, text("needle1")), "1,10:11,13:14,16:17,19");
  }],
];
