import type { RangeSet } from "../../base/mod.ts";

/**
 * The messages `m` of a mailbox whose UIDs are in a set, in one statement however many ranges it
 * has: binds `rangesJson` of the set and the mailbox's id; more conditions may follow.
 */
export const IN_RANGES = `json_each(?) AS range CROSS JOIN message AS m
  WHERE m.mailbox_id = ? AND m.uid BETWEEN range.value ->> 0 AND range.value ->> 1`;

export function rangesJson(uids: RangeSet): string {
  return JSON.stringify(Array.from(uids.ranges(), ({ first, last }) => [first, last]));
}
