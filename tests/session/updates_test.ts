import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeUtf8, type MailboxId, type ModSeq, RangeSet } from "../../src/base/mod.ts";
import {
  createRegistry,
  type Responder,
  writeExpunges,
  writeFlagsResponse,
} from "../../src/imap/mod.ts";
import { Modes } from "../../src/session/modes.ts";
import { applyChanges } from "../../src/session/updates.ts";
import { View } from "../../src/session/view.ts";
import {
  type ChangeCursor,
  type FlagRow,
  type Mailbox,
  type MessageChanges,
  SystemFlag,
} from "../../src/store/mod.ts";
import { Writer } from "../../src/wire/mod.ts";
import { ClientModel, sortedFlags } from "./client_model.ts";

const registry = createRegistry();
const FLAG_NAMES = ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"];

/** A mailbox as arrays, and the log of what happened to it, in pages as small as can be. */
class Truth {
  messages: { uid: number; modSeq: number; createSeq: number; flags: number; keywords: string }[] =
    [];
  tombstones: { uid: number; modSeq: number }[] = [];
  keywords: string[] = [];
  modSeq = 1;
  mailboxSeq = 1;
  uidNext = 1;
  isDeleted = false;

  constructor(private readonly pageRows: number) {}

  append(count: number): void {
    this.mailboxSeq = ++this.modSeq;
    for (let i = 0; i < count; i++) {
      const { modSeq } = this;
      this.messages.push({
        uid: this.uidNext++,
        modSeq,
        createSeq: modSeq,
        flags: 0,
        keywords: "",
      });
    }
  }

  store(uids: readonly number[], flags: number, keyword: string): ModSeq | undefined {
    const hit = this.messages.filter(({ uid, flags: old, keywords }) =>
      uids.includes(uid) && (old !== flags || keywords !== keyword)
    );
    if (hit.length === 0) return undefined;
    if (keyword !== "" && !this.keywords.includes(keyword)) this.keywords.push(keyword);
    const modSeq = this.mailboxSeq = ++this.modSeq;
    for (const message of hit) Object.assign(message, { flags, keywords: keyword, modSeq });
    return modSeq as ModSeq;
  }

  expunge(uids: readonly number[]): { uids: RangeSet; modSeq: ModSeq | undefined } {
    const hit = this.messages.filter(({ uid }) => uids.includes(uid)).map(({ uid }) => uid);
    if (hit.length === 0) return { uids: new RangeSet(), modSeq: undefined };
    const modSeq = this.mailboxSeq = ++this.modSeq;
    this.messages = this.messages.filter(({ uid }) => !hit.includes(uid));
    for (const uid of hit) this.tombstones.push({ uid, modSeq });
    return { uids: RangeSet.from(hit), modSeq: modSeq as ModSeq };
  }

  rows(uids: readonly number[]): FlagRow[] {
    return this.messages.filter(({ uid }) => uids.includes(uid)) as unknown as FlagRow[];
  }

  mailbox(): Mailbox {
    return {
      id: 1 as MailboxId,
      name: "INBOX",
      modSeq: this.mailboxSeq as ModSeq,
      keywords: [...this.keywords],
    } as unknown as Mailbox;
  }

  changes(since: ChangeCursor, afterUid: number, claimRecent: boolean): MessageChanges {
    const appended = this.messages.filter(({ uid }) => uid > afterUid).slice(0, this.pageRows);
    const isBehind = (modSeq: number, uid: number) =>
      modSeq > since.modSeq || (modSeq === since.modSeq && since.uid > 0 && uid > since.uid);
    const log = [
      ...this.messages.filter(({ modSeq, createSeq }) => modSeq !== createSeq),
      ...this.tombstones.map((tombstone) => ({ ...tombstone, gone: true })),
    ].filter(({ uid, modSeq }) => uid <= afterUid && isBehind(modSeq, uid))
      .sort((a, b) => a.modSeq - b.modSeq || a.uid - b.uid);
    const page = log.slice(0, this.pageRows);
    const isEnd = page.length === log.length;
    const last = page.at(-1);
    const cursor = isEnd || !last
      ? { modSeq: this.modSeq as ModSeq, uid: 0 }
      : { modSeq: last.modSeq as ModSeq, uid: last.uid };
    const hasMoreNew = this.messages.some(({ uid }) => uid > (appended.at(-1)?.uid ?? afterUid));
    return {
      mailbox: this.isDeleted ? undefined : this.mailbox(),
      appended: appended as unknown as FlagRow[],
      changed: page.filter((entry) => !("gone" in entry)) as unknown as FlagRow[],
      expunged: RangeSet.from(page.filter((entry) => "gone" in entry).map(({ uid }) => uid)),
      recent: RangeSet.from(claimRecent ? appended.map(({ uid }) => uid) : []),
      cursor,
      more: !isEnd || hasMoreNew,
    };
  }
}

/** A session's view of the truth and what its client knows. */
class Bench {
  readonly truth: Truth;
  readonly view: View;
  readonly modes = new Modes(registry);
  readonly client = new ClientModel();
  readonly #writer = new Writer();
  readonly out: Responder = {
    writer: this.#writer,
    untagged: (text) => void this.#writer.raw(`* ${text}\r\n`),
    flush: () => Promise.resolve(),
    relieve: () => undefined,
  };

  constructor(enabled: readonly string[], pageRows: number, messages: number) {
    for (const name of enabled) this.modes.enable(name);
    this.truth = new Truth(pageRows);
    if (messages > 0) this.truth.append(messages);
    const { truth } = this;
    this.view = new View({
      mailbox: truth.mailbox(),
      uids: RangeSet.from(truth.messages.map(({ uid }) => uid)),
      firstUnseen: undefined,
      recent: new RangeSet(),
      cursor: { modSeq: truth.modSeq as ModSeq, uid: 0 },
    }, false);
    this.client.take(`FLAGS (${FLAG_NAMES.join(" ")})`);
    this.client.take(`${messages} EXISTS`);
    this.#fetchUnknown();
  }

  /** Gives the client what was written, as lines. */
  deliver(): string[] {
    const lines = decodeUtf8(this.#writer.take()).split("\r\n").slice(0, -1)
      .map((line) => line.replace(/^\* /, ""));
    for (const line of lines) this.client.take(line);
    return lines;
  }

  catchUp(expunge: boolean): string[] {
    const { view, truth } = this;
    for (let more = true; more;) {
      const changes = truth.changes(view.cursor, view.highestUid, !this.modes.rev2);
      applyChanges(view, changes, this.modes, this.out, { expunge, flags: true });
      more = changes.more && !view.isDeleted;
    }
    const lines = this.deliver();
    this.#fetchUnknown();
    return lines;
  }

  /** STORE of this session itself: by number, as STORE does it. */
  store(uids: readonly number[], flags: number, keyword: string, silent: boolean): void {
    const { view, truth } = this;
    const known = uids.filter((uid) => view.uids.has(uid));
    const modSeq = truth.store(known, flags, keyword);
    const rows = truth.rows(known);
    if (!silent) {
      for (const row of rows) writeFlagsResponse(this.out, view, this.modes, row);
      view.told(rows);
    } else {
      // The client takes its own change for granted.
      for (const row of rows) {
        const at = view.uids.indexOf(row.uid);
        this.client.messages[at]!.flags = flagsText(row);
      }
    }
    view.toldChange(modSeq);
    this.deliver();
  }

  expunge(uids: readonly number[]): void {
    const { view, truth } = this;
    const result = truth.expunge(uids.filter((uid) => view.uids.has(uid)));
    writeExpunges(this.out, view, this.modes, result.uids);
    view.forget(result.uids);
    view.toldChange(result.modSeq);
    this.deliver();
  }

  /** The client asks for the UIDs and flags of messages of which it knows only that they exist. */
  #fetchUnknown(): void {
    this.client.messages.forEach((message, index) => {
      if (message.uid !== undefined && message.flags !== undefined) return;
      const uid = this.view.uids.at(index)!;
      message.uid = uid;
      const [row] = this.truth.rows([uid]);
      if (row) message.flags = flagsText(row);
    });
  }

  /** The client's picture is the view's, number for number. */
  checkView(): void {
    assert.deepEqual(this.client.messages.map(({ uid }) => uid), this.view.uids.toArray());
  }

  /** After a full catch-up the client's picture is the truth. */
  checkTruth(): void {
    const truth = this.truth.messages.map((row) => ({
      uid: row.uid,
      flags: flagsText(row as unknown as FlagRow),
    }));
    assert.deepEqual(this.client.messages.map(({ uid, flags }) => ({ uid, flags })), truth);
    assert.equal(this.view.modSeq, this.truth.mailboxSeq);
    assert.ok(this.view.pendingExpunges.isEmpty);
  }
}

function flagsText({ flags, keywords }: FlagRow): string {
  const names = FLAG_NAMES.filter((_, bit) => flags & (1 << bit));
  return sortedFlags(keywords === "" ? names : [...names, ...keywords.split(" ")]);
}

const uids = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 });
const flags = fc.integer({ min: 0, max: 31 });
const keyword = fc.constantFrom("", "", "alpha", "Beta", "$Junk");
type Step = (bench: Bench) => void;

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.integer({ min: 1, max: 3 }).map((n): Step => (b) => b.truth.append(n)),
  fc.tuple(uids, flags, keyword).map(([u, f, k]): Step => (b) => void b.truth.store(u, f, k)),
  uids.map((u): Step => (b) => void b.truth.expunge(u)),
  fc.constant<Step>((b) => void b.truth.modSeq++),
  fc.tuple(uids, flags, keyword, fc.boolean()).map(([u, f, k, s]): Step => (b) =>
    b.store(u, f, k, s)
  ),
  uids.map((u): Step => (b) => b.expunge(u)),
  fc.boolean().map((expunge): Step => (b) => void b.catchUp(expunge)),
);

Deno.test("whatever happens in whatever order, the client ends up with the truth, and no number is wrong", () => {
  fc.assert(
    fc.property(
      fc.constantFrom<readonly string[]>([], ["CONDSTORE"], ["QRESYNC"], ["IMAP4REV2"], [
        "UIDONLY",
      ]),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 6 }),
      fc.array(step, { maxLength: 40 }),
      (enabled, pageRows, messages, steps) => {
        const bench = new Bench(enabled, pageRows, messages);
        for (const run of steps) {
          run(bench);
          bench.checkView();
        }
        bench.catchUp(true);
        bench.checkView();
        bench.checkTruth();
        assert.deepEqual(bench.catchUp(true), [], "there is nothing more to tell");
      },
    ),
    { numRuns: Number(Deno.env.get("POSTERN_PROPERTY_RUNS") ?? 2000) },
  );
});

function bench(...enabled: string[]): Bench {
  return new Bench(enabled, 100, 3);
}

Deno.test("responses come in order: expunges, keywords, flags, new messages", () => {
  const b = bench();
  b.truth.expunge([2]);
  b.truth.store([3], SystemFlag.seen, "alpha");
  b.truth.append(2);
  const [expunge, flagList, permanent, fetch, exists, recent, ...rest] = b.catchUp(true);
  assert.equal(expunge, "2 EXPUNGE");
  assert.match(flagList!, /^FLAGS \(.*alpha\)$/);
  assert.match(permanent!, /^OK \[PERMANENTFLAGS \(.*alpha \\\*\)\]/);
  assert.equal(fetch, "2 FETCH (UID 3 FLAGS (\\Seen alpha))");
  assert.equal(exists, "4 EXISTS");
  assert.equal(recent, "2 RECENT");
  assert.deepEqual(rest, []);
});

Deno.test("an expunge that must wait keeps its number until it is told, highest first", () => {
  const b = bench();
  b.truth.expunge([1, 3]);
  b.truth.append(1);
  assert.deepEqual(b.catchUp(false), ["4 EXISTS", "1 RECENT"]);
  assert.equal(b.view.pendingExpunges.toString(), "1,3");
  const { modSeq } = b.view;
  assert.ok(modSeq < b.truth.mailboxSeq, "a QRESYNC client must not take expunges for told");
  assert.deepEqual(b.catchUp(true), ["3 EXPUNGE", "1 EXPUNGE"]);
  assert.equal(b.view.modSeq, b.truth.mailboxSeq);
});

Deno.test("under QRESYNC and UIDONLY what is gone has VANISHED", () => {
  for (const mode of ["QRESYNC", "UIDONLY"]) {
    const b = bench(mode);
    b.truth.expunge([1, 2]);
    assert.deepEqual(b.catchUp(true), ["VANISHED 1:2"]);
  }
});

Deno.test("own changes are told once: by the command, not by the log", () => {
  const b = bench();
  b.store([1], SystemFlag.seen, "", false);
  assert.deepEqual(b.catchUp(true), []);
  b.truth.store([2], SystemFlag.seen, "");
  b.store([1], SystemFlag.draft, "", false);
  assert.deepEqual(b.catchUp(true), ["2 FETCH (UID 2 FLAGS (\\Seen))"]);
  b.expunge([2]);
  assert.deepEqual(b.catchUp(true), []);
});

Deno.test("a message changed by others after the own change is told", () => {
  const b = bench();
  b.truth.modSeq++;
  b.store([1], SystemFlag.seen, "", false);
  b.truth.store([1], SystemFlag.flagged, "");
  assert.deepEqual(b.catchUp(true), ["1 FETCH (UID 1 FLAGS (\\Flagged))"]);
});

Deno.test("a silent store with changes of others in between is told after all", () => {
  const b = bench();
  b.truth.store([1], SystemFlag.flagged, "");
  b.store([1, 2], SystemFlag.seen | SystemFlag.flagged, "", true);
  assert.equal(b.catchUp(true).length, 2);
  b.store([3], SystemFlag.seen, "", true);
  assert.deepEqual(b.catchUp(true), []);
});

Deno.test("IMAP4rev2 has no RECENT", () => {
  const b = bench("IMAP4REV2");
  b.truth.append(1);
  assert.deepEqual(b.catchUp(true), ["4 EXISTS"]);
});

Deno.test("a mailbox that was deleted tells nothing more", () => {
  const b = bench();
  b.truth.expunge([1]);
  b.truth.isDeleted = true;
  assert.deepEqual(b.catchUp(true), []);
  assert.ok(b.view.isDeleted);
});

Deno.test("a message that came and went between two looks was never there", () => {
  const b = bench();
  b.truth.append(1);
  b.truth.expunge([4]);
  assert.deepEqual(b.catchUp(true), []);
});
