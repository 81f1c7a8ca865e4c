import { RangeSet } from "../base/mod.ts";
import { type Predicate, SystemFlag } from "../store/mod.ts";
import { type Reader, resolveSequenceSet } from "../wire/mod.ts";
import type { SearchKeySpec } from "./extension.ts";
import { join, parseSearchKey, savedResultKey, type SearchContext } from "./search_keys.ts";

/**
 * The SEARCH keys of RFC 3501 6.4.4 and RFC 9051 6.4.4. Strings match as substrings without regard
 * to case, after encoded-words, transfer encodings and charsets were decoded.
 */
export const coreSearchKeys: readonly SearchKeySpec[] = [
  { name: "ALL", parse: () => ({ op: "all" }) },
  ...flagKeys("ANSWERED", SystemFlag.answered),
  ...flagKeys("DELETED", SystemFlag.deleted),
  ...flagKeys("DRAFT", SystemFlag.draft),
  ...flagKeys("FLAGGED", SystemFlag.flagged),
  ...flagKeys("SEEN", SystemFlag.seen),
  { name: "KEYWORD", parse: readKeyword },
  { name: "UNKEYWORD", parse: (reader) => not(readKeyword(reader)) },
  // \Recent went with IMAP4rev2 (RFC 9051 E): once that is enabled, no message has it.
  { name: "RECENT", parse: (_, context) => recent(context) },
  { name: "NEW", parse: (_, context) => and(recent(context), not(flag(SystemFlag.seen))) },
  { name: "OLD", parse: (_, context) => not(recent(context)) },

  ...["BCC", "CC", "FROM", "SUBJECT", "TO"].map((name): SearchKeySpec => ({
    name,
    parse: (reader, context) => ({ op: "header", name, value: readText(reader, context) }),
  })),
  {
    name: "HEADER",
    parse(reader, context) {
      reader.space();
      const name = reader.astring();
      return { op: "header", name, value: readText(reader, context) };
    },
  },
  { name: "BODY", parse: (reader, context) => ({ op: "body", value: readText(reader, context) }) },
  { name: "TEXT", parse: (reader, context) => ({ op: "text", value: readText(reader, context) }) },

  { name: "LARGER", parse: (reader) => ({ op: "larger", bytes: readNumber(reader) }) },
  { name: "SMALLER", parse: (reader) => ({ op: "smaller", bytes: readNumber(reader) }) },

  dayKey("BEFORE", "internal", "before"),
  dayKey("ON", "internal", "on"),
  dayKey("SINCE", "internal", "since"),
  dayKey("SENTBEFORE", "sent", "before"),
  dayKey("SENTON", "sent", "on"),
  dayKey("SENTSINCE", "sent", "since"),

  { name: "UID", parse: readUids },
  {
    name: "NOT",
    parse(reader, context) {
      reader.space();
      return not(parseSearchKey(reader, context));
    },
  },
  { name: "OR", parse: readOr },
];

/** A key that compares a day, such as BEFORE (RFC 9051 6.4.4). */
export function dayKey(
  name: string,
  of: "internal" | "sent" | "saved",
  is: "before" | "on" | "since",
): SearchKeySpec {
  return {
    name,
    parse(reader) {
      reader.space();
      return { op: "day", of, is, day: reader.date() };
    },
  };
}

function flagKeys(name: string, mask: number): SearchKeySpec[] {
  const isSet = flag(mask);
  const isNotSet = not(isSet);
  return [{ name, parse: () => isSet }, { name: `UN${name}`, parse: () => isNotSet }];
}

function flag(mask: number): Predicate {
  return { op: "flags", mask };
}

function not(of: Predicate): Predicate {
  return of.op === "not" ? of.of : { op: "not", of };
}

function and(...of: Predicate[]): Predicate {
  return { op: "and", of };
}

function recent(context: SearchContext): Predicate {
  if (context.session.modes.rev2) return { op: "uid", set: new RangeSet() };
  return context.byNumbers((numbers) => numbers.recent);
}

function readKeyword(reader: Reader): Predicate {
  reader.space();
  return { op: "keyword", name: reader.atom() };
}

function readText(reader: Reader, context: SearchContext): string {
  reader.space();
  return context.text(reader);
}

function readNumber(reader: Reader): number {
  reader.space();
  return reader.number64();
}

function readUids(reader: Reader, context: SearchContext): Predicate {
  reader.space();
  const set = reader.sequenceSet();
  if (set === "$") return savedResultKey(context);
  return context.byNumbers(({ uids }) => resolveSequenceSet(set, uids.last ?? 0));
}

/** Clients chain hundreds of keys as OR a OR b OR c d: read in a loop, it is not that deep. */
function readOr(reader: Reader, context: SearchContext): Predicate {
  const of: Predicate[] = [];
  do {
    reader.space();
    of.push(parseSearchKey(reader, context));
    reader.space();
  } while (reader.tryExactWord("OR"));
  of.push(parseSearchKey(reader, context));
  return join("or", of);
}
