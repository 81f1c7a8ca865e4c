import { type AccountStore, DELIMITER, type Mailbox, parentNames } from "../store/mod.ts";
import type { ListEntry } from "./list_options.ts";

/**
 * Every name that LIST considers, in the order of the names: all mailboxes and, when `missing`,
 * subscribed names without one.
 */
export async function readListEntries(
  store: AccountStore,
  options: { missing: boolean },
): Promise<ListEntry[]> {
  const mailboxes = await store.listMailboxes();
  const parents = new Set<string>();
  for (const { name } of mailboxes) {
    const end = name.lastIndexOf(DELIMITER);
    if (end > 0) parents.add(name.slice(0, end));
  }
  const entries = mailboxes.map((mailbox) => entryOf(mailbox, parents.has(mailbox.name)));
  if (!options.missing) return entries;
  return addMissingNames(entries, await store.listMissingSubscriptions(), { isSubscribed: true });
}

export function entryOf(mailbox: Mailbox, hasChildren: boolean): ListEntry {
  return { name: mailbox.name, mailbox, isSubscribed: mailbox.subscribed, hasChildren };
}

/**
 * For every name above one of `selected`, whether something selected below it is not listed itself:
 * only then is a name worth listing for its children's sake (RFC 9051 6.3.9.3, 6.3.9.6).
 */
export function findParents(
  selected: Iterable<ListEntry>,
  isListed: (entry: ListEntry) => boolean,
): Map<string, boolean> {
  const parents = new Map<string, boolean>();
  for (const entry of selected) {
    const isHidden = !isListed(entry);
    for (const name of parentNames(entry.name)) {
      parents.set(name, isHidden || parents.get(name) === true);
    }
  }
  return parents;
}

/** `entries` and those of `names` that are not among them, as names without a mailbox. */
export function addMissingNames(
  entries: ListEntry[],
  names: Iterable<string>,
  options: { isSubscribed: boolean },
): ListEntry[] {
  const known = new Set(entries.map((entry) => entry.name));
  const missing = [...names].filter((name) => !known.has(name));
  if (missing.length === 0) return entries;
  const { isSubscribed } = options;
  return [
    ...entries,
    ...missing.map((name) => ({ name, mailbox: undefined, isSubscribed, hasChildren: false })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}
