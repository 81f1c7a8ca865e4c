import type { Extension } from "../extension.ts";

/** Every LIST response says \HasChildren or \HasNoChildren; see `baseAttributes`. */
export const children: Extension = {
  rfc: [3348],
  title: "CHILDREN: whether a mailbox has mailboxes below it",
  capabilities: [{ name: "CHILDREN", when: "afterLogin" }],
};
