import type { Extension } from "../extension.ts";
import { numberItem } from "../status_items.ts";

/** Exact: the sum of RFC822.SIZE of all messages, as the quota counts them. */
export const statusSize: Extension = {
  rfc: [8438],
  title: "STATUS=SIZE: octets of a mailbox",
  capabilities: [{ name: "STATUS=SIZE", when: "afterLogin" }],
  statusItems: [numberItem("SIZE", (mailbox) => mailbox.counts.size)],
};
