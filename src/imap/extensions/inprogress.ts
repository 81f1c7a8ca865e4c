import type { Extension } from "../extension.ts";

/** INPROGRESS: signs of life of a long command, see `progress.ts` (RFC 9585). */
export const inprogress: Extension = {
  rfc: [9585],
  title: "INPROGRESS: how far a long command has come",
  capabilities: [{ name: "INPROGRESS", when: "afterLogin" }],
};
