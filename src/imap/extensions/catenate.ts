import type { Extension } from "../extension.ts";

/**
 * CATENATE (RFC 4469) in APPEND and REPLACE (RFC 8508 4.2): messages put together of text that comes
 * with the command and of what URLs of this account's messages name, see `append_items.ts`,
 * `incoming_message.ts` and `message_url.ts`. URL-PARTIAL: a URL may end in /;PARTIAL=first.octets.
 */
export const catenate: Extension = {
  rfc: [5550, 4469],
  title: "CATENATE and URL-PARTIAL: new messages out of pieces of others",
  capabilities: [
    { name: "CATENATE", when: "afterLogin" },
    { name: "URL-PARTIAL", when: "afterLogin" },
  ],
};
