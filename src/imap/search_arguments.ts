import { RangeSet } from "../base/mod.ts";
import { type Reader, WireError } from "../wire/mod.ts";
import { ImapError } from "./imap_error.ts";
import { parseSearchProgram, type SearchProgram } from "./search_keys.ts";
import { parseSearchReturns, savesResult, type SearchReturn } from "./search_returns.ts";
import type { Session } from "./session.ts";

/** The arguments that SEARCH, UID SEARCH and ESEARCH have in common. */
export interface SearchArguments {
  /** Undefined when there was no RETURN. */
  readonly returns: readonly SearchReturn[] | undefined;
  /** The result becomes `$`. */
  readonly saves: boolean;
  readonly program: SearchProgram;
}

/**
 * Reads `[RETURN ([option ...]) SP] [CHARSET charset SP] key *(SP key)`. SAVE is a WireError unless
 * `maySave`. A NO empties `$` where SAVE was asked, which a BAD does not (RFC 9051 6.4.4.1).
 */
export function parseSearchArguments(
  reader: Reader,
  session: Session,
  maySave: boolean,
): SearchArguments {
  const returns = parseSearchReturns(reader, session);
  if (returns) reader.space();
  const saves = savesResult(returns);
  if (saves && !maySave) throw new WireError("SAVE is for the selected mailbox alone");
  try {
    return { returns, saves, program: parseSearchProgram(reader, session) };
  } catch (error) {
    if (saves && error instanceof ImapError && error.status === "NO") {
      session.selected.savedResult = new RangeSet();
    }
    throw error;
  }
}
