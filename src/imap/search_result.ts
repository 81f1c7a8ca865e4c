import { type MailboxId, type ModSeq, RangeSet } from "../base/mod.ts";
import type { Mailbox, Predicate, SearchResult } from "../store/mod.ts";
import type { ResultList } from "./result_list.ts";
import { savedSpans, type SearchReturn } from "./search_returns.ts";
import type { Session } from "./session.ts";

/**
 * Longest line of a SEARCH response in characters. Many clients take only the first line, so there
 * is one as long as possible; Python's imaplib refuses lines over 1,000,000.
 */
const MAX_SEARCH_LINE = 900_000;

/** Searches a mailbox as far as the return options need it. */
export async function findMatches(
  session: Session,
  mailbox: MailboxId,
  predicate: Predicate,
  returns: readonly SearchReturn[],
  options: {
    /** Only these messages: those of the view. */
    within?: RangeSet;
    onProgress: (done: number, total: number) => void;
  },
): Promise<SearchResult> {
  const { store } = session.account;
  const { signal } = session;
  const needs = new Set(returns.flatMap((option) => option.needs ?? []));
  // SAVE alone saves everything (RFC 9051 6.4.4.1).
  const isWhole = needs.has("all") || needs.has("part") || needs.size === 0 ||
    returns.some((option) => option.updates);
  if (isWhole) {
    return await store.search(mailbox, predicate, { ...options, signal });
  }
  let found: SearchResult = { uids: new RangeSet(), modSeq: undefined };
  for (const only of ["min", "max"] as const) {
    if (!needs.has(only)) continue;
    found = merge(found, await store.search(mailbox, predicate, { ...options, signal, only }));
    if (found.uids.isEmpty) break;
  }
  return found;
}

function merge(a: SearchResult, b: SearchResult): SearchResult {
  const modSeq = Math.max(a.modSeq ?? 0, b.modSeq ?? 0);
  return {
    uids: a.uids.union(b.uids),
    modSeq: modSeq === 0 ? undefined : modSeq as ModSeq,
  };
}

/** Sequence numbers of messages of `view`. */
export function sequenceNumbers(uids: RangeSet, view: RangeSet): RangeSet {
  const numbers: { first: number; last: number }[] = [];
  for (const { first, last } of uids.ranges()) {
    numbers.push({ first: view.indexOf(first) + 1, last: view.indexOf(last) + 1 });
  }
  return RangeSet.fromRanges(numbers);
}

/** What becomes `$` of the UIDs that were found, in the order of the result. */
export function savedUids(found: RangeSet | readonly number[], returns: readonly SearchReturn[]) {
  const isSet = found instanceof RangeSet;
  const spans = savedSpans(returns, isSet ? found.size : found.length);
  if (!spans) return isSet ? found : setOf(found);
  return spans.map(({ start, end }) => isSet ? found.slice(start, end) : setOf(found, start, end))
    .reduce((saved, part) => saved.union(part), new RangeSet());
}

function setOf(uids: readonly number[], start = 0, end = uids.length): RangeSet {
  return RangeSet.from(uids.slice(start, end).sort((a, b) => a - b));
}

/**
 * Writes an ESEARCH response (RFC 9051 7.3.4), unless no option has anything to tell. `modSeq`: of
 * the matches, when the search used MODSEQ. `mailbox` makes it one of RFC 7377 2.1.
 */
export function writeEsearch(
  session: Session,
  results: ResultList,
  returns: readonly SearchReturn[],
  options: { byUid: boolean; modSeq: ModSeq | undefined; mailbox?: Mailbox },
): void {
  if (!returns.some((option) => option.data)) return;
  const { writer } = session.out;
  writer.raw(`* ESEARCH (TAG "${session.tag}"`);
  const { mailbox, modSeq } = options;
  if (mailbox) {
    writer.raw(" MAILBOX ").mailbox(mailbox.name).raw(` UIDVALIDITY ${mailbox.uidValidity}`);
  }
  writer.raw(options.byUid ? ") UID" : ")");
  const part = returns.find((option) => option.needs === "part");
  const told = part?.span?.(results.size) ?? { start: 0, end: results.size };
  for (const option of returns) {
    const data = option.data?.(results, told);
    if (data !== undefined) writer.raw(` ${data}`);
  }
  if (modSeq !== undefined) writer.raw(` MODSEQ ${modSeq}`);
  writer.crlf();
}

/** Writes the SEARCH response of IMAP4rev1, even if empty (RFC 3501 7.2.5, RFC 7162 3.1.6). */
export function writeSearch(
  session: Session,
  matches: RangeSet,
  modSeq: ModSeq | undefined,
): void {
  const { writer } = session.out;
  const end = modSeq === undefined ? "\r\n" : ` (MODSEQ ${modSeq})\r\n`;
  let line = "* SEARCH";
  for (const number of matches) {
    if (line.length > MAX_SEARCH_LINE) {
      writer.raw(line + end);
      line = "* SEARCH";
    }
    line += ` ${number}`;
  }
  writer.raw(line + end);
}
