import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import type { AccountId, MailboxId, ModSeq } from "../../../src/base/mod.ts";
import { encodeUtf8, RangeSet } from "../../../src/base/mod.ts";
import type { AccountStore, Predicate, SearchOptions } from "../../../src/store/mod.ts";
import { foldCase } from "../../../src/store/mod.ts";
import type { AccountAccess } from "../../../src/store/sqlite/account_access.ts";
import { Database } from "../../../src/store/sqlite/database.ts";
import { openSqliteStore } from "../../../src/store/sqlite/engine.ts";
import { searchMessages } from "../../../src/store/sqlite/search.ts";
import { SearchIndex } from "../../../src/store/sqlite/search_index.ts";
import { ALL, box, bytesOf, put, stage } from "../fixture.ts";
import { predicate } from "../random_operations.ts";

/** An account as search sees it, on a connection of its own, as another process would have. */
class OwnAccess implements AccountAccess {
  readonly id = 1 as AccountId;
  readonly searchIndex: SearchIndex;
  readonly #mail: Database;

  constructor(readonly folder: string) {
    this.#mail = Database.open(join(folder, "mail.db"));
    this.searchIndex = new SearchIndex(this);
  }

  objectPrefix(): string {
    return String(this.#mail.get("SELECT object_prefix FROM account")?.[0]);
  }

  read<T>(work: (db: Database) => T): T {
    return this.#mail.read(() => work(this.#mail));
  }

  write<T>(work: (db: Database) => T): T {
    return this.#mail.write(() => work(this.#mail));
  }

  recentAfter(_mailbox: number, stored: number): number {
    return stored;
  }

  /** The account without an index. */
  withoutIndex(): AccountAccess {
    const { id, folder } = this;
    return {
      id,
      folder,
      objectPrefix: () => this.objectPrefix(),
      read: (work) => this.read(work),
      recentAfter: (_mailbox, stored) => stored,
      // An ended index answers nothing.
      searchIndex: endedIndex(this),
    };
  }

  close(): void {
    this.searchIndex.end();
    this.#mail.close();
  }
}

function endedIndex(access: AccountAccess): SearchIndex {
  const index = new SearchIndex(access);
  index.end();
  return index;
}

interface SearchFixture {
  readonly account: AccountStore;
  readonly access: OwnAccess;
  readonly id: MailboxId;
  readonly indexPath: string;
  /** The answer with the index, which must be that of a scan. */
  search(predicate: Predicate, options?: SearchOptions): Promise<string>;
}

async function withAccount(run: (fixture: SearchFixture) => Promise<void>): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "postern-search-" });
  const store = await openSqliteStore({ dataDir, initialMailboxes: [] });
  let access: OwnAccess | undefined;
  try {
    await store.directory.addDomain("example.org");
    const { id } = await store.directory.addAccount("ann@example.org", "");
    const account = await store.openAccount(id);
    const mailbox = (await box(account, "INBOX")).id;
    const own = access = new OwnAccess(join(dataDir, "accounts", String(id)));
    await run({
      account,
      access,
      id: mailbox,
      indexPath: join(access.folder, "search.db"),
      async search(predicate, options) {
        const scanned = await searchMessages(own.withoutIndex(), mailbox, predicate, options);
        const indexed = await searchMessages(own, mailbox, predicate, options);
        assert.equal(indexed.uids.toString(), scanned.uids.toString(), JSON.stringify(predicate));
        assert.equal(indexed.modSeq, scanned.modSeq);
        return indexed.uids.toString();
      },
    });
  } finally {
    access?.close();
    await store.close();
    await Deno.remove(dataDir, { recursive: true });
  }
}

function textMail(body: string, subject = "s") {
  return {
    bytes: encodeUtf8(
      `Subject: ${subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}\r\n`,
    ),
  };
}

const body = (value: string): Predicate => ({ op: "body", value });
const text = (value: string): Predicate => ({ op: "text", value });

/** Fails unless the index answers for `needle`; gives its contents. */
function indexed(access: OwnAccess, needle: string): readonly number[] {
  const candidates = access.searchIndex.candidates(needle);
  assert.ok(candidates, "the index answers");
  return candidates.contentIds;
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("it did not come about");
}

const word = fc.oneof(
  fc.constantFrom(
    "needle",
    "Straße",
    "İstanbul",
    "ıssız",
    "ΟΔΟΣ",
    "日本語",
    "данные",
    "\u{1f600}\u{1f680}\u{1f600}",
    "e\u0301\u0302x",
    'a"b"c',
    "100%_",
    "\0nul\0",
    "'*^:(",
    "\r\n\r\n x",
    "aaaa",
  ),
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 8 }),
);

Deno.test("indexed and scanned answers agree on random mail and needles, at any state of the index", async () => {
  await withAccount(async ({ account, access, id, search }) => {
    const words: string[] = ["needle"];
    const step = fc.record({
      bodies: fc.array(fc.array(word, { maxLength: 6 }), { maxLength: 4 }),
      expunge: fc.nat({ max: 40 }),
      fill: fc.constantFrom("no", "all", "some"),
      needles: fc.array(
        fc.tuple(fc.nat(), fc.nat({ max: 6 }), fc.integer({ min: 1, max: 8 })),
        { minLength: 2, maxLength: 5 },
      ),
      predicate,
    });
    await fc.assert(
      fc.asyncProperty(step, async ({ bodies, expunge, fill, needles, predicate }) => {
        for (const parts of bodies) {
          words.push(...parts);
          await put(account, "INBOX", textMail(parts.join(" "), parts.join("").slice(0, 40)));
        }
        await account.expunge(id, RangeSet.of(expunge + 1), { onlyDeleted: false });
        if (fill === "all") access.searchIndex.fill();
        if (fill === "some") access.searchIndex.candidates("needle");
        for (const [which, at, length] of needles) {
          const from = words[which % words.length] ?? "";
          const needle = Array.from(from).slice(at, at + length).join("") || from;
          for (
            const predicate of [
              body(needle),
              text(needle),
              { op: "header", name: "Subject", value: needle },
              { op: "not", of: body(needle) },
              { op: "or", of: [text(needle), body("needle")] },
              {
                op: "not",
                of: {
                  op: "and",
                  of: [{ op: "not", of: text(needle) }, { op: "not", of: body("needle") }],
                },
              },
              { op: "and", of: [text(needle), { op: "not", of: body("aaa") }] },
              { op: "not", of: { op: "or", of: [text(needle), { op: "not", of: text("dle") }] } },
            ] satisfies Predicate[]
          ) {
            await search(predicate);
          }
          await search(body(needle), { only: "min" });
          await search(body(needle), { only: "max", within: RangeSet.range(3, 60) });
        }
        await search(predicate);
      }),
      { numRuns: 120 },
    );
  });
});

Deno.test("the index fills itself in the background and then answers for all", async () => {
  await withAccount(async ({ account, indexPath, access, search }) => {
    await put(account, "INBOX", textMail("first"), textMail("second needle"));
    assert.throws(() => Deno.statSync(indexPath), Deno.errors.NotFound);
    await until(() => {
      try {
        Deno.statSync(indexPath);
      } catch {
        return false;
      }
      return access.searchIndex.candidates("needle")?.through === 2;
    });
    assert.deepEqual(indexed(access, "needle"), [2]);
    assert.equal(await search(body("needle")), "2");
  });
});

Deno.test("a half-built index narrows what it knows and leaves the rest to the scan", async () => {
  await withAccount(async ({ account, access, search }) => {
    await put(
      account,
      "INBOX",
      ...Array.from({ length: 10 }, (_, i) => textMail(`needle${i % 2}`)),
    );
    access.searchIndex.fill();
    await put(
      account,
      "INBOX",
      ...Array.from({ length: 10 }, (_, i) => textMail(`needle${i % 2}`)),
    );
    assert.equal(access.searchIndex.candidates("needle1")?.through, 10);
    assert.equal(await search(body("needle1")), "2,4,6,8,10,12,14,16,18,20");
    access.searchIndex.fill();
    assert.equal(access.searchIndex.candidates("needle1")?.through, 20);
    assert.equal(await search(body("needle1")), "2,4,6,8,10,12,14,16,18,20");
  });
});

for (
  const [what, harm] of [
    ["deleted", (path: string) => Deno.removeSync(path)],
    ["overwritten", (path: string) => Deno.writeTextFileSync(path, "not a database ".repeat(1000))],
    ["cut short", (path: string) => Deno.truncateSync(path, 10_000)],
    ["emptied", (path: string) => Deno.truncateSync(path, 0)],
    ["of another version", (path: string) => alter(path, "PRAGMA user_version = 99")],
    [
      "of another account",
      (path: string) => alter(path, "UPDATE progress SET object_prefix = 'x'"),
    ],
    ["without its table", (path: string) => alter(path, "DROP TABLE trigram")],
  ] as const
) {
  Deno.test(`an index that was ${what} is made anew, and answers stay right`, async () => {
    await withAccount(async ({ account, access, indexPath, search }) => {
      await put(account, "INBOX", ...Array.from({ length: 50 }, (_, i) => textMail(`needle${i}x`)));
      access.searchIndex.fill();
      assert.equal(await search(body("needle7x")), "8");
      access.searchIndex.release();
      harm(indexPath);
      assert.equal(await search(body("needle7x")), "8");
      access.searchIndex.fill();
      access.searchIndex.fill();
      assert.deepEqual(indexed(access, "needle7x"), [8]);
      assert.equal(await search(body("needle7x")), "8");
    });
  });
}

function alter(path: string, sql: string): void {
  const db = Database.open(path);
  db.exec(sql);
  db.close();
}

Deno.test("an index that is deleted while it is open does no harm", async () => {
  await withAccount(async ({ account, access, indexPath, search }) => {
    await put(account, "INBOX", textMail("needle one"));
    access.searchIndex.fill();
    for (const suffix of ["", "-wal", "-shm"]) Deno.removeSync(indexPath + suffix);
    await put(account, "INBOX", textMail("needle two"));
    assert.equal(await search(body("needle")), "1:2");
    access.searchIndex.release();
    assert.equal(await search(body("needle")), "1:2");
    access.searchIndex.fill();
    assert.deepEqual([...indexed(access, "needle")].sort(), [1, 2]);
  });
});

Deno.test("a message that was coming in while the index went past it is not forgotten", async () => {
  await withAccount(async ({ account, access, search }) => {
    const slow = account.stageMessage();
    await slow.write(textMail("slow needle").bytes);
    await slow.write(bytesOf("filling ".repeat(40_000)));
    const dropped = account.stageMessage();
    await dropped.write(bytesOf("filling ".repeat(40_000)));
    await put(account, "INBOX", textMail("needle one"), textMail("two"));
    access.searchIndex.fill();
    assert.equal(await search(body("needle")), "1");
    await account.append("INBOX", [{
      staged: await slow.finish(),
      flags: 0,
      keywords: [],
      internalDate: { seconds: 0, zoneMinutes: 0 },
    }]);
    await dropped.discard();
    assert.equal(await search(body("needle")), "1,3");
    access.searchIndex.fill();
    assert.equal(indexed(access, "needle").length, 2);
    assert.equal(indexed(access, "absent").length, 0, "nothing is left to be looked at each time");
    assert.equal(await search(body("needle")), "1,3");
  });
});

Deno.test("a long text is indexed in pieces, and what lies across two is found", async () => {
  await withAccount(async ({ account, access, search }) => {
    const marks: string[] = [];
    let long = "";
    for (let i = 0; long.length < 400_000; i++) {
      const mark = `mark\u{1f600}${i}mark`;
      marks.push(mark);
      long += mark + "filling ".repeat(i % 5) + "\u{1f680}".repeat(i % 3) + " ";
    }
    await put(account, "INBOX", textMail(long), textMail("short"));
    access.searchIndex.fill();
    for (let i = 0; i < marks.length; i += 7) {
      assert.deepEqual(indexed(access, marks[i] ?? ""), [1], marks[i]);
    }
    assert.equal(await search(body(long.slice(65_400, 65_700))), "1");
    // Around where pieces end, wherever that is exactly: the header comes first.
    for (let at = 65_536; at < 390_000; at += 65_536) {
      for (let start = at - 200; start < at + 10; start += 3) {
        const needle = foldCase(long.slice(start, start + 12)).trim();
        if (needle.isWellFormed()) assert.deepEqual(indexed(access, needle), [1], needle);
      }
    }
    assert.deepEqual(indexed(access, "mark0filling"), []);
  });
});

for (const [total, gone] of [[2400, 1100], [1300, 1200]] as const) {
  Deno.test(`${gone} contents of ${total} that are gone from the mail are swept from the index`, async () => {
    await withAccount(async ({ account, access, id, search }) => {
      await put(
        account,
        "INBOX",
        ...Array.from({ length: total }, (_, i) => textMail(`needle${i}x`)),
      );
      access.searchIndex.fill();
      await account.expunge(id, RangeSet.range(1, gone), { onlyDeleted: false });
      access.write((mail) => {
        mail.exec("DELETE FROM expunged");
        mail.exec("DELETE FROM content WHERE id NOT IN (SELECT content_id FROM message)");
        mail.exec("DELETE FROM search_text WHERE content_id NOT IN (SELECT id FROM content)");
      });
      await access.searchIndex.sweep(async () => true);
      await put(account, "INBOX", textMail("needle"));
      access.searchIndex.fill();
      assert.equal(indexed(access, "needle").length, total - gone + 1);
      assert.equal(await search(text("needle")), `${gone + 1}:${total + 1}`);
      assert.equal(await search(text("needle1250x")), "1251");
    });
  });
}

Deno.test("the index answers for needles of any length, but not for empty or broken ones", async () => {
  await withAccount(async ({ account, access, search }) => {
    await put(account, "INBOX", textMail("x"), textMail("会議は明日"), textMail("\u{1f600}zq é"));
    access.searchIndex.fill();
    assert.deepEqual(indexed(access, "会議は"), [2]);
    assert.deepEqual(indexed(access, "会議"), [2]);
    assert.deepEqual(indexed(access, "明日"), [2], "at the end of the text");
    assert.deepEqual(indexed(access, "日"), [2]);
    assert.deepEqual(indexed(access, "\u{1f600}"), [3]);
    assert.deepEqual(indexed(access, "zq"), [3]);
    assert.deepEqual(indexed(access, "qz"), []);
    assert.deepEqual(indexed(access, " e\u0301"), [3]);
    for (const needle of ["会議", "明日", "日", "\u{1f600}", "zq", "qz", "q"]) {
      await search(body(needle));
    }
    for (const needle of ["", "abc\ud800", "b\0c"]) {
      assert.equal(access.searchIndex.candidates(needle), undefined);
    }
  });
});

Deno.test("a needle that nearly every text has is left to the scan", async () => {
  await withAccount(async ({ account, access, search }) => {
    const letters = Array.from({ length: 250 }, (_, i) => "a" + String.fromCodePoint(0x4e00 + i));
    await put(account, "INBOX", textMail(letters.join(" ")));
    access.searchIndex.fill();
    assert.equal(access.searchIndex.candidates("a"), undefined);
    assert.equal(await search(body("a")), "1");
  });
});

Deno.test("a long scan lets others run, tells its progress and heeds its signal", async () => {
  await withAccount(async ({ account, access, id }) => {
    const filling = "lorem ipsum dolor sit amet ".repeat(150);
    for (let i = 0; i < 5; i++) {
      await put(
        account,
        "INBOX",
        ...Array.from({ length: 600 }, (_, j) => textMail(`${filling} ${i}-${j}`)),
      );
    }
    const scan = access.withoutIndex();
    const told: number[] = [];
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const result = await searchMessages(scan, id, body("zzzz"), {
      onProgress: (done, total) => {
        assert.equal(total, 3000);
        told.push(done);
      },
    });
    clearInterval(timer);
    assert.ok(result.uids.isEmpty);
    assert.ok(told.length >= 2 && turns >= 2, `${told.length} reports, ${turns} turns`);
    assert.deepEqual(told, [...told].sort((a, b) => a - b));
    const abort = new AbortController();
    await assert.rejects(
      searchMessages(scan, id, body("zzzz"), {
        signal: abort.signal,
        onProgress: () => abort.abort(new Error("called off")),
      }),
      /called off/,
    );
  });
});

Deno.test("very many and deeply nested conditions are searched", async () => {
  await withAccount(async ({ account, search }) => {
    await put(account, "INBOX", textMail("x"), { ...textMail("y"), flags: 1 });
    const seen: Predicate = { op: "flags", mask: 1 };
    assert.equal(await search({ op: "and", of: Array(3000).fill(seen) }), "2");
    assert.equal(await search({ op: "or", of: Array(3000).fill(body("y")) }), "2");
    let nested: Predicate = seen;
    for (let i = 0; i < 101; i++) nested = { op: "not", of: nested };
    assert.equal(await search(nested), "1");
    const spread = RangeSet.from(Array.from({ length: 5000 }, (_, i) => 2 * i + 1));
    assert.equal(await search({ op: "uid", set: spread }), "1");
    assert.equal(await search({ op: "all" }, { within: spread }), "1");
    assert.equal(await search({ op: "all" }, { within: ALL, only: "max" }), "2");
    assert.equal(await search({ op: "modSeq", atLeast: 1 as ModSeq }), "1:2");
  });
});

Deno.test("a search of a mailbox that goes away rejects", async () => {
  await withAccount(async ({ account, access }) => {
    await account.createMailbox("x");
    const { id } = await box(account, "x");
    await put(account, "x", textMail("needle"));
    await account.deleteMailbox("x");
    await assert.rejects(searchMessages(access, id, body("needle")), { code: "mailbox-not-found" });
    await (await stage(account)).discard();
  });
});
