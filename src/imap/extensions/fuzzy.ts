import type { Predicate } from "../../store/mod.ts";
import type { Extension, SearchKeySpec } from "../extension.ts";
import { no } from "../imap_error.ts";
import { MAX_FUZZY_KEYS, MAX_FUZZY_WORDS } from "../limits.ts";
import { loosened } from "../relevancy.ts";
import { parseSearchKey, type SearchContext } from "../search_keys.ts";
import type { SearchReturnSpec } from "../search_returns.ts";

/**
 * FUZZY key (RFC 6203 3): texts match when they have all words of the needle, in any order, without
 * regard to diacritics and punctuation, so that every exact match is a fuzzy one. Keys that are not
 * about text, and what stands under NOT, are matched exactly.
 */
const fuzzyKey: SearchKeySpec = {
  name: "FUZZY",
  parse(reader, context) {
    reader.space();
    context.isFuzzy = true;
    return loosen(parseSearchKey(reader, context), context);
  },
};

function loosen(key: Predicate, context: SearchContext): Predicate {
  if (key.op === "and" || key.op === "or") {
    return { op: key.op, of: key.of.map((part) => loosen(part, context)) };
  }
  const loose = loosened(key);
  if (loose === key) return key;
  if ("words" in loose && loose.words.length > MAX_FUZZY_WORDS) {
    throw no("A fuzzy key has too many words", "LIMIT");
  }
  if (context.fuzzyKeys.push(key) > MAX_FUZZY_KEYS) throw no("Too many fuzzy keys", "LIMIT");
  return loose;
}

/** RETURN (RELEVANCY): a score for each result that is told (RFC 6203 4). */
const relevancyReturn: SearchReturnSpec = {
  name: "RELEVANCY",
  parse: () => ({
    name: "RELEVANCY",
    usesScores: true,
    data: ({ scores }, { start, end }) => `RELEVANCY (${scores.slice(start, end).join(" ")})`,
  }),
};

/** SEARCH=FUZZY, and how relevant what it finds is (RFC 6203); RELEVANCY also sorts. */
export const fuzzy: Extension = {
  rfc: [6203],
  title: "SEARCH=FUZZY: searching by words, and how relevant the results are",
  capabilities: [{ name: "SEARCH=FUZZY", when: "afterLogin" }],
  searchKeys: [fuzzyKey],
  searchReturns: [relevancyReturn],
};
