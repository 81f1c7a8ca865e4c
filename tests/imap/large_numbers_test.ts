import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { withServer } from "../support/server.ts";

Deno.test("mod-sequences beyond 32 bits are told whole, wherever they are told (behaviour 8.2, 5)", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", "Subject: one\r\n\r\n1\r\n");
    await c.append("INBOX", "Subject: two\r\n\r\n2\r\n");
    const before = 2 ** 40;
    const db = new DatabaseSync(`${server.dataDir}/accounts/1/mail.db`);
    db.exec(`UPDATE account SET modseq = ${before}`);
    db.close();
    const watcher = await server.login();
    await watcher.ok("ENABLE CONDSTORE");

    const large = before + 1;
    const stored = await c.ok(`STORE 2 (UNCHANGEDSINCE ${before}) +FLAGS (\\Flagged)`);
    assert.deepEqual(
      stored.untagged.at(-1),
      `2 FETCH (UID 2 FLAGS (\\Flagged \\Recent) MODSEQ (${large}))`,
    );
    const changed = await c.ok(`FETCH 1:2 (UID) (CHANGEDSINCE ${before})`);
    assert.deepEqual(changed.untagged, [`2 FETCH (UID 2 MODSEQ (${large}))`]);
    assert.deepEqual((await c.ok(`SEARCH MODSEQ ${large}`)).untagged, [
      `SEARCH 2 (MODSEQ ${large})`,
    ]);
    const modified = await c.ok(`STORE 2 (UNCHANGEDSINCE ${before}) -FLAGS (\\Flagged)`);
    assert.equal(modified.code, "MODIFIED 2");

    const status = await watcher.ok("STATUS INBOX (HIGHESTMODSEQ)");
    assert.deepEqual(status.untagged, [`STATUS INBOX (HIGHESTMODSEQ ${large})`]);
    const notified = await watcher.ok(
      "NOTIFY SET STATUS (MAILBOXES INBOX (MessageNew MessageExpunge FlagChange))",
    );
    assert.match(notified.untagged.join("\n"), new RegExp(`HIGHESTMODSEQ ${large}\\b`));
    await c.ok("STORE 1 +FLAGS (\\Flagged)");
    assert.match(await watcher.response(), new RegExp(`HIGHESTMODSEQ ${large + 1}\\b`));
    const selected = await watcher.ok("SELECT INBOX");
    assert.match(selected.untagged.join("\n"), new RegExp(`HIGHESTMODSEQ ${large + 1}\\b`));
  });
});
