import type { Extension } from "../extension.ts";
import { allReturn, countReturn, maxReturn, minReturn } from "../search_returns.ts";

/** ESEARCH: what a search tells of its result (RFC 4731). */
export const esearch: Extension = {
  rfc: [4731, 4466],
  title: "ESEARCH: choosing what a search returns",
  capabilities: [{ name: "ESEARCH", when: "afterLogin" }],
  searchReturns: [minReturn, maxReturn, countReturn, allReturn],
};
