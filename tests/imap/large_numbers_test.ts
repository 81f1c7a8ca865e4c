import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { SqliteAccountStore } from "../../src/store/sqlite/account.ts";
import { PASSWORD, type TestServer, USER, withServer } from "../support/server.ts";

const LARGE = 2 ** 32 + 5;

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

Deno.test("STATUS tells the counters of the mailbox, whatever their size, and counts no messages", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", "Subject: one\r\n\r\n1\r\n");
    // Counters that no scan of one message would give.
    const large = [400_000, 300_000, 200_000, 2 ** 45, 2 ** 44];
    const restore = changeRow(server, "mailbox", "name = 'INBOX'", {
      ...{ messages: large[0], unseen: large[1], deleted: large[2] },
      ...{ size: large[3], deleted_size: large[4] },
    });
    const watcher = await server.login();
    const names = ["MESSAGES", "UNSEEN", "DELETED", "SIZE", "DELETED-STORAGE"];
    const told = `STATUS INBOX (${names.map((name, i) => `${name} ${large[i]}`).join(" ")})`;
    const asked = `(${names.join(" ")})`;
    assert.deepEqual((await watcher.ok(`STATUS INBOX ${asked}`)).untagged, [told]);
    const listed = await watcher.ok(`LIST "" INBOX RETURN (STATUS ${asked})`);
    assert.equal(listed.untagged[1], told);
    restore();
  });
});

Deno.test("sizes of messages beyond 32 bits are told, compared and sorted whole", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", "Subject: large\r\n\r\n1\r\n");
    await c.append("INBOX", "Subject: small\r\n\r\n2\r\n");
    const restore = changeRow(server, "message", "uid = 1", { size: LARGE });
    const watcher = await server.login("INBOX");
    assert.deepEqual((await watcher.ok("FETCH 1 RFC822.SIZE")).untagged, [
      `1 FETCH (UID 1 RFC822.SIZE ${LARGE})`,
    ]);
    assert.deepEqual((await watcher.ok(`SEARCH LARGER ${LARGE - 1}`)).untagged, ["SEARCH 1"]);
    assert.deepEqual((await watcher.ok(`SEARCH LARGER ${LARGE}`)).untagged, ["SEARCH"]);
    assert.deepEqual((await watcher.ok(`SEARCH SMALLER ${LARGE}`)).untagged, ["SEARCH 2"]);
    assert.deepEqual((await watcher.ok("SORT (SIZE) US-ASCII ALL")).untagged, ["SORT 2 1"]);
    restore();
  });
});

Deno.test("BINARY.SIZE beyond 32 bits is told whole", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", "Subject: large\r\n\r\n1\r\n");
    const restore = changeRow(server, "message", "uid = 1", { size: LARGE });
    const { readRaw } = SqliteAccountStore.prototype;
    // The same piece again and again, in place of a message of 4 GiB.
    const piece = new Uint8Array(2 ** 26).fill(65);
    SqliteAccountStore.prototype.readRaw = async function* (_mailbox, _uid, start, end) {
      for (let at = start; at < end; at += piece.length) yield piece.subarray(0, end - at);
    };
    try {
      const watcher = await server.connect({ timeoutMs: 60_000 });
      await watcher.ok(`LOGIN ${USER} "${PASSWORD}"`);
      await watcher.ok("SELECT INBOX");
      assert.deepEqual((await watcher.ok("FETCH 1 BINARY.SIZE[]")).untagged, [
        `1 FETCH (UID 1 BINARY.SIZE[] ${LARGE})`,
      ]);
    } finally {
      SqliteAccountStore.prototype.readRaw = readRaw;
      restore();
    }
  });
});

/** Writes values into a row behind the store's back; gives what puts the old ones back. */
function changeRow(
  server: TestServer,
  table: string,
  where: string,
  values: Readonly<Record<string, number | undefined>>,
): () => void {
  const columns = Object.keys(values);
  const write = (row: Readonly<Record<string, unknown>>) => {
    const set = columns.map((name) => `${name} = ${row[name]}`).join(", ");
    db.exec(`UPDATE ${table} SET ${set} WHERE ${where}`);
  };
  const db = new DatabaseSync(`${server.dataDir}/accounts/1/mail.db`);
  const before = db.prepare(`SELECT ${columns.join(", ")} FROM ${table} WHERE ${where}`).get();
  assert.ok(before);
  write(values);
  return () => {
    write(before);
    db.close();
  };
}
