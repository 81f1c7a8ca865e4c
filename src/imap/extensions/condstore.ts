import type { Extension } from "../extension.ts";
import type { FetchItem, FetchItemSpec } from "../fetch_items.ts";
import type { FetchModifierSpec } from "../fetch_modifiers.ts";
import { modSeqSearchKey } from "./condstore_search.ts";

/** MODSEQ (RFC 7162 3.1.4.2). Asking for it turns CONDSTORE on. */
export const modSeqItem: FetchItem = {
  key: "MODSEQ",
  columns: [],
  enablesCondstore: true,
  write: (row, { out }) => void out.writer.raw(`MODSEQ (${row.modSeq})`),
};

const modSeqItemSpec: FetchItemSpec = { name: "MODSEQ", parse: () => modSeqItem };

/**
 * CHANGEDSINCE (RFC 7162 3.1.4.1): only messages changed after it, and MODSEQ with each of them.
 */
const changedSince: FetchModifierSpec = {
  name: "CHANGEDSINCE",
  parse(reader, plan) {
    reader.space();
    plan.changedSince = reader.number64();
    if (!plan.items.some((item) => item.key === "MODSEQ")) plan.items.push(modSeqItem);
  },
};

/** Conditional STORE and quick flag changes resynchronisation (RFC 7162 3.1). */
export const condstore: Extension = {
  rfc: [7162],
  title: "CONDSTORE: conditional STORE and changes since a mod-sequence",
  capabilities: [{ name: "CONDSTORE", when: "afterLogin" }],
  enables: [{ name: "CONDSTORE" }],
  fetchItems: [modSeqItemSpec],
  fetchModifiers: [changedSince],
  searchKeys: [modSeqSearchKey],
  statusItems: [{
    name: "HIGHESTMODSEQ",
    enablesCondstore: true,
    write: (writer, mailbox) => void writer.raw(`${mailbox.modSeq}`),
  }],
};
