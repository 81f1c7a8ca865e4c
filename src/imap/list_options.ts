import type { Mailbox } from "../store/mod.ts";
import type { Reader } from "../wire/mod.ts";
import type { Session } from "./session.ts";

/** A name that LIST considers: a mailbox, or a subscription to one that does not exist. */
export interface ListEntry {
  readonly name: string;
  readonly mailbox: Mailbox | undefined;
  readonly isSubscribed: boolean;
  readonly hasChildren: boolean;
}

/** A selection option of LIST (RFC 5258 3.1). */
export interface ListSelectionSpec {
  /** In capitals. */
  readonly name: string;
  /** Which names it selects; a modifier of other options selects nothing itself. */
  readonly selects?: (entry: ListEntry) => boolean;
  /** It makes the return option of this name implied (RFC 5258 3.1: SUBSCRIBED). */
  readonly implies?: string;
}

/** A return option of LIST (RFC 5258 3.2), found by its name. */
export interface ListReturnSpec {
  /** In capitals. */
  readonly name: string;
  /** Reads the option's arguments, the space before them included. */
  parse(reader: Reader, session: Session): ListReturn;
}

/** A return option with its arguments. */
export interface ListReturn {
  readonly name: string;
  /** Attributes that it adds to an entry's LIST response. */
  readonly attributes?: (entry: ListEntry, session: Session) => readonly string[];
  /**
   * Writes further responses right after an entry's LIST response. Like `afterAll` it gets only
   * mailboxes that exist and satisfy the selection themselves (RFC 5819 3, RFC 8440 4).
   */
  readonly afterEntry?: (entry: ListEntry, session: Session) => void;
  /** Writes further responses after all LIST responses. */
  readonly afterAll?: (entries: readonly ListEntry[], session: Session) => Promise<void>;
}
