import type { OrderRow, Predicate } from "../../store/mod.ts";
import type { Reader } from "../../wire/mod.ts";
import { command, SELECTED } from "../command.ts";
import type { Extension } from "../extension.ts";
import { Progress } from "../progress.ts";
import { numbersOfView, parseSearchKeys, SearchContext } from "../search_keys.ts";
import { findMatches } from "../search_result.ts";
import { DEFAULT_RETURNS } from "../search_returns.ts";
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
): Promise<OrderRow[]> {
  const view = session.selected;
  if (context.usesModSeq) session.enableCondstore();
  const progress = new Progress(session);
  const bound = context.bind(predicate, numbersOfView(view));
  const { uids } = await findMatches(session, view.mailboxId, bound, DEFAULT_RETURNS, {
    within: view.uids,
    onProgress: (done, total) => progress.report(done, total),
  });
  const rows: OrderRow[] = [];
  for await (const page of session.account.store.fetchOrder(view.mailboxId, uids)) {
    for (const row of page) rows.push(row);
  }
  await progress.settle();
  return rows;
}

/** SORT and UID SORT (RFC 5256 3), with the keys of RFC 5957. */
function sortForm(name: string, byUid: boolean) {
  return command<{ criteria: readonly SortCriterion[]; search: OrderedSearch }>({
    name,
    states: SELECTED,
    rfc: "RFC 5256 3",
    catchUp: byUid ? "all" : "noExpunge",
    takesSequenceNumbers: !byUid,
    parse(reader, session) {
      reader.space();
      const criteria = parseSortCriteria(reader);
      return { criteria, search: readOrderedSearch(reader, session) };
    },
    async run(session, { criteria, search }) {
      const { writer } = session.out;
      const rows = await findOrdered(session, search);
      const view = session.selected;
      writer.raw("* SORT");
      for (const uid of sortRows(rows, criteria)) writer.raw(` ${byUid ? uid : view.seqNum(uid)}`);
      writer.crlf();
      return { catchUp: byUid && !search.context.usesSequenceNumbers ? "all" : "noExpunge" };
    },
  });
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
