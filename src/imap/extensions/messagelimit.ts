import { MAX_UINT32, RangeSet } from "../../base/mod.ts";
import type { Extension, SearchKeySpec } from "../extension.ts";

/** UIDAFTER and UIDBEFORE, with which a client goes on where a search was cut (RFC 9738). */
function uidKey(name: string, range: (uid: number) => RangeSet): SearchKeySpec {
  return {
    name,
    parse(reader) {
      reader.space();
      return { op: "uid", set: range(reader.nonZeroNumber()) };
    },
  };
}

/** Members from `first` to `last`; none when there are none between. */
function between(first: number, last: number): RangeSet {
  return first > last ? new RangeSet() : RangeSet.range(first, last);
}

/**
 * MESSAGELIMIT and SAVELIMIT (RFC 9738), where the host sets them: how many messages one command
 * touches, or puts into a mailbox. MESSAGELIMIT includes SAVELIMIT; see `message_limit.ts`.
 */
export const messageLimit: Extension = {
  rfc: [9738],
  title: "MESSAGELIMIT and SAVELIMIT: how many messages one command touches",
  capabilities: [
    {
      name: "MESSAGELIMIT",
      when: "afterLogin",
      if: ({ limits }) => limits.messageLimit !== undefined,
      text: ({ limits }) => `MESSAGELIMIT=${limits.messageLimit}`,
    },
    {
      name: "SAVELIMIT",
      when: "afterLogin",
      if: ({ limits }) => limits.saveLimit !== undefined && limits.messageLimit === undefined,
      text: ({ limits }) => `SAVELIMIT=${limits.saveLimit}`,
    },
  ],
  searchKeys: [
    uidKey("UIDAFTER", (uid) => between(uid + 1, MAX_UINT32)),
    uidKey("UIDBEFORE", (uid) => between(1, uid - 1)),
  ],
};
