import assert from "node:assert/strict";
import { MAX_FUZZY_KEYS, MAX_FUZZY_WORDS } from "../../src/imap/limits.ts";
import { literal } from "../support/client.ts";
import { lines } from "../support/messages.ts";
import { type TestServer, withServer } from "../support/server.ts";

const MAILS: [subject: string, text: string][] = [
  ["IMAP is broken", "nothing"],
  ["broken imap", "nothing"],
  ["unrelated", "my imap, it is broken"],
  ["unrelated", "this is a broken imap server"],
  ["other", "other"],
  ["=?utf-8?Q?R=C3=A9sum=C3=A9?=", "attached"],
];

async function withMail(server: TestServer) {
  const c = await server.login("INBOX");
  for (const [subject, text] of MAILS) {
    await c.append("INBOX", lines(`Subject: ${subject}`, "", text));
  }
  return c;
}

const told = (untagged: readonly string[]) =>
  (untagged[0] ?? "").replace(/^ESEARCH \(TAG "t\d+"\) ?/, "");

Deno.test("FUZZY applies to the key behind it, and finds words in any order", async () => {
  await withServer(async (server) => {
    const c = await withMail(server);
    const search = async (keys: string) => (await c.ok(`SEARCH ${keys}`)).untagged;
    assert.deepEqual(await search('SUBJECT "broken imap"'), ["SEARCH 2"]);
    assert.deepEqual(await search('FUZZY SUBJECT "broken imap"'), ["SEARCH 1 2"]);
    assert.deepEqual(await search('FUZZY TEXT "broken, IMAP!"'), ["SEARCH 1 2 3 4"]);
    assert.deepEqual(await search('FUZZY BODY "imap broken"'), ["SEARCH 3 4"]);
    assert.deepEqual(await search("FUZZY SUBJECT resume"), ["SEARCH 6"]);
    assert.deepEqual(await search('FUZZY HEADER Subject "imap broken"'), ["SEARCH 1 2"]);
    // Only the key behind it.
    assert.deepEqual(await search('FUZZY SUBJECT imap SUBJECT "imap is"'), ["SEARCH 1"]);
    assert.deepEqual(await search('FUZZY (TEXT "imap broken" SUBJECT unrelated)'), ["SEARCH 3 4"]);
    assert.deepEqual(await search('FUZZY OR SUBJECT "imap broken" SUBJECT other'), [
      "SEARCH 1 2 5",
    ]);
    // What is not text is exact, and so is what is negated.
    assert.deepEqual(await search("FUZZY 2:3"), ["SEARCH 2 3"]);
    assert.deepEqual(await search("FUZZY SEEN"), ["SEARCH"]);
    assert.deepEqual(await search('FUZZY NOT SUBJECT "imap broken"'), ["SEARCH 1 2 3 4 5 6"]);
    assert.deepEqual(await search('FUZZY SUBJECT "?!"'), ["SEARCH"]);
    assert.deepEqual(await search('FUZZY FUZZY SUBJECT "broken imap"'), ["SEARCH 1 2"]);
    await c.bad("SEARCH FUZZY");
    await c.bad("SEARCH FUZZY NOPE");
  });
});

Deno.test("relevancy is higher for exact text and for the subject", async () => {
  await withServer(async (server) => {
    const c = await withMail(server);
    const keys = 'FUZZY TEXT "broken imap"';
    const search = async (options: string) =>
      told((await c.ok(`UID SEARCH RETURN (${options}) ${keys}`)).untagged);
    assert.equal(await search("RELEVANCY ALL"), "UID ALL 1:4 RELEVANCY (75 100 25 50)");
    assert.equal(await search("RELEVANCY"), "UID RELEVANCY (75 100 25 50)");
    assert.equal(
      await search("PARTIAL -1:-2 RELEVANCY"),
      "UID PARTIAL (-1:-2 3:4) RELEVANCY (25 50)",
    );
    const sort = async (options: string, criteria: string) =>
      told((await c.ok(`UID SORT ${options}(${criteria}) UTF-8 ${keys}`)).untagged);
    assert.equal(await sort("", "RELEVANCY"), "SORT 2 1 4 3");
    assert.equal(await sort("", "REVERSE RELEVANCY"), "SORT 3 4 1 2");
    assert.equal(
      await sort("RETURN (RELEVANCY ALL) ", "RELEVANCY"),
      "UID ALL 2,1,4,3 RELEVANCY (100 75 50 25)",
    );
    assert.equal(
      await sort("RETURN (RELEVANCY PARTIAL 1:2) ", "RELEVANCY"),
      "UID PARTIAL (1:2 2,1) RELEVANCY (100 75)",
    );
    assert.equal(
      told((await c.ok("UID SEARCH RETURN (RELEVANCY ALL) FUZZY SUBJECT nope")).untagged),
      "UID RELEVANCY ()",
    );
    assert.equal(
      told((await c.ok("UID SEARCH RETURN (RELEVANCY) FUZZY UID 2:3")).untagged),
      "UID RELEVANCY (100 100)",
    );
    const { untagged } = await c.ok(`ESEARCH IN (personal) RETURN (RELEVANCY) ${keys}`);
    assert.match(untagged.join(), /MAILBOX INBOX .* RELEVANCY \(75 100 25 50\)/);
    await c.bad("SEARCH RETURN (RELEVANCY) ALL");
    await c.bad("SORT (RELEVANCY) UTF-8 ALL");
    await c.bad("SORT RETURN (RELEVANCY) (DATE) UTF-8 ALL");
    const refused = await c.ok(`UID SORT RETURN (UPDATE) (RELEVANCY) UTF-8 ${keys}`);
    assert.match(refused.untagged.join(), /NO \[NOUPDATE/);
  });
});

Deno.test("a fuzzy search is kept up to date as others change the mailbox", async () => {
  await withServer(async (server) => {
    const c = await withMail(server);
    const other = await server.login("INBOX");
    await c.ok('UID SEARCH RETURN (UPDATE) FUZZY SUBJECT "broken imap"');
    await other.append("INBOX", lines("Subject: imap, all of it: broken", "", "x"));
    const { untagged } = await c.ok("NOOP");
    assert.match(untagged.join(), /UID ADDTO \(0 7\)/);
  });
});

Deno.test("words and fuzzy keys are bounded", async () => {
  await withServer(async (server) => {
    const c = await withMail(server);
    const words = (count: number) =>
      literal(Array.from({ length: count }, (_, i) => `w${i}`).join(" "));
    await c.ok(["SEARCH FUZZY TEXT ", words(MAX_FUZZY_WORDS)]);
    await c.no(["SEARCH FUZZY TEXT ", words(MAX_FUZZY_WORDS + 1)], "LIMIT");
    await c.ok(`SEARCH${" FUZZY BODY a".repeat(MAX_FUZZY_KEYS)}`);
    await c.no(`SEARCH${" FUZZY BODY a".repeat(MAX_FUZZY_KEYS + 1)}`, "LIMIT");
  });
});
