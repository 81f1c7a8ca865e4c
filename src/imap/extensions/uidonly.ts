import type { Extension } from "../extension.ts";

/**
 * UIDs only (RFC 9586): once enabled, FETCH responses are UIDFETCH and removals VANISHED
 * (`format/`), and commands with sequence numbers are refused (`session/dispatch`).
 */
export const uidOnly: Extension = {
  rfc: [9586],
  title: "UIDONLY: no sequence numbers",
  capabilities: [{ name: "UIDONLY", when: "afterLogin" }],
  enables: [{ name: "UIDONLY" }],
};
