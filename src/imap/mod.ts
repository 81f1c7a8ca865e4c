/**
 * imap: what the protocol means. Laws: commands, items, keys and options are data in the registry's
 * tables, and an extension is one file and one line in `extensions/mod.ts`; a command reaches the
 * client and the store through `Session` alone; it makes one call to the store, never one for each
 * message; it fails by throwing, and answers before it is durable never.
 */
import { core } from "./core.ts";
import type { Extension } from "./extension.ts";
import { extensions } from "./extensions/mod.ts";
import { Registry } from "./registry.ts";

export * from "./capabilities.ts";
export * from "./command.ts";
export type { CapabilitySpec, Extension } from "./extension.ts";
export { type FollowedSearch, tellFollowed } from "./followed_search.ts";
export { writeExpunges } from "./format/expunge.ts";
export { writeFlagsResponse } from "./format/fetch_response.ts";
export { announceKeywords } from "./format/keywords.ts";
export * from "./imap_error.ts";
export { readListEntries } from "./list_entries.ts";
export * from "./mailbox_news.ts";
export { writeNewMessages } from "./new_messages.ts";
export { NO_NOTICES, type NotifyWish, type SelectedWish } from "./notify_wish.ts";
export { Registry } from "./registry.ts";
export * from "./session.ts";
export { concernsAdmin, storeFailure } from "./store_failure.ts";

/** The protocol with every extension but those that announce one of `without`. */
export function createRegistry(without: readonly string[] = []): Registry {
  const isWanted = ({ capabilities = [] }: Extension) =>
    !capabilities.some(({ name }) => without.includes(name));
  return new Registry([core, ...extensions.filter(isWanted)]);
}
