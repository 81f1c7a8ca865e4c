import { MAX_UINT32, RangeSet } from "../base/mod.ts";
import {
  type AccountStore,
  type ChangeCursor,
  type OrderRow,
  type Predicate,
  StoreError,
} from "../store/mod.ts";
import { MAX_FOLLOWED_RESULTS, MAX_FOLLOWED_SEARCHES } from "./limits.ts";
import { type FollowedOrder, MailboxOrder, SortedOrder } from "./followed_order.ts";
import { numbersOfView, type SearchContext } from "./search_keys.ts";
import type { Modes, Responder, Session, View } from "./session.ts";
import { compareRows, type SortCriterion } from "./sort_order.ts";

/** A search as it was asked, to be asked again of what changed. */
export interface FollowedQuery {
  readonly context: SearchContext;
  readonly predicate: Predicate;
  readonly byUid: boolean;
  /** Where the log was before the search began. */
  readonly since: ChangeCursor;
}

/** A search whose changes are told with ADDTO and REMOVEFROM (RFC 5267 4.3). */
export class FollowedSearch {
  readonly #tag: string;
  readonly #query: FollowedQuery;
  readonly #frozen: { readonly predicate: Predicate; readonly isBound: boolean };
  readonly #order: FollowedOrder;
  #cursor: ChangeCursor;
  /** Messages above this have not been looked at. */
  #highest: number;
  #lastNumbers = "";

  constructor(session: Session, query: FollowedQuery, order: FollowedOrder) {
    const view = session.selected;
    this.#tag = session.tag;
    this.#query = query;
    this.#frozen = query.context.freeze(query.predicate, numbersOfView(view));
    this.#order = order;
    this.#cursor = query.since;
    this.#highest = view.uids.last ?? 0;
    this.#hasNewNumbers(view);
  }

  /** Tells that those of `uids` that were results are none any more. They are still in the view. */
  remove(out: Responder, view: View, modes: Modes, uids: RangeSet): void {
    const numbers = this.#numbers(view, modes);
    this.#write(out, modes, this.#order.remove(uids, numbers));
  }

  /** Looks at what changed and came, and tells what that changed in the result. */
  async update(session: Session, view: View): Promise<void> {
    const { store } = session.account;
    const fresh = view.uids.intersect(RangeSet.range(this.#highest + 1, MAX_UINT32));
    const changed = await this.#readChanges(store, view);
    this.#highest = Math.max(this.#highest, view.uids.last ?? 0);
    const gone = view.pendingExpunges;
    let looked = fresh.union(RangeSet.from(changed).intersect(view.uids)).difference(gone);
    if (!this.#frozen.isBound && (this.#hasNewNumbers(view) || !looked.isEmpty)) {
      // Keys that mean other messages now may have changed the answer for any of them.
      looked = view.uids.difference(gone);
    }
    let found = new RangeSet();
    if (!looked.isEmpty) {
      const { context } = this.#query;
      const predicate = context.bind(this.#frozen.predicate, numbersOfView(view));
      found = (await store.search(view.mailboxId, predicate, { within: looked })).uids;
    }
    const numbers = this.#numbers(view, session.modes);
    const removed = this.#order.remove(looked.difference(found).union(gone), numbers);
    const added = await this.#order.add(found, numbers, async (uids) => {
      const rows: OrderRow[] = [];
      for await (const page of store.fetchOrder(view.mailboxId, uids)) rows.push(...page);
      return rows;
    });
    this.#write(session.out, session.modes, removed + added);
  }

  /** Whether `*` or \Recent may mean other messages than when this was last asked. */
  #hasNewNumbers({ uids, recent }: View): boolean {
    const numbers = `${uids.size} ${uids.last} ${recent.size}`;
    const isNew = numbers !== this.#lastNumbers;
    this.#lastNumbers = numbers;
    return isNew;
  }

  /** UIDs of messages that changed since this was last asked, ascending. */
  async #readChanges(store: AccountStore, view: View): Promise<number[]> {
    const changed = new Set<number>();
    for (;;) {
      const since = this.#cursor;
      const changes = await store.messageChanges({
        mailbox: view.mailboxId,
        since,
        afterUid: view.uids.last ?? 0,
        claimRecent: false,
      });
      for (const { uid } of changes.changed) changed.add(uid);
      this.#cursor = changes.cursor;
      // What came meanwhile fills the pages, and is not asked for here.
      const isStuck = since.modSeq === changes.cursor.modSeq && since.uid === changes.cursor.uid;
      if (!changes.more || isStuck) return [...changed].sort((a, b) => a - b);
    }
  }

  #numbers(view: View, modes: Modes): (uid: number) => number {
    return this.#query.byUid || modes.uidOnly ? (uid) => uid : (uid) => view.seqNum(uid);
  }

  #write(out: Responder, modes: Modes, data: string): void {
    if (data === "") return;
    const isUid = this.#query.byUid || modes.uidOnly;
    out.untagged(`ESEARCH (TAG "${this.#tag}")${isUid ? " UID" : ""}${data}`);
  }
}

/** Where the log is now, to be read before a search that is then followed. */
export async function followFrom(session: Session): Promise<ChangeCursor> {
  return { modSeq: await session.account.store.latestModSeq(), uid: 0 };
}

/**
 * Follows the search from now on, or says why not (RFC 5267 4.3.1). `found`: its results, in their
 * order for a SORT with `criteria`.
 */
export function follow(
  session: Session,
  query: FollowedQuery,
  found: RangeSet | readonly number[],
  criteria: readonly SortCriterion[] = [],
): void {
  const { followed } = session.selected;
  const refusal = followed.size >= MAX_FOLLOWED_SEARCHES
    ? "Too many searches are updated"
    : !(found instanceof RangeSet) && found.length > MAX_FOLLOWED_RESULTS
    ? "Too many results to keep in order"
    : undefined;
  if (refusal) return refuseToFollow(session, refusal);
  const order = found instanceof RangeSet
    ? new MailboxOrder(found)
    : new SortedOrder(found, compareRows(criteria));
  followed.set(session.tag, new FollowedSearch(session, query, order));
}

/** Says that changes of the result will not be told, and why. */
export function refuseToFollow({ out, tag }: Session, reason: string): void {
  out.untagged(`NO [NOUPDATE "${tag}"] ${reason}`);
}

/** Tells what changed in the results of the searches that are followed. */
export async function tellFollowed(session: Session): Promise<void> {
  const { view } = session;
  if (!view || view.isDeleted) return;
  try {
    for (const search of view.followed.values()) {
      await search.update(session, view);
      await session.out.relieve();
    }
  } catch (error) {
    // Deleted since the view was moved forward: the next look at the mailbox finds that out.
    if (!(error instanceof StoreError && error.code === "mailbox-not-found")) throw error;
  }
}
