import type { RangeSet } from "../base/mod.ts";

/** What a search found, in the order of its result: numbers or UIDs, as the client asked. */
export interface ResultList {
  readonly size: number;
  /** Relevancy of each (RFC 6203 4), where it was asked for. */
  readonly scores: readonly number[];
  /** The result at `index`, counted from 0. */
  at(index: number): number | undefined;
  /**
   * Results `start` to `end` (exclusive) as a sequence set in the order of the result, ranges
   * always rising (RFC 5267 3.2); "" for none.
   */
  text(start: number, end: number): string;
}

/** Results in mailbox order, as every SEARCH gives them (RFC 9394 3.1). */
export function listInMailboxOrder(
  numbers: RangeSet,
  scores: readonly number[] = [],
): ResultList {
  return {
    scores,
    size: numbers.size,
    at: (index) => numbers.at(index),
    text: (start, end) => numbers.slice(start, end).toString(),
  };
}

/** Results in the order that a SORT gave them. */
export function listInOrder(
  numbers: readonly number[],
  scores: readonly number[] = [],
): ResultList {
  return {
    scores,
    size: numbers.length,
    at: (index) => numbers[index],
    text: (start, end) => orderedSet(numbers.slice(start, end)),
  };
}

/** A sequence set that keeps the order of `numbers`: `5,3,7:9,1`. */
export function orderedSet(numbers: readonly number[]): string {
  const pieces: string[] = [];
  for (let i = 0; i < numbers.length;) {
    const first = numbers[i]!;
    let length = 1;
    while (numbers[i + length] === first + length) length++;
    pieces.push(length === 1 ? `${first}` : `${first}:${first + length - 1}`);
    i += length;
  }
  return pieces.join(",");
}
