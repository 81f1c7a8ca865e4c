import assert from "node:assert/strict";
import type { Annotation } from "../../src/store/mod.ts";
import { box, bytesOf, refuses } from "./fixture.ts";
import type { StoreTest } from "./conformance.ts";

function note(entry: string, value: string | undefined, isBinary = false): Annotation {
  return { entry, value: value === undefined ? undefined : bytesOf(value), isBinary };
}

function texts(annotations: readonly Annotation[]): string[] {
  return annotations.map(({ entry, value, isBinary }) =>
    `${entry}=${value && String.fromCharCode(...value)}${isBinary ? " binary" : ""}`
  ).sort();
}

/** METADATA: annotations of mailboxes and of the account (RFC 5464). */
export const annotationTests: readonly StoreTest[] = [
  ["annotations of a mailbox and of the account are kept apart", async (fixture) => {
    await fixture.a.createMailbox("x");
    await fixture.a.setAnnotations("x", [note("/private/comment", "box")]);
    await fixture.a.setAnnotations(undefined, [note("/private/comment", "me", true)]);
    await fixture.reopen();
    const { b } = fixture;
    assert.deepEqual(texts(await b.listAnnotations("x")), ["/private/comment=box"]);
    assert.deepEqual(texts(await b.listAnnotations(undefined)), ["/private/comment=me binary"]);
    assert.deepEqual(await b.listAnnotations("INBOX"), []);
  }],

  [
    "annotations are set, replaced and deleted in one step, with one mod-sequence",
    async ({ a, b, store }) => {
      const before = await box(a, "INBOX");
      let commits = 0;
      store.onCommit(() => commits++);
      await a.setAnnotations("INBOX", [note("/private/a", "1"), note("/shared/b", "\u00ff\u0000")]);
      assert.equal(commits, 1);
      assert.ok((await box(b, "INBOX")).modSeq > before.modSeq);
      await a.setAnnotations("INBOX", [
        note("/private/a", undefined),
        note("/shared/b", "2"),
        note("/private/c", ""),
      ]);
      assert.deepEqual(texts(await b.listAnnotations("INBOX")), ["/private/c=", "/shared/b=2"]);
    },
  ],

  ["deleting an annotation that is not there changes nothing", async ({ a, store }) => {
    const before = await box(a, "INBOX");
    let commits = 0;
    store.onCommit(() => commits++);
    await a.setAnnotations("INBOX", [note("/private/a", undefined)]);
    await a.setAnnotations(undefined, [note("/private/a", undefined)]);
    await a.setAnnotations("INBOX", []);
    assert.deepEqual(await box(a, "INBOX"), before);
    assert.equal(commits, 0);
  }],

  ["annotations follow a rename and go with their mailbox", async ({ a, b }) => {
    await a.createMailbox("x/y");
    await a.setAnnotations("x/y", [note("/private/a", "1")]);
    await a.renameMailbox("x", "z");
    assert.deepEqual(texts(await b.listAnnotations("z/y")), ["/private/a=1"]);
    await a.deleteMailbox("z/y");
    await a.createMailbox("z/y");
    assert.deepEqual(await b.listAnnotations("z/y"), []);
  }],

  ["annotations of all mailboxes are found by their names", async ({ a, b }) => {
    await a.createMailbox("x");
    await a.createMailbox("y");
    await a.setAnnotations("INBOX", [note("/private/a", "1"), note("/private/b", "2", true)]);
    await a.setAnnotations("x", [note("/private/a b", "3"), note("/private/c", "4")]);
    await a.setAnnotations("y", [note("/private/c", "5")]);
    await a.setAnnotations(undefined, [note("/private/a", "6")]);
    const found = await b.findAnnotations(["/private/a b", "/private/b", "/private/a"]);
    assert.deepEqual([...found.keys()], [(await box(b, "INBOX")).id, (await box(b, "x")).id]);
    assert.deepEqual([...found.values()].map(texts), [
      ["/private/a=1", "/private/b=2 binary"],
      ["/private/a b=3"],
    ]);
    assert.equal((await b.findAnnotations([])).size, 0);
  }],

  ["the log names every entry that changed, also where names have spaces", async ({ a, b }) => {
    const { modSeq } = await box(a, "INBOX");
    await a.setAnnotations("INBOX", [note("/private/a b", "1"), note("/private/c", "2")]);
    const log = await b.mailboxEvents(modSeq);
    assert.ok(log !== "resync");
    const [event] = log.events;
    assert.deepEqual(event?.kind === "metadata" && [...event.entries].sort(), [
      "/private/a b",
      "/private/c",
    ]);
  }],

  ["the log names the entries that a renamed INBOX leaves to its heir", async ({ a, b }) => {
    await a.setAnnotations("INBOX", [note("/private/b", "1"), note("/private/a", "2")]);
    const before = await b.latestModSeq();
    await a.renameMailbox("INBOX", "heir");
    const log = await b.mailboxEvents(before);
    assert.ok(log !== "resync");
    const told = log.events.map((event) => event.kind === "metadata" ? event.entries : event.kind);
    assert.deepEqual(told, ["created", ["/private/a", "/private/b"]]);
    const heir = await box(b, "heir");
    assert.deepEqual(log.events.map(({ mailboxId }) => mailboxId), [heir.id, heir.id]);
  }],

  ["annotations of a missing mailbox are refused", async ({ a }) => {
    await refuses("mailbox-not-found", a.listAnnotations("nowhere"));
    await refuses("mailbox-not-found", a.setAnnotations("nowhere", [note("/private/a", "1")]));
  }],

  ["an account has at most 1,000 annotations over all", async ({ a }) => {
    await a.createMailbox("x");
    const notes = (count: number, from = 0) =>
      Array.from({ length: count }, (_, i) => note(`/private/n${from + i}`, "v"));
    await a.setAnnotations("INBOX", notes(600));
    await refuses("too-many-annotations", a.setAnnotations("x", notes(401)));
    assert.deepEqual(await a.listAnnotations("x"), [], "all or none");
    await a.setAnnotations("x", notes(300));
    await a.setAnnotations(undefined, notes(100));
    await refuses("too-many-annotations", a.setAnnotations(undefined, notes(1, 5000)));
    await a.setAnnotations("INBOX", [note("/private/n0", "other")]);
    await a.setAnnotations("INBOX", [note("/private/n0", undefined), note("/private/new", "v")]);
    await a.deleteMailbox("x");
    await a.setAnnotations(undefined, notes(300, 5000));
  }],

  ["names and values of annotations have at most 1,000,000 octets together", async ({ a }) => {
    const entry = "/private/large";
    const room = 1_000_000 - entry.length;
    await a.setAnnotations(undefined, [note(entry, "x".repeat(room))]);
    await refuses("annotations-too-large", a.setAnnotations("INBOX", [note("/p", "")]));
    await refuses(
      "annotations-too-large",
      a.setAnnotations(undefined, [note(entry, "x".repeat(room + 1))]),
    );
    await a.setAnnotations(undefined, [note(entry, "x".repeat(room - 3))]);
    await a.setAnnotations("INBOX", [note("/p", "y")]);
    await refuses("annotations-too-large", a.setAnnotations("INBOX", [note("/p", "yy")]));
    assert.deepEqual(texts(await a.listAnnotations("INBOX")), ["/p=y"]);
  }],
];
