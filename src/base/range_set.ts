import { MAX_UINT32 } from "./ids.ts";

/** An inclusive range of unsigned 32-bit integers: `first <= last`. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/**
 * A set of integers from 1 to 2^32-1, kept as sorted, disjoint, non-touching ranges, so that a
 * mailbox of a million messages whose UIDs have few gaps costs a session next to nothing. It is
 * the one structure for sequence sets, UID sets, search results and a session's view, where the
 * position of a UID in the set (from 0) is its sequence number less one.
 */
export class RangeSet implements Iterable<number> {
  #firsts: number[] = [];
  #lasts: number[] = [];
  /** `#before[i]`: how many members lie before range i. Made when asked for, dropped on change. */
  #before: number[] | undefined;

  static of(...members: readonly number[]): RangeSet {
    return RangeSet.from(members);
  }

  /** A set of `members` in any order; cheapest when they ascend. */
  static from(members: Iterable<number>): RangeSet {
    const set = new RangeSet();
    for (const member of members) set.add(member);
    return set;
  }

  /** A set of one range; empty when `last < first`. */
  static range(first: number, last: number): RangeSet {
    const set = new RangeSet();
    if (first <= last) set.addRange(first, last);
    return set;
  }

  /** A set of ranges in any order, overlapping or not. */
  static fromRanges(ranges: Iterable<Range>): RangeSet {
    const set = new RangeSet();
    for (const { first, last } of ranges) set.addRange(first, last);
    return set;
  }

  clone(): RangeSet {
    const copy = new RangeSet();
    copy.#firsts = this.#firsts.slice();
    copy.#lasts = this.#lasts.slice();
    return copy;
  }

  get isEmpty(): boolean {
    return this.#firsts.length === 0;
  }

  /** How many members. */
  get size(): number {
    const end = this.#firsts.length - 1;
    return end < 0 ? 0 : this.#prefix()[end]! + this.#lasts[end]! - this.#firsts[end]! + 1;
  }

  get rangeCount(): number {
    return this.#firsts.length;
  }

  /** The lowest member, or undefined when empty. */
  get first(): number | undefined {
    return this.#firsts[0];
  }

  /** The highest member, or undefined when empty. */
  get last(): number | undefined {
    return this.#lasts[this.#lasts.length - 1];
  }

  has(member: number): boolean {
    const i = this.#rangeAtOrAfter(member);
    return i < this.#firsts.length && this.#firsts[i]! <= member;
  }

  /** The member at `index` (from 0, ascending), or undefined beyond the end. */
  at(index: number): number | undefined {
    if (index < 0 || index >= this.size) return undefined;
    const i = this.#rangeAtIndex(index);
    return this.#firsts[i]! + index - this.#prefix()[i]!;
  }

  /** The index (from 0) of `member`, or -1 when it is not in the set. */
  indexOf(member: number): number {
    const i = this.#rangeAtOrAfter(member);
    if (i === this.#firsts.length || this.#firsts[i]! > member) return -1;
    return this.#prefix()[i]! + member - this.#firsts[i]!;
  }

  /** How many members are at most `bound`. */
  countTo(bound: number): number {
    const i = this.#rangeAtOrAfter(bound);
    if (i === this.#firsts.length) return this.size;
    return this.#prefix()[i]! + Math.max(0, bound - this.#firsts[i]! + 1);
  }

  add(member: number): void {
    this.addRange(member, member);
  }

  /** Adds `first` to `last`, both included. Throws RangeError unless 1 <= first <= last < 2^32. */
  addRange(first: number, last: number): void {
    if (!(first >= 1 && first <= last && last <= MAX_UINT32)) {
      throw new RangeError(`not a range of unsigned 32-bit integers: ${first}:${last}`);
    }
    this.#before = undefined;
    const firsts = this.#firsts;
    const lasts = this.#lasts;
    const end = firsts.length;
    if (end === 0 || first > lasts[end - 1]! + 1) {
      firsts.push(first);
      lasts.push(last);
      return;
    }
    const from = this.#rangeAtOrAfter(first - 1);
    let to = from;
    while (to < end && firsts[to]! <= last + 1) to++;
    if (to > from) {
      first = Math.min(first, firsts[from]!);
      last = Math.max(last, lasts[to - 1]!);
    }
    firsts.splice(from, to - from, first);
    lasts.splice(from, to - from, last);
  }

  /** Removes one member; true when it was there. */
  delete(member: number): boolean {
    const i = this.#rangeAtOrAfter(member);
    if (i === this.#firsts.length || this.#firsts[i]! > member) return false;
    this.#before = undefined;
    const first = this.#firsts[i]!;
    const last = this.#lasts[i]!;
    if (first === last) {
      this.#firsts.splice(i, 1);
      this.#lasts.splice(i, 1);
    } else if (member === first) {
      this.#firsts[i] = member + 1;
    } else if (member === last) {
      this.#lasts[i] = member - 1;
    } else {
      this.#firsts.splice(i + 1, 0, member + 1);
      this.#lasts.splice(i, 0, member - 1);
    }
    return true;
  }

  union(other: RangeSet): RangeSet {
    const [small, large] = this.rangeCount < other.rangeCount ? [this, other] : [other, this];
    if (small.rangeCount * 8 < large.rangeCount) {
      const result = large.clone();
      for (const { first, last } of small.ranges()) result.addRange(first, last);
      return result;
    }
    const merged = [...this.ranges(), ...other.ranges()].sort((a, b) => a.first - b.first);
    return RangeSet.fromRanges(merged);
  }

  intersect(other: RangeSet): RangeSet {
    const result = new RangeSet();
    let i = 0;
    let j = 0;
    while (i < this.#firsts.length && j < other.#firsts.length) {
      const first = Math.max(this.#firsts[i]!, other.#firsts[j]!);
      const last = Math.min(this.#lasts[i]!, other.#lasts[j]!);
      if (first <= last) {
        result.#firsts.push(first);
        result.#lasts.push(last);
      }
      if (this.#lasts[i]! < other.#lasts[j]!) i++;
      else j++;
    }
    return result;
  }

  /** Members of this set that are not in `other`. */
  difference(other: RangeSet): RangeSet {
    const result = new RangeSet();
    let j = 0;
    for (let i = 0; i < this.#firsts.length; i++) {
      let first = this.#firsts[i]!;
      const last = this.#lasts[i]!;
      while (j < other.#firsts.length && other.#lasts[j]! < first) j++;
      let k = j;
      while (first <= last && k < other.#firsts.length && other.#firsts[k]! <= last) {
        if (other.#firsts[k]! > first) {
          result.#firsts.push(first);
          result.#lasts.push(other.#firsts[k]! - 1);
        }
        first = other.#lasts[k]! + 1;
        k++;
      }
      if (first <= last) {
        result.#firsts.push(first);
        result.#lasts.push(last);
      }
    }
    return result;
  }

  equals(other: RangeSet): boolean {
    return this.rangeCount === other.rangeCount &&
      this.#firsts.every((first, i) =>
        first === other.#firsts[i] && this.#lasts[i] === other.#lasts[i]
      );
  }

  /** The ranges, ascending. The set must not change meanwhile. */
  *ranges(): Generator<Range> {
    for (let i = 0; i < this.#firsts.length; i++) {
      yield { first: this.#firsts[i]!, last: this.#lasts[i]! };
    }
  }

  /** The members, ascending. The set must not change meanwhile. */
  *[Symbol.iterator](): Generator<number> {
    for (let i = 0; i < this.#firsts.length; i++) {
      const last = this.#lasts[i]!;
      for (let member = this.#firsts[i]!; member <= last; member++) yield member;
    }
  }

  /** The members, ascending, in an array. */
  toArray(): number[] {
    const members: number[] = [];
    for (let i = 0; i < this.#firsts.length; i++) {
      const last = this.#lasts[i]!;
      for (let member = this.#firsts[i]!; member <= last; member++) members.push(member);
    }
    return members;
  }

  /** The members at positions `start` (from 0) to `end` (exclusive). */
  slice(start: number, end: number): RangeSet {
    const result = new RangeSet();
    const before = this.#prefix();
    for (let i = this.#rangeAtIndex(start); i < before.length && before[i]! < end; i++) {
      const first = this.#firsts[i]! + Math.max(0, start - before[i]!);
      const last = Math.min(this.#lasts[i]!, this.#firsts[i]! + end - before[i]! - 1);
      if (first <= last) result.addRange(first, last);
    }
    return result;
  }

  /** The members at `positions`, counted from 1; positions beyond the end name nothing. */
  select(positions: RangeSet): RangeSet {
    const result: Range[] = [];
    for (const { first, last } of positions.ranges()) {
      result.push(...this.slice(first - 1, last).ranges());
    }
    return RangeSet.fromRanges(result);
  }

  /** As an IMAP sequence-set (RFC 9051 9, `sequence-set`): `1:3,5`; "" when empty. */
  toString(): string {
    let text = "";
    for (let i = 0; i < this.#firsts.length; i++) {
      const first = this.#firsts[i]!;
      const last = this.#lasts[i]!;
      if (i > 0) text += ",";
      text += first === last ? first : `${first}:${last}`;
    }
    return text;
  }

  #prefix(): number[] {
    if (!this.#before) {
      let total = 0;
      this.#before = this.#firsts.map((first, i) => {
        const before = total;
        total += this.#lasts[i]! - first + 1;
        return before;
      });
    }
    return this.#before;
  }

  /** Index of the range that holds the member at position `index`; the last range beyond the end. */
  #rangeAtIndex(index: number): number {
    const before = this.#prefix();
    let low = 0;
    let high = before.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (before[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Index of the first range whose last member is at least `member`. */
  #rangeAtOrAfter(member: number): number {
    let low = 0;
    let high = this.#lasts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#lasts[middle]! < member) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
