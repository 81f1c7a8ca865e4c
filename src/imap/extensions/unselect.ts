import type { Extension } from "../extension.ts";

/** The command itself is of the base protocol since IMAP4rev2 (RFC 9051 6.4.2). */
export const unselect: Extension = {
  rfc: [3691],
  title: "UNSELECT: leave a mailbox without expunging",
  capabilities: [{ name: "UNSELECT", when: "afterLogin" }],
};
