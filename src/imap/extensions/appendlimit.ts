import type { Extension } from "../extension.ts";
import { numberItem } from "../status_items.ts";

/** One limit for every mailbox; a larger APPEND is refused with [TOOBIG] (RFC 7889 4). */
export const appendLimit: Extension = {
  rfc: [7889],
  title: "APPENDLIMIT: the largest message that APPEND takes",
  capabilities: [{
    name: "APPENDLIMIT",
    when: "afterLogin",
    text: (session) => `APPENDLIMIT=${session.limits.maxMessageBytes}`,
  }],
  statusItems: [numberItem("APPENDLIMIT", (_, session) => session.limits.maxMessageBytes)],
};
