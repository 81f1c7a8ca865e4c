import assert from "node:assert/strict";
import { literal, type TestClient, utf8 } from "../support/client.ts";
import { lines } from "../support/messages.ts";
import { withServer } from "../support/server.ts";

const MAIL = lines(
  "Date: Mon, 7 Feb 1994 21:52:25 -0800",
  "From: Jörg <jörg@example.org>",
  "Subject: Grüße 你好",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: 8bit",
  "",
  "schön",
);

const lit = (text: string) => `{${new TextEncoder().encode(text).length}}\r\n${text}`;
const JOERG = `((${lit("Jörg")} NIL ${lit("jörg")} "example.org"))`;
const ENVELOPE = `ENVELOPE ("Mon, 7 Feb 1994 21:52:25 -0800" ${lit("Grüße 你好")} ` +
  `${JOERG} ${JOERG} ${JOERG} NIL NIL NIL NIL NIL)`;

async function fetched(client: TestClient, items: string): Promise<string | undefined> {
  return utf8((await client.ok(`FETCH 1 ${items}`)).untagged.at(-1) ?? "");
}

Deno.test("UTF-8 in a header is in ENVELOPE as it came, before and after UTF8=ACCEPT is enabled", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", MAIL);
    const expected = `1 FETCH (UID 1 ${ENVELOPE})`;
    assert.equal(await fetched(c, "ENVELOPE"), expected);
    const { untagged } = await c.ok("ENABLE UTF8=ACCEPT");
    assert.deepEqual(untagged, ["ENABLED UTF8=ACCEPT"]);
    await c.ok("SELECT INBOX");
    assert.equal(await fetched(c, "ENVELOPE"), expected);
  });
});

Deno.test("UTF8 (~{n}) of APPEND is taken before and after ENABLE, and gives what a plain literal gives", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const message = literal(MAIL, { binary: true });
    await c.ok(["APPEND INBOX (\\Seen) UTF8 (", message, ")"]);
    await c.ok("ENABLE UTF8=ACCEPT");
    await c.ok(["APPEND INBOX (\\Seen) UTF8 (", message, ")"]);
    await c.append("INBOX", MAIL);
    const { untagged } = await c.ok("FETCH 1:3 (ENVELOPE BODY.PEEK[])");
    const told = untagged.filter((line) => line.includes("ENVELOPE"))
      .map((line) => utf8(line).replace(/^\d+ FETCH \(UID \d+ /, ""));
    assert.deepEqual(told, Array.from({ length: 3 }, () => `${ENVELOPE} BODY[] ${lit(MAIL)})`));
    await c.bad(["APPEND INBOX UTF8 (", message, ""]);
    await c.bad("APPEND INBOX UTF8 ()");
  });
});

Deno.test("8-bit content goes as it came to every client, whether UTF8=ACCEPT is enabled or not", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", MAIL);
    const watcher = await server.login("INBOX");
    await watcher.ok("ENABLE UTF8=ACCEPT");
    const header = MAIL.slice(0, MAIL.indexOf("schön"));
    for (const client of [c, watcher]) {
      assert.equal(
        await fetched(client, "(BODY.PEEK[HEADER] BODY.PEEK[TEXT])"),
        `1 FETCH (UID 1 BODY[HEADER] ${lit(header)} BODY[TEXT] ${lit("schön\r\n")})`,
      );
    }
  });
});
