import assert from "node:assert/strict";
import { type CommandText, literal, type TestClient } from "../support/client.ts";
import { lines } from "../support/messages.ts";
import { withServer } from "../support/server.ts";

const PARTS = lines(
  "Subject: parts",
  "MIME-Version: 1.0",
  "Content-Type: multipart/mixed; boundary=b",
  "",
  "--b",
  "Content-Type: text/plain",
  "",
  "first part",
  "--b",
  "Content-Type: text/html",
  "",
  "<p>second part</p>",
  "--b--",
);

async function bodyOf(c: TestClient, mailbox: string, uid: number): Promise<string> {
  await c.ok(`EXAMINE ${mailbox}`);
  const { untagged } = await c.ok(`UID FETCH ${uid} BODY.PEEK[]`);
  const text = untagged.join("\r\n");
  const [, octets] = /BODY\[\] \{(\d+)\}\r\n/.exec(text) ?? [];
  const start = text.indexOf("}\r\n", text.indexOf("BODY[]")) + 3;
  return text.slice(start, start + Number(octets));
}

async function uidValidity(c: TestClient, mailbox: string): Promise<number> {
  const { untagged } = await c.ok(`STATUS ${mailbox} (UIDVALIDITY)`);
  return Number(/UIDVALIDITY (\d+)/.exec(untagged[0] ?? "")?.[1]);
}

Deno.test("CATENATE puts text and parts of messages together, as FETCH would give them", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.ok("CREATE Drafts2");
    const uid = await c.append("Drafts2", PARTS);
    const validity = await uidValidity(c, "Drafts2");
    const watcher = await server.login("INBOX");
    const at = `/Drafts2;UIDVALIDITY=${validity}/;UID=${uid}`;
    const { code } = await c.ok([
      `APPEND INBOX (\\Seen) CATENATE (URL "${at}/;section=HEADER" TEXT `,
      literal("--b\r\n"),
      ` URL "${at}/;Section=1.MIME" URL "${at}/;SECTION=1" TEXT `,
      literal("\r\n--b\r\n", { nonSync: true }),
      " URL ",
      literal(`${at}/;SECTION=2/;PARTIAL=3.6`),
      ` URL "/Drafts2/;uid=${uid}/;SECTION=2/;PARTIAL=16" URL "${at}/;SECTION=HEADER.FIELDS%20(Subject)")`,
    ]);
    assert.match(code ?? "", /^APPENDUID \d+ 1$/);
    assert.deepEqual((await watcher.ok("NOOP")).untagged, ["1 EXISTS", "1 RECENT"]);
    const header = PARTS.slice(0, PARTS.indexOf("\r\n\r\n") + 4);
    assert.equal(
      await bodyOf(c, "INBOX", 1),
      `${header}--b\r\nContent-Type: text/plain\r\n\r\nfirst part\r\n--b\r\nsecondp>Subject: parts\r\n\r\n`,
    );
    // The message that was read from stays unseen.
    await c.ok("SELECT Drafts2");
    assert.deepEqual((await c.ok("SEARCH UNSEEN")).untagged, ["SEARCH 1"]);
  });
});

Deno.test("URLs without a mailbox are of the selected one, names may be encoded", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.ok('CREATE "a/b &AOk- c"');
    await c.append('"a/b &AOk- c"', lines("Subject: x", "", "body"));
    await c.ok('APPEND INBOX CATENATE (URL "/a/b%20%c3%a9%20c/;UID=1")');
    assert.equal(await bodyOf(c, "INBOX", 1), lines("Subject: x", "", "body"));
    await c.ok("SELECT INBOX");
    await c.ok("APPEND INBOX CATENATE (URL ;UID=1/;SECTION=HEADER URL /;UID=1/;SECTION=TEXT)");
    assert.equal(await bodyOf(c, "INBOX", 2), lines("Subject: x", "", "body"));
  });
});

Deno.test("a URL that names nothing is BADURL, and nothing is appended", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const uid = await c.append("INBOX", PARTS);
    const validity = await uidValidity(c, "INBOX");
    const bad = [
      `/INBOX;UIDVALIDITY=${validity + 1}/;UID=${uid}`,
      `/INBOX/;UID=${uid + 1}`,
      `/INBOX/;UID=${uid}/;SECTION=3`,
      `/INBOX/;UID=${uid}/;SECTION=nope`,
      `/INBOX/;UID=${uid}/;SECTION=%zz`,
      `/INBOX/;UID=${uid};URLAUTH=anonymous`,
      `/INBOX/;UID=0`,
      "/INBOX",
      "/nowhere/;UID=1",
      "//example.org/INBOX/;UID=1",
      `imap://user@example.org/INBOX/;UID=${uid}`,
      "http://example.org/",
      ";UID=1",
      "",
    ];
    for (const url of bad) {
      const { code } = await c.no(`APPEND INBOX CATENATE (URL "${url}")`);
      assert.equal(code, `BADURL ${url}`);
    }
    // Before the literal is sent, where the URL comes first.
    const tag = c.begin();
    c.send(`${tag} APPEND INBOX CATENATE (URL "/INBOX/;UID=9" TEXT {5}\r\n`);
    assert.equal((await c.answer(tag)).code, "BADURL /INBOX/;UID=9");
    await c.no(
      ["APPEND INBOX CATENATE (TEXT ", literal("text"), ' URL "/x]\u00c3\u00a9/;UID=9")'],
      "BADURL /x%5D%C3%A9/;UID=9",
    );
    const multiple: CommandText = [
      "APPEND INBOX (\\Seen) ",
      literal("one\r\n"),
      " CATENATE (TEXT ",
      literal("two\r\n"),
      ' URL "/INBOX/;UID=77")',
    ];
    await c.no(multiple, "BADURL /INBOX/;UID=77");
    const { untagged } = await c.ok("STATUS INBOX (MESSAGES)");
    assert.deepEqual(untagged, ["STATUS INBOX (MESSAGES 1)"]);
    for (
      const wrong of [
        "CATENATE",
        "CATENATE ()",
        "CATENATE (URL)",
        "CATENATE (URL a",
        "CATENATE (X a)",
      ]
    ) await c.bad(`APPEND INBOX ${wrong}`);
    await c.bad('APPEND INBOX CATENATE (TEXT "quoted")');
    await c.no('APPEND nowhere CATENATE (URL "/INBOX/;UID=1")', "TRYCREATE");
  });
});

Deno.test("size and quota hold for the whole that is put together", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.append("INBOX", "x".repeat(500));
    const url = 'URL "/INBOX/;UID=1"';
    await c.no(`APPEND INBOX CATENATE (${url} ${url} ${url})`, "TOOBIG");
    await c.no(["APPEND INBOX CATENATE (", url, " TEXT ", literal("y".repeat(501)), ")"], "TOOBIG");
    const late = ["APPEND INBOX CATENATE (TEXT ", literal("y".repeat(501)), ` ${url})`];
    await c.no(late, "TOOBIG");
    await c.ok(["APPEND INBOX CATENATE (", url, " TEXT ", literal("y".repeat(500)), ")"]);
    await c.no(`APPEND INBOX CATENATE (${url} ${url})`, "OVERQUOTA");
    await c.no(["APPEND INBOX CATENATE (TEXT ", literal(""), ")"]);
    const { untagged } = await c.ok("STATUS INBOX (MESSAGES SIZE)");
    assert.deepEqual(untagged, ["STATUS INBOX (MESSAGES 2 SIZE 1500)"]);
  }, { limits: { maxMessageBytes: 1000 }, defaultQuotaBytes: 2400 });
});

Deno.test("MULTIAPPEND takes messages of both kinds, and REPLACE takes CATENATE", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", lines("Subject: old", "", "the body"));
    const watcher = await server.login("INBOX");
    const { code } = await c.ok([
      "APPEND INBOX ",
      literal("Subject: a\r\n\r\na"),
      " (\\Flagged) CATENATE (TEXT ",
      literal("Subject: b\r\n\r\n"),
      " URL ;UID=1/;SECTION=TEXT) CATENATE (URL ;UID=1) ",
      literal("Subject: d\r\n\r\nd"),
    ]);
    assert.match(code ?? "", /^APPENDUID \d+ 2:5$/);
    const { untagged } = await c.ok([
      "UID REPLACE 1 INBOX (\\Draft) CATENATE (TEXT ",
      literal("Subject: new\r\n\r\n"),
      " URL ;UID=1/;SECTION=TEXT)",
    ]);
    assert.ok(untagged.includes("1 EXPUNGE"), untagged.join());
    const told = (await watcher.ok("NOOP")).untagged;
    assert.ok(told.includes("1 EXPUNGE") && told.includes("5 EXISTS"), told.join());
    await c.no("UID REPLACE 6 INBOX CATENATE (URL ;UID=1)", "BADURL ;UID=1");
    assert.equal(await bodyOf(c, "INBOX", 3), lines("Subject: b", "", "the body"));
    assert.equal(await bodyOf(c, "INBOX", 4), lines("Subject: old", "", "the body"));
    assert.equal(await bodyOf(c, "INBOX", 6), lines("Subject: new", "", "the body"));
  });
});

Deno.test("a message of many chunks is put together byte by byte the same", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const big = Array.from({ length: 40_000 }, (_, i) => `line ${i} ${"x".repeat(i % 50)}\r\n`)
      .join("");
    await c.append("INBOX", `Subject: big\r\n\r\n${big}`);
    await c.ok([
      "APPEND INBOX CATENATE (TEXT ",
      literal("Subject: two\r\n\r\n"),
      " URL ;UID=1/;SECTION=TEXT TEXT ",
      literal(big),
      " URL ;UID=1/;SECTION=TEXT/;PARTIAL=300000.400000)",
    ]);
    const body = await bodyOf(c, "INBOX", 2);
    assert.ok(body === `Subject: two\r\n\r\n${big}${big}${big.slice(300_000, 700_000)}`);
  });
});
