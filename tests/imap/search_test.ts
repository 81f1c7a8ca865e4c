import assert from "node:assert/strict";
import { concatBytes, encodeUtf8, RangeSet } from "../../src/base/mod.ts";
import { MAX_SEARCH_DEPTH, MAX_SEARCH_KEYS } from "../../src/imap/limits.ts";
import { SystemFlag } from "../../src/store/mod.ts";
import { box, bytesOf, put } from "../store/fixture.ts";
import { SearchSession } from "../support/search_session.ts";

const NOON = Date.UTC(2026, 0, 10, 12) / 1000;
const DAY = 86_400;

const words = encodeUtf8("Über Straße и отпуск");
const base64 = btoa(String.fromCharCode(...words));

/**
 * Seven messages, UIDs 1 to 8 without 3, so that from UID 4 on sequence numbers are one less:
 * seq 1-2 are UID 1-2, seq 3 is UID 4, seq 7 is UID 8.
 */
async function openInbox(): Promise<SearchSession> {
  const session = await SearchSession.open();
  const { store } = session;
  const mail = (headers: string, body = "plain words") =>
    bytesOf(`${headers.replaceAll("\n", "\r\n")}\r\n\r\n${body}\r\n`);
  await put(
    store,
    "INBOX",
    {
      // UID 1
      bytes: mail(
        "From: Ann Smith <ann@example.org>\nTo: bob@example.net\nSubject: Lunch\n" +
          "Date: Thu, 1 Jan 2026 23:30:00 -0800",
      ),
      flags: SystemFlag.seen | SystemFlag.answered,
      seconds: NOON - 2 * DAY,
    },
    {
      // UID 2: internal date 11 Jan 00:30 in its own zone, 10 Jan in UTC
      bytes: mail(
        "From: carl@example.com\nCc: Dora <dora@example.org>\nSubject: Re: lunch\n" +
          "Date: Fri, 2 Jan 2026 10:00:00 +0000\nX-Spam:\nMessage-ID: <two@example.com>",
      ),
      flags: SystemFlag.flagged,
      keywords: ["$Forwarded", "Work"],
      seconds: Date.UTC(2026, 0, 10, 22, 30) / 1000,
      zoneMinutes: 120,
    },
    { bytes: mail("Subject: gone") },
    {
      // UID 4
      bytes: mail("Bcc: eve@example.org\nSubject: =?utf-8?B?" + base64 + "?=\nX-Spam: yes"),
      flags: SystemFlag.deleted,
      seconds: NOON,
    },
    {
      // UID 5
      bytes: mail(
        "Subject: body tests\nContent-Type: text/plain; charset=koi8-r\n" +
          "Content-Transfer-Encoding: base64",
        // "отпуск" in KOI8-R
        btoa("\xcf\xd4\xd0\xd5\xd3\xcb"),
      ),
      flags: SystemFlag.draft,
      seconds: NOON + DAY,
    },
    {
      // UID 6: 600 octets exactly
      bytes: bytesOf("Subject: size\r\n\r\n".padEnd(598, "x") + "\r\n"),
      flags: SystemFlag.seen,
      seconds: NOON + 2 * DAY,
    },
    {
      // UID 7
      bytes: mail(
        "Subject: html\nContent-Type: text/html",
        "<p>Hello &amp; good<b>bye</b></p><script>hidden</script>",
      ),
      seconds: NOON + 3 * DAY,
    },
    {
      bytes: mail('Subject: a "quoted" \\ thing'),
      flags: SystemFlag.seen,
      seconds: NOON + 4 * DAY,
    },
  );
  const { id } = await box(store, "INBOX");
  await store.expunge(id, RangeSet.of(3), { onlyDeleted: false });
  await session.select("INBOX");
  return session;
}

/** The one untagged line of a search that ends well. */
async function answer(session: SearchSession, command: string): Promise<string> {
  const lines = await session.ask(`a ${command}`);
  assert.equal(lines.at(-1), "a OK", `${command}: ${lines.join(" | ")}`);
  assert.equal(lines.length, 2, `${command}: ${lines.join(" | ")}`);
  return lines[0] ?? "";
}

async function refusal(session: SearchSession, command: string): Promise<string> {
  const lines = await session.ask(`a ${command}`);
  assert.equal(lines.length, 1, lines.join(" | "));
  return (lines[0] ?? "").slice(2);
}

// RFC 3501 6.4.4 and RFC 9051 6.4.4, key by key.
const KEYS: readonly (readonly [program: string, uids: string])[] = [
  ["ALL", "1 2 4 5 6 7 8"],
  ["ANSWERED", "1"],
  ["UNANSWERED", "2 4 5 6 7 8"],
  ["DELETED", "4"],
  ["UNDELETED", "1 2 5 6 7 8"],
  ["DRAFT", "5"],
  ["UNDRAFT", "1 2 4 6 7 8"],
  ["FLAGGED", "2"],
  ["UNFLAGGED", "1 4 5 6 7 8"],
  ["SEEN", "1 6 8"],
  ["UNSEEN", "2 4 5 7"],
  ["KEYWORD work", "2"],
  ["KEYWORD $FORWARDED", "2"],
  ["UNKEYWORD Work", "1 4 5 6 7 8"],
  ["KEYWORD nobody", ""],
  ["BCC eve", "4"],
  ["CC dora", "2"],
  ["FROM smith", "1"],
  ['FROM "Ann Smith"', "1"],
  ["TO bob@example.net", "1"],
  ["SUBJECT LUNCH", "1 2"],
  ['SUBJECT ""', "1 2 4 5 6 7 8"],
  ['HEADER Message-ID "<two@example.com>"', "2"],
  ['HEADER x-spam ""', "2 4"],
  ["HEADER X-SPAM yes", "4"],
  ['HEADER Absent ""', ""],
  ["BODY words", "1 2 4 8"],
  ["BODY lunch", ""],
  ["TEXT lunch", "1 2"],
  ["TEXT words", "1 2 4 8"],
  ["LARGER 599", "6"],
  ["LARGER 600", ""],
  ["SMALLER 600", "1 2 4 5 7 8"],
  ["LARGER 9223372036854775807", ""],
  ["BEFORE 10-Jan-2026", "1"],
  ["ON 10-Jan-2026", "4"],
  ['ON "11-Jan-2026"', "2 5"],
  ["SINCE 11-Jan-2026", "2 5 6 7 8"],
  ["SINCE 8-jan-2026 BEFORE 9-JAN-2026", "1"],
  // The Date header as written: 23:30 -0800 is the 1st though it is the 2nd in UTC.
  ["SENTON 1-Jan-2026", "1"],
  ["SENTBEFORE 2-Jan-2026", "1"],
  // On or after: the day itself counts (behaviour.md 8.2, item 2).
  ["SENTSINCE 2-Jan-2026", "2"],
  ["SENTSINCE 1-Jan-2026", "1 2"],
  ["UID 2:5", "2 4 5"],
  ["UID 3", ""],
  ["UID 5:2,7", "2 4 5 7"],
  ["UID *", "8"],
  ["UID 100:*", "8"],
  ["UID 1,*", "1 8"],
  ["NOT SEEN", "2 4 5 7"],
  ["NOT NOT SEEN", "1 6 8"],
  ["OR FLAGGED DRAFT", "2 5"],
  ["OR FLAGGED OR DRAFT DELETED", "2 4 5"],
  ["OR OR FLAGGED DRAFT DELETED", "2 4 5"],
  ["OR (SEEN ANSWERED) (DRAFT)", "1 5"],
  ["SEEN NOT ANSWERED", "6 8"],
  ["(SEEN (NOT ANSWERED))", "6 8"],
  ["OR FLAGGED OR DRAFT DELETED UNSEEN", "2 4 5"],
  ["unseen Subject tests", "5"],
  ["2", "2"],
  ["3:4", "4 5"],
  ["*", "8"],
  ["6:*", "7 8"],
  // Beyond the end is no error and matches nothing, or the last for n:* (RFC 7377 2).
  ["8:20", ""],
  ["20:*", "8"],
  ["1:4294967295 SEEN", "1 6 8"],
  ["NOT 1:3", "5 6 7 8"],
  ["OR 1 UID 8", "1 8"],
];

Deno.test("every SEARCH key of RFC 3501 and RFC 9051 finds what its definition says", async () => {
  const session = await openInbox();
  for (const [program, uids] of KEYS) {
    const expected = uids === "" ? "* SEARCH" : `* SEARCH ${uids}`;
    assert.equal(await answer(session, `UID SEARCH ${program}`), expected, program);
  }
});

Deno.test("SEARCH counts messages as the client does, UID SEARCH by their identifiers", async () => {
  const session = await openInbox();
  assert.equal(await answer(session, "SEARCH SEEN"), "* SEARCH 1 5 7");
  assert.equal(await answer(session, "UID SEARCH SEEN"), "* SEARCH 1 6 8");
});

Deno.test("text is found decoded, in any script, whatever its case", async () => {
  const session = await openInbox();
  // behaviour.md 8.2, item 8: subjects in encoded-words; 8.1: HTML is text.
  for (
    const [program, uids] of [
      ['SUBJECT "über straße"', "4"],
      ['SUBJECT "ÜBER STRASSE"', "4"],
      ["SUBJECT ОТПУСК", "4"],
      ["TEXT отпуск", "4 5"],
      ["BODY Отпуск", "5"],
      ['BODY "hello & goodbye"', "7"],
      ["BODY hidden", ""],
      ['TEXT "=?utf-8"', ""],
      // behaviour.md 8.2, item 1: an escaped backslash in a quoted string.
      ['SUBJECT "\\"quoted\\" \\\\ thing"', "8"],
    ] as const
  ) {
    const quoted = program.replace(/^(\w+) ([^"]+)$/, '$1 "$2"');
    const expected = uids === "" ? "* SEARCH" : `* SEARCH ${uids}`;
    assert.equal(await answer(session, `UID SEARCH ${quoted}`), expected, program);
    assert.equal(await answer(session, `UID SEARCH CHARSET UTF-8 ${quoted}`), expected, program);
  }
});

Deno.test("a charset that is known decodes the text; one that is not is named with those that are", async () => {
  const session = await openInbox();
  const koi8 = concatBytes([
    encodeUtf8("a UID SEARCH CHARSET koi8-r BODY {6}\r\n"),
    Uint8Array.of(0xcf, 0xd4, 0xd0, 0xd5, 0xd3, 0xcb),
    encodeUtf8(" UNSEEN\r\n"),
  ]);
  assert.deepEqual(await session.ask(koi8), ["* SEARCH 5", "a OK"]);
  assert.match(
    await refusal(session, "SEARCH CHARSET X-Klingon ALL"),
    /^NO \[BADCHARSET \(US-ASCII UTF-8 ISO-8859-1( [A-Z0-9_-]+)+\)\]$/,
  );
  // Clients name US-ASCII and send UTF-8 all the same.
  const misnamed = 'UID SEARCH CHARSET US-ASCII SUBJECT "über"';
  assert.equal(await answer(session, misnamed), "* SEARCH 4");
  const invalid = concatBytes([
    encodeUtf8("a SEARCH BODY {1}\r\n"),
    Uint8Array.of(0xff),
    encodeUtf8("\r\n"),
  ]);
  assert.deepEqual(await session.ask(invalid), ["a BAD"]);
});

Deno.test("with UTF8=ACCEPT enabled strings are UTF-8 and CHARSET is BAD", async () => {
  const session = await openInbox();
  session.modes.enable("UTF8=ACCEPT");
  assert.equal(await refusal(session, "SEARCH CHARSET UTF-8 ALL"), "BAD");
  assert.equal(await answer(session, 'UID SEARCH SUBJECT "über"'), "* SEARCH 4");
});

Deno.test("what is no SEARCH is BAD", async () => {
  const session = await openInbox();
  for (
    const command of [
      "SEARCH",
      "SEARCH ",
      "SEARCH SEEN ",
      "SEARCH  SEEN",
      "SEARCH ()",
      "SEARCH (SEEN",
      "SEARCH SEEN)",
      "SEARCH FRUIT",
      "SEARCH NOT",
      "SEARCH OR SEEN",
      "SEARCH KEYWORD \\Seen",
      "SEARCH ON 31-Feb-2026",
      "SEARCH ON 2026-01-01",
      "SEARCH LARGER -1",
      "SEARCH LARGER 9223372036854775808",
      "SEARCH UID 0",
      "SEARCH 0",
      "SEARCH UID 4294967296",
      "SEARCH SUBJECT",
      "SEARCH HEADER Subject",
      "SEARCH RETURN SEEN",
      "SEARCH RETURN (MIN)",
      "SEARCH RETURN (FRUIT) SEEN",
      "SEARCH RETURN (MIN SEEN",
      "SEARCH CHARSET UTF-8",
      "UID SEARCH MODSEQ",
    ]
  ) {
    assert.equal(await refusal(session, command), "BAD", command);
  }
});

Deno.test("an IMAP4rev1 client gets a SEARCH response even when nothing was found", async () => {
  const session = await openInbox();
  assert.equal(await answer(session, "SEARCH SUBJECT nowhere"), "* SEARCH");
});

Deno.test("once IMAP4rev2 is enabled the answer is ESEARCH, which tells all", async () => {
  const session = await openInbox();
  session.modes.enable("IMAP4REV2");
  assert.equal(await answer(session, "SEARCH SEEN"), '* ESEARCH (TAG "a") ALL 1,5,7');
  assert.equal(await answer(session, "UID SEARCH SEEN"), '* ESEARCH (TAG "a") UID ALL 1,6,8');
  assert.equal(await answer(session, "UID SEARCH ANSWERED DRAFT"), '* ESEARCH (TAG "a") UID');
});

Deno.test("RETURN options tell what they say, in one ESEARCH response", async () => {
  const session = await openInbox();
  for (
    const [command, expected] of [
      ["SEARCH RETURN () UNSEEN", "ALL 2:4,6"],
      ["SEARCH RETURN (ALL) UNSEEN", "ALL 2:4,6"],
      ["SEARCH RETURN (MIN) UNSEEN", "MIN 2"],
      ["SEARCH RETURN (MAX) UNSEEN", "MAX 6"],
      ["SEARCH RETURN (MIN MAX) UNSEEN", "MIN 2 MAX 6"],
      ["SEARCH RETURN (COUNT) UNSEEN", "COUNT 4"],
      ["SEARCH RETURN (count MAX all min) UNSEEN", "MIN 2 MAX 6 COUNT 4 ALL 2:4,6"],
      ["SEARCH RETURN (MIN MIN) UNSEEN", "MIN 2"],
      ["SEARCH RETURN (MIN MAX) FLAGGED", "MIN 2 MAX 2"],
      ["UID SEARCH RETURN (MIN MAX) UNSEEN", "UID MIN 2 MAX 7"],
      ["UID SEARCH RETURN (ALL COUNT) UNSEEN", "UID COUNT 4 ALL 2,4:5,7"],
      ["SEARCH RETURN (MIN MAX COUNT) CHARSET UTF-8 UNSEEN", "MIN 2 MAX 6 COUNT 4"],
    ] as const
  ) {
    assert.equal(await answer(session, command), `* ESEARCH (TAG "a") ${expected}`, command);
  }
});

Deno.test("without a match MIN, MAX and ALL are left out and COUNT is 0", async () => {
  const session = await openInbox();
  assert.equal(
    await answer(session, "SEARCH RETURN (MIN MAX ALL COUNT) ANSWERED DRAFT"),
    '* ESEARCH (TAG "a") COUNT 0',
  );
  assert.equal(await answer(session, "SEARCH RETURN (MIN) ANSWERED DRAFT"), '* ESEARCH (TAG "a")');
});

Deno.test("MIN and MAX do not look at more messages than they need", async () => {
  const session = await openInbox();
  const asked: (string | undefined)[] = [];
  session.wrapStore((store) =>
    new Proxy(store, {
      get(target, name, receiver) {
        if (name !== "search") return Reflect.get(target, name, receiver).bind(target);
        return (...args: Parameters<typeof target.search>) => {
          asked.push(args[2]?.only);
          return target.search(...args);
        };
      },
    })
  );
  await answer(session, "SEARCH RETURN (MIN) ALL");
  await answer(session, "SEARCH RETURN (MAX MIN) ALL");
  await answer(session, "SEARCH RETURN (MAX COUNT) ALL");
  assert.deepEqual(asked, ["min", "min", "max", undefined]);
});

Deno.test("the tag in an ESEARCH response is a quoted string, whatever it looks like", async () => {
  const session = await openInbox();
  assert.deepEqual(await session.ask("123 SEARCH RETURN (COUNT) ALL"), [
    '* ESEARCH (TAG "123") COUNT 7',
    "123 OK",
  ]);
  assert.deepEqual(await session.ask("a].x SEARCH RETURN (COUNT) ALL"), [
    '* ESEARCH (TAG "a].x") COUNT 7',
    "a].x OK",
  ]);
});

Deno.test("SAVE keeps what RFC 9051 6.4.4.1 says, for each combination of options", async () => {
  const session = await openInbox();
  for (
    const [options, line, saved] of [
      ["SAVE", undefined, "2,4:5,7"],
      ["SAVE MIN", "UID MIN 2", "2"],
      ["MAX SAVE", "UID MAX 7", "7"],
      ["MAX SAVE MIN", "UID MIN 2 MAX 7", "2,7"],
      ["SAVE COUNT", "UID COUNT 4", "2,4:5,7"],
      ["SAVE ALL", "UID ALL 2,4:5,7", "2,4:5,7"],
      ["SAVE MIN COUNT", "UID MIN 2 COUNT 4", "2,4:5,7"],
      ["ALL SAVE MIN MAX", "UID MIN 2 MAX 7 ALL 2,4:5,7", "2,4:5,7"],
    ] as const
  ) {
    const lines = await session.ask(`a UID SEARCH RETURN (${options}) UNSEEN`);
    const expected = line === undefined ? ["a OK"] : [`* ESEARCH (TAG "a") ${line}`, "a OK"];
    assert.deepEqual(lines, expected, options);
    assert.equal(session.view?.savedResult.toString(), saved, options);
  }
});

Deno.test("$ stands for the saved result, as a key, in UID and within other keys", async () => {
  const session = await openInbox();
  assert.deepEqual(await session.ask("a SEARCH RETURN (SAVE) SEEN"), ["a OK"]);
  assert.equal(await answer(session, "SEARCH $"), "* SEARCH 1 5 7");
  assert.equal(await answer(session, "UID SEARCH $"), "* SEARCH 1 6 8");
  assert.equal(await answer(session, "UID SEARCH UID $ SMALLER 600"), "* SEARCH 1 8");
  assert.equal(await answer(session, "UID SEARCH OR $ 2:3"), "* SEARCH 1 2 4 6 8");
  assert.equal(await answer(session, "UID SEARCH NOT $"), "* SEARCH 2 4 5 7");
  // A search may refine the result that it replaces.
  assert.deepEqual(await session.ask("a SEARCH RETURN (SAVE) $ ANSWERED"), ["a OK"]);
  assert.equal(await answer(session, "UID SEARCH $"), "* SEARCH 1");
});

Deno.test("$ is emptied by a NO with SAVE, and left alone by BAD and by NO without it", async () => {
  const session = await openInbox();
  const save = async () => {
    assert.deepEqual(await session.ask("a SEARCH RETURN (SAVE) SEEN"), ["a OK"]);
  };
  const saved = () => session.view?.savedResult.toString();
  await save();
  assert.equal(await refusal(session, "SEARCH RETURN (SAVE) FRUIT"), "BAD");
  assert.match(await refusal(session, "SEARCH CHARSET X-Klingon ALL"), /^NO/);
  assert.equal(
    await answer(session, "UID SEARCH RETURN (COUNT) ALL"),
    '* ESEARCH (TAG "a") UID COUNT 7',
  );
  assert.equal(saved(), "1,6,8");
  assert.match(await refusal(session, "SEARCH RETURN (SAVE) CHARSET X-Klingon ALL"), /^NO/);
  assert.equal(saved(), "");
  assert.equal(await answer(session, "SEARCH $"), "* SEARCH");

  await save();
  await session.store.createMailbox("Other");
  await session.store.renameMailbox("INBOX", "Moved");
  await session.select("Moved");
  await save();
  await session.store.deleteMailbox("Moved");
  assert.match(await refusal(session, "SEARCH RETURN (SAVE) ALL"), /^NO/);
  assert.equal(saved(), "");
});

Deno.test("MODSEQ finds by mod-sequence and tells the highest of what was found", async () => {
  const session = await openInbox();
  const { id } = await box(session.store, "INBOX");
  const change = { mode: "add", flags: SystemFlag.flagged, keywords: [] } as const;
  const first = (await session.store.changeFlags(id, RangeSet.of(5, 7), change)).modSeq ?? 0;
  const second = (await session.store.changeFlags(id, RangeSet.of(6), change)).modSeq ?? 0;
  assert.ok(second > first);
  session.modes.enable("CONDSTORE");
  for (
    const [command, expected] of [
      [`SEARCH MODSEQ ${first}`, `* SEARCH 4 5 6 (MODSEQ ${second})`],
      [`UID SEARCH MODSEQ "/flags/\\\\draft" all ${second}`, `* SEARCH 6 (MODSEQ ${second})`],
      [`UID SEARCH OR MODSEQ ${second} DRAFT`, `* SEARCH 5 6 (MODSEQ ${second})`],
      [`UID SEARCH NOT MODSEQ ${second} UID 5:6`, `* SEARCH 5 (MODSEQ ${first})`],
      [`SEARCH MODSEQ ${second + 1}`, "* SEARCH"],
      ["SEARCH MODSEQ 9223372036854775807", "* SEARCH"],
      ["SEARCH MODSEQ 0 DRAFT", `* SEARCH 4 (MODSEQ ${first})`],
      // RFC 4731 3.2: the highest of the messages that are told of.
      [
        `UID SEARCH RETURN (MIN) MODSEQ ${first}`,
        `* ESEARCH (TAG "a") UID MIN 5 MODSEQ ${first}`,
      ],
      [
        `UID SEARCH RETURN (MAX) MODSEQ ${first}`,
        `* ESEARCH (TAG "a") UID MAX 7 MODSEQ ${first}`,
      ],
      [
        `UID SEARCH RETURN (MIN MAX) MODSEQ ${first}`,
        `* ESEARCH (TAG "a") UID MIN 5 MAX 7 MODSEQ ${first}`,
      ],
      [
        `UID SEARCH RETURN (MIN COUNT) MODSEQ ${first}`,
        `* ESEARCH (TAG "a") UID MIN 5 COUNT 3 MODSEQ ${second}`,
      ],
      [`UID SEARCH RETURN (COUNT) MODSEQ ${second + 1}`, '* ESEARCH (TAG "a") UID COUNT 0'],
    ] as const
  ) {
    assert.equal(await answer(session, command), expected, command);
  }
  for (const rest of ['"/flags/x" fruit 1', '"/flags/x" 1', "-1", "9223372036854775808"]) {
    assert.equal(await refusal(session, `SEARCH MODSEQ ${rest}`), "BAD", rest);
  }
});

Deno.test("MODSEQ turns CONDSTORE on, which a search that is refused does not", async () => {
  const session = await openInbox();
  assert.equal(await refusal(session, "SEARCH MODSEQ 1 FRUIT"), "BAD");
  assert.equal(session.modes.condstore, false);
  const lines = await session.ask("a SEARCH MODSEQ 1 ANSWERED");
  assert.match(lines[0] ?? "", /^\* OK \[HIGHESTMODSEQ \d+\]/);
  assert.match(lines[1] ?? "", /^\* SEARCH 1 \(MODSEQ \d+\)$/);
  assert.equal(session.modes.condstore, true);
});

Deno.test("RECENT, NEW and OLD go by what is recent in this session", async () => {
  const session = await openInbox();
  await session.select("INBOX", { claimRecent: true });
  assert.equal(await answer(session, "SEARCH RECENT"), "* SEARCH 1 2 3 4 5 6 7");
  assert.equal(await answer(session, "SEARCH OLD"), "* SEARCH");
  await put(session.store, "INBOX", {}, { flags: SystemFlag.seen });
  // Selected anew: the old ones were claimed before, the two are recent now.
  await session.select("INBOX", { claimRecent: true });
  assert.equal(await answer(session, "UID SEARCH RECENT"), "* SEARCH 9 10");
  assert.equal(await answer(session, "UID SEARCH NEW"), "* SEARCH 9");
  assert.equal(await answer(session, "UID SEARCH OLD SEEN"), "* SEARCH 1 6 8");
  assert.equal(await answer(session, "UID SEARCH NOT RECENT SEEN"), "* SEARCH 1 6 8");
  session.modes.enable("IMAP4REV2");
  assert.equal(await answer(session, "UID SEARCH RECENT"), '* ESEARCH (TAG "a") UID');
  assert.equal(await answer(session, "UID SEARCH OLD NOT 1:7"), '* ESEARCH (TAG "a") UID ALL 9:10');
});

Deno.test("only messages that the client knows of are found, under the numbers that it knows", async () => {
  const session = await openInbox();
  const { id } = await box(session.store, "INBOX");
  await put(session.store, "INBOX", { flags: SystemFlag.seen });
  await session.store.expunge(id, RangeSet.of(1), { onlyDeleted: false });
  assert.equal(await answer(session, "SEARCH SEEN"), "* SEARCH 5 7");
  assert.equal(await answer(session, "UID SEARCH UID *"), "* SEARCH 8");
  assert.equal(await answer(session, "UID SEARCH *"), "* SEARCH 8");
});

Deno.test("in an empty mailbox nothing is found and no number is wrong", async () => {
  const session = await SearchSession.open();
  await session.select("INBOX");
  for (const key of ["ALL", "1", "*", "1:*", "UID 1:*", "UID *", "NOT 1", "$"]) {
    assert.equal(await answer(session, `SEARCH ${key}`), "* SEARCH", key);
    assert.equal(await answer(session, `UID SEARCH ${key}`), "* SEARCH", key);
  }
  assert.equal(
    await answer(session, "SEARCH RETURN (MIN COUNT) 1:*"),
    '* ESEARCH (TAG "a") COUNT 0',
  );
});

Deno.test("SEARCH holds EXPUNGE back, and so does UID SEARCH with sequence numbers in it", async () => {
  const session = await openInbox();
  for (
    const [command, catchUp] of [
      ["SEARCH ALL", "noExpunge"],
      ["UID SEARCH UID 1:*", "all"],
      ["UID SEARCH NOT (SEEN 2)", "noExpunge"],
      ["UID SEARCH $", "all"],
    ] as const
  ) {
    await answer(session, command);
    assert.equal(session.catchUp, catchUp, command);
  }
});

Deno.test("under UIDONLY only UID SEARCH without sequence numbers is taken", async () => {
  const session = await openInbox();
  session.modes.enable("UIDONLY");
  assert.equal(await refusal(session, "SEARCH ALL"), "BAD [UIDREQUIRED]");
  assert.equal(await refusal(session, "UID SEARCH NOT 1:2"), "BAD [UIDREQUIRED]");
  assert.equal(await answer(session, "UID SEARCH NOT UID 1:7"), "* SEARCH 8");
  assert.equal(await answer(session, "UID SEARCH $"), "* SEARCH");
});

Deno.test("keys nest as deep as the limit and not deeper", async () => {
  const session = await openInbox();
  const limit = MAX_SEARCH_DEPTH;
  const nots = (count: number) => `UID SEARCH ${"NOT ".repeat(count)}SEEN`;
  assert.equal(await answer(session, nots(limit - 1)), "* SEARCH 2 4 5 7");
  assert.equal(await answer(session, nots(limit - 2)), "* SEARCH 1 6 8");
  assert.equal(await refusal(session, nots(limit)), "NO [LIMIT]");
  const parentheses = (count: number) => `UID SEARCH ${"(".repeat(count)}SEEN${")".repeat(count)}`;
  assert.equal(await answer(session, parentheses(limit - 1)), "* SEARCH 1 6 8");
  assert.equal(await refusal(session, parentheses(limit)), "NO [LIMIT]");
});

Deno.test("a chain of OR may be long, to either side", async () => {
  const session = await openInbox();
  const right = `UID SEARCH ${"OR DRAFT ".repeat(900)}SEEN`;
  assert.equal(await answer(session, right), "* SEARCH 1 5 6 8");
  // As JavaMail writes it: OR (OR (OR SEEN DRAFT) DRAFT) DRAFT.
  const left = `UID SEARCH ${"OR (".repeat(99)}OR SEEN DRAFT${") DRAFT".repeat(99)}`;
  assert.equal(await answer(session, left), "* SEARCH 1 5 6 8");
});

Deno.test("a search has as many keys as the limit and not more", async () => {
  const session = await openInbox();
  const limit = MAX_SEARCH_KEYS;
  const all = (count: number) => `UID SEARCH ${Array(count).fill("ALL").join(" ")}`;
  assert.equal(await answer(session, all(limit)), "* SEARCH 1 2 4 5 6 7 8");
  assert.equal(await refusal(session, all(limit + 1)), "NO [LIMIT]");
  // A chain of OR counts as one key beside those that it joins.
  const alternatives = (count: number) => `UID SEARCH ${"OR 1 ".repeat(count)}2`;
  assert.equal(await answer(session, alternatives(limit - 2)), "* SEARCH 1 2");
  assert.equal(await refusal(session, alternatives(limit - 1)), "NO [LIMIT]");
  const groups = (count: number) => `UID SEARCH ${Array(count).fill("(NOT SEEN)").join(" ")}`;
  assert.equal(await answer(session, groups(333)), "* SEARCH 2 4 5 7");
  assert.equal(await refusal(session, groups(334)), "NO [LIMIT]");
});
