import { RangeSet } from "../base/mod.ts";
import { type Reader, WireError } from "../wire/mod.ts";
import { ImapError } from "./imap_error.ts";
import { parseSearchProgram, type SearchContext, type SearchProgram } from "./search_keys.ts";
import {
  asksForScores,
  asksForUpdates,
  parseSearchReturns,
  savesResult,
  type SearchReturn,
} from "./search_returns.ts";
import type { Session } from "./session.ts";
import type { SortCriterion } from "./sort_order.ts";

/** The arguments that SEARCH, UID SEARCH and ESEARCH have in common. */
export interface SearchArguments {
  /** Undefined when there was no RETURN. */
  readonly returns: readonly SearchReturn[] | undefined;
  /** The result becomes `$`. */
  readonly saves: boolean;
  readonly program: SearchProgram;
}

/**
 * Reads `[RETURN ([option ...]) SP] [CHARSET charset SP] key *(SP key)`. SAVE and UPDATE are a
 * WireError unless `isSelected`: the search is of the selected mailbox alone (RFC 7377 2.1).
 */
export function parseSearchArguments(
  reader: Reader,
  session: Session,
  isSelected: boolean,
): SearchArguments {
  const returns = parseReturns(reader, session);
  const saves = savesResult(returns);
  if (!isSelected && (saves || asksForUpdates(returns))) {
    throw new WireError("SAVE and UPDATE are for the selected mailbox alone");
  }
  return emptyingSaved(session, saves, () => {
    const program = parseSearchProgram(reader, session);
    checkRelevancy(program.context, returns);
    return { returns, saves, program };
  });
}

/**
 * Reads `[RETURN ([option ...]) SP]`. UPDATE under a tag whose result is being updated is a
 * WireError (RFC 5267 4.3).
 */
export function parseReturns(
  reader: Reader,
  session: Session,
): readonly SearchReturn[] | undefined {
  const returns = parseSearchReturns(reader, session);
  if (returns) reader.space();
  if (asksForUpdates(returns) && session.view?.followed.has(session.tag)) {
    throw new WireError("Tag of a search that is being updated");
  }
  return returns;
}

/** RELEVANCY without a FUZZY key is a WireError (RFC 6203 4, 6). */
export function checkRelevancy(
  { isFuzzy }: SearchContext,
  returns: readonly SearchReturn[] | undefined,
  criteria: readonly SortCriterion[] = [],
): void {
  if (isFuzzy) return;
  if (asksForScores(returns) || criteria.some(({ key }) => key === "RELEVANCY")) {
    throw new WireError("RELEVANCY needs a FUZZY key");
  }
}

/**
 * Reads the rest with `read`: a NO empties `$` where SAVE was asked, which a BAD does not
 * (RFC 9051 6.4.4.1).
 */
export function emptyingSaved<T>(session: Session, saves: boolean, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (saves && error instanceof ImapError && error.status === "NO") {
      session.selected.savedResult = new RangeSet();
    }
    throw error;
  }
}
