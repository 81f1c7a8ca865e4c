import assert from "node:assert/strict";
import { RangeSet } from "../../../src/base/mod.ts";
import { StoreError, SystemFlag } from "../../../src/store/mod.ts";
import { Database } from "../../../src/store/sqlite/database.ts";
import { box, breaches, mail, newMessage, put, refuses } from "../fixture.ts";
import { withAccountFile, withStore } from "./account_fixture.ts";

Deno.test("what is asked in one turn is one commit, with a mod-sequence for each", () =>
  withAccountFile(async ({ account, commits }) => {
    const messages = [];
    for (let i = 0; i < 5; i++) messages.push(await newMessage(account));
    const results = await Promise.all(messages.map((it) => account.append("INBOX", [it])));
    assert.deepEqual(results.map(({ uids }) => uids.first), [1, 2, 3, 4, 5]);
    assert.deepEqual(results.map(({ modSeq }) => modSeq), [2, 3, 4, 5, 6]);
    assert.deepEqual(commits, [6]);
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("an operation that fails takes nothing from those that share its commit", () =>
  withAccountFile(async ({ account, commits }) => {
    const [first, second] = [await newMessage(account), await newMessage(account)];
    const [a, b, c] = await Promise.allSettled([
      account.append("INBOX", [first]),
      account.append("nowhere", [second]),
      account.createMailbox("a/b"),
    ]);
    assert.equal(a.status, "fulfilled");
    assert.equal(b.status, "rejected");
    assert.equal(c.status, "fulfilled");
    assert.deepEqual(commits, [3]);
    assert.equal((await box(account, "INBOX")).counts.messages, 1);
    // The refused message may be given again.
    await account.append("a/b", [second]);
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("an operation that fails half-way leaves no trace", () =>
  withAccountFile(async ({ account, db, commits }) => {
    await put(account, "INBOX");
    const before = await account.listMailboxes();
    db.run("UPDATE account SET next_uid_validity = 4294967295");
    // "a" still gets a UIDVALIDITY, "a/b" does not.
    await refuses("exhausted", account.createMailbox("a/b"));
    assert.deepEqual(await account.listMailboxes(), before);
    assert.deepEqual(await account.listMissingSubscriptions(), []);
    assert.deepEqual(commits, [2]);
  }));

Deno.test("a full disk refuses what does not fit, loses nothing, and passes", () =>
  withAccountFile(async ({ account, db, commits }) => {
    await put(account, "INBOX", {}, {});
    const pages = db.number("PRAGMA page_count");
    db.exec(`PRAGMA max_page_count = ${pages + 8}`);
    // Random, so that it does not compress.
    const large = () => {
      const bytes = new Uint8Array(200_000);
      for (let at = 0; at < bytes.length; at += 50_000) {
        crypto.getRandomValues(bytes.subarray(at, at + 50_000));
      }
      return bytes;
    };
    const told = commits.length;
    const refused = await newMessage(account, { bytes: large() });
    await refuses("unavailable", account.append("INBOX", [refused]));
    assert.equal(commits.length, told);
    // Larger than a chunk: the disk is full while it is still coming in.
    const stage = account.stageMessage();
    const slow = (async () => {
      for (let i = 0; i < 5; i++) await stage.write(large());
    })();
    await refuses("unavailable", slow);
    await stage.discard();

    assert.deepEqual(await breaches(account), []);
    assert.equal((await box(account, "INBOX")).counts.messages, 2);
    db.exec("PRAGMA max_page_count = 1000000");
    await account.append("INBOX", [refused]);
    assert.equal((await box(account, "INBOX")).counts.messages, 3);
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("a disk that fills up in one operation refuses the whole commit or just that one", () =>
  withAccountFile(async ({ account, db }) => {
    await put(account, "INBOX");
    const big = await newMessage(account, {
      bytes: crypto.getRandomValues(new Uint8Array(60_000)),
    });
    const small = await newMessage(account);
    db.exec(`PRAGMA max_page_count = ${db.number("PRAGMA page_count") + 3}`);
    const outcomes = await Promise.allSettled([
      account.append("INBOX", [small]),
      account.append("INBOX", [big]),
    ]);
    assert.equal(outcomes[1]?.status, "rejected");
    const kept = outcomes.filter(({ status }) => status === "fulfilled").length;
    assert.equal((await box(account, "INBOX")).counts.messages, 1 + kept);
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("a commit that fails at its very end refuses all that shared it, and the next succeeds", () =>
  withAccountFile(async ({ account, db, commits }) => {
    const [first, second] = [await newMessage(account), await newMessage(account)];
    db.exec = (sql) => {
      if (sql === "COMMIT") throw new StoreError("unavailable", "disk I/O error");
      Database.prototype.exec.call(db, sql);
    };
    const outcomes = [
      account.append("INBOX", [first]),
      account.append("INBOX", [second]),
      account.createMailbox("a"),
    ];
    await Promise.all(outcomes.map((outcome) => refuses("unavailable", outcome)));
    db.exec = (sql) => Database.prototype.exec.call(db, sql);
    assert.deepEqual(commits, []);
    assert.deepEqual((await account.listMailboxes()).map(({ name }) => name), ["INBOX"]);
    const { uids, modSeq } = await account.append("INBOX", [first, second]);
    assert.deepEqual([uids.toString(), modSeq], ["1:2", 2]);
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("listeners are told before the promise resolves", () =>
  withStore({}, async (store, account) => {
    const order: string[] = [];
    store.onCommit((id, modSeq) => order.push(`commit ${id} ${modSeq}`));
    store.onCommit(() => {
      throw new Error("a listener that fails");
    });
    const uid = await put(account, "INBOX");
    order.push("resolved");
    assert.deepEqual(order, ["commit 1 2", "resolved"]);
    const inbox = await box(account, "INBOX");
    await account.changeFlags(inbox.id, RangeSet.of(uid), {
      mode: "add",
      flags: SystemFlag.seen,
      keywords: [],
    });
    assert.equal(order.at(-1), "commit 1 3");
  }));

Deno.test("after closing the store everything is refused, and what was asked before is kept", () =>
  withStore({}, async (store, account) => {
    const message = await newMessage(account, { bytes: mail() });
    const appended = account.append("INBOX", [message]);
    await store.close();
    assert.equal((await appended).uids.toString(), "1");
    await assert.rejects(account.append("INBOX", [message]));
    await assert.rejects(account.listMailboxes());
  }));
