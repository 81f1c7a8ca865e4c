import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { literal } from "../support/client.ts";
import {
  INNER,
  INNER_TEXT,
  lines,
  NESTED,
  NESTED_TEXT,
  nestedPieces as pieces,
  simpleMessage,
} from "../support/messages.ts";
import { withServer } from "../support/server.ts";

const lit = (text: string) => `{${text.length}}\r\n${text}`;

/** What the sections of RFC 3501 6.4.5 and RFC 9051 6.4.5.1 are in NESTED. */
const SECTIONS: Readonly<Record<string, string | undefined>> = {
  "": NESTED,
  "HEADER": pieces.header,
  "TEXT": NESTED_TEXT,
  "1": pieces.text1,
  "1.MIME": pieces.mime1,
  // A text part has no parts, and no header of a message in it.
  "1.1": undefined,
  "1.HEADER": undefined,
  "1.TEXT": undefined,
  // An embedded message: whole, its own MIME header, its header, its text and its parts.
  "2": INNER,
  "2.MIME": pieces.mime2,
  "2.HEADER": pieces.inner.header,
  "2.TEXT": INNER_TEXT,
  "2.1": pieces.inner.text1,
  "2.1.MIME": pieces.inner.mime1,
  "2.2": pieces.inner.text2,
  "2.2.MIME": pieces.inner.mime2,
  "2.3": undefined,
  "2.1.TEXT": undefined,
  "2.1.1": undefined,
  // A message of one text: that text is its part 1, and MIME is the message's own header.
  "3": `${pieces.second.header}${pieces.second.text}`,
  "3.HEADER": pieces.second.header,
  "3.TEXT": pieces.second.text,
  "3.1": pieces.second.text,
  "3.1.MIME": pieces.second.header,
  "3.2": undefined,
  "4": undefined,
  "HEADER.FIELDS (SUBJECT)": "Subject: outer\r\n\r\n",
  "HEADER.FIELDS.NOT (SUBJECT MIME-VERSION)": 'Content-Type: multipart/mixed; boundary="a"\r\n\r\n',
  "2.HEADER.FIELDS (FROM X-MISSING)": "From: inner@example.org\r\n\r\n",
  "HEADER.FIELDS (X-MISSING)": "\r\n",
};

Deno.test("BODY[section] gives the octets that RFC 9051 6.4.5.1 numbers, and NIL for what is not there", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", NESTED);
    for (const [section, expected] of Object.entries(SECTIONS)) {
      const { untagged } = await c.ok(`FETCH 1 BODY.PEEK[${section}]`);
      const value = expected === undefined ? "NIL" : lit(expected);
      assert.deepEqual(untagged, [`1 FETCH (UID 1 BODY[${section}] ${value})`], section);
    }
  });
});

Deno.test("a message without multipart has part 1, its text, and its header is that part's MIME header", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const message = simpleMessage();
    const header = message.slice(0, message.indexOf("\r\n\r\n") + 4);
    await c.append("INBOX", message);
    const { untagged } = await c.ok("FETCH 1 (BODY.PEEK[1] BODY.PEEK[1.MIME] BODY.PEEK[2])");
    const expected = `BODY[1] ${lit("Hello, world.\r\n")} BODY[1.MIME] ${lit(header)} BODY[2] NIL`;
    assert.deepEqual(untagged, [`1 FETCH (UID 1 ${expected})`]);
  });
});

Deno.test("partial answers name their origin and are cut at the end of the section", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", NESTED);
    const cases: [string, string][] = [
      ["BODY.PEEK[1]<0.5>", `BODY[1]<0> ${lit("first")}`],
      ["BODY.PEEK[1]<6.100>", `BODY[1]<6> ${lit("part")}`],
      ["BODY.PEEK[1]<100.5>", `BODY[1]<100> ${lit("")}`],
      [
        "BODY.PEEK[HEADER.FIELDS (SUBJECT)]<3.4>",
        `BODY[HEADER.FIELDS (SUBJECT)]<3> ${lit("ject")}`,
      ],
      ["BODY.PEEK[9]<0.5>", "BODY[9]<0> NIL"],
    ];
    for (const [item, expected] of cases) {
      const { untagged } = await c.ok(`FETCH 1 ${item}`);
      assert.deepEqual(untagged, [`1 FETCH (UID 1 ${expected})`]);
    }
    await c.bad("FETCH 1 BODY.PEEK[1]<0.0>");
    await c.bad("FETCH 1 BODY.PEEK[1]<5>");
  });
});

Deno.test("fetching a body sets \\Seen, tells so in the same answer, and another session hears of it", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", simpleMessage());
    const watcher = await server.login("INBOX");
    const { untagged } = await c.ok("FETCH 1 (FLAGS BODY[1])");
    assert.deepEqual(untagged, [
      `1 FETCH (UID 1 FLAGS (\\Seen \\Recent) BODY[1] ${lit("Hello, world.\r\n")})`,
    ]);
    assert.deepEqual((await watcher.ok("NOOP")).untagged, ["1 FETCH (UID 1 FLAGS (\\Seen))"]);
    // Once it is set there is nothing more to tell.
    const again = await c.ok("FETCH 1 BODY[1]");
    assert.deepEqual(again.untagged, [`1 FETCH (UID 1 BODY[1] ${lit("Hello, world.\r\n")})`]);
    assert.deepEqual((await c.ok("NOOP")).untagged, []);
  });
});

Deno.test("PEEK, RFC822.HEADER and a read-only mailbox leave \\Seen alone; RFC822 and RFC822.TEXT set it", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const message = simpleMessage();
    const header = message.slice(0, message.indexOf("\r\n\r\n") + 4);
    await c.append("INBOX", message);
    for (const item of ["BODY.PEEK[]", "RFC822.HEADER", "BODY.PEEK[TEXT]"]) {
      const { untagged } = await c.ok(`FETCH 1 (${item} FLAGS)`);
      assert.match(untagged[0]!, /FLAGS \(\\Recent\)/);
    }
    await c.ok("EXAMINE INBOX");
    await c.ok("FETCH 1 BODY[]");
    await c.ok("SELECT INBOX");
    assert.match((await c.ok("FETCH 1 FLAGS")).untagged[0]!, /FLAGS \(\)/);
    assert.deepEqual((await c.ok("FETCH 1 RFC822.HEADER")).untagged, [
      `1 FETCH (UID 1 RFC822.HEADER ${lit(header)})`,
    ]);
    assert.deepEqual((await c.ok("FETCH 1 RFC822.TEXT")).untagged, [
      `1 FETCH (UID 1 FLAGS (\\Seen) RFC822.TEXT ${lit("Hello, world.\r\n")})`,
    ]);
    assert.deepEqual((await c.ok("FETCH 1 RFC822")).untagged, [
      `1 FETCH (UID 1 RFC822 ${lit(message)})`,
    ]);
  });
});

Deno.test("the macros FAST, ALL and FULL are what RFC 9051 6.4.5 says, and stand alone", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", simpleMessage(), { date: "07-Feb-1994 22:00:00 -0800" });
    const fast = 'FLAGS (\\Recent) INTERNALDATE " 7-Feb-1994 22:00:00 -0800" RFC822.SIZE 268';
    const envelope = 'ENVELOPE ("Mon, 7 Feb 1994 21:52:25 -0800" "Hello" ' +
      '(("Fred Foobar" NIL "foobar" "Blurdybloop.example")) ' +
      '(("Fred Foobar" NIL "foobar" "Blurdybloop.example")) ' +
      '(("Fred Foobar" NIL "foobar" "Blurdybloop.example")) ' +
      '((NIL NIL "mooch" "owatagu.siam.edu.example")) NIL NIL NIL ' +
      '"<B27397-0100000@Blurdybloop.example>")';
    const body = 'BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 15 1)';
    assert.equal(simpleMessage().length, 268);
    const answers = [["FAST", fast], ["ALL", `${fast} ${envelope}`], [
      "FULL",
      `${fast} ${envelope} ${body}`,
    ]];
    for (const [macro, expected] of answers) {
      const { untagged } = await c.ok(`FETCH 1 ${macro}`);
      assert.deepEqual(untagged.map((line) => line.toUpperCase()), [
        `1 FETCH (UID 1 ${expected})`.toUpperCase(),
      ]);
    }
    await c.bad("FETCH 1 (FAST)");
  });
});

Deno.test("BINARY gives the decoded part, as literal8 where it holds NUL, in part and by size", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const message = lines(
      'Content-Type: multipart/mixed; boundary="x"',
      "",
      "--x",
      "Content-Transfer-Encoding: base64",
      "Content-Type: application/octet-stream",
      "",
      Buffer.from("a\0b\0c").toString("base64"),
      "--x",
      "Content-Transfer-Encoding: quoted-printable",
      "Content-Type: text/plain; charset=utf-8",
      "",
      "caf=C3=A9",
      "--x",
      "Content-Transfer-Encoding: x-unknown",
      "",
      "???",
      "--x--",
    );
    await c.append("INBOX", message);
    const items: [string, string][] = [
      ["BINARY.PEEK[1]", "BINARY[1] ~{5}\r\na\0b\0c"],
      ["BINARY.PEEK[1]<2.2>", "BINARY[1]<2> ~{2}\r\nb\0"],
      ["BINARY.SIZE[1]", "BINARY.SIZE[1] 5"],
      ["BINARY.PEEK[2]", "BINARY[2] {5}\r\ncaf\xc3\xa9"],
      ["BINARY.SIZE[2]", "BINARY.SIZE[2] 5"],
      ["BINARY.PEEK[7]", "BINARY[7] NIL"],
    ];
    for (const [item, expected] of items) {
      const { untagged } = await c.ok(`FETCH 1 ${item}`);
      assert.deepEqual(untagged, [`1 FETCH (UID 1 ${expected})`]);
    }
    // An unknown encoding fails that item alone; the rest of the FETCH is answered.
    await c.append("INBOX", simpleMessage());
    const failed = await c.no("FETCH 1:2 (BINARY.PEEK[3] RFC822.SIZE)", "UNKNOWN-CTE");
    assert.deepEqual(failed.untagged.slice(0, 1), [
      `1 FETCH (UID 1 BINARY[3] NIL RFC822.SIZE ${message.length})`,
    ]);
    assert.equal(failed.untagged[1], "2 FETCH (UID 2 BINARY[3] NIL RFC822.SIZE 268)");
  });
});

Deno.test("a large message streams out as it went in, whole and in parts", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const body = Buffer.alloc(3_000_000);
    for (let i = 0; i < body.length; i++) body[i] = 97 + (i * 7 + (i >> 9)) % 26;
    for (let i = 77; i < body.length; i += 78) body.write("\r\n", i - 1);
    const header = "Subject: large\r\nContent-Type: text/plain\r\n\r\n";
    const message = Buffer.concat([Buffer.from(header), body]);
    await c.ok(["APPEND INBOX ", literal(message)]);
    const { untagged } = await c.ok("FETCH 1 BODY.PEEK[]");
    const prefix = `1 FETCH (UID 1 BODY[] {${message.length}}\r\n`;
    assert.ok(untagged[0]!.startsWith(prefix));
    assert.ok(untagged[0]!.slice(prefix.length, -1) === message.toString("latin1"));
    const slice = await c.ok("FETCH 1 BODY.PEEK[TEXT]<1000000.300000>");
    const expected = body.subarray(1_000_000, 1_300_000).toString("latin1");
    assert.ok(slice.untagged[0] === `1 FETCH (UID 1 BODY[TEXT]<1000000> ${lit(expected)})`);
    const binary = await c.ok("FETCH 1 BINARY.PEEK[1]<2000000.10>");
    assert.equal(
      binary.untagged[0],
      `1 FETCH (UID 1 BINARY[1]<2000000> ${lit(body.toString("latin1", 2_000_000, 2_000_010))})`,
    );
  });
});

Deno.test("bare LF and CR become CRLF when stored, and nothing else ever changes", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", "Subject: x\n\nline\rline\r\n\xff\x80end");
    const { untagged } = await c.ok("FETCH 1 (RFC822.SIZE BODY.PEEK[])");
    const stored = Buffer.from("Subject: x\r\n\r\nline\r\nline\r\n\xff\x80end", "utf8")
      .toString("latin1");
    assert.deepEqual(untagged, [
      `1 FETCH (UID 1 RFC822.SIZE ${stored.length} BODY[] ${lit(stored)})`,
    ]);
  });
});

Deno.test("a message that another session expunged can be fetched until this one is told", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", simpleMessage("one"));
    await c.append("INBOX", simpleMessage("two"));
    const other = await server.login("INBOX");
    await other.ok("STORE 1 +FLAGS (\\Deleted)");
    await other.ok("EXPUNGE");
    const { untagged } = await c.ok("FETCH 1:2 BODY.PEEK[HEADER.FIELDS (SUBJECT)]");
    assert.equal(untagged.filter((line) => line.includes("Subject: ")).length, 2);
    assert.ok(!untagged.some((line) => line.includes("EXPUNGE")), "no EXPUNGE during FETCH");
    assert.deepEqual((await c.ok("NOOP")).untagged, ["1 EXPUNGE"]);
    assert.match((await c.ok("FETCH 1 UID")).untagged[0]!, /^1 FETCH \(UID 2\)$/);
  });
});

Deno.test("sequence numbers beyond the mailbox are BAD, UIDs beyond it are nothing", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.bad("FETCH * FLAGS");
    await c.bad("FETCH 1 FLAGS");
    assert.deepEqual((await c.ok("UID FETCH 1:* FLAGS")).untagged, []);
    for (let i = 0; i < 3; i++) await c.append("INBOX", simpleMessage());
    await c.bad("FETCH 4 FLAGS");
    await c.bad("FETCH 2:4 FLAGS");
    assert.equal((await c.ok("UID FETCH 2:4 FLAGS")).untagged.length, 2);
    // n:* with n above the last names the last (RFC 9051 9, seq-range).
    assert.match((await c.ok("UID FETCH 99:* UID")).untagged[0]!, /UID 3\)$/);
    assert.deepEqual((await c.ok("FETCH 3:1,2 UID")).untagged, [
      "1 FETCH (UID 1)",
      "2 FETCH (UID 2)",
      "3 FETCH (UID 3)",
    ]);
  });
});

Deno.test("no literal of BODY[…] or RFC822… has a NUL: 0x80 goes in its place, and BINARY gives the octets", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    // A short one comes with its row, a long one piece by piece.
    for (const [i, filling] of ["", "x".repeat(3_000_000)].entries()) {
      const header = "Subject: n\0ul\r\nX-Other: 1\r\n\r\n";
      const body = `a\0b${filling}\0c\r\n`;
      await c.ok(["APPEND INBOX ", literal(header + body, { binary: true })]);
      const shown = (text: string) => text.replaceAll("\0", "\x80");
      const subject = "Subject: n\0ul\r\n\r\n";
      const whole = header + body;
      const items: [string, string, string][] = [
        ["BODY.PEEK[]", "BODY[]", whole],
        ["BODY.PEEK[]<8.5>", "BODY[]<8>", whole.slice(8, 13)],
        ["BODY.PEEK[1]", "BODY[1]", body],
        ["BODY.PEEK[TEXT]", "BODY[TEXT]", body],
        ["BODY.PEEK[HEADER]", "BODY[HEADER]", header],
        ["BODY.PEEK[HEADER.FIELDS (SUBJECT)]", "BODY[HEADER.FIELDS (SUBJECT)]", subject],
        ["RFC822.HEADER", "RFC822.HEADER", header],
        ["RFC822", "RFC822", whole],
        ["RFC822.TEXT", "RFC822.TEXT", body],
      ];
      for (const [item, label, octets] of items) {
        const { untagged } = await c.ok(`FETCH ${i + 1} ${item}`);
        assert.ok(
          untagged[0]?.includes(`${label} {${octets.length}}\r\n${shown(octets)}`),
          `${item} of ${whole.length} octets`,
        );
      }
      const binary = await c.ok(`FETCH ${i + 1} BINARY.PEEK[]`);
      assert.ok(binary.untagged[0]?.includes(`BINARY[] ~{${whole.length}}\r\n${whole}`));
    }
  });
});
