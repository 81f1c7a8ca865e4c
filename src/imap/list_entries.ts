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
  const names = new Set(mailboxes.map((mailbox) => mailbox.name));
  for (const name of await store.listMissingSubscriptions()) {
    // A mailbox may have been created between the two reads.
    if (!names.has(name)) entries.push({ ...missingEntry(name), isSubscribed: true });
  }
  return sortEntries(entries);
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

/** `entries` and those of `names` that are missing there, as names of nothing. */
export function addMissingNames(
  entries: readonly ListEntry[],
  names: Iterable<string>,
): ListEntry[] {
  const known = new Set(entries.map((entry) => entry.name));
  const missing = [...names].filter((name) => !known.has(name)).map(missingEntry);
  return sortEntries([...entries, ...missing]);
}

function missingEntry(name: string): ListEntry {
  return { name, mailbox: undefined, isSubscribed: false, hasChildren: false };
}

function sortEntries(entries: ListEntry[]): ListEntry[] {
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}
