import type { Extension } from "../extension.ts";

/** ESORT (RFC 5267 3.1): SORT takes RETURN and answers with ESEARCH, see `sort.ts`. */
export const esort: Extension = {
  rfc: [5267],
  title: "ESORT: choosing what a sort returns",
  capabilities: [{ name: "ESORT", when: "afterLogin" }],
};
