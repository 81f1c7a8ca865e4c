import { dayKey } from "../core_search_keys.ts";
import type { Extension } from "../extension.ts";
import { simpleItem } from "../fetch_items.ts";

/** SAVEDATE: when a message came into its mailbox; every message has one (RFC 8514). */
export const savedate: Extension = {
  rfc: [8514],
  title: "SAVEDATE: when a message came into its mailbox",
  capabilities: [{ name: "SAVEDATE", when: "afterLogin" }],
  fetchItems: [
    simpleItem("SAVEDATE", [], ({ saveDate }, { out }) => {
      out.writer.dateTime({ seconds: saveDate, zoneMinutes: 0 });
    }),
  ],
  searchKeys: [
    dayKey("SAVEDBEFORE", "saved", "before"),
    dayKey("SAVEDON", "saved", "on"),
    dayKey("SAVEDSINCE", "saved", "since"),
    { name: "SAVEDATESUPPORTED", parse: () => ({ op: "all" }) },
  ],
};
