import type { Responder, View } from "../session.ts";
import { ALL_SYSTEM_FLAGS, COMMON_KEYWORDS } from "./flags.ts";

/** The FLAGS response and, unless read-only, PERMANENTFLAGS (RFC 9051 7.3.5, 7.1). */
export function writeFlagLists(
  out: Responder,
  keywords: Iterable<string>,
  isReadOnly: boolean,
): void {
  const all = new Map(COMMON_KEYWORDS.map((name) => [name.toLowerCase(), name]));
  for (const name of keywords) all.set(name.toLowerCase(), name);
  const flags = [ALL_SYSTEM_FLAGS, ...all.values()].join(" ");
  out.untagged(`FLAGS (${flags})`);
  const permanent = isReadOnly ? "" : `${flags} \\*`;
  out.untagged(`OK [PERMANENTFLAGS (${permanent})] Flags that are kept`);
}

/**
 * Announces keywords that the client has not been told of, before a response uses them.
 * `keywords`: of one message or of the mailbox.
 */
export function announceKeywords(out: Responder, view: View, keywords: readonly string[]): void {
  const unknown = keywords.filter((name) => !view.keywords.has(name.toLowerCase()));
  if (unknown.length === 0) return;
  for (const name of unknown) view.keywords.set(name.toLowerCase(), name);
  writeFlagLists(out, view.keywords.values(), view.isReadOnly);
}
