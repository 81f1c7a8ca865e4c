import type { Extension } from "../extension.ts";

/** APPEND of several messages, all or none (RFC 3502), which `commands/append.ts` reads. */
export const multiAppend: Extension = {
  rfc: [3502],
  title: "MULTIAPPEND: several messages in one APPEND, all or none",
  capabilities: [{ name: "MULTIAPPEND", when: "afterLogin" }],
};
