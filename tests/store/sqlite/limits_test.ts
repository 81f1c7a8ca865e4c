import assert from "node:assert/strict";
import { RangeSet } from "../../../src/base/mod.ts";
import {
  MAX_KEYWORD_LENGTH,
  MAX_KEYWORDS,
  MAX_MAILBOXES,
  MAX_SUBSCRIPTIONS,
} from "../../../src/store/limits.ts";
import { box, breaches, put, refuses } from "../fixture.ts";
import { withAccountFile } from "./account_fixture.ts";

Deno.test("an account has at most so many mailboxes", () =>
  withAccountFile(async ({ account, db }) => {
    db.exec(`
      WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ${
      MAX_MAILBOXES - 1
    })
      INSERT INTO mailbox (id, name, uid_validity, uid_next, modseq, create_seq)
        SELECT i, 'm' || i, 1e6 + i, 1, 1, 1 FROM n;
      UPDATE account SET next_mailbox_id = ${MAX_MAILBOXES}`);
    await refuses("limit", account.createMailbox("a/b"));
    assert.equal(await account.findMailbox("a"), undefined, "no parent stays behind");
    await account.createMailbox("a");
    await refuses("limit", account.createMailbox("b"));
    assert.equal((await account.listMailboxes()).length, MAX_MAILBOXES);
  }));

Deno.test("an account has at most so many subscriptions", () =>
  withAccountFile(async ({ account, db }) => {
    db.exec(`
      WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ${
      MAX_SUBSCRIPTIONS - 1
    })
      INSERT INTO subscription SELECT 's' || i FROM n`);
    await account.setSubscribed("last", true);
    await refuses("limit", account.setSubscribed("more", true));
    await account.setSubscribed("s2", false);
    await account.setSubscribed("more", true);
  }));

Deno.test("a mailbox has at most so many keywords, and they at most so many characters", () =>
  withAccountFile(async ({ account }) => {
    const keywords = Array.from({ length: MAX_KEYWORDS - 1 }, (_, i) => `k${i}`);
    await put(account, "INBOX", { keywords });
    const longest = "x".repeat(MAX_KEYWORD_LENGTH);
    await refuses("limit", put(account, "INBOX", { keywords: [longest + "x"] }));
    await put(account, "INBOX", { keywords: [longest] });
    const { id } = await box(account, "INBOX");
    const change = { mode: "add", flags: 0, keywords: ["more"] } as const;
    await refuses("limit", account.changeFlags(id, RangeSet.of(1), change));
    await account.changeFlags(id, RangeSet.of(1), { ...change, keywords: ["K7"] });
    assert.equal((await box(account, "INBOX")).keywords.length, MAX_KEYWORDS);
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("the last UID is given and none after it", () =>
  withAccountFile(async ({ account, db }) => {
    db.exec("UPDATE mailbox SET uid_next = 4294967294");
    assert.equal(await put(account, "INBOX"), 4294967294);
    await refuses("exhausted", put(account, "INBOX"));
    await account.createMailbox("a");
    await put(account, "a");
    await refuses("exhausted", account.copy((await box(account, "a")).id, RangeSet.of(1), "INBOX"));
    await refuses("exhausted", account.move((await box(account, "a")).id, RangeSet.of(1), "INBOX"));
    assert.equal((await box(account, "a")).counts.messages, 1);
    assert.deepEqual(await breaches(account), []);
  }));
