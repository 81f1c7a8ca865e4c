import fc from "fast-check";
import type { Annotation, ExpiryRule, Predicate, SpecialUse } from "../../src/store/mod.ts";
import type { ModSeq } from "../../src/base/mod.ts";
import { encodeUtf8, RangeSet } from "../../src/base/mod.ts";
import { type FlagMode, fuzzyWords } from "../../src/store/mod.ts";

/** In seconds since 1970, behind every save date. */
const FAR_AWAY = 1e11;

/** A message in the terms of the generator. */
export interface RandomMessage {
  readonly subject: string;
  readonly body: string;
  readonly flags: number;
  readonly keywords: readonly string[];
  readonly seconds: number;
  readonly zoneMinutes: number;
}

/** One operation; `box` is the number of a mailbox that was seen, `view` that of a session. */
export type Operation =
  | { readonly do: "create"; readonly name: string; readonly uses: readonly SpecialUse[] }
  | { readonly do: "delete"; readonly name: string }
  | { readonly do: "rename"; readonly name: string; readonly to: string }
  | { readonly do: "subscribe"; readonly name: string; readonly on: boolean }
  | {
    readonly do: "append";
    readonly name: string;
    readonly messages: readonly RandomMessage[];
    readonly create: boolean;
  }
  | {
    readonly do: "flags";
    readonly box: number;
    readonly uids: readonly number[];
    readonly mode: FlagMode;
    readonly flags: number;
    readonly keywords: readonly string[];
    /** Mod-sequences below the account's present one; undefined: any. */
    readonly unchangedSince: number | undefined;
  }
  | {
    readonly do: "expunge";
    readonly box: number;
    readonly uids: readonly number[];
    readonly onlyDeleted: boolean;
  }
  | { readonly do: "expire"; readonly rule: ExpiryRule; readonly limit: number }
  | {
    readonly do: "copy" | "move";
    readonly box: number;
    readonly uids: readonly number[];
    readonly name: string;
  }
  | {
    readonly do: "replace";
    readonly box: number;
    readonly uid: number;
    readonly name: string;
    readonly message: RandomMessage;
  }
  | {
    readonly do: "annotate";
    readonly name: string | undefined;
    readonly notes: readonly Annotation[];
  }
  | { readonly do: "limit"; readonly bytes: number | null }
  | { readonly do: "select"; readonly name: string; readonly claimRecent: boolean }
  | { readonly do: "look"; readonly view: number }
  | {
    readonly do: "search";
    readonly box: number;
    readonly predicate: Predicate;
    readonly only: "min" | "max" | undefined;
  }
  | { readonly do: "reopen" };

const NAMES = ["INBOX", "INBOX", "a", "a", "a/b", "a/b", "b", "INBOX/x", "a/b/c", "ab"];
const KEYWORDS = ["Blue", "BLUE", "blue", "$Junk", "red", "Red"];
const WORDS = [
  "hello",
  "Hello World",
  "GRÜSSE",
  "grüße",
  "Привет",
  "日本語メール",
  'say "hi"',
  "100%",
  "a_b",
  "\u{1f600}\u{1f680}",
  "e\u0301te\u0301",
  "été",
  "İstanbul",
  "ısı",
  "ΟΔΟΣ",
  "οδός",
  "x",
];

const name = fc.constantFrom(...NAMES);
const box = fc.nat({ max: 6 });
const uids = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6, size: "max" }),
  fc.constant([1, 2, 3, 4, 5, 6, 7, 8]),
);
const flags = fc.nat({ max: 31 });
const keywords = fc.array(fc.constantFrom(...KEYWORDS), { maxLength: 3 });
const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 4 }).map((list) => list.join(" "));

const message: fc.Arbitrary<RandomMessage> = fc.record({
  subject: words,
  body: words,
  flags,
  keywords,
  seconds: fc.integer({ min: 1_700_000_000 - 200_000, max: 1_700_000_000 + 200_000 }),
  zoneMinutes: fc.constantFrom(0, 60, -600, 330, -1439, 1439),
});

/** Needles: parts of words, and what is in none. */
const needle = fc.oneof(
  fc.constantFrom("", " ", "zzz", "%", "_", '"', "'", "*", "i", "ß", "ss", "AND", "o w", "\u0301"),
  fc.tuple(fc.constantFrom(...WORDS), fc.nat({ max: 8 }), fc.integer({ min: 1, max: 9 })).map(
    ([word, at, length]) => Array.from(word).slice(at, at + length).join(""),
  ),
);

const day = fc.integer({ min: 19673, max: 19678 });

export const predicate: fc.Arbitrary<Predicate> = fc.letrec<{ any: Predicate; leaf: Predicate }>(
  (tie) => ({
    leaf: fc.oneof(
      fc.constant<Predicate>({ op: "all" }),
      uids.map((list): Predicate => ({ op: "uid", set: RangeSet.from(list) })),
      flags.map((mask): Predicate => ({ op: "flags", mask })),
      fc.constantFrom(...KEYWORDS, "none").map((name): Predicate => ({ op: "keyword", name })),
      fc.tuple(fc.constantFrom("larger" as const, "smaller" as const), fc.nat({ max: 250 })).map(
        ([op, bytes]): Predicate => ({ op, bytes }),
      ),
      fc.tuple(
        fc.constantFrom("internal" as const, "saved" as const, "sent" as const),
        fc.constantFrom("before" as const, "on" as const, "since" as const),
        day,
      ).map(([of, is, day]): Predicate => ({ op: "day", of, is, day })),
      fc.tuple(fc.constantFrom("atOrBefore" as const, "atOrAfter" as const), day).map(
        ([is, day]): Predicate => ({ op: "received", is, seconds: day * 86400 }),
      ),
      fc.integer({ min: 1, max: 40 }).map((n): Predicate => ({
        op: "modSeq",
        atLeast: n as ModSeq,
      })),
      needle.map((value): Predicate => ({ op: "body", value })),
      needle.map((value): Predicate => ({ op: "text", value })),
      fc.tuple(fc.constantFrom("subject", "X-NONE", "Date"), needle).map(
        ([name, value]): Predicate => ({ op: "header", name, value }),
      ),
      needle.map((value): Predicate => ({ op: "fuzzyBody", words: fuzzyWords(value) })),
      needle.map((value): Predicate => ({ op: "fuzzyText", words: fuzzyWords(value) })),
      fc.tuple(fc.constantFrom("subject", "X-NONE"), needle).map(
        ([name, value]): Predicate => ({ op: "fuzzyHeader", name, words: fuzzyWords(value) }),
      ),
    ),
    any: fc.oneof(
      { maxDepth: 3 },
      tie("leaf"),
      fc.tuple(
        fc.constantFrom("and" as const, "or" as const),
        fc.array(tie("any"), { maxLength: 3 }),
      ).map(([op, of]): Predicate => ({ op, of })),
      tie("any").map((of): Predicate => ({ op: "not", of })),
    ),
  }),
).any;

const notes: fc.Arbitrary<Annotation[]> = fc.uniqueArray(
  fc.record({
    entry: fc.constantFrom("/private/a", "/private/b", "/shared/a"),
    value: fc.option(fc.constantFrom("", "one", "two").map(encodeUtf8), { nil: undefined }),
    isBinary: fc.boolean(),
  }),
  { selector: (note) => note.entry, minLength: 1, maxLength: 3 },
);

const uses = fc.oneof(
  { weight: 3, arbitrary: fc.constant<SpecialUse[]>([]) },
  { weight: 1, arbitrary: fc.subarray<SpecialUse>(["Sent", "Trash"], { minLength: 1 }) },
);

/** One operation, the common ones more often. */
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("create" as const), name, uses }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("rename" as const), name, to: name }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("subscribe" as const), name, on: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      name,
      messages: fc.array(message, { minLength: 1, maxLength: 4, size: "max" }),
      create: fc.constantFrom(true, true, false),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("flags" as const),
      box,
      uids,
      mode: fc.constantFrom<FlagMode>("add", "remove", "replace"),
      flags,
      keywords,
      unchangedSince: fc.option(fc.nat({ max: 10 }), { nil: undefined }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("expunge" as const),
      box,
      uids,
      onlyDeleted: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("expire" as const),
      rule: fc.oneof(
        fc.record({
          kind: fc.constant("age" as const),
          savedBefore: fc.constantFrom(0, FAR_AWAY),
          largerThan: fc.nat({ max: 200 }),
          isNoticed: fc.boolean(),
        }),
        fc.record({
          kind: fc.constant("size" as const),
          savedBefore: fc.constantFrom(0, FAR_AWAY),
          untilBytes: fc.nat({ max: 1000 }),
        }),
      ),
      limit: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom("copy" as const, "move" as const),
      box,
      uids,
      name,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("replace" as const),
      box,
      uid: fc.integer({ min: 1, max: 8 }),
      name,
      message,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("annotate" as const),
      name: fc.option(name, { nil: undefined }),
      notes,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("limit" as const),
      bytes: fc.option(fc.integer({ min: 100, max: 3000 }), { nil: null }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("select" as const),
      name,
      claimRecent: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("look" as const), view: fc.nat({ max: 4 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("search" as const),
      box,
      predicate,
      only: fc.constantFrom(undefined, undefined, "min" as const, "max" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
);

/** What accounts begin with, so that even short sequences have something to work on. */
const BEGINNING: readonly Operation[] = ["INBOX", "a/b"].map((name, i) => ({
  do: "append",
  name,
  create: true,
  messages: [3, 1, 8].map((flags) => ({
    subject: WORDS[i] ?? "",
    body: WORDS[flags] ?? "",
    flags,
    keywords: KEYWORDS.slice(i, flags),
    seconds: 1_700_000_000,
    zoneMinutes: 0,
  })),
}));

/** A sequence of at most `BEGINNING` and `maxLength` operations. */
export function operations(maxLength: number): fc.Arbitrary<Operation[]> {
  return fc.array(operation, { minLength: 1, maxLength, size: "max" })
    .map((list) => [...BEGINNING, ...list]);
}
