import assert from "node:assert/strict";
import { collationKey } from "../../src/imap/sort_order.ts";
import type { NewMessage } from "../../src/store/mod.ts";
import { lines } from "../support/messages.ts";
import { type TestServer, withServer } from "../support/server.ts";

interface Mail {
  from?: string;
  to?: string;
  cc?: string;
  subject?: string;
  date?: string;
  arrived?: string;
  id?: string;
  references?: string;
  inReplyTo?: string;
  text?: string;
}

/** Appends the messages to INBOX and gives a client that has it selected. */
async function withMail(server: TestServer, mails: readonly Mail[]) {
  const c = await server.login("INBOX");
  for (const mail of mails) {
    const fields = [
      mail.from === undefined ? [] : [`From: ${mail.from}`],
      mail.to === undefined ? [] : [`To: ${mail.to}`],
      mail.cc === undefined ? [] : [`Cc: ${mail.cc}`],
      mail.subject === undefined ? [] : [`Subject: ${mail.subject}`],
      mail.date === undefined ? [] : [`Date: ${mail.date}`],
      mail.id === undefined ? [] : [`Message-ID: <${mail.id}>`],
      mail.references === undefined ? [] : [`References: ${mail.references}`],
      mail.inReplyTo === undefined ? [] : [`In-Reply-To: ${mail.inReplyTo}`],
    ].flat();
    const message = lines(...fields, "", mail.text ?? "text");
    await c.append("INBOX", message, mail.arrived === undefined ? {} : { date: mail.arrived });
  }
  return c;
}

const day = (n: number) => `${n} Jan 2026 12:00:00 +0000`;
const refs = (...ids: string[]) => ids.map((id) => `<${id}>`).join(" ");

Deno.test("SORT orders by each key, in reverse, and by several, with mailbox order for equals", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, [
      { from: "Zoe <bob@x>", to: "y@x", cc: "b@x", subject: "Re: beta", date: day(3) },
      { from: "Adam <Carl@x>", to: "X@x", subject: "alpha", date: day(1), text: "longer text" },
      {
        from: '"=?utf-8?Q?=C3=84nne?=" <alice@x>',
        to: "z@x",
        cc: "a@x",
        subject: "Beta",
        date: day(2),
      },
      { subject: "=?utf-8?Q?=C3=A9clair?=", arrived: " 1-Jan-2020 00:00:00 +0000", date: day(4) },
    ]);
    const cases: [string, string][] = [
      ["SUBJECT", "2 1 3 4"],
      ["REVERSE SUBJECT", "4 1 3 2"],
      ["SUBJECT DATE", "2 3 1 4"],
      ["SUBJECT REVERSE DATE", "2 1 3 4"],
      ["DATE", "2 3 1 4"],
      ["ARRIVAL", "4 1 2 3"],
      ["FROM", "4 3 1 2"],
      ["TO", "4 2 1 3"],
      ["CC", "2 4 3 1"],
      ["DISPLAYFROM", "4 2 3 1"],
      ["DISPLAYTO", "4 2 1 3"],
      ["REVERSE DATE DATE", "4 1 3 2"],
    ];
    for (const [criteria, expected] of cases) {
      const { untagged } = await c.ok(`SORT (${criteria}) UTF-8 ALL`);
      assert.deepEqual(untagged, [`SORT ${expected}`], criteria);
    }
    assert.deepEqual((await c.ok("SORT (SIZE) US-ASCII FROM carl")).untagged, ["SORT 2"]);
    assert.deepEqual((await c.ok("SORT (SIZE) UTF-8 TEXT nowhere")).untagged, ["SORT"]);
  });
});

Deno.test("UID SORT gives UIDs; SORT holds expunges back and refuses what it does not know", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, [
      { subject: "c" },
      { subject: "b" },
      { subject: "a" },
    ]);
    const other = await server.login("INBOX");
    await other.ok("UID STORE 1 +FLAGS.SILENT (\\Deleted)");
    await other.ok("EXPUNGE");
    assert.deepEqual((await c.ok("SORT (SUBJECT) UTF-8 ALL")).untagged, ["SORT 3 2"]);
    assert.deepEqual((await c.ok("UID SORT (SUBJECT) UTF-8 ALL")).untagged, [
      "SORT 3 2",
      "1 EXPUNGE",
    ]);
    await c.no("SORT (SUBJECT) X-NOPE ALL");
    await c.bad("SORT (NOPE) UTF-8 ALL");
    await c.bad("SORT () UTF-8 ALL");
    await c.bad("SORT (SUBJECT) UTF-8");
    await c.bad("SORT (REVERSE) UTF-8 ALL");
  });
});

Deno.test("the collation key folds case, decomposes, and orders by octets of UTF-8", () => {
  const same: [string, string][] = [
    ["Straße", "sTRASSe".replace("SS", "ß")],
    ["\u01c4", "\u01c5"],
    ["\u01c6", "\u01c5"],
    ["e\u0301", "\u00c9"],
    ["ﬁ", "ﬁ"],
    ["\u1f80", "\u1f88"],
  ];
  for (const [a, b] of same) assert.equal(collationKey(a), collationKey(b), `${a} ${b}`);
  assert.notEqual(collationKey("Straße"), collationKey("Strasse"));
  assert.ok(collationKey("\uffee") < collationKey("\u{1f600}"), "by octets, not UTF-16 units");
  assert.ok(collationKey("a") < collationKey("B") && collationKey("b") < collationKey("C"));
});

Deno.test("THREAD=ORDEREDSUBJECT makes one thread of each base subject, by date", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, [
      { subject: "Re: one", date: day(4) },
      { subject: "two", date: day(2) },
      { subject: "one", date: day(1) },
      { subject: "[list] Fwd: ONE", date: day(3) },
      { subject: "three", date: day(5) },
    ]);
    const { untagged } = await c.ok("THREAD ORDEREDSUBJECT UTF-8 ALL");
    assert.deepEqual(untagged, ["THREAD (3 (4)(1))(2)(5)"]);
    assert.deepEqual((await c.ok("THREAD ORDEREDSUBJECT UTF-8 TEXT nope")).untagged, ["THREAD"]);
    await c.bad("THREAD NOPE UTF-8 ALL");
  });
});

Deno.test("THREAD=REFERENCES follows references, keeps siblings of a missing parent together", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, [
      { id: "a@x", subject: "top", date: day(1) },
      { id: "b@x", subject: "Re: top", date: day(2), references: refs("a@x") },
      { id: "c@x", subject: "Re: top", date: day(4), references: refs("a@x", "b@x") },
      { id: "d@x", subject: "Re: top", date: day(3), inReplyTo: "<b@x> (your mail)" },
      { id: "e@x", subject: "lone", date: day(6) },
      { id: "g@x", subject: "child one", date: day(8), references: refs("missing@x") },
      { id: "h@x", subject: "child two", date: day(7), references: refs("missing@x") },
    ]);
    assert.deepEqual((await c.ok("UID THREAD REFERENCES UTF-8 ALL")).untagged, [
      "THREAD (1 2 (4)(3))(5)((7)(6))",
    ]);
    // Only what was searched for is threaded; a parent outside the result is a dummy.
    assert.deepEqual((await c.ok("THREAD REFERENCES UTF-8 3:4")).untagged, ["THREAD ((4)(3))"]);
  });
});

Deno.test("THREAD=REFERENCES merges threads of one subject, bears loops and repeated identifiers", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, [
      { id: "a@x", subject: "same", date: day(1) },
      { id: "b@x", subject: "Re: same", date: day(2) },
      { id: "c@x", subject: "other", date: day(3) },
      { id: "d@x", subject: "other", date: day(4) },
      { id: "l1@x", subject: "loop 1", date: day(5), references: refs("l2@x") },
      { id: "l2@x", subject: "loop 2", date: day(6), references: refs("l1@x") },
      { id: "l1@x", subject: "twice", date: day(7) },
      { subject: "none", date: day(8), references: refs("self@x", "self@x") },
    ]);
    const { untagged } = await c.ok("THREAD REFERENCES UTF-8 ALL");
    assert.equal(untagged.length, 1);
    assert.match(untagged[0]!, /^THREAD \(1 2\)\(\(3\)\(4\)\)/);
    const numbers = untagged[0]!.match(/\d+/g)!.map(Number).sort((a, b) => a - b);
    assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

Deno.test("a thread thousands of messages deep is answered", async () => {
  await withServer(async (server) => {
    const mail = await server.mail();
    const messages: NewMessage[] = [];
    for (let i = 0; i < 3000; i++) {
      const stage = mail.stageMessage();
      const parent = i === 0 ? "" : `In-Reply-To: <${i - 1}@x>\r\n`;
      await stage.write(new TextEncoder().encode(`Message-ID: <${i}@x>\r\n${parent}\r\n`));
      const internalDate = { seconds: 1000 + i, zoneMinutes: 0 };
      messages.push({ staged: await stage.finish(), flags: 0, keywords: [], internalDate });
    }
    await mail.append("INBOX", messages);
    const c = await server.login("INBOX");
    const { untagged } = await c.ok("UID THREAD REFERENCES UTF-8 ALL");
    const expected = Array.from({ length: 3000 }, (_, i) => i + 1).join(" ");
    assert.deepEqual(untagged, [`THREAD (${expected})`]);
  });
});
