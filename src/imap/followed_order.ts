import { RangeSet } from "../base/mod.ts";
import type { OrderRow } from "../store/mod.ts";
import { orderedSet } from "./result_list.ts";

/** What a message is called in responses: its UID or its number. */
type Naming = (uid: number) => number;

/**
 * The results of a search as the client has them. Each change gives what tells the client of it:
 * ` REMOVEFROM (…)` and ` ADDTO (…)` (RFC 5267 4.3.2), "" for nothing.
 */
export interface FollowedOrder {
  /** Takes out those of `uids` that are results. */
  remove(uids: RangeSet, naming: Naming): string;
  /** Puts in those of `uids` that are no results yet. `read` gives what messages are ordered by. */
  add(
    uids: RangeSet,
    naming: Naming,
    read: (uids: RangeSet) => Promise<OrderRow[]>,
  ): Promise<string>;
}

/** Results of a SEARCH: the client knows their order, and positions are 0 (RFC 5267 4.3.3). */
export class MailboxOrder implements FollowedOrder {
  #uids: RangeSet;

  constructor(uids: RangeSet) {
    this.#uids = uids;
  }

  remove(uids: RangeSet, naming: Naming): string {
    const removed = this.#uids.intersect(uids);
    if (removed.isEmpty) return "";
    this.#uids = this.#uids.difference(removed);
    return ` REMOVEFROM (0 ${orderedSet(removed.toArray().map(naming))})`;
  }

  async add(uids: RangeSet, naming: Naming): Promise<string> {
    const added = uids.difference(this.#uids);
    if (added.isEmpty) return "";
    this.#uids = this.#uids.union(added);
    return ` ADDTO (0 ${orderedSet(added.toArray().map(naming))})`;
  }
}

/**
 * Results of a SORT. Only their UIDs are kept; what a new one is compared with is read again, for
 * all new ones together and for as many as a binary search needs.
 */
export class SortedOrder implements FollowedOrder {
  #uids: number[];
  readonly #compare: (a: OrderRow, b: OrderRow) => number;

  constructor(uids: readonly number[], compare: (a: OrderRow, b: OrderRow) => number) {
    this.#uids = [...uids];
    this.#compare = compare;
  }

  remove(uids: RangeSet, naming: Naming): string {
    const kept: number[] = [];
    const removed: [position: number, uid: number][] = [];
    this.#uids.forEach((uid, i) => {
      if (uids.has(uid)) removed.push([i + 1, uid]);
      else kept.push(uid);
    });
    if (removed.length === 0) return "";
    this.#uids = kept;
    // From the end, so that no position shifts before it was used.
    return ` REMOVEFROM (${writeRuns(removed, naming).reverse().join(" ")})`;
  }

  async add(
    uids: RangeSet,
    naming: Naming,
    read: (uids: RangeSet) => Promise<OrderRow[]>,
  ): Promise<string> {
    const fresh = uids.difference(setOf(this.#uids));
    if (fresh.isEmpty) return "";
    const rows = await read(fresh);
    let told = "";
    for (;;) {
      const { places, gone } = await this.#findPlaces(rows, read);
      if (!gone.isEmpty) {
        // Expunged since the view was moved forward: nothing to compare with.
        told += this.remove(gone, naming);
        continue;
      }
      return told + this.#insert(rows, places, naming);
    }
  }

  /** How many results come before each row; `gone`: results whose messages are not there. */
  async #findPlaces(
    rows: readonly OrderRow[],
    read: (uids: RangeSet) => Promise<OrderRow[]>,
  ): Promise<{ places: number[]; gone: RangeSet }> {
    const bounds = rows.map((row) => ({ row, low: 0, high: this.#uids.length }));
    for (;;) {
      const open = bounds.filter(({ low, high }) => low < high);
      if (open.length === 0) return { places: bounds.map(({ low }) => low), gone: new RangeSet() };
      const middles = open.map(({ low, high }) => (low + high) >>> 1);
      const asked = setOf(new Set(middles.map((middle) => this.#uids[middle]!)));
      const found = new Map((await read(asked)).map((row) => [row.uid as number, row]));
      const gone = asked.difference(setOf(found.keys()));
      if (!gone.isEmpty) return { places: [], gone };
      open.forEach((bound, i) => {
        const middle = middles[i]!;
        const other = found.get(this.#uids[middle]!)!;
        if (this.#compare(other, bound.row) < 0) bound.low = middle + 1;
        else bound.high = middle;
      });
    }
  }

  #insert(rows: readonly OrderRow[], places: readonly number[], naming: Naming): string {
    const order = rows.map((row, i) => ({ row, place: places[i]! }))
      .sort((a, b) => a.place - b.place || this.#compare(a.row, b.row));
    if (order.length === 0) return "";
    const merged: number[] = [];
    const added: [position: number, uid: number][] = [];
    let taken = 0;
    for (const { row, place } of order) {
      while (taken < place) merged.push(this.#uids[taken++]!);
      merged.push(row.uid);
      added.push([merged.length, row.uid]);
    }
    while (taken < this.#uids.length) merged.push(this.#uids[taken++]!);
    this.#uids = merged;
    return ` ADDTO (${writeRuns(added, naming).join(" ")})`;
  }
}

/** `position set` for each run of results at consecutive positions. */
function writeRuns(results: readonly [position: number, uid: number][], naming: Naming): string[] {
  const runs: string[] = [];
  for (let i = 0; i < results.length;) {
    const first = results[i]![0];
    const run: number[] = [];
    while (results[i]?.[0] === first + run.length) run.push(naming(results[i++]![1]));
    runs.push(`${first} ${orderedSet(run)}`);
  }
  return runs;
}

function setOf(uids: Iterable<number>): RangeSet {
  return RangeSet.from([...uids].sort((a, b) => a - b));
}
