import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { decodeLatin1, RangeSet } from "../../../src/base/mod.ts";
import { SystemFlag } from "../../../src/store/mod.ts";
import { Database } from "../../../src/store/sqlite/database.ts";
import { ALL, box, breaches, mail, newMessage, put, raw, rows, Viewer } from "../fixture.ts";
import { type AccountFixture, withAccountFile } from "./account_fixture.ts";

/** An account with some of everything. */
async function fill({ account }: AccountFixture): Promise<void> {
  await account.createMailbox("a/b", { specialUse: ["Sent"] });
  await account.createMailbox("gone");
  await put(account, "gone");
  await account.deleteMailbox("gone");
  await put(account, "INBOX", { flags: SystemFlag.deleted, keywords: ["x", "y"] }, {}, {
    bytes: new Uint8Array(600_000).fill(66),
  });
  const inbox = await box(account, "INBOX");
  await account.copy(inbox.id, RangeSet.of(1, 3), "a/b");
  await account.expunge(inbox.id, RangeSet.of(2), { onlyDeleted: false });
  await account.setAnnotations("a/b", [{
    entry: "/private/comment",
    value: new Uint8Array([1]),
    isBinary: false,
  }]);
  const stage = account.stageMessage();
  await stage.write(new Uint8Array(300_000));
}

/** What is broken, what the check says of it, and what is left of that when it was mended. */
const DAMAGES: readonly (readonly [damage: string, expected: RegExp, left?: RegExp])[] = [
  ["UPDATE mailbox SET messages = messages + 1 WHERE id = 1", /mailbox INBOX: the counts/],
  ["UPDATE mailbox SET unseen = 0 WHERE id = 1", /mailbox INBOX: the counts/],
  ["UPDATE mailbox SET deleted = 0 WHERE id = 1", /mailbox INBOX: the counts/],
  ["UPDATE mailbox SET size = size + 1 WHERE id = 1", /mailbox INBOX: the counts/],
  ["UPDATE mailbox SET deleted_size = 0 WHERE id = 1", /mailbox INBOX: the counts/],
  ["UPDATE mailbox SET recent = 0 WHERE id = 1", /mailbox INBOX: the counts/],
  ["UPDATE account SET size = size - 1", /account: the totals/],
  ["UPDATE account SET messages = 0", /account: the totals/],
  ["UPDATE account SET deleted_size = 0", /account: the totals/],
  ["DELETE FROM account", /0 account rows/],
  ["UPDATE mailbox SET name = 'a//b' WHERE name = 'a/b'", /name is not valid/],
  ["UPDATE mailbox SET name = 'z' WHERE name = 'a'", /its parent a is missing/],
  ["UPDATE mailbox SET name = 'in' WHERE name = 'INBOX'", /no INBOX/],
  ["INSERT INTO subscription VALUES ('a//b')", /subscription a\/\/b/],
  ["UPDATE account SET next_uid_validity = 1", /its numbers are impossible/],
  ["UPDATE account SET next_mailbox_id = 1", /its numbers are impossible/],
  ["UPDATE account SET modseq = 1", /its numbers are impossible/],
  ["UPDATE mailbox SET modseq = 1 WHERE id = 1", /impossible/],
  ["UPDATE mailbox SET flag_seq = 9999", /its numbers are impossible/],
  ["UPDATE mailbox SET uid_next = 2 WHERE id = 1", /message 3 has impossible numbers/],
  ["UPDATE mailbox SET uid_validity = 5", /UIDVALIDITY 5 is used twice/],
  ["UPDATE mailbox SET special_use = 8", /special use 8 is used twice/],
  ["UPDATE message SET create_seq = modseq + 1", /impossible numbers/],
  ["UPDATE message SET modseq = 99999", /impossible numbers/],
  ["UPDATE message SET internal_day = 0", /impossible numbers/],
  ["UPDATE message SET internal_zone = 1440", /impossible numbers/],
  ["UPDATE message SET flags = 32 WHERE uid = 3", /impossible numbers/],
  ["UPDATE message SET keywords = 'x new' WHERE keywords <> ''", /keyword new is not in its list/],
  ["UPDATE message SET thread_id = thread_id + 1", /lacks its content, or differs from it/],
  ["UPDATE content SET size = size + 1", /differs from it/],
  ["DELETE FROM content WHERE id = (SELECT max(content_id) FROM message)", /lacks its content/],
  [
    "DELETE FROM content WHERE id IN (SELECT content_id FROM expunged)",
    /expunged message 2 .* lacks/,
  ],
  ["UPDATE tombstone SET last_uid = 3 WHERE mailbox_id = 1", /expunge \d+ of 2:3 is impossible/],
  ["DELETE FROM tombstone", /expunged message 2 is impossible/],
  ["UPDATE message SET mailbox_id = 77 WHERE uid = 3", /mailbox 77, which is unknown/],
  ["INSERT INTO doomed_mailbox VALUES (1)", /mailbox 1 is deleted and is not/],
  ["UPDATE annotation SET mailbox_id = 77", /annotation .* is impossible/],
  ["UPDATE annotation SET modseq = 99999", /annotation .* is impossible/],
  ["UPDATE event SET modseq = 99999", /event \d+ is impossible/],
  ["DELETE FROM message WHERE uid = 3; DELETE FROM expunged", /content \d+ belongs to no message/],
  ["UPDATE account SET next_content_id = 2", /content \d+: its numbers are impossible/],
  ["DELETE FROM chunk WHERE id % 1048576 = 1", /its chunks have not \d+ octets/, /its chunks/],
  ["UPDATE chunk SET data = x'00' WHERE id % 1048576 = 0", /chunk 0 (has|cannot)/, /chunk 0/],
  [
    "UPDATE chunk SET id = id + 10 WHERE id % 1048576 = 1",
    /chunk 1 has no octets/,
    /chunk 1 has no octets/,
  ],
  ["DELETE FROM search_text", /its text for search is missing/],
  ["INSERT INTO search_text VALUES (999, 0, x'', 0, x'')", /content 999, which is unknown/],
  ["DELETE FROM staging", /chunks of content \d+, which is unknown/],
  ["UPDATE staging SET content_id = 1", /is coming in and has come/],
  ["INSERT INTO thread_ref VALUES (7, 999)", /thread 999 has no messages/],
  ["UPDATE account SET events_trimmed_seq = 9999", /its counters are impossible/],
  ["UPDATE content SET parts = x'ff'", /what was derived from it cannot be read/],
  ["UPDATE content SET sort_keys = '{'", /what was derived from it cannot be read/],
  ["UPDATE content SET ancestors = '7'", /its references are damaged/],
  ["UPDATE content SET envelope = x''", /its envelope or structure is damaged/],
  ["UPDATE content SET body_structure = x'28'", /its envelope or structure is damaged/],
  ["UPDATE search_text SET body = x'00', body_coding = 1", /cannot be read/],
  ["UPDATE content SET header_size = 99999999", /its numbers are impossible/],
  ["UPDATE content SET thread_id = 77", /its numbers are impossible/],
  ["UPDATE message SET uid = 4294967295 WHERE uid = 3", /message 4294967295 has impossible/],
  ["UPDATE message SET uid = 0 WHERE uid = 3", /message 0 has impossible/],
  ["UPDATE mailbox SET uid_validity = 0 WHERE id = 1", /its numbers are impossible/],
  ["UPDATE mailbox SET special_use = 99", /its numbers are impossible/],
  ["UPDATE mailbox SET trimmed_seq = 9999", /its numbers are impossible/],
  ["UPDATE mailbox SET recent_after = 9999", /its numbers are impossible/],
  ["UPDATE expunged SET uid = 3 WHERE mailbox_id = 1", /expunged message 3 is impossible/],
  ["UPDATE expunged SET modseq = 99999", /expunged message 2 is impossible/],
  ["UPDATE event SET modseq = 0", /event \d+ is impossible/],
  ["DELETE FROM mailbox WHERE name = 'a/b'", /which is unknown/],
  ["DELETE FROM content; DELETE FROM search_text", /lacks its content/],
];

Deno.test("the check says nothing of an account that is in order", () =>
  withAccountFile(async (fixture) => {
    await fill(fixture);
    assert.deepEqual(await breaches(fixture.account), []);
  }));

Deno.test("the check finds each kind of damage", () =>
  withAccountFile(async (fixture) => {
    await fill(fixture);
    for (const [damage, expected] of DAMAGES) {
      // The check reads inside the transaction, which is then undone.
      fixture.db.exec("BEGIN");
      fixture.db.exec(damage);
      const found = await breaches(fixture.account);
      fixture.db.exec("ROLLBACK");
      assert.ok(found.some((breach) => expected.test(breach)), `${damage}: ${found.join("; ")}`);
    }
    assert.deepEqual(await breaches(fixture.account), []);
  }));

for (const [damage, , left] of DAMAGES) {
  const outcome = left ? "is told and the rest stays" : "is mended";
  Deno.test(`damage ${outcome}: ${damage}`, () =>
    withAccountFile(async (fixture) => {
      await fill(fixture);
      const { account, db } = fixture;
      const before = await account.listMailboxes();
      db.exec(damage);
      const said = await Array.fromAsync(account.repair());
      assert.match(said[0] ?? "", /a copy of the database as it was is in .*before-repair-\d+$/);
      assert.ok(left || said.length > 1, "it says what it did");
      const after = await breaches(account);
      if (left) assert.ok(after.some((breach) => left.test(breach)), after.join("; "));
      else assert.deepEqual(after, [], said.join("; "));
      for (const { id, uidValidity, uidNext, modSeq } of before) {
        const [now] = (await account.listMailboxes()).filter((it) => it.id === id);
        if (!now || now.uidValidity !== uidValidity) continue;
        // What the damage itself lowered below what was given cannot be known in each case.
        if (/uid_next|SET modseq|DELETE FROM account/.test(damage)) continue;
        assert.ok(now.uidNext >= uidNext && now.modSeq >= modSeq, `${now.name}: ${said}`);
      }
      if (!left) {
        await put(account, "INBOX");
        assert.deepEqual(await breaches(account), []);
        assert.deepEqual(await Array.fromAsync(account.repair()), []);
      }
    }));
}

Deno.test("mending keeps the mail: what is derived comes from the raw, what lost its place is put somewhere", () =>
  withAccountFile(async (fixture) => {
    const { account, db } = fixture;
    const bytes = [mail("one"), mail("two", 700_000), mail("three"), mail("four")];
    for (const each of bytes) await put(account, "INBOX", { bytes: each });
    const inbox = await box(account, "INBOX");
    const before = await rows(account, inbox.id, ALL, ["envelope", "bodyStructure", "preview"]);
    db.exec(`
      UPDATE content SET envelope = x'00', body = x'00', body_structure = x'00', sort_keys = ''
        WHERE id < 3;
      DELETE FROM search_text;
      -- The third has lost its place, the fourth all but its octets and its place.
      DELETE FROM message WHERE uid >= 3;
      DELETE FROM content WHERE id = 4`);
    await Array.fromAsync(account.repair());
    assert.deepEqual(await breaches(account), []);
    const after = await rows(account, inbox.id, ALL, ["envelope", "bodyStructure", "preview"]);
    assert.deepEqual(after, before.slice(0, 2));
    assert.equal(
      decodeLatin1(await raw(account, inbox.id, 2)),
      decodeLatin1(mail("two", 700_000)),
    );
    const recovered = await box(account, "Recovered");
    const texts: string[] = [];
    for (const { uid } of await rows(account, recovered.id)) {
      texts.push(decodeLatin1(await raw(account, recovered.id, uid)));
    }
    const lost = [mail("four"), mail("three")].map(decodeLatin1);
    assert.deepEqual(texts.sort(), lost);
    const { uids } = await account.search(recovered.id, { op: "body", value: "four" });
    assert.equal(uids.size, 1);
  }));

Deno.test("a message whose content is lost is taken away, and sessions hear of it", () =>
  withAccountFile(async ({ account, db }) => {
    await put(account, "INBOX", {}, {}, {});
    const viewer = await Viewer.select(account, "INBOX");
    db.exec("DELETE FROM content WHERE id = 2; DELETE FROM chunk WHERE id / 1048576 = 2");
    const said = await Array.fromAsync(account.repair());
    assert.ok(said.includes("mailbox INBOX: message 2 had lost its content and was removed"));
    assert.deepEqual(await breaches(account), []);
    await viewer.catchUp();
    await viewer.assertCurrent();
    assert.equal(viewer.uids.toString(), "1,3");
  }));

Deno.test("the copy that is kept before mending is the database as it was", () =>
  withAccountFile(async ({ account, db }) => {
    await put(account, "INBOX");
    db.exec("UPDATE mailbox SET messages = 7 WHERE id = 1");
    const [said = ""] = await Array.fromAsync(account.repair());
    const path = said.replace(/^.* is in /, "");
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    const copy = Database.open(path);
    assert.equal(copy.number("SELECT messages FROM mailbox WHERE id = 1"), 7);
    copy.close();
  }));

Deno.test("the check finds what the index for search lacks, and mending makes it anew", () =>
  withAccountFile(async ({ account, file }) => {
    for (let i = 0; i < 30; i++) await put(account, "INBOX", { bytes: mail(`needle${i}x`) });
    file.searchIndex.fill();
    const inbox = await box(account, "INBOX");
    assert.deepEqual(await breaches(account), []);
    file.searchIndex.release();
    const index = new DatabaseSync(join(file.folder, "search.db"));
    index.exec("DELETE FROM trigram WHERE rowid / 64 = 7");
    index.close();
    assert.deepEqual(await breaches(account), ["search index: content 7 is not in it"]);
    const said = await Array.fromAsync(account.repair());
    assert.equal(said.at(-1), "search index, made anew: content 7 is not in it");
    file.searchIndex.fill();
    assert.deepEqual(await breaches(account), []);
    const { uids } = await account.search(inbox.id, { op: "text", value: "needle6x" });
    assert.equal(uids.toString(), "7");
  }));

Deno.test("the check tells many breaches of a rule in few lines", () =>
  withAccountFile(async ({ account, db }) => {
    const messages = [];
    for (let i = 0; i < 50; i++) messages.push(await newMessage(account));
    await account.append("INBOX", messages);
    db.exec("DELETE FROM search_text");
    const found = await breaches(account);
    assert.equal(found.length, 21);
    assert.match(found.at(-1) ?? "", /more of the same/);
  }));
