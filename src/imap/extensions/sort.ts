import { type ModSeq, RangeSet } from "../../base/mod.ts";
import type { OrderRow, Predicate } from "../../store/mod.ts";
import type { Reader } from "../../wire/mod.ts";
import { command, SELECTED } from "../command.ts";
import type { Extension } from "../extension.ts";
import { follow, followFrom, refuseToFollow } from "../followed_search.ts";
import { addressedBy, checkMessageLimit } from "../message_limit.ts";
import { Progress } from "../progress.ts";
import { scoreMessages, type Scores } from "../relevancy.ts";
import { listInOrder } from "../result_list.ts";
import { checkRelevancy, emptyingSaved, parseReturns } from "../search_arguments.ts";
import { numbersOfView, parseSearchKeys, SearchContext } from "../search_keys.ts";
import { findMatches, savedUids, writeEsearch } from "../search_result.ts";
import {
  asksForScores,
  asksForUpdates,
  DEFAULT_RETURNS,
  savesResult,
  type SearchReturn,
} from "../search_returns.ts";
import { searchDecoder } from "../search_text.ts";
import type { Session } from "../session.ts";
import { parseSortCriteria, type SortCriterion, sortRows } from "../sort_order.ts";

/** A search as SORT and THREAD have it: the charset is not optional (RFC 5256 5). */
export interface OrderedSearch {
  readonly context: SearchContext;
  readonly predicate: Predicate;
}

/** Reads ` charset key *(SP key)`. */
export function readOrderedSearch(reader: Reader, session: Session): OrderedSearch {
  reader.space();
  const charset = reader.astring();
  reader.space();
  const context = new SearchContext(session, searchDecoder(charset));
  return { context, predicate: parseSearchKeys(reader, context) };
}

/** What matches in the selected mailbox, with what it is ordered by, ascending by UID. */
export async function findOrdered(
  session: Session,
  { context, predicate }: OrderedSearch,
): Promise<{ rows: OrderRow[]; modSeq: ModSeq | undefined }> {
  const view = session.selected;
  if (context.usesModSeq) session.enableCondstore();
  const progress = new Progress(session);
  const bound = context.bind(predicate, numbersOfView(view));
  // Part of an order, or of conversations, would be none.
  checkMessageLimit(session, addressedBy(bound, view.uids).size);
  // What is read to order by is of the live messages anyway.
  const { uids, modSeq } = bound.op === "all"
    ? { uids: view.uids, modSeq: undefined }
    : await findMatches(session, view.mailboxId, bound, DEFAULT_RETURNS, {
      within: view.uids,
      onProgress: (done, total) => progress.report(done, total),
    });
  const rows: OrderRow[] = [];
  for await (const page of session.account.store.fetchOrder(view.mailboxId, uids)) {
    for (const row of page) rows.push(row);
  }
  await progress.settle();
  // The highest of the matches, told when MODSEQ was asked for (RFC 7162 3.1.9).
  return { rows, modSeq: context.usesModSeq ? modSeq : undefined };
}

interface SortArguments {
  /** Undefined for the SORT of RFC 5256, which has no RETURN. */
  readonly returns: readonly SearchReturn[] | undefined;
  readonly criteria: readonly SortCriterion[];
  readonly search: OrderedSearch;
}

/** SORT and UID SORT (RFC 5256 3), with the keys of RFC 5957, and with RETURN (RFC 5267 3). */
function sortForm(name: string, byUid: boolean) {
  return command<SortArguments>({
    name,
    states: SELECTED,
    rfc: "RFC 5256 3",
    catchUp: byUid ? "all" : "noExpunge",
    takesSequenceNumbers: !byUid,
    parse(reader, session) {
      reader.space();
      const returns = parseReturns(reader, session);
      return emptyingSaved(session, savesResult(returns), () => {
        const criteria = parseSortCriteria(reader);
        const search = readOrderedSearch(reader, session);
        checkRelevancy(search.context, returns, criteria);
        return { returns, criteria, search };
      });
    },
    async run(session, { returns, criteria, search }) {
      const view = session.selected;
      const saves = savesResult(returns);
      if (saves) view.savedResult = new RangeSet();
      const since = asksForUpdates(returns) ? await followFrom(session) : undefined;
      const { rows, modSeq } = await findOrdered(session, search);
      const isByRelevancy = criteria.some(({ key }) => key === "RELEVANCY");
      const scores = isByRelevancy || asksForScores(returns)
        ? await scoreRows(session, rows, search)
        : undefined;
      const uids = sortRows(rows, criteria, scores);
      const numbers = byUid ? uids : uids.map((uid) => view.seqNum(uid));
      if (returns) {
        const results = listInOrder(numbers, scores && uids.map((uid) => scores.get(uid) ?? 1));
        writeEsearch(session, results, returns, { byUid, modSeq });
      } else writeSort(session, numbers, modSeq);
      if (saves && returns) view.savedResult = savedUids(uids, returns);
      if (since && isByRelevancy) refuseToFollow(session, "Relevancy is not kept up to date");
      else if (since) follow(session, { ...search, byUid, since }, uids, criteria);
      return { catchUp: byUid && !search.context.usesSequenceNumbers ? "all" : "noExpunge" };
    },
  });
}

async function scoreRows(
  session: Session,
  rows: readonly OrderRow[],
  { context }: OrderedSearch,
): Promise<Scores> {
  const uids = RangeSet.from(rows.map(({ uid }) => uid));
  return await scoreMessages(session, session.selected.mailboxId, uids, context.fuzzyKeys);
}

function writeSort(
  { out }: Session,
  numbers: readonly number[],
  modSeq: ModSeq | undefined,
): void {
  const end = modSeq === undefined ? "" : ` (MODSEQ ${modSeq})`;
  out.untagged(["SORT", ...numbers].join(" ") + end);
}

/** Messages in an order (RFC 5256), also by the names that people read (RFC 5957). */
export const sort: Extension = {
  rfc: [5957, 5256],
  title: "SORT and SORT=DISPLAY: messages in an order",
  capabilities: [
    { name: "SORT", when: "afterLogin" },
    { name: "SORT=DISPLAY", when: "afterLogin" },
  ],
  commands: [sortForm("SORT", false), sortForm("UID SORT", true)],
};
