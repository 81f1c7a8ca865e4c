import { type FetchItem, type FetchItemSpec, simpleItem } from "./fetch_items.ts";
import { bodyItems } from "./body_items.ts";
import { flagsOf } from "./format/fetch_response.ts";

/** FLAGS. */
export const flagsItem: FetchItem = {
  key: "FLAGS",
  columns: [],
  usesFlags: true,
  write(row, { out, modes, selected }) {
    out.writer.raw(`FLAGS ${flagsOf(row, selected, modes)}`);
  },
};

/** The FETCH items of RFC 3501 6.4.5 and RFC 9051 6.4.5. */
export const coreFetchItems: readonly FetchItemSpec[] = [
  { name: "FLAGS", parse: () => flagsItem },
  simpleItem("UID", [], (row, { out }) => out.writer.raw(`${row.uid}`)),
  simpleItem("INTERNALDATE", [], (row, { out }) => out.writer.dateTime(row.internalDate)),
  simpleItem("RFC822.SIZE", [], (row, { out }) => out.writer.raw(`${row.size}`)),
  simpleItem("ENVELOPE", ["envelope"], (row, { out }) => out.writer.bytes(row.envelope!)),
  simpleItem(
    "BODYSTRUCTURE",
    ["bodyStructure"],
    (row, { out }) => out.writer.bytes(row.bodyStructure!),
  ),
  ...bodyItems,
];
