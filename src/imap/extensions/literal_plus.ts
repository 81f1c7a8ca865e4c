import type { Extension } from "../extension.ts";

/**
 * Literals that do not wait (RFC 7888), which `wire/framer.ts` reads. LITERAL+ includes what
 * LITERAL- allows, and only one of them may be announced (RFC 7888 5).
 */
export const literalPlus: Extension = {
  rfc: [7888],
  title: "LITERAL+ and LITERAL-: literals that do not wait",
  capabilities: [{ name: "LITERAL+", when: "always" }],
};
