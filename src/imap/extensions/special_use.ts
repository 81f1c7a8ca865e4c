import type { Extension } from "../extension.ts";

/** Attributes are told in every LIST response, asked for or not; CREATE itself knows USE. */
export const specialUse: Extension = {
  rfc: [6154],
  title: "SPECIAL-USE: which mailbox is for drafts, sent mail, junk, trash, archive",
  capabilities: [
    { name: "SPECIAL-USE", when: "afterLogin" },
    { name: "CREATE-SPECIAL-USE", when: "afterLogin" },
  ],
  listSelections: [{
    name: "SPECIAL-USE",
    selects: (entry) => (entry.mailbox?.specialUse.length ?? 0) > 0,
  }],
  listReturns: [{ name: "SPECIAL-USE", parse: () => ({ name: "SPECIAL-USE" }) }],
};
