import type { Extension } from "../extension.ts";
import { saveReturn } from "../search_returns.ts";

/** SEARCHRES: `$`, the saved result, which every sequence set takes (RFC 5182). */
export const searchres: Extension = {
  rfc: [5182],
  title: "SEARCHRES: referring to the last search result",
  capabilities: [{ name: "SEARCHRES", when: "afterLogin" }],
  searchReturns: [saveReturn],
};
