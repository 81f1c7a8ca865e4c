import type { RangeSet } from "../../base/mod.ts";
import type { Predicate } from "../predicate.ts";
import { foldCase, foldLoosely } from "../predicate.ts";
import type { Value } from "./database.ts";
import { parseEmailId, parseThreadId } from "./object_ids.ts";
import { hasField, type SearchText, someField } from "./search_text.ts";

const DAY_SECONDS = 86_400;

/** A condition on the row `m` of `message`. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly Value[];
}

/** What decides about a row: conditions by their column in the row, and what SQL cannot tell. */
export type Decision =
  | { readonly kind: "column"; readonly index: number }
  | { readonly kind: "uid"; readonly set: RangeSet }
  | { readonly kind: "text"; readonly needle: string; test(text: SearchText): boolean }
  /** Of which the index, that knows marks, cannot tell: e stands for é. */
  | { readonly kind: "words"; test(text: SearchText): boolean }
  | { readonly kind: "and" | "or"; readonly of: readonly Decision[] }
  | { readonly kind: "not"; readonly of: Decision };

/** A search, divided between SQL and this program. */
export interface SearchPlan {
  /** Every match fulfils it. */
  readonly where: Condition;
  /** What is left to be decided about a row; undefined when `where` says all. */
  readonly decision: Decision | undefined;
  /** Conditions that `decision` needs to know of a row. */
  readonly columns: readonly Condition[];
  readonly needsHeader: boolean;
  readonly needsBody: boolean;
}

const TRUE: Condition = { sql: "1", values: [] };
const FALSE: Condition = { sql: "0", values: [] };

/** Divides a predicate. `objectPrefix` is that of the account's object identifiers. */
export function planSearch(predicate: Predicate, objectPrefix: string): SearchPlan {
  const columns: Condition[] = [];
  const needs = { header: false, body: false };
  const decide = (it: Predicate): Decision => {
    const condition = conditionOf(it, objectPrefix);
    if (condition) return { kind: "column", index: columns.push(condition) - 1 };
    switch (it.op) {
      case "and":
      case "or":
        return { kind: it.op, of: it.of.map(decide) };
      case "not":
        return { kind: "not", of: decide(it.of) };
      case "uid":
        return { kind: "uid", set: it.set };
      default:
        return textDecision(it, needs);
    }
  };
  const parts = predicate.op === "and" ? predicate.of : [predicate];
  const conditions: Condition[] = [];
  const decisions: Decision[] = [];
  for (const part of parts) {
    const condition = conditionOf(part, objectPrefix);
    if (condition) conditions.push(condition);
    else decisions.push(decide(part));
  }
  return {
    where: joined("AND", conditions),
    decision: decisions.length === 0 ? undefined : { kind: "and", of: decisions },
    columns,
    needsHeader: needs.header,
    needsBody: needs.body,
  };
}

/** Whether a row is a match; `text` is only called when the rest does not decide. */
export function decide(
  decision: Decision,
  uid: number,
  columns: readonly Value[],
  text: () => SearchText,
): boolean {
  switch (decision.kind) {
    case "column":
      return columns[decision.index] === 1;
    case "uid":
      return decision.set.has(uid);
    case "text":
    case "words":
      return decision.test(text());
    case "and":
      return decision.of.every((it) => decide(it, uid, columns, text));
    case "or":
      return decision.of.some((it) => decide(it, uid, columns, text));
    case "not":
      return !decide(decision.of, uid, columns, text);
    default:
      return decision satisfies never;
  }
}

function textDecision(predicate: Predicate, needs: { header: boolean; body: boolean }): Decision {
  switch (predicate.op) {
    case "header": {
      needs.header = true;
      const { name } = predicate;
      const needle = foldCase(predicate.value);
      return { kind: "text", needle, test: ({ header }) => hasField(header, name, needle) };
    }
    case "body": {
      needs.body = true;
      const needle = foldCase(predicate.value);
      return { kind: "text", needle, test: ({ body }) => body.includes(needle) };
    }
    case "text": {
      needs.header = needs.body = true;
      const needle = foldCase(predicate.value);
      const test = ({ header, body }: SearchText) =>
        header.includes(needle) || body.includes(needle);
      return { kind: "text", needle, test };
    }
    case "fuzzyHeader": {
      needs.header = true;
      const { name, words } = predicate;
      const has = (value: string) => hasWords(foldLoosely(value), words);
      return { kind: "words", test: ({ header }) => someField(header, name, has) };
    }
    case "fuzzyBody": {
      needs.body = true;
      const { words } = predicate;
      return { kind: "words", test: ({ body }) => hasWords(foldLoosely(body), words) };
    }
    case "fuzzyText": {
      needs.header = needs.body = true;
      const { words } = predicate;
      const test = ({ header, body }: SearchText) =>
        hasWords(foldLoosely(`${header}\n${body}`), words);
      return { kind: "words", test };
    }
    default:
      throw new TypeError(`not about text: ${predicate.op}`);
  }
}

function hasWords(text: string, words: readonly string[]): boolean {
  return words.every((word) => text.includes(word));
}

/** The predicate in SQL; undefined when it, or a part of it, is none of SQL's. */
function conditionOf(predicate: Predicate, prefix: string): Condition | undefined {
  switch (predicate.op) {
    case "all":
      return TRUE;
    case "and":
    case "or": {
      const parts: Condition[] = [];
      for (const it of predicate.of) {
        const part = conditionOf(it, prefix);
        if (!part) return undefined;
        parts.push(part);
      }
      return joined(predicate.op === "and" ? "AND" : "OR", parts);
    }
    case "not": {
      const part = conditionOf(predicate.of, prefix);
      return part && { sql: `NOT ${part.sql}`, values: part.values };
    }
    case "flags":
      return plain(`m.flags & ${integer(predicate.mask)} = ${integer(predicate.mask)}`);
    case "keyword":
      return {
        sql: "(instr(' ' || lower(m.keywords) || ' ', ?) > 0)",
        values: [` ${predicate.name.toLowerCase()} `],
      };
    case "larger":
      return plain(`m.size > ${integer(predicate.bytes)}`);
    case "smaller":
      return plain(`m.size < ${integer(predicate.bytes)}`);
    case "day":
      return dayCondition(predicate);
    case "received":
      return plain(
        `m.internal_seconds ${predicate.is === "atOrBefore" ? "<=" : ">="} ` +
          integer(predicate.seconds),
      );
    case "modSeq":
      return plain(`m.modseq >= ${integer(predicate.atLeast)}`);
    case "emailId": {
      const id = parseEmailId(prefix, predicate.id);
      return id === undefined ? FALSE : plain(`m.content_id = ${integer(id)}`);
    }
    case "threadId": {
      const id = parseThreadId(prefix, predicate.id);
      return id === undefined ? FALSE : plain(`m.thread_id = ${integer(id)}`);
    }
    case "uid":
    case "header":
    case "body":
    case "text":
    case "fuzzyHeader":
    case "fuzzyBody":
    case "fuzzyText":
      return undefined;
    default:
      return predicate satisfies never;
  }
}

function dayCondition(predicate: Predicate & { op: "day" }): Condition {
  const compare = predicate.is === "before" ? "<" : predicate.is === "on" ? "=" : ">=";
  const day = integer(predicate.day);
  switch (predicate.of) {
    case "internal":
      return plain(`m.internal_day ${compare} ${day}`);
    case "sent":
      return plain(
        `coalesce((SELECT c.sent_day ${compare} ${day} FROM content AS c
           WHERE c.id = m.content_id), 0)`,
      );
    case "saved":
      // Division of integers: save dates are never before 1970.
      return plain(`m.save_date / ${DAY_SECONDS} ${compare} ${day}`);
  }
}

function plain(sql: string): Condition {
  return { sql: `(${sql})`, values: [] };
}

/** A number in SQL itself: the time to prepare grows with the square of the parameters. */
function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not an integer: ${value}`);
  return String(value);
}

/** Joined as a balanced tree, because SQLite bounds the depth of an expression. */
function joined(operator: "AND" | "OR", parts: readonly Condition[]): Condition {
  const [only] = parts;
  if (only === undefined) return operator === "AND" ? TRUE : FALSE;
  if (parts.length === 1) return only;
  const middle = parts.length >>> 1;
  const left = joined(operator, parts.slice(0, middle));
  const right = joined(operator, parts.slice(middle));
  return {
    sql: `(${left.sql} ${operator} ${right.sql})`,
    values: [...left.values, ...right.values],
  };
}
