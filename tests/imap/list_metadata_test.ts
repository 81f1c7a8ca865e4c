import assert from "node:assert/strict";
import { literal } from "../support/client.ts";
import { withServer } from "../support/server.ts";

const METADATA = /^METADATA /;

Deno.test("LIST gives the metadata of each mailbox that exists, after all LIST responses", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const other = await server.login();
    for (const name of ["Sent", "Trash", "Junk", "Drafts"]) await c.ok(`DELETE ${name}`);
    await c.ok('CREATE "Entw&APw-rfe"');
    await c.ok("SUBSCRIBE missing");
    await other.ok([
      "SETMETADATA Archive (/private/comment ",
      literal("\0\r\n", { binary: true, nonSync: true }),
      ' /shared/vendor/x/color "red")',
    ]);
    await other.ok('SETMETADATA "Entw&APw-rfe" (/shared/comment "soon")');
    await other.ok('SETMETADATA "" (/shared/comment "the account\'s")');
    const { untagged } = await c.ok(
      'LIST (SUBSCRIBED) "" % ' +
        'RETURN (STATUS (MESSAGES) METADATA ("/Shared/Comment" /private/comment /shared/comment))',
    );
    const begin = untagged.findIndex((line) => METADATA.test(line));
    assert.ok(untagged.slice(0, begin).some((line) => line.includes("missing")));
    assert.deepEqual(untagged.slice(begin), [
      "METADATA Archive (/shared/comment NIL /private/comment ~{3}\r\n\0\r\n)",
      "METADATA Entw&APw-rfe (/shared/comment soon /private/comment NIL)".replace("soon", '"soon"'),
      "METADATA INBOX (/shared/comment NIL /private/comment NIL)",
    ]);
    assert.ok((await c.ok("CAPABILITY")).untagged[0]?.includes(" LIST-METADATA"));
  });
});

Deno.test("a list of no entries, or of what is no entry, is BAD", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    for (const entries of ["", " ()", " /private/a", " (/private/*)", ' ("")', " (a)"]) {
      await c.bad(`LIST "" % RETURN (METADATA${entries})`);
    }
    assert.deepEqual((await c.ok('LIST "" nowhere RETURN (METADATA (/private/a))')).untagged, []);
  });
});

Deno.test("metadata of a thousand mailboxes comes with one look into the store", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const store = await server.mail();
    await Promise.all(Array.from({ length: 1000 }, (_, i) => store.createMailbox(`m${i}`)));
    const { untagged } = await c.ok('LIST "" m* RETURN (METADATA (/private/a))');
    assert.equal(untagged.filter((line) => METADATA.test(line)).length, 1000);
  });
});
