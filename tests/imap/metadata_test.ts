import assert from "node:assert/strict";
import type { Annotation } from "../../src/store/mod.ts";
import { literal } from "../support/client.ts";
import { withServer } from "../support/server.ts";

Deno.test("entries of mailboxes and of the server are kept apart, and each session sees them", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const other = await server.login();
    await c.ok('SETMETADATA INBOX (/private/comment "mine" /shared/comment "for all")');
    await c.ok('SETMETADATA "" (/private/comment "of the server")');
    await c.ok('SETMETADATA Sent (/Private/COMMENT "of Sent")');
    const told = async (command: string) => (await other.ok(command)).untagged;
    assert.deepEqual(await told("GETMETADATA inbox /private/comment"), [
      'METADATA INBOX (/private/comment "mine")',
    ]);
    assert.deepEqual(await told('GETMETADATA "INBOX" (/shared/comment /private/Comment)'), [
      'METADATA INBOX (/shared/comment "for all" /private/comment "mine")',
    ]);
    assert.deepEqual(await told('GETMETADATA "" /private/comment'), [
      'METADATA "" (/private/comment "of the server")',
    ]);
    assert.deepEqual(await told("GETMETADATA Sent /private/comment"), [
      'METADATA Sent (/private/comment "of Sent")',
    ]);
    // RFC 5464 4.2 requires a response, so what is not there is NIL.
    assert.deepEqual(await told("GETMETADATA Sent /shared/comment"), [
      "METADATA Sent (/shared/comment NIL)",
    ]);
    await c.ok("SETMETADATA INBOX (/private/comment NIL)");
    await c.ok("SETMETADATA INBOX (/private/comment NIL)");
    assert.deepEqual(await told("GETMETADATA INBOX /private/comment"), [
      "METADATA INBOX (/private/comment NIL)",
    ]);
  });
});

Deno.test("values come back in kind: quoted, literal, literal8, empty", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.ok([
      'SETMETADATA INBOX (/private/q "a \\"b\\" \\\\" /private/empty "" /private/l ',
      literal("two\r\nlines"),
      " /private/n ",
      literal("caf\u00e9", { nonSync: true }),
      " /private/b ",
      literal(new Uint8Array([0, 1, 255]), { binary: true }),
      ' /private/sp " ")',
    ]);
    const { untagged } = await c.ok(
      "GETMETADATA INBOX (/private/q /private/empty /private/l /private/n /private/b)",
    );
    assert.deepEqual(untagged, [
      'METADATA INBOX (/private/q "a \\"b\\" \\\\" /private/empty "" ' +
      "/private/l {10}\r\ntwo\r\nlines /private/n {5}\r\ncaf\xc3\xa9 /private/b ~{3}\r\n\0\x01\xff)",
    ]);
    await c.bad("SETMETADATA INBOX (/private/a)");
    await c.bad("SETMETADATA INBOX (/private/a atom)");
    await c.bad("SETMETADATA INBOX (/private/a 1)");
    await c.bad("SETMETADATA INBOX ()");
    await c.bad('SETMETADATA INBOX /private/a "x"');
    await c.bad('SETMETADATA INBOX (/private/a "x") ');
  });
});

Deno.test("SETMETADATA does all it was told, or nothing", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.ok('SETMETADATA INBOX (/private/a "old")');
    await c.no('SETMETADATA INBOX (/private/a "new" /other/b "x")');
    await c.no('SETMETADATA "" (/private/a "new" /shared/admin "mailto:me@example.org")', "NOPERM");
    const { untagged } = await c.ok("GETMETADATA (DEPTH infinity) INBOX /private");
    assert.deepEqual(untagged, ['METADATA INBOX (/private/a "old")']);
    assert.deepEqual((await c.ok('GETMETADATA (DEPTH infinity) "" /')).untagged, []);
    await c.no('SETMETADATA nowhere (/private/a "x")', "NONEXISTENT");
    await c.no("GETMETADATA nowhere /private/a", "NONEXISTENT");
  });
});

Deno.test("names of entries are held to the rules of RFC 5464 3.2", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    for (
      const name of ["/private//a", "/private/", "/private/a/", '"/private/a*"', '"/private/%"']
    ) {
      await c.bad(`SETMETADATA INBOX (${name} "x")`);
      await c.bad(`GETMETADATA INBOX ${name}`);
    }
    await c.bad(["SETMETADATA INBOX (", literal("/private/\x1b"), ' "x")']);
    await c.bad(["SETMETADATA INBOX (", literal("/private/\u00e9"), ' "x")']);
    for (
      const name of [
        "/private",
        "/shared",
        "/other/a",
        "a",
        '""',
        "/",
        "/privatest/a",
        "/private/vendor",
        "/shared/vendor/x",
      ]
    ) {
      await c.no(`SETMETADATA INBOX (${name} "x")`);
    }
    await c.ok('SETMETADATA INBOX (/private/vendor/x/y "x" "/private/with space" "y")');
    const longest = `/private/${"x".repeat(991)}`;
    await c.ok(`SETMETADATA INBOX (${longest} "z")`);
    await c.no(`SETMETADATA INBOX (${longest}x "z")`, "LIMIT");
    assert.deepEqual((await c.ok("GETMETADATA (DEPTH 1) INBOX /private")).untagged, [
      `METADATA INBOX ("/private/with space" "y" ${longest} "z")`,
    ]);
  });
});

Deno.test("DEPTH gives what is below, one level or all, with the options in either place", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.ok(
      'SETMETADATA INBOX (/private/a "0" /private/a/b "1" /private/a/b/c "2" /private/ab "3" /shared/a "4")',
    );
    const entries = async (args: string) => {
      const { untagged } = await c.ok(`GETMETADATA ${args}`);
      return untagged.join().match(/"\d"/g)?.join("").replaceAll('"', "") ?? "";
    };
    assert.equal(await entries("(DEPTH 0) INBOX /private/a"), "0");
    assert.equal(await entries("(DEPTH 1) INBOX /private/a"), "01");
    assert.equal(await entries("INBOX (DEPTH 1) /private/a"), "01");
    assert.equal(await entries("INBOX (depth Infinity) (/private/a)"), "012");
    assert.equal(await entries("(DEPTH 1) INBOX (/private/a/b /shared)"), "124");
    assert.equal(await entries("(DEPTH infinity) INBOX /private"), "0123");
    assert.equal(await entries('(DEPTH infinity) INBOX ""'), "01234");
    assert.equal(await entries("(DEPTH infinity) INBOX /"), "01234");
    assert.equal(await entries("(DEPTH 1) INBOX /"), "");
    // As in the examples of RFC 5464 4.4.1.
    assert.equal(await entries("INBOX /private/a /shared/a"), "04");
    for (
      const args of [
        "(DEPTH 2) INBOX /private/a",
        "(DEPTH) INBOX /private/a",
        "(DEPTH 1 DEPTH 1) INBOX /private/a",
        "(SHINY 1) INBOX /private/a",
        "(DEPTH 1) INBOX (DEPTH 1) /private/a",
        "() INBOX /private/a",
        "INBOX",
        "INBOX ()",
      ]
    ) {
      await c.bad(`GETMETADATA ${args}`);
    }
  });
});

Deno.test("MAXSIZE leaves larger values out and tells the largest of them", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.ok('SETMETADATA INBOX (/private/a "12345" /private/b "1234" /private/c "123456")');
    const all = "(/private/a /private/b /private/c)";
    let { untagged, code } = await c.ok(`GETMETADATA (MAXSIZE 4) INBOX ${all}`);
    assert.deepEqual(untagged, ['METADATA INBOX (/private/b "1234")']);
    assert.equal(code, "METADATA LONGENTRIES 6");
    ({ untagged, code } = await c.ok(`GETMETADATA INBOX (MAXSIZE 6 DEPTH 0) ${all}`));
    assert.equal(code, undefined);
    ({ untagged, code } = await c.ok(`GETMETADATA INBOX (MAXSIZE 0) /private/a`));
    assert.deepEqual([untagged, code], [[], "METADATA LONGENTRIES 5"]);
  });
});

Deno.test("values have a limit each, entries one in number and one together", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const most = 100 * 1024;
    await c.ok(["SETMETADATA INBOX (/private/a ", literal("x".repeat(most)), ")"]);
    const tooMuch = "x".repeat(most + 1);
    await c.no(
      ["SETMETADATA INBOX (/private/b ", literal(tooMuch), ")"],
      "METADATA MAXSIZE 102400",
    );
    await c.no(
      ["SETMETADATA INBOX (/private/b ", literal(tooMuch, { nonSync: true }), ")"],
      "METADATA MAXSIZE 102400",
    );
    const large = Array.from(
      { length: 9 },
      (_, i) => [`/private/large${i} `, literal("x".repeat(most), { nonSync: true }), " "],
    ).flat();
    large[large.length - 1] = ")";
    await c.no(['SETMETADATA "" (', ...large], "METADATA MAXSIZE 1000000");
    const many = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => `/private/n${from + i} "v"`).join(" ");
    await c.ok(`SETMETADATA "" (${many(1, 1000)})`);
    await c.no(`SETMETADATA Sent (${many(0, 1)})`, "METADATA TOOMANY");
    await c.ok(`SETMETADATA "" (/private/n1 NIL /private/other "v")`);
  });
});

Deno.test("entries follow their mailbox, and those of INBOX are copied", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.ok("CREATE a/b");
    await c.ok('SETMETADATA a/b (/private/x "1")');
    await c.ok('SETMETADATA INBOX (/private/x "2")');
    await c.ok("RENAME a z");
    await c.ok("RENAME INBOX old");
    for (const [name, value] of [["z/b", '"1"'], ["old", '"2"'], ["INBOX", '"2"']] as const) {
      assert.deepEqual((await c.ok(`GETMETADATA ${name} /private/x`)).untagged, [
        `METADATA ${name} (/private/x ${value})`,
      ]);
    }
    await c.ok("DELETE z/b");
    await c.ok("CREATE z/b");
    assert.deepEqual((await c.ok("GETMETADATA z/b /private/x")).untagged, [
      "METADATA z/b (/private/x NIL)",
    ]);
  });
});

Deno.test("setting an entry raises the mailbox's HIGHESTMODSEQ (RFC 7162 7)", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const modSeq = async () =>
      Number(
        /HIGHESTMODSEQ (\d+)/.exec((await c.ok("STATUS INBOX (HIGHESTMODSEQ)")).untagged[0]!)?.[1],
      );
    const before = await modSeq();
    await c.ok('SETMETADATA INBOX (/private/x "1")');
    const after = await modSeq();
    assert.ok(after > before);
    await c.ok('SETMETADATA INBOX (/private/x "1")');
    assert.equal(await modSeq(), after);
  });
});

Deno.test("the host's entries are read by everybody and set by nobody; chatmail's requests work", async () => {
  const given: Annotation[] = [
    ["/shared/admin", "mailto:admin@example.org"],
    ["/shared/vendor/deltachat/maxsmtprecipients", "1000"],
  ].map(([entry, value]) => ({
    entry: entry!,
    value: new TextEncoder().encode(value),
    isBinary: false,
  }));
  await withServer(async (server) => {
    const c = await server.login();
    const { untagged } = await c.ok(
      'GETMETADATA "" (/shared/comment /shared/admin /shared/vendor/deltachat/irohrelay ' +
        "/shared/vendor/deltachat/maxsmtprecipients)",
    );
    assert.deepEqual(untagged, [
      'METADATA "" (/shared/comment NIL /shared/admin "mailto:admin@example.org" ' +
      '/shared/vendor/deltachat/irohrelay NIL /shared/vendor/deltachat/maxsmtprecipients "1000")',
    ]);
    await c.no('SETMETADATA "" (/shared/vendor/deltachat/maxsmtprecipients "1")', "NOPERM");
    await c.ok('SETMETADATA "INBOX" (/private/devicetoken "openpgp:abc")');
    await c.ok('SETMETADATA INBOX (/shared/admin "of a mailbox")');
    assert.deepEqual((await c.ok("GETMETADATA INBOX /shared/admin")).untagged, [
      'METADATA INBOX (/shared/admin "of a mailbox")',
    ]);
  }, { serverEntries: { list: () => Promise.resolve(given) } });
});

Deno.test("strangers neither read nor set entries", async () => {
  await withServer(async (server) => {
    const c = await server.connect();
    await c.bad('GETMETADATA "" /shared/comment');
    await c.bad('SETMETADATA "" (/shared/comment "x")');
    const tag = c.begin();
    c.send(`${tag} SETMETADATA "" (/private/a {10}\r\n`);
    assert.equal((await c.answer(tag)).status, "BAD");
  });
});
