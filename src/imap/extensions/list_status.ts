import type { Extension } from "../extension.ts";
import { parseStatusItems, writeStatusResponse } from "../status_items.ts";

/** `RETURN (STATUS (item …))`: the counters come with the list, so it costs no further reading. */
export const listStatus: Extension = {
  rfc: [5819],
  title: "LIST-STATUS: STATUS of all listed mailboxes at once",
  capabilities: [{ name: "LIST-STATUS", when: "afterLogin" }],
  listReturns: [{
    name: "STATUS",
    parse: (reader, session) => {
      reader.space();
      const items = parseStatusItems(reader, session);
      return {
        name: "STATUS",
        afterEntry: ({ mailbox }, session) => {
          if (mailbox) writeStatusResponse(session, mailbox, items);
        },
      };
    },
  }],
};
