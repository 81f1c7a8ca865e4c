import type { MailboxId } from "../base/mod.ts";
import { DELIMITER, parseMailboxName, StoreError } from "../store/mod.ts";
import { type Reader, WireError } from "../wire/mod.ts";

/** Which mailboxes are meant: `filter-mailboxes` of RFC 5465 6, with RFC 7377 2.2's SUBTREE-ONE. */
export type MailboxFilter =
  | { readonly kind: "SELECTED" | "INBOXES" | "PERSONAL" | "SUBSCRIBED" }
  | {
    readonly kind: "SUBTREE" | "SUBTREE-ONE" | "MAILBOXES";
    /** In the form in which names are stored. */
    readonly names: ReadonlySet<string>;
  };

/** Reads one filter. SELECTED-DELAYED is NOTIFY's own. */
export function parseMailboxFilter(reader: Reader): MailboxFilter {
  const kind = reader.word();
  switch (kind) {
    case "SELECTED":
    case "INBOXES":
    case "PERSONAL":
    case "SUBSCRIBED":
      return { kind };
    case "SUBTREE":
    case "SUBTREE-ONE":
    case "MAILBOXES":
      reader.space();
      return { kind, names: parseNames(reader) };
    default:
      throw new WireError("Unknown kind of mailboxes");
  }
}

/** What filters look at: a mailbox, or a name without one. */
export interface MailboxFacts {
  readonly id: MailboxId | undefined;
  readonly name: string;
  readonly subscribed: boolean;
}

/** Whether the filter means `mailbox`; `selected` is the selected one, if there is one. */
export function isMeant(
  filter: MailboxFilter,
  mailbox: MailboxFacts,
  selected: MailboxId | undefined,
): boolean {
  const { name } = mailbox;
  switch (filter.kind) {
    case "SELECTED":
      return selected !== undefined && mailbox.id === selected;
    case "INBOXES":
      // Mail is delivered to INBOX, and to mailboxes below it when a rule says so.
      return name === "INBOX" || name.startsWith(`INBOX${DELIMITER}`);
    case "PERSONAL":
      return true;
    case "SUBSCRIBED":
      return mailbox.subscribed;
    case "MAILBOXES":
      return filter.names.has(name);
    case "SUBTREE-ONE":
      return filter.names.has(name) || filter.names.has(parentOf(name));
    case "SUBTREE":
      for (let level = name; level !== ""; level = parentOf(level)) {
        if (filter.names.has(level)) return true;
      }
      return false;
  }
}

/** One name, or several in parentheses. A name that no mailbox can have names none. */
function parseNames(reader: Reader): ReadonlySet<string> {
  const given = reader.peek() === "(" ? reader.list(() => reader.mailbox()) : [reader.mailbox()];
  const names = new Set<string>();
  for (const name of given) {
    try {
      names.add(parseMailboxName(name));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
  }
  return names;
}

/** The name one level up, "" at the top. */
function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(DELIMITER)));
}
