import type { Extension } from "../extension.ts";

/**
 * UTF-8 in names and quoted strings (RFC 9755, before it RFC 6855): once enabled, names are spelt
 * in UTF-8 (`wire/`), and APPEND takes UTF8 (~{n}) (`commands/append.ts`).
 */
export const utf8Accept: Extension = {
  rfc: [9755, 6855],
  title: "UTF8=ACCEPT: names and headers in UTF-8",
  capabilities: [{ name: "UTF8=ACCEPT", when: "afterLogin" }],
  enables: [{ name: "UTF8=ACCEPT" }],
};
