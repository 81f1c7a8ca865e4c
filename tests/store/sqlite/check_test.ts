import assert from "node:assert/strict";
import { RangeSet } from "../../../src/base/mod.ts";
import { SystemFlag } from "../../../src/store/mod.ts";
import { box, breaches, newMessage, put } from "../fixture.ts";
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

/** What is broken, and what the check says of it. */
const DAMAGES: readonly (readonly [damage: string, expected: RegExp])[] = [
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
  ["DELETE FROM chunk WHERE id % 1048576 = 1", /its chunks have not \d+ octets/],
  ["UPDATE chunk SET data = x'00' WHERE id % 1048576 = 0", /chunk 0 (has|cannot)/],
  ["UPDATE chunk SET id = id + 10 WHERE id % 1048576 = 1", /chunk 1 has no octets/],
  ["DELETE FROM search_text", /lacks its text for search/],
  ["INSERT INTO search_text VALUES (999, 0, x'', 0, x'')", /content 999, which is unknown/],
  ["DELETE FROM staging", /chunks of content \d+, which is unknown/],
  ["UPDATE staging SET content_id = 1", /is coming in and has come/],
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
