import { type Reader, WireError } from "../wire/mod.ts";
import type { ResultList } from "./result_list.ts";
import type { Session } from "./session.ts";

/** An option of RETURN in SEARCH, SORT and ESEARCH (RFC 9051 6.4.4, RFC 4466 2.6), by its name. */
export interface SearchReturnSpec {
  /** In capitals. */
  readonly name: string;
  /** Options that may not stand beside it; its own name: it may not be given twice. */
  readonly excludes?: readonly string[];
  /** Reads the option's arguments, the space before them included. */
  parse(reader: Reader, session: Session): SearchReturn;
}

/** A return option with its arguments. */
export interface SearchReturn {
  readonly name: string;
  /**
   * How much of the result it tells of; undefined: nothing. "part": some of it, which can only be
   * found once all is known. Where MIN or MAX are all that is asked for, the search ends early.
   */
  readonly needs?: "min" | "max" | "part" | "all";
  /** Positions of the results that it tells of, from 0 to `end` (exclusive), where not all. */
  span?(size: number): Span;
  /**
   * Name and value for the ESEARCH response; undefined where there is nothing to say. `told`: which
   * results the response gives.
   */
  data?(results: ResultList, told: Span): string | undefined;
  /** The result becomes `$` (RFC 5182 2.1). */
  readonly savesResult?: boolean;
  /** It tells how relevant results are (RFC 6203 4). */
  readonly usesScores?: boolean;
  /** Changes of the result are told from then on (RFC 5267 4.3). */
  readonly updates?: boolean;
}

/** Positions in a result, counted from 0, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export const minReturn = plainReturn({
  name: "MIN",
  needs: "min",
  span: (size) => ({ start: 0, end: Math.min(1, size) }),
  data: (results) => results.size === 0 ? undefined : `MIN ${results.at(0)}`,
});
export const maxReturn = plainReturn({
  name: "MAX",
  needs: "max",
  span: (size) => ({ start: Math.max(0, size - 1), end: size }),
  data: (results) => results.size === 0 ? undefined : `MAX ${results.at(results.size - 1)}`,
});
export const countReturn = plainReturn({
  name: "COUNT",
  needs: "all",
  data: (results) => `COUNT ${results.size}`,
});
const all: SearchReturn = {
  name: "ALL",
  needs: "all",
  data: (results) => results.size === 0 ? undefined : `ALL ${results.text(0, results.size)}`,
};
export const allReturn = plainReturn(all);
export const saveReturn = plainReturn({ name: "SAVE", savesResult: true });

/** What is told when a search has no RETURN or an empty one (RFC 9051 6.4.4). */
export const DEFAULT_RETURNS: readonly SearchReturn[] = [all];

/**
 * Reads `RETURN (option …)` if it stands here: the options in the registry's order, each once; for
 * "()" the default. Throws WireError for options that nobody registered (RFC 9051 6.4.4) and for
 * those that exclude each other.
 */
export function parseSearchReturns(
  reader: Reader,
  session: Session,
): readonly SearchReturn[] | undefined {
  if (!reader.tryExactWord("RETURN")) return undefined;
  reader.space();
  const specs = session.registry.searchReturns;
  const given = new Map<string, SearchReturn>();
  const excluded = new Set<string>();
  reader.list(() => {
    const spec = specs.get(reader.word());
    if (!spec) throw new WireError("Unknown RETURN option");
    const isRefused = excluded.has(spec.name) || spec.excludes?.some((name) => given.has(name));
    if (isRefused) throw new WireError("RETURN options that exclude each other");
    for (const name of spec.excludes ?? []) excluded.add(name);
    given.set(spec.name, spec.parse(reader, session));
  }, 0);
  if (given.size === 0) return DEFAULT_RETURNS;
  return [...specs.keys()].flatMap((name) => given.get(name) ?? []);
}

/** Whether `returns` ask that the result becomes `$`. */
export function savesResult(returns: readonly SearchReturn[] | undefined): boolean {
  return returns?.some((option) => option.savesResult) ?? false;
}

/** Whether `returns` ask that changes of the result are told. */
export function asksForUpdates(returns: readonly SearchReturn[] | undefined): boolean {
  return returns?.some((option) => option.updates) ?? false;
}

/** Whether `returns` ask how relevant the results are. */
export function asksForScores(returns: readonly SearchReturn[] | undefined): boolean {
  return returns?.some((option) => option.usesScores) ?? false;
}

/**
 * Which results become `$`: all of them, unless every option tells of some only (RFC 5182 2.4,
 * RFC 9394 3.2). Undefined: all.
 */
export function savedSpans(
  returns: readonly SearchReturn[],
  size: number,
): readonly Span[] | undefined {
  const needing = returns.filter((option) => option.needs);
  if (needing.length === 0 || needing.some((option) => option.needs === "all")) return undefined;
  return needing.map((option) => option.span?.(size) ?? { start: 0, end: size });
}

/** An option without arguments. */
export function plainReturn(option: SearchReturn): SearchReturnSpec {
  return { name: option.name, parse: () => option };
}
