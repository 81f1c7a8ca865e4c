import assert from "node:assert/strict";
import type { SpecialUse } from "../../src/store/mod.ts";
import { byCodePoint } from "./model_account.ts";
import { ALL, box, bytesOf, liveUids, names, put, raw, refuses } from "./fixture.ts";
import type { StoreTest } from "./conformance.ts";

/** Mailboxes as a whole: names, subscriptions, special uses and their events. */
export const mailboxTests: readonly StoreTest[] = [
  ["a new account has INBOX and nothing else", async ({ a }) => {
    const [inbox, ...others] = await a.listMailboxes();
    assert.deepEqual(others, []);
    assert.equal(inbox?.name, "INBOX");
    assert.equal(inbox?.subscribed, true);
    assert.equal(inbox?.uidNext, 1);
    assert.ok((inbox?.uidValidity ?? 0) >= 1);
    assert.ok((inbox?.modSeq ?? 0) >= 1);
    assert.deepEqual(inbox?.counts, {
      messages: 0,
      unseen: 0,
      deleted: 0,
      size: 0,
      deletedSize: 0,
      recent: 0,
    });
  }],

  ["mailboxes are listed by name in code-point order, on every handle", async ({ a, b }) => {
    const wanted = ["a", "B", "a-b", "a b", "a/c", "é", "\u{1f600}", "\ufb01", "日本"];
    for (const name of wanted) await a.createMailbox(name);
    assert.deepEqual(await names(b), [...wanted, "INBOX"].sort(byCodePoint));
  }],

  ["a mailbox is made with its missing parents, all subscribed", async ({ a, b }) => {
    await a.createMailbox("a");
    const made = await a.createMailbox("a/b/c/d");
    assert.deepEqual(made.map((it) => it.name), ["a/b", "a/b/c", "a/b/c/d"]);
    assert.ok(made.every((it) => it.subscribed));
    assert.equal(new Set(made.map((it) => it.uidValidity)).size, 3);
    assert.equal(new Set(made.map((it) => it.modSeq)).size, 1, "one mod-sequence for all");
    assert.deepEqual(await names(b), ["INBOX", "a", "a/b", "a/b/c", "a/b/c/d"]);
    assert.deepEqual(await b.findMailbox("a/b/c/d"), made[2]);
  }],

  ["a mailbox that exists is not made again", async ({ a, b }) => {
    await a.createMailbox("a/b");
    await refuses("already-exists", b.createMailbox("a"));
    await refuses("already-exists", b.createMailbox("a/b"));
    await refuses("inbox", b.createMailbox("INBOX"));
    assert.deepEqual(await names(b), ["INBOX", "a", "a/b"]);
  }],

  ["mailbox names differ by case, except INBOX", async ({ a }) => {
    await a.createMailbox("Work");
    await a.createMailbox("work");
    assert.equal((await box(a, "Work")).name, "Work");
    assert.equal(await a.findMailbox("WORK"), undefined);
  }],

  ["names with the wildcards of SQL are no patterns", async ({ a }) => {
    for (const name of ["a_b", "axb/child", "a%", "ab/child", "a_b/child", "a'b\"c"]) {
      await a.createMailbox(name);
    }
    await a.renameMailbox("a_b", "z");
    assert.deepEqual(
      (await names(a)).filter((name) => name !== "INBOX"),
      ["a%", "a'b\"c", "ab", "ab/child", "axb", "axb/child", "z", "z/child"],
    );
    await a.deleteMailbox("a%");
  }],

  [
    "a deleted mailbox is gone, and its name comes back with a higher UIDVALIDITY",
    async ({ a, b }) => {
      const [made] = await a.createMailbox("a");
      await put(a, "a");
      await b.deleteMailbox("a");
      assert.equal(await a.findMailbox("a"), undefined);
      await refuses("mailbox-not-found", a.deleteMailbox("a"));
      await refuses("mailbox-not-found", a.selectMailbox("a", { claimRecent: true }));
      const [again] = await a.createMailbox("a");
      assert.ok(made && again);
      assert.ok(again.uidValidity > made.uidValidity);
      assert.notEqual(again.objectId, made.objectId);
      assert.ok(again.id > made.id);
      assert.equal(again.uidNext, 1);
      assert.equal(again.counts.messages, 0);
    },
  ],

  ["UIDVALIDITY is never given twice, also after reopening", async (fixture) => {
    const seen = new Set<number>([(await box(fixture.a, "INBOX")).uidValidity]);
    let highest = Math.max(...seen);
    for (let i = 0; i < 6; i++) {
      const [made] = await fixture.a.createMailbox("a");
      assert.ok(made);
      assert.ok(made.uidValidity > highest);
      highest = made.uidValidity;
      seen.add(highest);
      await fixture.a.deleteMailbox("a");
      if (i % 2 === 1) await fixture.reopen();
    }
    assert.equal(seen.size, 7);
  }],

  ["INBOX and mailboxes with children are not deleted", async ({ a, b }) => {
    await a.createMailbox("a/b");
    await refuses("inbox", a.deleteMailbox("INBOX"));
    await refuses("has-children", b.deleteMailbox("a"));
    await a.deleteMailbox("a/b");
    await a.deleteMailbox("a");
    assert.deepEqual(await names(b), ["INBOX"]);
  }],

  ["what is done to a deleted mailbox says that it is not there", async ({ a, b }) => {
    const [made] = await a.createMailbox("a");
    assert.ok(made);
    await put(a, "a");
    await b.deleteMailbox("a");
    const gone = "mailbox-not-found";
    await refuses(gone, a.changeFlags(made.id, ALL, { mode: "add", flags: 1, keywords: [] }));
    await refuses(gone, a.expunge(made.id, ALL, { onlyDeleted: false }));
    await refuses(gone, a.copy(made.id, ALL, "INBOX"));
    await refuses(gone, a.move(made.id, ALL, "INBOX"));
    await refuses(gone, a.search(made.id, { op: "all" }));
    await refuses(gone, a.setAnnotations("a", []));
    await refuses(gone, a.listAnnotations("a"));
  }],

  ["renaming keeps what the mailbox is and takes its children along", async ({ a, b }) => {
    await a.createMailbox("a/b/c");
    await a.createMailbox("ab");
    const uid = await put(a, "a/b", { bytes: bytesOf("Subject: x\r\n\r\nkept") });
    const before = await box(a, "a/b");
    await b.renameMailbox("a", "x/y");
    assert.deepEqual(await names(a), ["INBOX", "ab", "x", "x/y", "x/y/b", "x/y/b/c"]);
    const after = await box(a, "x/y/b");
    assert.equal(after.id, before.id);
    assert.equal(after.objectId, before.objectId);
    assert.equal(after.uidValidity, before.uidValidity);
    assert.equal(after.uidNext, before.uidNext);
    assert.equal((await raw(a, after.id, uid)).length, 18);
  }],

  ["a mailbox may be renamed to a place below itself", async ({ a }) => {
    await a.createMailbox("a/b");
    const { id } = await box(a, "a");
    await a.renameMailbox("a", "a/x");
    assert.deepEqual(await names(a), ["INBOX", "a", "a/x", "a/x/b"]);
    assert.equal((await box(a, "a/x")).id, id);
  }],

  [
    "renaming refuses a missing source, a taken name, itself, and INBOX as a goal",
    async ({ a }) => {
      await a.createMailbox("a");
      await a.createMailbox("b/c");
      await refuses("mailbox-not-found", a.renameMailbox("nowhere", "z"));
      await refuses("already-exists", a.renameMailbox("a", "b/c"));
      await refuses("already-exists", a.renameMailbox("a", "a"));
      await refuses("inbox", a.renameMailbox("a", "INBOX"));
      await refuses("already-exists", a.renameMailbox("INBOX", "a"));
      assert.deepEqual(await names(a), ["INBOX", "a", "b", "b/c"]);
    },
  ],

  ["a rename that would make a child's name too long changes nothing", async ({ a }) => {
    await a.createMailbox("a/" + "c".repeat(600));
    const error = await a.renameMailbox("a", "z".repeat(600)).then(() => undefined, (e) => e);
    assert.ok(error?.code === "invalid-name" || error?.code === "limit", `refused, not ${error}`);
    assert.deepEqual(await names(a), ["INBOX", "a", "a/" + "c".repeat(600)]);
  }],

  [
    "renaming INBOX moves its messages to a new mailbox and leaves INBOX and its children",
    async ({ a, b }) => {
      await a.createMailbox("INBOX/child");
      await put(a, "INBOX", {}, { flags: 1, keywords: ["Blue"] }, {});
      const inbox = await box(a, "INBOX");
      await a.setAnnotations("INBOX", [
        { entry: "/private/comment", value: bytesOf("kept"), isBinary: false },
      ]);
      await b.renameMailbox("INBOX", "old/mail");
      assert.deepEqual(await names(a), ["INBOX", "INBOX/child", "old", "old/mail"]);
      const empty = await box(a, "INBOX");
      assert.equal(empty.id, inbox.id);
      assert.equal(empty.uidValidity, inbox.uidValidity);
      assert.equal(empty.uidNext, 4, "UIDNEXT does not go down");
      assert.equal(empty.counts.messages, 0);
      const moved = await box(a, "old/mail");
      assert.equal(moved.counts.messages, 3);
      assert.equal(moved.counts.unseen, 2);
      assert.equal(await liveUids(a, moved.id), "1:3");
      assert.deepEqual(moved.keywords, ["Blue"]);
      assert.equal((await a.expungedSince(inbox.id, inbox.modSeq, ALL)).toString(), "1:3");
      assert.equal((await a.listAnnotations("old/mail")).length, 1);
    },
  ],

  ["subscriptions are by name and need no mailbox", async ({ a, b }) => {
    await a.setSubscribed("later", true);
    assert.deepEqual(await b.listMissingSubscriptions(), ["later"]);
    const [later] = await b.createMailbox("later");
    assert.equal(later?.subscribed, true);
    assert.deepEqual(await a.listMissingSubscriptions(), []);
    await a.deleteMailbox("later");
    assert.deepEqual(await b.listMissingSubscriptions(), ["later"]);
    await a.setSubscribed("later", false);
    assert.deepEqual(await b.listMissingSubscriptions(), []);
    await refuses("mailbox-not-found", a.setSubscribed("later", false));
  }],

  ["unsubscribing twice is fine while the mailbox exists", async ({ a, b }) => {
    await a.createMailbox("a");
    await a.setSubscribed("a", false);
    await a.setSubscribed("a", false);
    assert.equal((await box(b, "a")).subscribed, false);
    await b.setSubscribed("a", true);
    await b.setSubscribed("a", true);
    assert.equal((await box(a, "a")).subscribed, true);
  }],

  ["a subscription stays on the old name when its mailbox is renamed", async ({ a }) => {
    await a.createMailbox("a");
    await a.renameMailbox("a", "b");
    assert.deepEqual(await a.listMissingSubscriptions(), ["a"]);
    assert.equal((await box(a, "b")).subscribed, false);
  }],

  ["a special use goes to the mailbox alone and leaves the one that had it", async ({ a, b }) => {
    await a.createMailbox("x/Old", { specialUse: ["Trash", "Sent"] });
    assert.deepEqual((await box(b, "x")).specialUse, []);
    assert.deepEqual([...(await box(b, "x/Old")).specialUse].sort(), ["Sent", "Trash"]);
    const before = await box(a, "x/Old");
    const [made] = await a.createMailbox("New", { specialUse: ["Trash"] });
    assert.deepEqual(made?.specialUse, ["Trash"]);
    const after = await box(b, "x/Old");
    assert.deepEqual(after.specialUse, ["Sent"]);
    assert.ok(after.modSeq > before.modSeq);
  }],

  ["an unknown special use makes nothing", async ({ a }) => {
    const unknown = ["Sent", "All"] as unknown as SpecialUse[];
    await refuses("invalid-special-use", a.createMailbox("a/b", { specialUse: unknown }));
    assert.deepEqual(await names(a), ["INBOX"]);
  }],

  ["each kind of mailbox event is told once, in order", async ({ a, b }) => {
    const start = await b.mailboxEvents(0 as never);
    assert.ok(start !== "resync");
    const comment = { entry: "/private/comment", value: bytesOf("x"), isBinary: false };
    await a.createMailbox("a/b");
    await a.renameMailbox("a", "c");
    await a.setSubscribed("other", true);
    await a.setSubscribed("other", false);
    await a.setAnnotations("c", [comment]);
    await a.setAnnotations(undefined, [comment]);
    await a.createMailbox("s", { specialUse: ["Junk"] });
    await a.createMailbox("t", { specialUse: ["Junk"] });
    await a.deleteMailbox("c/b");
    const told = await b.mailboxEvents(start.through);
    assert.ok(told !== "resync");
    const texts = told.events.map((event) =>
      event.kind === "renamed"
        ? `renamed ${event.oldName} ${event.name}`
        : event.kind === "metadata"
        ? `metadata ${event.name} ${event.entries}`
        : `${event.kind} ${event.name}`
    );
    const kinds = texts.filter((text) => !text.startsWith("specialUse t")).filter((text) =>
      !text.startsWith("specialUse s") || text === "specialUse s"
    );
    const expected = [
      "created a",
      "created a/b",
      "renamed a c",
      "renamed a/b c/b",
      "subscribed other",
      "unsubscribed other",
      "metadata c /private/comment",
      "metadata  /private/comment",
      "created s",
      "created t",
      "specialUse s",
      "deleted c/b",
    ];
    assert.deepEqual([...new Set(kinds)].sort(), expected.sort());
    assert.ok(told.events.every((event, i) => event.modSeq >= (told.events[i - 1]?.modSeq ?? 0)));
    assert.ok(told.events.every((event) => event.modSeq > start.through));
    assert.deepEqual(await b.mailboxEvents(told.through), { events: [], through: told.through });
  }],

  ["mailbox events come in pages that lose none", async ({ a, b }) => {
    const start = await b.mailboxEvents(0 as never);
    assert.ok(start !== "resync");
    for (let i = 0; i < 1100; i++) await a.setSubscribed("x", i % 2 === 0);
    let count = 0;
    let pages = 0;
    for (let through = start.through;; pages++) {
      const page = await b.mailboxEvents(through);
      assert.ok(page !== "resync");
      if (page.events.length === 0) break;
      assert.ok(page.events.length <= 1000);
      assert.ok(page.through > through);
      count += page.events.length;
      through = page.through;
    }
    assert.equal(count, 1100);
    assert.equal(pages, 2);
  }],

  [
    "listeners hear of each commit with its mod-sequence until they are removed",
    async ({ store, accountId, a }) => {
      const heard: [number, number][] = [];
      const remove = store.onCommit((account, modSeq) => heard.push([account, modSeq]));
      const [made] = await a.createMailbox("a");
      assert.deepEqual(heard, [[accountId, made?.modSeq]]);
      await a.setSubscribed("a", true);
      assert.equal(heard.length, 1, "what changes nothing is not told");
      await put(a, "a");
      assert.equal(heard.length, 2);
      assert.equal(heard[1]?.[1], (await box(a, "a")).modSeq);
      remove();
      await a.deleteMailbox("a");
      assert.equal(heard.length, 2);
    },
  ],
];
