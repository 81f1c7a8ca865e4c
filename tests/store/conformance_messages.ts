import assert from "node:assert/strict";
import { concatBytes, RangeSet } from "../../src/base/mod.ts";
import type { Uid } from "../../src/base/mod.ts";
import { INLINE_RAW_BYTES, SystemFlag } from "../../src/store/mod.ts";
import {
  ALL,
  box,
  breaches,
  bytesOf,
  liveRows,
  liveUids,
  mail,
  newMessage,
  put,
  raw,
  refuses,
  rows,
  stage,
} from "./fixture.ts";
import type { StoreTest } from "./conformance.ts";

const { seen, deleted, flagged, answered, draft } = SystemFlag;

/** Messages: staging, append, flags, expunge, copy, move, replace, quota. */
export const messageTests: readonly StoreTest[] = [
  ["an appended message is there for every handle with all that was given", async ({ a, b }) => {
    const before = Math.floor(Date.now() / 1000);
    const message = await newMessage(a, {
      flags: seen | flagged,
      keywords: ["$Forwarded", "Blue"],
      seconds: 1_600_000_000,
      zoneMinutes: -570,
    });
    const result = await a.append("INBOX", [message]);
    assert.equal(result.uids.toString(), "1");
    const { id, ...inbox } = await box(b, "INBOX");
    assert.deepEqual({ id, ...inbox }, result.mailbox);
    assert.equal(inbox.uidNext, 2);
    assert.equal(inbox.modSeq, result.modSeq);
    assert.equal(inbox.appendSeq, result.modSeq);
    const [row, ...more] = await rows(b, id);
    assert.deepEqual(more, []);
    assert.ok(row);
    assert.equal(row.uid, 1);
    assert.equal(row.modSeq, result.modSeq);
    assert.equal(row.createSeq, result.modSeq);
    assert.equal(row.flags, seen | flagged);
    assert.deepEqual(row.keywords.split(" ").sort(), ["$Forwarded", "Blue"]);
    assert.deepEqual(row.internalDate, { seconds: 1_600_000_000, zoneMinutes: -570 });
    assert.ok(row.saveDate >= before - 1 && row.saveDate <= before + 60);
    assert.equal(row.size, mail().length);
    assert.equal(row.expunged, false);
    assert.match(row.emailId, /^[A-Za-z0-9_-]{1,255}$/);
    assert.match(row.threadId, /^[A-Za-z0-9_-]{1,255}$/);
    assert.deepEqual(await raw(b, id, 1), new Uint8Array(mail()));
  }],

  ["what orders messages comes by UID, of live messages alone", async ({ a }) => {
    const bytes = bytesOf(
      "From: Ann B <ann@x>\r\nTo: bob@x\r\nSubject: Re: [x] Topic\r\n" +
        "Date: Thu, 1 Jan 1970 00:01:00 +0000\r\nMessage-ID: <m@x>\r\n" +
        "References: <r1@x> <r2@x>\r\nIn-Reply-To: <other@x>\r\n\r\n",
    );
    const reply = bytesOf("In-Reply-To: <p1@x> <p2@x>\r\n\r\n");
    await put(a, "INBOX", { bytes, seconds: 500 }, { bytes: reply, seconds: 600 }, {});
    const { id } = await box(a, "INBOX");
    await a.expunge(id, RangeSet.of(3), { onlyDeleted: false });
    const order = (await Array.fromAsync(a.fetchOrder(id, RangeSet.range(1, 9)))).flat();
    assert.deepEqual(order, [
      {
        uid: 1,
        internalSeconds: 500,
        sentMs: 60_000,
        size: bytes.length,
        baseSubject: "Topic",
        isReply: true,
        keys: { from: "ann", to: "bob", cc: "", displayFrom: "Ann B", displayTo: "bob@x" },
        messageId: "m@x",
        ancestors: ["r1@x", "r2@x"],
      },
      {
        uid: 2,
        internalSeconds: 600,
        sentMs: 600_000,
        size: reply.length,
        baseSubject: "",
        isReply: false,
        keys: { from: "", to: "", cc: "", displayFrom: "", displayTo: "" },
        messageId: undefined,
        ancestors: ["p1@x"],
      },
    ]);
    const some = (await Array.fromAsync(a.fetchOrder(id, RangeSet.of(2, 3)))).flat();
    assert.deepEqual(some.map(({ uid }) => uid), [2]);
  }],

  ["columns come when asked for, and only then", async ({ a }) => {
    await put(a, "INBOX");
    const { id } = await box(a, "INBOX");
    const [bare] = await rows(a, id);
    assert.ok(bare);
    for (
      const column of ["envelope", "body", "bodyStructure", "preview", "header", "parts", "raw"]
    ) {
      assert.ok(!(column in bare), `${column} was not asked for`);
    }
    const [full] = await rows(a, id, ALL, [
      "envelope",
      "body",
      "bodyStructure",
      "preview",
      "header",
      "parts",
      "raw",
    ]);
    assert.ok(full?.envelope && full.body && full.bodyStructure && full.parts);
    assert.equal(full.preview, "body of hello");
    assert.deepEqual(
      new Uint8Array(full.header ?? []),
      new Uint8Array(bytesOf("From: ann@example.org\r\nSubject: hello\r\n\r\n")),
    );
    assert.deepEqual(new Uint8Array(full.raw ?? []), new Uint8Array(mail()));
    const [one] = await rows(a, id, ALL, ["preview"]);
    assert.ok(one && "preview" in one && !("envelope" in one));
  }],

  [
    "several messages are appended in one step, with consecutive UIDs and one mod-sequence",
    async ({ a, b }) => {
      await put(a, "INBOX");
      const messages = [];
      for (let i = 0; i < 5; i++) messages.push(await newMessage(a, { bytes: mail(`m${i}`) }));
      const { uids, modSeq } = await a.append("INBOX", messages);
      assert.equal(uids.toString(), "2:6");
      const { id, counts } = await box(b, "INBOX");
      assert.equal(counts.messages, 6);
      const added = (await rows(b, id)).slice(1);
      assert.ok(added.every((row) => row.modSeq === modSeq));
      assert.deepEqual(new Uint8Array(await raw(b, id, 4)), new Uint8Array(mail("m2")));
    },
  ],

  ["appending to a missing mailbox is refused, or makes it when asked", async ({ a, b }) => {
    const message = await newMessage(a);
    await refuses("mailbox-not-found", a.append("x/y", [message]));
    assert.equal((await b.listMailboxes()).length, 1);
    const { mailbox, uids } = await a.append("x/y", [message], { create: true });
    assert.equal(uids.toString(), "1");
    assert.equal(mailbox.subscribed, true);
    assert.equal((await box(b, "x/y")).counts.messages, 1);
    assert.equal((await box(b, "x")).counts.messages, 0);
  }],

  ["discarding what was staged is harmless at any time", async ({ a }) => {
    const half = a.stageMessage();
    await half.write(mail());
    await half.discard();
    await half.discard();
    const whole = await stage(a);
    await whole.discard();
    await whole.discard();
    const used = a.stageMessage();
    await used.write(mail());
    const staged = await used.finish();
    await used.discard();
    await staged.discard();
    assert.equal((await a.quota()).usedMessages, 0);
  }],

  ["messages may be parked, and are then appended or discarded as others are", async ({ a }) => {
    const parked = [];
    for (const size of [100, 300_000, 200]) {
      const message = await newMessage(a, { bytes: mail("parked", size), flags: 1 });
      parked.push({ ...message, staged: await (await stage(a, mail("parked", size))).park() });
      await message.staged.discard();
    }
    assert.deepEqual(parked.map(({ staged }) => staged.size), [100, 300_000, 200]);
    assert.deepEqual(await breaches(a), []);
    assert.equal((await a.quota()).usedMessages, 0);
    await refuses("mailbox-not-found", a.append("nowhere", parked));
    const plain = await newMessage(a);
    await a.append("INBOX", [...parked.slice(0, 2), plain]);
    await parked[2]?.staged.discard();
    await parked[2]?.staged.discard();
    await parked[0]?.staged.discard();
    const { id, counts } = await box(a, "INBOX");
    assert.equal(counts.messages, 3);
    assert.equal((await raw(a, id, 2)).length, 300_000);
    assert.deepEqual(await breaches(a), []);
  }],

  ["discarding a message that was appended leaves it where it is", async ({ a }) => {
    const message = await newMessage(a);
    await a.append("INBOX", [message]);
    await message.staged.discard();
    const { id } = await box(a, "INBOX");
    assert.deepEqual(new Uint8Array(await raw(a, id, 1)), new Uint8Array(mail()));
  }],

  ["bare CR and bare LF become CRLF wherever the bytes are split", async ({ a }) => {
    const given = bytesOf("A: b\nC: d\r\r\n\r\n\n\rx\r\ny\rz\n\r");
    const wanted = bytesOf(
      "A: b\r\nC: d\r\n\r\n\r\n\r\n\r\nx\r\ny\r\nz\r\n\r\n",
    );
    const { id } = await box(a, "INBOX");
    for (let cut = 0; cut <= given.length; cut++) {
      for (const second of [cut, Math.min(given.length, cut + 1)]) {
        const into = a.stageMessage();
        await into.write(given.subarray(0, cut));
        await into.write(given.subarray(cut, second));
        await into.write(given.subarray(second));
        const staged = await into.finish();
        assert.equal(staged.size, wanted.length);
        const { uids } = await a.append("INBOX", [{
          staged,
          flags: 0,
          keywords: [],
          internalDate: { seconds: 0, zoneMinutes: 0 },
        }]);
        assert.deepEqual(
          new Uint8Array(await raw(a, id, uids.first ?? 0)),
          new Uint8Array(wanted),
          `cut at ${cut} and ${second}`,
        );
      }
    }
  }],

  ["the caller may use its buffer again as soon as write resolves", async ({ a }) => {
    const buffer = new Uint8Array(1000);
    const into = a.stageMessage();
    const wanted = [];
    for (let i = 0; i < 600; i++) {
      buffer.fill(65 + i % 26);
      wanted.push(buffer.slice());
      await into.write(buffer);
    }
    buffer.fill(0);
    const staged = await into.finish();
    const { uids } = await a.append("INBOX", [{
      staged,
      flags: 0,
      keywords: [],
      internalDate: { seconds: 0, zoneMinutes: 0 },
    }]);
    const { id } = await box(a, "INBOX");
    const stored = await raw(a, id, uids.first ?? 0);
    assert.ok(same(stored, concatBytes(wanted)));
  }],

  ["an empty message and one of all octets are kept as they are", async ({ a }) => {
    const octets = Uint8Array.from({ length: 256 }, (_, i) => i).filter((byte) =>
      byte !== 10 && byte !== 13
    );
    await put(a, "INBOX", { bytes: new Uint8Array(0) }, { bytes: octets });
    const { id } = await box(a, "INBOX");
    assert.equal((await raw(a, id, 1)).length, 0);
    assert.ok(same(await raw(a, id, 2), octets));
    const all = await rows(a, id, ALL, ["envelope", "body", "bodyStructure", "header", "raw"]);
    assert.equal(all.length, 2);
  }],

  ["a large message is read in any slice, in pieces of at most 256 KiB", async (fixture) => {
    const large = new Uint8Array(1_000_003);
    for (let i = 0; i < large.length; i++) large[i] = 32 + (i * 7919 >>> 5) % 90;
    const random = crypto.getRandomValues(new Uint8Array(60_000)).map((byte) => 32 + byte % 90);
    for (let at = 300_000; at < 900_000; at += 60_000) large.set(random, at);
    const uid = await put(fixture.a, "INBOX", { bytes: large });
    await fixture.reopen();
    const { b } = fixture;
    const { id } = await box(b, "INBOX");
    const [row] = await rows(b, id, ALL, ["raw"]);
    assert.equal(row?.size, large.length);
    assert.equal(row?.raw, undefined, "raw is for small messages");
    const chunk = 256 * 1024;
    const slices: [number, number][] = [
      [0, large.length],
      [0, 0],
      [0, 1],
      [chunk - 1, chunk + 1],
      [chunk, 2 * chunk],
      [chunk + 1, 3 * chunk - 1],
      [large.length - 1, large.length],
      [large.length - 1, large.length + 1000],
      [large.length, large.length + 1],
      [large.length + 5, large.length + 10],
      [10, 10],
      [299_999, 300_001],
    ];
    for (const [start, end] of slices) {
      const pieces = await Array.fromAsync(b.readRaw(id, uid as Uid, start, end));
      assert.ok(pieces.every((piece) => piece.length > 0 && piece.length <= chunk));
      assert.ok(same(concatBytes(pieces), large.subarray(start, end)), `${start} to ${end}`);
    }
  }],

  ["the raw column is given up to exactly one chunk", async ({ a }) => {
    await put(
      a,
      "INBOX",
      { bytes: mail("exact", INLINE_RAW_BYTES) },
      { bytes: mail("over", INLINE_RAW_BYTES + 1) },
    );
    const { id } = await box(a, "INBOX");
    const [exact, over] = await rows(a, id, ALL, ["raw"]);
    assert.equal(exact?.raw?.length, INLINE_RAW_BYTES);
    assert.ok(over && over.raw === undefined);
  }],

  ["rows come in ascending order, in pages, for just the UIDs asked for", async ({ a }) => {
    const many = Array.from({ length: 1500 }, (_, i) => ({ bytes: mail(`m${i}`) }));
    await put(a, "INBOX", ...many);
    const { id } = await box(a, "INBOX");
    let last = 0;
    let count = 0;
    for await (const page of a.fetchMessages(id, ALL)) {
      assert.ok(page.length > 0 && page.length <= 1000);
      for (const row of page) {
        assert.ok(row.uid > last);
        last = row.uid;
        count++;
      }
    }
    assert.equal(count, 1500);
    const some = RangeSet.fromRanges([{ first: 3, last: 4 }, { first: 999, last: 1002 }, {
      first: 1500,
      last: 4000,
    }]);
    assert.deepEqual((await rows(a, id, some)).map((row) => row.uid), [
      3,
      4,
      999,
      1000,
      1001,
      1002,
      1500,
    ]);
    assert.deepEqual(await rows(a, id, new RangeSet()), []);
    let large = 0;
    for await (const page of a.fetchMessages(id, ALL, ["raw"])) {
      large = Math.max(large, page.reduce((sum, row) => sum + (row.raw?.length ?? 0), 0));
    }
    assert.ok(large < 2 * 1024 * 1024);
  }],

  ["pages of raw columns stay near 1 MiB", async ({ a }) => {
    const many = Array.from({ length: 20 }, () => ({ bytes: mail("big", 200_000) }));
    await put(a, "INBOX", ...many);
    const { id } = await box(a, "INBOX");
    let count = 0;
    for await (const page of a.fetchMessages(id, ALL, ["raw"])) {
      const bytes = page.reduce((sum, row) => sum + (row.raw?.length ?? 0), 0);
      assert.ok(bytes <= 2 * 1024 * 1024, `a page of ${bytes} octets`);
      count += page.length;
    }
    assert.equal(count, 20);
  }],

  ["a mailbox may change between the pages of a fetch", async ({ a, b }) => {
    await put(a, "INBOX", ...Array.from({ length: 1200 }, () => ({})));
    const { id } = await box(a, "INBOX");
    let pages = 0;
    const uids: number[] = [];
    for await (const page of a.fetchMessages(id, RangeSet.range(1, 1200))) {
      if (pages++ === 0) await b.expunge(id, RangeSet.range(1190, 1200), { onlyDeleted: false });
      uids.push(...page.map((row) => row.uid));
    }
    assert.equal(RangeSet.from(uids).toString(), "1:1200");
  }],

  ["only what changed since a mod-sequence is fetched when asked so", async ({ a }) => {
    await put(a, "INBOX", {}, {}, {});
    const { id, modSeq } = await box(a, "INBOX");
    await a.changeFlags(id, RangeSet.of(2), { mode: "add", flags: seen, keywords: [] });
    const changed = await rows(a, id, ALL, [], { changedSince: modSeq });
    assert.deepEqual(changed.map((row) => row.uid), [2]);
    assert.equal((await rows(a, id, ALL, [], { changedSince: modSeq - 1 })).length, 3);
  }],

  ["counts follow every change", async ({ a, b }) => {
    const size = mail().length;
    await put(a, "INBOX", {}, { flags: seen }, { flags: deleted }, { flags: seen | deleted });
    const { id, counts } = await box(b, "INBOX");
    assert.deepEqual(counts, {
      messages: 4,
      unseen: 2,
      deleted: 2,
      size: 4 * size,
      deletedSize: 2 * size,
      recent: 4,
    });
    await a.changeFlags(id, RangeSet.of(1, 2, 3), {
      mode: "replace",
      flags: deleted,
      keywords: [],
    });
    assert.deepEqual((await box(b, "INBOX")).counts, {
      messages: 4,
      unseen: 3,
      deleted: 4,
      size: 4 * size,
      deletedSize: 4 * size,
      recent: 4,
    });
    await a.changeFlags(id, RangeSet.of(1, 4), { mode: "remove", flags: deleted, keywords: [] });
    await a.expunge(id, ALL, { onlyDeleted: true });
    assert.deepEqual((await box(b, "INBOX")).counts, {
      messages: 2,
      unseen: 1,
      deleted: 0,
      size: 2 * size,
      deletedSize: 0,
      recent: 2,
    });
    await a.createMailbox("x");
    await a.copy(id, ALL, "x");
    await a.move(id, RangeSet.of(4), "x");
    assert.equal((await box(b, "x")).counts.messages, 3);
    assert.equal((await box(b, "INBOX")).counts.unseen, 1);
    assert.equal((await box(b, "INBOX")).counts.messages, 1);
  }],

  [
    "flags are added, removed and replaced, and every addressed message is told",
    async ({ a, b }) => {
      await put(a, "INBOX", {}, { flags: seen }, { flags: seen | draft, keywords: ["x"] });
      const { id } = await box(a, "INBOX");
      const add = await a.changeFlags(id, RangeSet.of(1, 2, 9), {
        mode: "add",
        flags: seen | answered,
        keywords: ["y"],
      });
      assert.deepEqual(add.rows.map((row) => [row.uid, row.flags, row.keywords]), [
        [1, seen | answered, "y"],
        [2, seen | answered, "y"],
      ]);
      assert.ok(add.rows.every((row) => row.modSeq === add.modSeq));
      assert.ok(add.modified.isEmpty);
      const remove = await b.changeFlags(id, ALL, {
        mode: "remove",
        flags: answered,
        keywords: [],
      });
      assert.deepEqual(remove.rows.map((row) => row.flags), [seen, seen, seen | draft]);
      assert.notEqual(remove.rows[2]?.modSeq, remove.modSeq, "the third did not change");
      const replace = await a.changeFlags(id, ALL, {
        mode: "replace",
        flags: flagged,
        keywords: ["z"],
      });
      assert.deepEqual(replace.rows.map((row) => [row.flags, row.keywords]), [
        [flagged, "z"],
        [flagged, "z"],
        [flagged, "z"],
      ]);
      assert.equal((await box(b, "INBOX")).flagSeq, replace.modSeq);
    },
  ],

  ["a flag change that changes nothing takes no mod-sequence", async ({ a, store }) => {
    await put(a, "INBOX", { flags: seen, keywords: ["Blue"] });
    const before = await box(a, "INBOX");
    let commits = 0;
    store.onCommit(() => commits++);
    for (
      const change of [
        { mode: "add", flags: seen, keywords: ["BLUE"] },
        { mode: "remove", flags: flagged, keywords: ["green"] },
        { mode: "replace", flags: seen, keywords: ["blue", "Blue"] },
        { mode: "add", flags: 0, keywords: [] },
      ] as const
    ) {
      const { modSeq, rows } = await a.changeFlags(before.id, ALL, change);
      assert.equal(modSeq, undefined);
      assert.deepEqual(rows.map((row) => [row.flags, row.keywords]), [[seen, "Blue"]]);
    }
    const nobody = await a.changeFlags(before.id, RangeSet.of(7), {
      mode: "add",
      flags: flagged,
      keywords: ["green"],
    });
    assert.deepEqual([nobody.modSeq, nobody.rows.length], [undefined, 0]);
    assert.deepEqual(await box(a, "INBOX"), before, "no keyword was added for nobody");
    assert.equal(commits, 0);
  }],

  ["keywords are the same in any case and keep the spelling of their first use", async ({ a }) => {
    await put(a, "INBOX", { keywords: ["Blue"] }, { keywords: ["BLUE", "red"] });
    const { id, keywords } = await box(a, "INBOX");
    assert.deepEqual([...keywords].sort(), ["Blue", "red"]);
    const [, second] = await liveRows(a, id);
    assert.deepEqual(second?.keywords.split(" ").sort(), ["Blue", "red"]);
    const gone = await a.changeFlags(id, ALL, { mode: "remove", flags: 0, keywords: ["bLuE"] });
    assert.deepEqual(gone.rows.map((row) => row.keywords), ["", "red"]);
    assert.deepEqual([...(await box(a, "INBOX")).keywords].sort(), ["Blue", "red"], "only grows");
    await a.changeFlags(id, ALL, { mode: "add", flags: 0, keywords: ["blue"] });
    assert.ok((await liveRows(a, id)).every((row) => row.keywords.split(" ").includes("Blue")));
  }],

  ["many keywords fit in one mailbox and on one message", async ({ a }) => {
    const keywords = Array.from({ length: 80 }, (_, i) => `k${i}`);
    await put(a, "INBOX", { keywords }, { keywords: ["k79"] });
    const { id } = await box(a, "INBOX");
    await a.changeFlags(id, RangeSet.of(2), { mode: "add", flags: 0, keywords: ["k64", "k31"] });
    await a.changeFlags(id, RangeSet.of(1), { mode: "remove", flags: 0, keywords: ["k63"] });
    const [first, second] = await liveRows(a, id);
    assert.deepEqual(second?.keywords.split(" ").sort(), ["k31", "k64", "k79"]);
    assert.deepEqual(
      first?.keywords.split(" ").sort(),
      keywords.filter((keyword) => keyword !== "k63").sort(),
    );
  }],

  ["messages changed after unchangedSince are left alone and named", async ({ a }) => {
    await put(a, "INBOX", {}, {}, {});
    const { id, modSeq } = await box(a, "INBOX");
    const later = await a.changeFlags(id, RangeSet.of(2), {
      mode: "add",
      flags: seen,
      keywords: [],
    });
    const result = await a.changeFlags(id, ALL, {
      mode: "add",
      flags: flagged,
      keywords: ["k"],
      unchangedSince: modSeq,
    });
    assert.equal(result.modified.toString(), "2");
    assert.deepEqual(result.rows.map((row) => row.flags), [flagged, seen, flagged]);
    assert.equal(result.rows[1]?.modSeq, later.modSeq);
    const now = await a.changeFlags(id, RangeSet.of(2), {
      mode: "add",
      flags: flagged,
      keywords: [],
      unchangedSince: later.modSeq ?? 0,
    });
    assert.ok(now.modified.isEmpty, "exactly at the bound is unchanged");
  }],

  ["unchangedSince 0 keeps every message from being changed", async ({ a }) => {
    await put(a, "INBOX", {}, {});
    const before = await box(a, "INBOX");
    const result = await a.changeFlags(before.id, ALL, {
      mode: "replace",
      flags: flagged,
      keywords: ["new"],
      unchangedSince: 0,
    });
    assert.equal(result.modSeq, undefined);
    assert.equal(result.modified.toString(), "1:2");
    assert.deepEqual(result.rows.map((row) => row.flags), [0, 0]);
    assert.deepEqual(await box(a, "INBOX"), before);
  }],

  ["expunge removes what was addressed, or just what is marked deleted", async ({ a, b }) => {
    await put(a, "INBOX", {}, { flags: deleted }, { flags: deleted }, {});
    const { id } = await box(a, "INBOX");
    const marked = await a.expunge(id, RangeSet.range(1, 2), { onlyDeleted: true });
    assert.equal(marked.uids.toString(), "2");
    assert.equal((await box(b, "INBOX")).expungeSeq, marked.modSeq);
    assert.equal(await liveUids(b, id), "1,3:4");
    const all = await b.expunge(id, RangeSet.range(1, 3), { onlyDeleted: false });
    assert.equal(all.uids.toString(), "1,3");
    assert.equal(await liveUids(a, id), "4");
    const none = await a.expunge(id, RangeSet.range(1, 3), { onlyDeleted: false });
    assert.ok(none.uids.isEmpty);
    assert.equal(none.modSeq, undefined);
  }],

  ["UIDNEXT stays when the newest message is expunged, also after reopening", async (fixture) => {
    await put(fixture.a, "INBOX", {}, {}, {});
    const { id } = await box(fixture.a, "INBOX");
    await fixture.a.expunge(id, RangeSet.of(3), { onlyDeleted: false });
    assert.equal((await box(fixture.b, "INBOX")).uidNext, 4);
    await fixture.reopen();
    assert.equal((await box(fixture.b, "INBOX")).uidNext, 4);
    assert.equal(await put(fixture.a, "INBOX"), 4);
    await fixture.a.expunge(id, ALL, { onlyDeleted: false });
    assert.equal(await put(fixture.a, "INBOX"), 5);
  }],

  ["expunged messages can still be fetched and read, and are marked", async ({ a, b }) => {
    await put(a, "INBOX", { bytes: mail("one") }, { bytes: mail("two") });
    const { id } = await box(a, "INBOX");
    const { modSeq } = await b.expunge(id, RangeSet.of(1), { onlyDeleted: false });
    const both = await rows(a, id, ALL, ["raw", "envelope"]);
    assert.deepEqual(both.map((row) => [row.uid, row.expunged]), [[1, true], [2, false]]);
    assert.equal(both[0]?.modSeq, modSeq);
    assert.ok(both[0]?.envelope);
    assert.ok(same(await raw(a, id, 1), mail("one")));
    const change = await a.changeFlags(id, RangeSet.of(1), {
      mode: "add",
      flags: seen,
      keywords: [],
    });
    assert.deepEqual([change.modSeq, change.rows.length], [undefined, 0]);
    await a.createMailbox("x");
    assert.ok((await a.copy(id, RangeSet.of(1), "x")).from.isEmpty);
  }],

  ["reading a message that never was is refused", async ({ a }) => {
    const { id } = await box(a, "INBOX");
    await refuses("message-not-found", raw(a, id, 1));
  }],

  [
    "a copy has flags, keywords, date and identity of the original, and a new save date",
    async ({ a, b }) => {
      await put(a, "INBOX", {}, {
        bytes: mail("two"),
        flags: seen | flagged,
        keywords: ["Blue"],
        seconds: 1_234_567_890,
        zoneMinutes: 120,
      });
      await a.createMailbox("x");
      await put(a, "x", { keywords: ["BLUE"] });
      const { id } = await box(a, "INBOX");
      const result = await a.copy(id, RangeSet.range(2, 50), "x");
      assert.equal(result.from.toString(), "2");
      assert.equal(result.to.toString(), "2");
      assert.deepEqual(result.destination, await box(b, "x"));
      const [, original] = await rows(b, id);
      const [, copy] = await rows(b, result.destination.id);
      assert.ok(original && copy);
      assert.equal(copy.flags, seen | flagged);
      assert.equal(copy.keywords, "BLUE");
      assert.deepEqual(copy.internalDate, original.internalDate);
      assert.equal(copy.emailId, original.emailId);
      assert.equal(copy.threadId, original.threadId);
      assert.equal(copy.modSeq, result.modSeq);
      assert.equal(copy.createSeq, result.modSeq);
      assert.ok(original.modSeq < copy.modSeq);
      assert.ok(same(await raw(b, result.destination.id, 2), mail("two")));
      await a.expunge(id, ALL, { onlyDeleted: false });
      assert.ok(same(await raw(b, result.destination.id, 2), mail("two")));
    },
  ],

  ["a copy may go to the mailbox it comes from", async ({ a }) => {
    await put(a, "INBOX", {}, {}, {});
    const { id } = await box(a, "INBOX");
    const { from, to, destination } = await a.copy(id, RangeSet.of(1, 3), "INBOX");
    assert.equal(from.toString(), "1,3");
    assert.equal(to.toString(), "4:5");
    assert.equal(destination.counts.messages, 5);
    assert.equal(await liveUids(a, id), "1:5");
  }],

  ["a move takes one mod-sequence and leaves nothing behind", async ({ a, b }) => {
    await put(a, "INBOX", {}, { flags: seen, keywords: ["k"] }, {});
    await a.createMailbox("x");
    const { id } = await box(a, "INBOX");
    const result = await a.move(id, RangeSet.of(1, 2, 8), "x");
    assert.equal(result.from.toString(), "1:2");
    assert.equal(result.to.toString(), "1:2");
    assert.equal(await liveUids(b, id), "3");
    const moved = await liveRows(b, result.destination.id);
    assert.deepEqual(moved.map((row) => [row.uid, row.flags, row.keywords]), [[1, 0, ""], [
      2,
      seen,
      "k",
    ]]);
    assert.ok(moved.every((row) => row.modSeq === result.modSeq));
    const source = await box(b, "INBOX");
    assert.equal(source.modSeq, result.modSeq);
    assert.equal(source.expungeSeq, result.modSeq);
    assert.equal(source.counts.messages, 1);
    assert.equal((await a.expungedSince(id, 0, ALL)).toString(), "1:2");
  }],

  ["a move within a mailbox gives new UIDs", async ({ a }) => {
    await put(a, "INBOX", {}, {}, {});
    const { id } = await box(a, "INBOX");
    const { from, to, destination } = await a.move(id, RangeSet.of(1, 2), "INBOX");
    assert.equal(from.toString(), "1:2");
    assert.equal(to.toString(), "4:5");
    assert.equal(destination.counts.messages, 3);
    assert.equal(await liveUids(a, id), "3:5");
  }],

  ["copying or moving nothing is fine, but not to nowhere", async ({ a, store }) => {
    await put(a, "INBOX");
    await a.createMailbox("x");
    const { id } = await box(a, "INBOX");
    let commits = 0;
    store.onCommit(() => commits++);
    for (const work of [a.copy(id, RangeSet.of(5), "x"), a.move(id, new RangeSet(), "x")]) {
      const { from, to, modSeq } = await work;
      assert.ok(from.isEmpty && to.isEmpty);
      assert.equal(modSeq, undefined);
    }
    assert.equal(commits, 0);
    await refuses("mailbox-not-found", a.copy(id, ALL, "nowhere"));
    await refuses("mailbox-not-found", a.move(id, ALL, "nowhere"));
    assert.equal(await liveUids(a, id), "1");
  }],

  ["replace removes one message and adds another in one step", async ({ a, b }) => {
    await put(a, "INBOX", {}, { bytes: mail("draft") });
    await a.createMailbox("Sent");
    const { id } = await box(a, "INBOX");
    const first = await a.replace(
      id,
      2 as Uid,
      "INBOX",
      await newMessage(a, { bytes: mail("new"), flags: draft }),
    );
    assert.equal(first.uids.toString(), "3");
    assert.equal(await liveUids(b, id), "1,3");
    const inbox = await box(b, "INBOX");
    assert.deepEqual(inbox, first.mailbox);
    assert.equal(inbox.appendSeq, first.modSeq);
    assert.equal(inbox.expungeSeq, first.modSeq);
    const second = await a.replace(id, 3 as Uid, "Sent", await newMessage(a, { flags: seen }));
    assert.equal(second.mailbox.name, "Sent");
    assert.equal(second.uids.toString(), "1");
    assert.equal(await liveUids(b, id), "1");
    assert.equal((await box(b, "INBOX")).modSeq, second.modSeq);
  }],

  ["replacing what is not there adds nothing", async ({ a, b }) => {
    await put(a, "INBOX", {}, {});
    const { id } = await box(a, "INBOX");
    await b.expunge(id, RangeSet.of(2), { onlyDeleted: false });
    const before = await box(a, "INBOX");
    const message = await newMessage(a);
    await refuses("message-not-found", a.replace(id, 2 as Uid, "INBOX", message));
    await refuses("message-not-found", a.replace(id, 9 as Uid, "INBOX", message));
    await refuses("mailbox-not-found", a.replace(id, 1 as Uid, "nowhere", message));
    assert.deepEqual(await box(a, "INBOX"), before);
    await a.replace(id, 1 as Uid, "INBOX", message);
    assert.equal(await liveUids(a, id), "3");
  }],

  ["quota counts every message, copies in full, and frees what is expunged", async ({ a, b }) => {
    const size = mail().length;
    await put(a, "INBOX", {}, { flags: deleted });
    await a.createMailbox("x");
    const { id } = await box(a, "INBOX");
    await a.copy(id, ALL, "x");
    assert.deepEqual(await b.quota(), {
      usedBytes: 4 * size,
      usedMessages: 4,
      usedMailboxes: 2,
      limitBytes: undefined,
      deletedBytes: 2 * size,
    });
    await a.expunge(id, ALL, { onlyDeleted: true });
    await a.deleteMailbox("x");
    assert.deepEqual(await b.quota(), {
      usedBytes: size,
      usedMessages: 1,
      usedMailboxes: 1,
      limitBytes: undefined,
      deletedBytes: 0,
    });
  }],

  [
    "the quota may be filled exactly, and not by one octet more",
    async ({ a, b, store, accountId }) => {
      await store.directory.setAccountQuota(accountId, 1000);
      assert.equal((await a.quota()).limitBytes, 1000);
      await put(a, "INBOX", { bytes: mail("m", 400) });
      const before = await box(a, "INBOX");
      const { id } = before;
      await refuses("over-quota", put(a, "INBOX", { bytes: mail("m", 601) }));
      await refuses(
        "over-quota",
        put(a, "INBOX", { bytes: mail("m", 300) }, { bytes: mail("m", 301) }),
      );
      assert.deepEqual(await box(b, "INBOX"), before, "all messages or none");
      await put(a, "INBOX", { bytes: mail("m", 300) }, { bytes: mail("m", 300) });
      assert.equal((await b.quota()).usedBytes, 1000);
      await refuses("over-quota", put(a, "INBOX", { bytes: mail("m", 100) }));
      await refuses("over-quota", a.copy(id, RangeSet.of(1), "INBOX"));
      await a.createMailbox("x");
      await a.move(id, RangeSet.of(1), "x");
      assert.equal((await b.quota()).usedBytes, 1000, "a move needs no room");
      await refuses(
        "over-quota",
        a.replace(id, 2 as Uid, "x", await newMessage(a, { bytes: mail("m", 2000) })),
      );
      assert.equal(await liveUids(b, id), "2:3");
    },
  ],

  [
    "a quota below what is used refuses more but keeps what is there",
    async ({ a, store, accountId }) => {
      await put(a, "INBOX", {}, {});
      await store.directory.setAccountQuota(accountId, 10);
      const { id } = await box(a, "INBOX");
      await refuses("over-quota", put(a, "INBOX"));
      await a.changeFlags(id, ALL, { mode: "add", flags: deleted, keywords: [] });
      await a.createMailbox("x");
      await a.move(id, RangeSet.of(1), "x");
      await a.expunge(id, ALL, { onlyDeleted: true });
      await store.directory.setAccountQuota(accountId, null);
      await put(a, "INBOX");
    },
  ],

  ["a missing mailbox is told before a full quota", async ({ a, store, accountId }) => {
    await store.directory.setAccountQuota(accountId, 10);
    await refuses("mailbox-not-found", put(a, "nowhere"));
  }],

  ["changes that arrive together each take effect", async ({ a, b }) => {
    const { id } = await box(a, "INBOX");
    const work: Promise<unknown>[] = [];
    for (let i = 0; i < 20; i++) {
      work.push(put(i % 2 === 0 ? a : b, "INBOX", { bytes: mail(`m${i}`) }));
      work.push(a.createMailbox(`box${i}`));
      work.push(refuses("mailbox-not-found", b.deleteMailbox(`none${i}`)));
    }
    await Promise.all(work);
    assert.equal(await liveUids(a, id), "1:20");
    assert.equal((await a.listMailboxes()).length, 21);
    const seqs = [
      ...(await liveRows(a, id)).map((row) => row.modSeq),
      ...(await a.listMailboxes()).filter((it) => it.name !== "INBOX").map((it) => it.modSeq),
    ];
    assert.equal(new Set(seqs).size, 40, "each change has its own mod-sequence");
  }],

  ["what was acknowledged is there after reopening", async (fixture) => {
    const { a } = fixture;
    await a.createMailbox("x/y", { specialUse: ["Sent"] });
    await put(a, "x/y", { flags: seen, keywords: ["Blue"] }, {}, {});
    const { id } = await box(a, "x/y");
    await a.changeFlags(id, RangeSet.of(2), { mode: "add", flags: flagged, keywords: ["Red"] });
    await a.expunge(id, RangeSet.of(3), { onlyDeleted: false });
    await a.setSubscribed("gone", true);
    const before = [
      await a.listMailboxes(),
      await rows(a, id, ALL, ["envelope", "bodyStructure", "header", "parts"]),
      await a.listMissingSubscriptions(),
      await a.quota(),
    ];
    await fixture.reopen();
    const after = [
      await fixture.b.listMailboxes(),
      await rows(fixture.b, id, ALL, ["envelope", "bodyStructure", "header", "parts"]),
      await fixture.b.listMissingSubscriptions(),
      await fixture.b.quota(),
    ];
    assert.deepEqual(after, before);
  }],
];

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
