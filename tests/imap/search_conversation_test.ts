import assert from "node:assert/strict";
import { literal, utf8 } from "../support/client.ts";
import { withServer } from "../support/server.ts";

const mail = (subject: string, body = "plain words") =>
  `From: Ann <ann@example.org>\r\nSubject: ${subject}\r\n` +
  `Date: Fri, 2 Jan 2026 10:00:00 +0000\r\n\r\n${body}\r\n`;

Deno.test("what one client stores another finds, once it was told of it", async () => {
  await withServer(async (server) => {
    const a = await server.login("INBOX");
    const b = await server.login("INBOX");
    assert.deepEqual((await b.ok("SEARCH ALL")).untagged, ["SEARCH"]);
    await a.append("INBOX", mail("one"), { flags: "\\Flagged" });
    await a.append("INBOX", mail("two"));
    await b.ok("NOOP");
    assert.deepEqual((await b.ok("UID SEARCH FLAGGED")).untagged, ["SEARCH 1"]);
    assert.deepEqual((await b.ok("SEARCH SUBJECT TWO")).untagged, ["SEARCH 2"]);
    await a.ok("STORE 2 +FLAGS ($Work)");
    const found = await b.ok("SEARCH KEYWORD $WORK");
    assert.ok(found.untagged.includes("SEARCH 2"), found.untagged.join(" | "));
  });
});

Deno.test("SEARCH holds EXPUNGE back and goes on counting as the client does", async () => {
  await withServer(async (server) => {
    const a = await server.login("INBOX");
    for (const subject of ["one", "two", "three"]) await a.append("INBOX", mail(subject));
    const b = await server.login("INBOX");
    await a.ok("STORE 1 +FLAGS.SILENT (\\Deleted)");
    await a.ok("EXPUNGE");
    // RFC 9051 7.5.1: no EXPUNGE while SEARCH is answered; number 3 is still the third message.
    const held = await b.ok("SEARCH SUBJECT three");
    assert.deepEqual(held.untagged.filter((line) => !line.includes("FETCH")), ["SEARCH 3"]);
    const byNumber = await b.ok("UID SEARCH 3");
    assert.deepEqual(byNumber.untagged.filter((line) => !line.includes("FETCH")), ["SEARCH 3"]);
    const told = await b.ok("UID SEARCH ALL");
    assert.deepEqual(told.untagged, ["SEARCH 2 3", "1 EXPUNGE"]);
    assert.deepEqual((await b.ok("SEARCH SUBJECT three")).untagged, ["SEARCH 2"]);
  });
});

Deno.test("$ follows a pipelined search, loses what is expunged, and ends with the mailbox", async () => {
  await withServer(async (server) => {
    const a = await server.login("INBOX");
    const b = await server.login();
    for (const subject of ["x one", "two", "x three"]) await a.append("INBOX", mail(subject));
    a.send("p1 SEARCH RETURN (SAVE) SUBJECT x\r\np2 UID STORE $ +FLAGS.SILENT (\\Flagged)\r\n");
    assert.equal((await a.answer("p1")).status, "OK");
    assert.equal((await a.answer("p2")).status, "OK");
    assert.deepEqual((await a.ok("UID SEARCH FLAGGED")).untagged, ["SEARCH 1 3"]);
    await b.ok("SELECT INBOX");
    await b.ok("UID STORE 1 +FLAGS.SILENT (\\Deleted)");
    await b.ok("EXPUNGE");
    await a.ok("NOOP");
    assert.deepEqual((await a.ok("UID SEARCH $")).untagged, ["SEARCH 3"]);
    assert.deepEqual((await a.ok("SEARCH $")).untagged, ["SEARCH 2"]);
    await a.ok("SELECT INBOX");
    assert.deepEqual((await a.ok("SEARCH $")).untagged, ["SEARCH"]);
    assert.deepEqual((await a.ok("FETCH $ FLAGS")).untagged, []);
  });
});

Deno.test("a search text may be a literal of either kind, and one that is refused costs one answer", async () => {
  await withServer(async (server) => {
    const a = await server.login("INBOX");
    await a.append("INBOX", mail("=?utf-8?Q?Gr=C3=BC=C3=9Fe?="));
    for (const nonSync of [false, true]) {
      const parts = ["SEARCH CHARSET UTF-8 SUBJECT ", literal("GRÜSSE", { nonSync }), " UNSEEN"];
      assert.deepEqual((await a.ok(parts)).untagged, ["SEARCH 1"]);
      await a.no(["SEARCH CHARSET X-Klingon SUBJECT ", literal("x", { nonSync })]);
      await a.bad(["SEARCH FRUIT ", literal("a1 LOGOUT\r\n", { nonSync })]);
    }
    assert.deepEqual((await a.ok("SEARCH ALL")).untagged, ["SEARCH 1"]);
  });
});

Deno.test("IMAP4rev2 is answered with ESEARCH from ENABLE on, not before", async () => {
  await withServer(async (server) => {
    const a = await server.login("INBOX");
    await a.append("INBOX", mail("one"));
    assert.deepEqual((await a.ok("SEARCH RETURN (COUNT) ALL")).untagged.length, 1);
    assert.deepEqual((await a.ok("SEARCH ALL")).untagged, ["SEARCH 1"]);
    await a.ok("ENABLE IMAP4rev2");
    const tag = a.begin();
    const { untagged } = await a.finish(tag, "UID SEARCH ALL");
    assert.deepEqual(untagged, [`ESEARCH (TAG "${tag}") UID ALL 1`]);
  });
});

Deno.test("SEARCH RECENT is for the one IMAP4rev1 session that the message is recent in", async () => {
  await withServer(async (server) => {
    const feeder = await server.login();
    await feeder.append("INBOX", mail("one"));
    const a = await server.login("INBOX");
    const b = await server.login("INBOX");
    assert.deepEqual((await a.ok("SEARCH NEW")).untagged, ["SEARCH 1"]);
    assert.deepEqual((await b.ok("SEARCH RECENT")).untagged, ["SEARCH"]);
    assert.deepEqual((await b.ok("SEARCH OLD")).untagged, ["SEARCH 1"]);
  });
});

Deno.test("MODSEQ in a search turns CONDSTORE on for the session", async () => {
  await withServer(async (server) => {
    const a = await server.login("INBOX");
    const b = await server.login("INBOX");
    await a.append("INBOX", mail("one"));
    await a.ok("NOOP");
    const { untagged } = await a.ok("SEARCH MODSEQ 1");
    assert.match(untagged[0] ?? "", /^OK \[HIGHESTMODSEQ \d+\]/);
    assert.match(untagged[1] ?? "", /^SEARCH 1 \(MODSEQ \d+\)$/);
    await b.ok("NOOP");
    await b.ok("STORE 1 +FLAGS.SILENT (\\Seen)");
    const told = await a.ok("NOOP");
    assert.match(told.untagged.join(" | "), /^1 FETCH \(.*MODSEQ \(\d+\)\)$/);
  });
});

Deno.test("a multi-mailbox search leaves the selection alone and needs none", async () => {
  await withServer(async (server) => {
    const a = await server.login();
    await a.ok('CREATE "Sent &- more/2026"');
    await a.append('"Sent &- more/2026"', mail("needle"));
    await a.append("INBOX", mail("needle"));
    const esearch = 'ESEARCH IN (inboxes subtree "Sent &- more") RETURN (COUNT) SUBJECT needle';
    const shape = /^ESEARCH \(TAG "t\d+" MAILBOX (.+) UIDVALIDITY \d+\) UID COUNT 1$/;
    const names = (await a.ok(esearch)).untagged.map((line) => shape.exec(line)?.[1]);
    assert.deepEqual(names, ["INBOX", '"Sent &- more/2026"']);
    await a.bad("ESEARCH SUBJECT needle");
    await a.ok("SELECT INBOX");
    assert.equal((await a.ok(esearch)).untagged.length, 2);
    assert.deepEqual((await a.ok("SEARCH SUBJECT needle")).untagged, ["SEARCH 1"]);
  });
});

Deno.test("SAVEDATE, PREVIEW and the identifiers are fetched in the form that their RFCs give", async () => {
  await withServer(async (server) => {
    const a = await server.login("INBOX");
    await a.append("INBOX", mail("one", `${"Grüße ".repeat(50)}`), {
      date: "01-Jan-2020 00:00:00 +0000",
    });
    await a.append("INBOX", mail("two", "Short and plain."));
    await a.append("INBOX", mail("three", ""));
    await a.ok("CREATE Copies");
    const before = (await a.ok("FETCH 1:2 (EMAILID THREADID)")).untagged;
    const id = /^\d FETCH \(UID \d+ EMAILID \(([A-Za-z0-9_-]+)\) THREADID \(([A-Za-z0-9_-]+)\)\)$/;
    const [first, second] = before.map((line) => id.exec(line)?.slice(1) ?? []);
    assert.ok(first?.[0] && second?.[0], before.join(" | "));
    assert.notEqual(first[0], second[0]);
    assert.notEqual(first[0], first[1]);
    assert.match(
      (await a.ok("FETCH 1 SAVEDATE")).untagged[0] ?? "",
      /^1 FETCH \(UID 1 SAVEDATE "[ \d]\d-\w{3}-20(?!20)\d\d \d\d:\d\d:\d\d \+0000"\)$/,
    );
    const previews = (await a.ok("FETCH 1:3 (PREVIEW)")).untagged;
    const long = /^1 FETCH \(UID 1 PREVIEW \{(\d+)\}\r\n(.*)\)$/s.exec(previews[0] ?? "");
    assert.ok(long?.[1] && long[2], previews[0]);
    assert.equal(Number(long[1]), long[2].length);
    const text = utf8(long[2]);
    assert.ok(text.startsWith("Grüße Grüße") && [...text].length <= 200, text);
    assert.equal(previews[1], '2 FETCH (UID 2 PREVIEW "Short and plain.")');
    assert.equal(previews[2], '3 FETCH (UID 3 PREVIEW "")');
    // With LAZY, alone, in a list, and before the modifiers of FETCH.
    for (const items of ["PREVIEW (LAZY)", "(PREVIEW (LAZY))", "(PREVIEW (lazy) PREVIEW)"]) {
      assert.deepEqual((await a.ok(`FETCH 2 ${items}`)).untagged, [previews[1]], items);
    }
    const since = await a.ok("FETCH 2 PREVIEW (CHANGEDSINCE 1)");
    assert.match(since.untagged.at(-1) ?? "", /PREVIEW "Short and plain\." MODSEQ|MODSEQ.*PREVIEW/);
    await a.bad("FETCH 2 (PREVIEW (EAGER))");

    await a.ok("COPY 1 Copies");
    const status = (await a.ok("STATUS Copies (MAILBOXID)")).untagged[0] ?? "";
    const mailboxId = /^STATUS Copies \(MAILBOXID \(([A-Za-z0-9_-]+)\)\)$/.exec(status)?.[1];
    assert.ok(mailboxId, status);
    await a.ok("RENAME Copies Renamed");
    const selected = await a.ok("SELECT Renamed");
    assert.ok(
      selected.untagged.some((line) => line.startsWith(`OK [MAILBOXID (${mailboxId})]`)),
      selected.untagged.join(" | "),
    );
    const copied = id.exec((await a.ok("FETCH 1 (EMAILID THREADID)")).untagged[0] ?? "");
    assert.deepEqual(copied?.slice(1), first);
    assert.deepEqual((await a.ok(`SEARCH EMAILID ${first[0]}`)).untagged, ["SEARCH 1"]);
    const created = await a.ok("CREATE Fresh");
    assert.match(created.code ?? "", /^MAILBOXID \([A-Za-z0-9_-]+\)$/);
  });
});

Deno.test("a search in a mailbox that somebody deletes is refused, and the session lives on", async () => {
  await withServer(async (server) => {
    const a = await server.login();
    await a.ok("CREATE Doomed");
    await a.append("Doomed", mail("one"));
    await a.ok("SELECT Doomed");
    const b = await server.login();
    await b.ok("DELETE Doomed");
    await a.no("SEARCH ALL", "NONEXISTENT");
    await a.no("UID SEARCH RETURN (SAVE) ALL", "NONEXISTENT");
    await a.no("ESEARCH ALL", "NONEXISTENT");
    await a.ok("ESEARCH IN (personal) ALL");
    await a.ok("SELECT INBOX");
  });
});
