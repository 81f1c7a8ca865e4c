import { decodeLatin1, encodeUtf8 } from "../base/mod.ts";
import type { OrderRow } from "../store/mod.ts";
import type { Scores } from "./relevancy.ts";
import { MAX_LIST_ITEMS, type Reader, WireError } from "../wire/mod.ts";

/** One criterion of SORT (RFC 5256 3, RFC 5957 3, RFC 6203 6). */
export interface SortCriterion {
  readonly key: SortKey;
  readonly isReverse: boolean;
}

type SortKey =
  | "ARRIVAL"
  | "CC"
  | "DATE"
  | "DISPLAYFROM"
  | "DISPLAYTO"
  | "FROM"
  | "RELEVANCY"
  | "SIZE"
  | "SUBJECT"
  | "TO";

/** What each sort key compares: numbers, or texts in collation form. */
const KEYS: Readonly<Record<SortKey, (row: OrderRow, scores: Scores) => number | string>> = {
  ARRIVAL: (row) => row.internalSeconds,
  CC: (row) => collationKey(row.keys.cc),
  DATE: (row) => row.sentMs,
  DISPLAYFROM: (row) => collationKey(row.keys.displayFrom),
  DISPLAYTO: (row) => collationKey(row.keys.displayTo),
  FROM: (row) => collationKey(row.keys.from),
  // The highest score first (RFC 6203 6).
  RELEVANCY: (row, scores) => -(scores.get(row.uid) ?? 0),
  SIZE: (row) => row.size,
  SUBJECT: (row) => collationKey(row.baseSubject),
  TO: (row) => collationKey(row.keys.to),
};

/** Reads `([REVERSE] key ...)`. */
export function parseSortCriteria(reader: Reader): readonly SortCriterion[] {
  const criteria = reader.list((): SortCriterion => {
    let word = reader.word();
    const isReverse = word === "REVERSE";
    if (isReverse) {
      reader.space();
      word = reader.word();
    }
    if (!(word in KEYS)) throw new WireError("Unknown sort key");
    return { key: word as SortKey, isReverse };
  });
  if (criteria.length > MAX_LIST_ITEMS) throw new WireError("Too many sort criteria");
  return criteria;
}

const NO_SCORES: Scores = new Map();

/** UIDs in the order of the criteria; what is equal stays in mailbox order. `rows` ascend by UID. */
export function sortRows(
  rows: readonly OrderRow[],
  criteria: readonly SortCriterion[],
  scores: Scores = NO_SCORES,
): number[] {
  const used = decisive(criteria);
  const columns = used.map(({ key }) => rows.map((row) => KEYS[key](row, scores)));
  const order = rows.map((_, i) => i);
  order.sort((a, b) => {
    for (let i = 0; i < columns.length; i++) {
      const left = columns[i]![a]!;
      const right = columns[i]![b]!;
      if (left !== right) return (left < right) === used[i]!.isReverse ? 1 : -1;
    }
    return a - b;
  });
  return order.map((i) => rows[i]!.uid);
}

/** The order of two messages by the criteria, as `sortRows` has it without scores. */
export function compareRows(
  criteria: readonly SortCriterion[],
): (a: OrderRow, b: OrderRow) => number {
  const used = decisive(criteria);
  return (a, b) => {
    for (const { key, isReverse } of used) {
      const left = KEYS[key](a, NO_SCORES);
      const right = KEYS[key](b, NO_SCORES);
      if (left !== right) return (left < right) === isReverse ? 1 : -1;
    }
    return a.uid - b.uid;
  };
}

/** A criterion that occurred before decides nothing any more. */
function decisive(criteria: readonly SortCriterion[]): SortCriterion[] {
  return criteria.filter(({ key }, i) => criteria.findIndex((it) => it.key === key) === i);
}

/**
 * The form in which i;unicode-casemap compares texts (RFC 5051 2): title-cased by single characters
 * and decomposed, ordered by octets of UTF-8 (one character of the key for each).
 */
export function collationKey(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text.toUpperCase();
  const titled = [...text].map(titleCase).join("");
  return decodeLatin1(encodeUtf8(titled.normalize("NFKD")));
}

/** Titlecase of one character as UnicodeData.txt maps it, one to one: "ß" stays as it is. */
function titleCase(char: string): string {
  const code = char.codePointAt(0)!;
  // The Croatian digraphs and the Greek letters with iota subscript have a titlecase of their own.
  if (code >= 0x1c4 && code <= 0x1cc) {
    return String.fromCodePoint(0x1c5 + 3 * Math.floor((code - 0x1c4) / 3));
  }
  if (code >= 0x1f1 && code <= 0x1f3) return "\u01f2";
  if (code >= 0x1f80 && code <= 0x1faf) return String.fromCodePoint(code | 8);
  if (code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3) return String.fromCodePoint(code + 9);
  const upper = char.toUpperCase();
  return [...upper].length === 1 ? upper : char;
}
