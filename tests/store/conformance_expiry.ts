import assert from "node:assert/strict";
import { RangeSet } from "../../src/base/mod.ts";
import { SystemFlag } from "../../src/store/mod.ts";
import { box, liveUids, mail, put } from "./fixture.ts";
import type { StoreTest } from "./conformance.ts";

const now = () => Math.floor(Date.now() / 1000);
const DAY = 86_400;

/** What goes because it is old, or because there is too much; and accounts that nobody uses. */
export const expiryTests: readonly StoreTest[] = [
  ["old messages go from every mailbox, in steps and oldest first", async ({ a, b }) => {
    const inbox = await box(a, "INBOX");
    const [other] = await a.createMailbox("x");
    assert.ok(other);
    await put(a, "INBOX", {}, {}, {});
    await put(a, "x", {}, {});
    const { cursor } = await b.selectMailbox("INBOX", { claimRecent: false });
    const none = await a.expire({ kind: "age", savedBefore: now() - DAY }, 10);
    assert.deepEqual(none, { messages: 0, bytes: 0, more: false });
    const rule = { kind: "age", savedBefore: now() + DAY } as const;
    const first = await a.expire(rule, 2);
    assert.deepEqual(first, { messages: 2, bytes: 2 * mail().length, more: true });
    assert.equal(await liveUids(b, inbox.id), "3");
    assert.equal((await a.expire(rule, 10)).more, false);
    assert.equal(await liveUids(b, inbox.id), "");
    assert.equal(await liveUids(b, other.id), "");
    // As expunges that others hear of.
    const changes = await b.messageChanges({
      mailbox: inbox.id,
      since: cursor,
      afterUid: 3,
      claimRecent: false,
    });
    assert.equal(changes.expunged.toString(), "1:3");
    assert.equal((await b.quota()).usedBytes, 0);
    assert.equal((await box(b, "x")).counts.messages, 0);
  }],

  ["age is asked of one mailbox, or of large and noticed messages alone", async ({ a, b }) => {
    const inbox = await box(a, "INBOX");
    await a.createMailbox("Trash", { specialUse: ["Trash"] });
    const trash = await box(a, "Trash");
    await put(a, "INBOX", { bytes: mail("a", 1000) }, { bytes: mail("b", 1001) });
    await put(a, "Trash", {}, { flags: SystemFlag.seen });
    const savedBefore = now() + DAY;
    const trashed = await a.expire({ kind: "age", savedBefore, mailbox: trash.id }, 10);
    assert.equal(trashed.messages, 2);
    assert.equal(await liveUids(b, inbox.id), "1:2");
    const large = { kind: "age", savedBefore, largerThan: 1000, isNoticed: true } as const;
    assert.equal((await a.expire(large, 10)).messages, 0, "nobody was told of them");
    await b.selectMailbox("INBOX", { claimRecent: true });
    await put(a, "INBOX", { bytes: mail("c", 1001) });
    assert.equal((await a.expire(large, 10)).messages, 1);
    assert.equal(await liveUids(b, inbox.id), "1,3");
  }],

  ["too much becomes less, oldest first, and what is new stays", async ({ a, b }) => {
    const inbox = await box(a, "INBOX");
    const size = 1000;
    for (let i = 0; i < 4; i++) await put(a, "INBOX", { bytes: mail(String(i), size) });
    const rule = (untilBytes: number, savedBefore: number) =>
      ({ kind: "size", untilBytes, savedBefore }) as const;
    const nothing = { messages: 0, bytes: 0, more: false };
    assert.deepEqual(await a.expire(rule(0, now() - DAY), 10), nothing);
    assert.deepEqual(await a.expire(rule(4 * size, now() + DAY), 10), nothing);
    const once = await a.expire(rule(2 * size - 1, now() + DAY), 1);
    assert.deepEqual(once, { messages: 1, bytes: size, more: true });
    const rest = await a.expire(rule(2 * size - 1, now() + DAY), 10);
    assert.deepEqual(rest, { messages: 2, bytes: 2 * size, more: false });
    assert.equal(await liveUids(b, inbox.id), "4");
    await a.expunge(inbox.id, RangeSet.of(4), { onlyDeleted: false });
    assert.deepEqual(await a.expire(rule(0, now() + DAY), 10), nothing);
    assert.equal(await liveUids(a, inbox.id), "");
  }],

  ["what is of a mailbox that was deleted is not taken for what is too much", async ({ a }) => {
    await a.createMailbox("gone");
    await put(a, "gone", {}, {});
    await a.createMailbox("later");
    await put(a, "later", { bytes: mail("x", 1000) });
    await a.deleteMailbox("gone");
    const rule = { kind: "size", untilBytes: 0, savedBefore: now() + DAY } as const;
    assert.deepEqual(await a.expire(rule, 10), { messages: 1, bytes: 1000, more: false });
  }],

  ["accounts that nobody logged in to are found by day and domain", async (fixture) => {
    const { store: { directory }, accountId } = fixture;
    const today = Math.floor(now() / DAY);
    await directory.addDomain("other.example");
    const { id } = await directory.addAccount("bob@other.example", "");
    const second = await directory.addAccount("eve@other.example", "");
    await directory.addAddress("alias@other.example", accountId);
    assert.deepEqual(await directory.listUnused("other.example", today, 0, 10), []);
    await directory.noteLogin(id);
    await fixture.reopen();
    const after = fixture.store.directory;
    const ids = async (from: number, limit: number) =>
      (await after.listUnused("Other.example", today + 2, from, limit)).map((each) => each.id);
    assert.deepEqual(await ids(0, 10), [id, second.id]);
    assert.deepEqual(await ids(0, 1), [id]);
    assert.deepEqual(await ids(id, 10), [second.id]);
  }],
];
