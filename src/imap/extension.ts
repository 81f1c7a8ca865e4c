import type { Account, Mailbox, Predicate } from "../store/mod.ts";
import type { Reader, Writer } from "../wire/mod.ts";
import type { CommandSpec } from "./command.ts";
import type { FetchItemSpec } from "./fetch_items.ts";
import type { FetchModifierSpec } from "./fetch_modifiers.ts";
import type { ListReturnSpec, ListSelectionSpec } from "./list_options.ts";
import type { SearchContext } from "./search_keys.ts";
import type { SearchReturnSpec } from "./search_returns.ts";
import type { Session } from "./session.ts";

/**
 * One RFC's worth of protocol: everything that it adds to the tables. Wave by wave these are listed
 * in `extensions/mod.ts`; nothing else has to change for a new one.
 */
export interface Extension {
  /** Numbers of the RFCs that this implements, newest first, such as 9051. */
  readonly rfc: readonly number[];
  /** What it is, for the README's table. */
  readonly title: string;
  readonly capabilities?: readonly CapabilitySpec[];
  readonly commands?: readonly CommandSpec[];
  readonly fetchItems?: readonly FetchItemSpec[];
  readonly fetchModifiers?: readonly FetchModifierSpec[];
  readonly searchKeys?: readonly SearchKeySpec[];
  readonly searchReturns?: readonly SearchReturnSpec[];
  readonly statusItems?: readonly StatusItemSpec[];
  readonly listSelections?: readonly ListSelectionSpec[];
  readonly listReturns?: readonly ListReturnSpec[];
  /** Names that ENABLE knows (RFC 5161 3.1), with what each implies. */
  readonly enables?: readonly EnableSpec[];
}

/** A capability, and when it is announced. */
export interface CapabilitySpec {
  readonly name: string;
  /**
   * "always": before and after login. Before login only what matters before login is announced;
   * the rest would tell strangers what runs here.
   */
  readonly when: "always" | "beforeLogin" | "afterLogin";
  /** Further condition on the connection. */
  readonly if?: (session: Session) => boolean;
  /** The text where it depends on the connection, such as APPENDLIMIT=n. */
  readonly text?: (session: Session) => string;
}

/** A SEARCH key (RFC 9051 6.4.4). */
export interface SearchKeySpec {
  /** In capitals. */
  readonly name: string;
  /** Reads the arguments, the space before them included. */
  parse(reader: Reader, context: SearchContext): Predicate;
}

/** A STATUS item (RFC 9051 6.3.11). */
export interface StatusItemSpec {
  /** In capitals. */
  readonly name: string;
  /** Writes the value. */
  write(writer: Writer, mailbox: Mailbox, session: Session): void;
  /** Asking for it turns CONDSTORE on. */
  readonly enablesCondstore?: boolean;
  /** Answered in the plain set only under this condition. */
  readonly if?: (session: Session) => boolean;
}

export interface EnableSpec {
  /** In capitals, as in ENABLE and ENABLED. */
  readonly name: string;
  /** Names that are enabled with it. */
  readonly implies?: readonly string[];
}

/** Whether an account's owner has switched a capability off (Office 365 trips over some). */
export function isDisabledFor(account: Account | undefined, name: string): boolean {
  return account?.disabledCapabilities.includes(name.toUpperCase()) ?? false;
}
