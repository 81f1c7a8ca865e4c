import type { MailboxId } from "../base/mod.ts";
import { DELIMITER, type Mailbox, type MailboxEvent } from "../store/mod.ts";
import type { StatusItemSpec } from "./extension.ts";
import { baseAttributes, writeListResponse } from "./format/list_response.ts";
import type { ListEntry } from "./list_options.ts";
import type { MailboxFacts } from "./mailbox_filter.ts";
import { writeChangedEntries } from "./metadata_entries.ts";
import { isWanted, isWantedAnywhere, type NotifyEvent, type NotifyWish } from "./notify_wish.ts";
import type { Session } from "./session.ts";
import { writeStatus } from "./status_items.ts";

/** One response about a mailbox as a whole that a client did not ask for. */
export type MailboxNews =
  | { readonly kind: "list"; readonly entry: ListEntry; readonly oldName: string | undefined }
  | { readonly kind: "metadata"; readonly name: string; readonly entries: Set<string> };

/** Whose interest the news must meet. */
export interface NewsFilter {
  readonly wish: NotifyWish;
  /** ENABLE METADATA was given: all changes of metadata are told (RFC 5464 4.1). */
  readonly allMetadata: boolean;
}

/**
 * What `events`, in their order, come down to for a client: attributes are those that hold now
 * (`entries`: all names that LIST considers), so a name that is told twice is told once, where it
 * came last. Pure.
 */
export function foldMailboxEvents(
  events: readonly MailboxEvent[],
  entries: readonly ListEntry[],
  filter: NewsFilter,
): MailboxNews[] {
  const fold = new Fold(entries, filter);
  for (const event of events) fold.add(event);
  // Metadata under the names that mailboxes have in the end, so after the lists that tell them.
  const news = [...fold.news.values()];
  return [
    ...news.filter(({ kind }) => kind === "list"),
    ...news.filter(({ kind }) => kind === "metadata"),
  ];
}

class Fold {
  readonly news = new Map<string, MailboxNews>();
  readonly #byName: ReadonlyMap<string, ListEntry>;
  readonly #byId: ReadonlyMap<number, ListEntry>;
  readonly #filter: NewsFilter;
  #renames = 0;
  /** The last rename that was told: mailboxes below it are not named again (RFC 5465 5.4). */
  #tree: { readonly modSeq: number; readonly from: string } | undefined;

  constructor(entries: readonly ListEntry[], filter: NewsFilter) {
    this.#byName = new Map(entries.map((entry) => [entry.name, entry]));
    this.#byId = new Map(
      entries.flatMap((entry) => entry.mailbox ? [[entry.mailbox.id, entry]] : []),
    );
    this.#filter = filter;
  }

  add(event: MailboxEvent): void {
    switch (event.kind) {
      case "created":
      case "deleted":
        this.#addName("MailboxName", event.name);
        // RFC 5465 5.4: the parent is affected too; whether it has children may have changed.
        this.#addParent(event.name);
        break;
      case "specialUse":
        this.#addName("MailboxName", event.name);
        break;
      case "subscribed":
      case "unsubscribed":
        this.#addName("SubscriptionChange", event.name);
        break;
      case "renamed":
        this.#addRename(event);
        break;
      case "metadata":
        this.#addMetadata(event);
    }
  }

  #addName(kind: NotifyEvent, name: string): void {
    const entry = this.#entry(name);
    if (!isWanted(this.#filter.wish, kind, factsOf(entry))) return;
    const key = `list ${name}`;
    this.news.delete(key);
    this.news.set(key, { kind: "list", entry, oldName: undefined });
  }

  #addParent(name: string): void {
    const end = name.lastIndexOf(DELIMITER);
    const parent = name.slice(0, Math.max(0, end));
    // Where it was told already it stays, before what is below it.
    if (parent !== "" && !this.news.has(`list ${parent}`)) this.#addName("MailboxName", parent);
  }

  #addRename({ name, oldName, modSeq, mailboxId }: MailboxEvent & { kind: "renamed" }): void {
    const tree = this.#tree;
    if (tree?.modSeq === modSeq && oldName.startsWith(tree.from + DELIMITER)) return;
    const entry = this.#renamedEntry(name, mailboxId);
    const { wish } = this.#filter;
    const isTold = isWanted(wish, "MailboxName", factsOf(entry)) ||
      isWanted(wish, "MailboxName", { ...factsOf(entry), name: oldName });
    if (!isTold) return;
    this.#tree = { modSeq, from: oldName };
    // What was told of the tree is as it is after the rename: it must not be moved by it once more.
    const early = [...this.news].filter(([key, news]) =>
      key.startsWith("list ") && news.kind === "list" && isWithin(news.entry.name, oldName)
    );
    for (const [key] of early) this.news.delete(key);
    this.news.set(`renamed ${++this.#renames}`, { kind: "list", entry, oldName });
    for (const [key, news] of early) this.news.set(key, news);
    if (early.length === 0) return;
    // The client may not have heard of some of those below.
    for (const below of this.#byName.keys()) {
      if (below !== name && isWithin(below, name)) this.#addName("MailboxName", below);
    }
  }

  #addMetadata({ mailboxId, entries }: MailboxEvent & { kind: "metadata" }): void {
    const { wish, allMetadata } = this.#filter;
    let name = "";
    if (mailboxId === undefined) {
      if (!allMetadata && !isWantedAnywhere(wish, "ServerMetadataChange")) return;
    } else {
      const entry = this.#byId.get(mailboxId);
      if (!entry) return;
      const isTold = allMetadata || isWanted(wish, "MailboxMetadataChange", factsOf(entry));
      if (!isTold) return;
      name = entry.name;
    }
    const key = `metadata ${name}`;
    const known = this.news.get(key);
    if (known?.kind === "metadata") { for (const entry of entries) known.entries.add(entry); }
    else this.news.set(key, { kind: "metadata", name, entries: new Set(entries) });
  }

  /**
   * The mailbox under the name that it was given, though that may be another's by now. When it was
   * renamed again it is told as it was in between: a client that heard of \NonExistent would take it
   * for gone.
   */
  #renamedEntry(name: string, id: MailboxId | undefined): ListEntry {
    const entry = this.#entry(name);
    if (id === undefined || entry.mailbox?.id === id) return entry;
    const { isSubscribed } = entry;
    const renamed = this.#byId.get(id) ?? { mailbox: undefined, hasChildren: false };
    return { ...renamed, name, isSubscribed };
  }

  /** The name as it is now; one that is not there has no mailboxes below it either. */
  #entry(name: string): ListEntry {
    return this.#byName.get(name) ??
      { name, mailbox: undefined, isSubscribed: false, hasChildren: false };
  }
}

function isWithin(name: string, tree: string): boolean {
  return name === tree || name.startsWith(tree + DELIMITER);
}

function factsOf({ name, mailbox, isSubscribed }: ListEntry): MailboxFacts {
  return { id: mailbox?.id, name, subscribed: isSubscribed };
}

export function writeMailboxNews({ out: { writer } }: Session, news: MailboxNews): void {
  if (news.kind === "metadata") return writeChangedEntries(writer, news.name, news.entries);
  const { entry, oldName } = news;
  const attributes = baseAttributes(entry);
  if (entry.isSubscribed) attributes.push("\\Subscribed");
  writeListResponse(writer, { attributes, name: entry.name, oldName });
}

/** What happened to the messages of a mailbox that is not selected. */
export type MessageNews = "messages" | "flags";

/** What of the news since `since` the client wants to hear; undefined: nothing. */
export function messageNews(
  wish: NotifyWish,
  mailbox: Mailbox,
  since: number,
): MessageNews | undefined {
  const { appendSeq, expungeSeq, createSeq, flagSeq } = mailbox;
  // A mailbox that was made since may stand where another was: with another UIDVALIDITY.
  const haveMessages = Math.max(appendSeq, expungeSeq, createSeq) > since;
  if (haveMessages && isWanted(wish, "MessageNew", mailbox)) return "messages";
  return flagSeq > since && isWanted(wish, "FlagChange", mailbox) ? "flags" : undefined;
}

/**
 * STATUS of a mailbox that is not selected: what RFC 5465 5.1 to 5.3 ask for, and UIDVALIDITY and
 * UNSEEN always. `modSeq`: HIGHESTMODSEQ too, as under CONDSTORE.
 */
export function writeMessageNews(
  session: Session,
  mailbox: Mailbox,
  news: MessageNews,
  { modSeq }: { modSeq: boolean },
): void {
  const names = news === "messages"
    ? ["MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN"]
    : ["UIDVALIDITY", "UNSEEN"];
  if (modSeq) names.push("HIGHESTMODSEQ");
  const { statusItems } = session.registry;
  const items = names.map((name) => statusItems.get(name))
    .filter((item): item is StatusItemSpec => item !== undefined);
  writeStatus(session, mailbox, items);
}
