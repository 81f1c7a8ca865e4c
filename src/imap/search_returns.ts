import type { RangeSet } from "../base/mod.ts";
import { type Reader, WireError } from "../wire/mod.ts";
import type { Session } from "./session.ts";

/** An option of RETURN in SEARCH and ESEARCH (RFC 9051 6.4.4, RFC 4466 2.6), found by its name. */
export interface SearchReturnSpec {
  /** In capitals. */
  readonly name: string;
  /** Reads the option's arguments, the space before them included. */
  parse(reader: Reader, session: Session): SearchReturn;
}

/** A return option with its arguments. */
export interface SearchReturn {
  readonly name: string;
  /** How much of the result it tells of; undefined: nothing. The search stops when all is known. */
  readonly needs?: "min" | "max" | "all";
  /**
   * Name and value for the ESEARCH response, from the matches as sequence numbers or UIDs;
   * undefined where there is nothing to say.
   */
  data?(matches: RangeSet): string | undefined;
  /** The result becomes `$` (RFC 5182 2.1). */
  readonly savesResult?: boolean;
}

export const minReturn = plainReturn({
  name: "MIN",
  needs: "min",
  data: ({ first }) => first === undefined ? undefined : `MIN ${first}`,
});
export const maxReturn = plainReturn({
  name: "MAX",
  needs: "max",
  data: ({ last }) => last === undefined ? undefined : `MAX ${last}`,
});
export const countReturn = plainReturn({
  name: "COUNT",
  needs: "all",
  data: (matches) => `COUNT ${matches.size}`,
});
const all: SearchReturn = {
  name: "ALL",
  needs: "all",
  data: (matches) => matches.isEmpty ? undefined : `ALL ${matches}`,
};
export const allReturn = plainReturn(all);
export const saveReturn = plainReturn({ name: "SAVE", savesResult: true });

/** What is told when a search has no RETURN or an empty one (RFC 9051 6.4.4). */
export const DEFAULT_RETURNS: readonly SearchReturn[] = [all];

/**
 * Reads `RETURN (option …)` if it stands here: the options in the registry's order, each once; for
 * "()" the default. Throws WireError for options that nobody registered (RFC 9051 6.4.4).
 */
export function parseSearchReturns(
  reader: Reader,
  session: Session,
): readonly SearchReturn[] | undefined {
  if (!reader.tryExactWord("RETURN")) return undefined;
  reader.space();
  const specs = session.registry.searchReturns;
  const given = new Map<string, SearchReturn>();
  reader.list(() => {
    const spec = specs.get(reader.word());
    if (!spec) throw new WireError("Unknown RETURN option");
    given.set(spec.name, spec.parse(reader, session));
  }, 0);
  if (given.size === 0) return DEFAULT_RETURNS;
  return [...specs.keys()].flatMap((name) => given.get(name) ?? []);
}

/** Whether `returns` ask that the result becomes `$`. */
export function savesResult(returns: readonly SearchReturn[] | undefined): boolean {
  return returns?.some((option) => option.savesResult) ?? false;
}

function plainReturn(option: SearchReturn): SearchReturnSpec {
  return { name: option.name, parse: () => option };
}
