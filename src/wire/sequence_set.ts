import { MAX_UINT32, RangeSet } from "../base/mod.ts";

/** `*` in a sequence set: the largest number in use. */
export const LARGEST = "*";

/** One element of a sequence set; a single number has `first === last`. */
export interface SequenceRange {
  readonly first: number | typeof LARGEST;
  readonly last: number | typeof LARGEST;
}

/**
 * A sequence-set as written (RFC 9051 9, `sequence-set`), before it is known what `*` means; or
 * "$", the saved search result (RFC 9051 6.4.4.1).
 */
export type SequenceSet = "$" | readonly SequenceRange[];

/**
 * The numbers that the set names when the largest number in use is `largest` (0: none is in use,
 * and what mentions `*` names nothing).
 * The order within a range does not matter, and `n:*` names `largest` even when n is above it.
 */
export function resolveSequenceSet(set: readonly SequenceRange[], largest: number): RangeSet {
  const result: { first: number; last: number }[] = [];
  for (const range of set) {
    if (largest === 0 && mentionsLargest([range])) continue;
    const a = range.first === LARGEST ? largest : range.first;
    const b = range.last === LARGEST ? largest : range.last;
    const first = Math.min(a, b);
    const last = Math.max(a, b);
    result.push({ first, last });
  }
  result.sort((x, y) => x.first - y.first);
  return RangeSet.fromRanges(result);
}

/** Whether `*` occurs in the set. */
export function mentionsLargest(set: readonly SequenceRange[]): boolean {
  return set.some((range) => range.first === LARGEST || range.last === LARGEST);
}

/** Parses a sequence number or UID: 1 to 2^32 - 1 without leading zeros, or `*`. */
export function parseSequenceNumber(text: string): number | typeof LARGEST | undefined {
  if (text === LARGEST) return LARGEST;
  if (!/^[1-9]\d{0,9}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= MAX_UINT32 ? value : undefined;
}
