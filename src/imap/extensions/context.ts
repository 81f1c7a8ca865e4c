import { MAX_LIST_ITEMS, WireError } from "../../wire/mod.ts";
import { command, SELECTED } from "../command.ts";
import type { Extension } from "../extension.ts";
import { no } from "../imap_error.ts";
import { plainReturn } from "../search_returns.ts";

/** CANCELUPDATE "tag" … (RFC 5267 4.3.5): all of the searches named, or none. */
const cancelUpdateCommand = command<readonly string[]>({
  name: "CANCELUPDATE",
  states: SELECTED,
  rfc: "RFC 5267 4.3.5",
  catchUp: "all",
  parse(reader) {
    const tags: string[] = [];
    do {
      if (tags.length === MAX_LIST_ITEMS) throw new WireError("Too many tags");
      reader.space();
      tags.push(reader.string());
    } while (!reader.atEnd);
    return tags;
  },
  run(session, tags) {
    const { followed } = session.selected;
    if (tags.some((tag) => !followed.has(tag))) throw no("No search of this tag is updated");
    for (const tag of tags) followed.delete(tag);
    return { text: "No further updates" };
  },
});

/**
 * CONTEXT=SEARCH and CONTEXT=SORT (RFC 5267 4): UPDATE has changes of a result told from then on
 * (`followed_search.ts`). CONTEXT is a hint that nothing here needs; PARTIAL is in `partial.ts`.
 */
export const context: Extension = {
  rfc: [5267],
  title: "CONTEXT=SEARCH and CONTEXT=SORT: results that are kept up to date",
  capabilities: [
    { name: "CONTEXT=SEARCH", when: "afterLogin" },
    { name: "CONTEXT=SORT", when: "afterLogin" },
  ],
  commands: [cancelUpdateCommand],
  searchReturns: [
    plainReturn({ name: "CONTEXT" }),
    plainReturn({ name: "UPDATE", updates: true }),
  ],
};
