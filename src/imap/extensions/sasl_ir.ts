import type { Extension } from "../extension.ts";

/** Initial response in AUTHENTICATE (RFC 4959), which `commands/authenticate.ts` reads. */
export const saslIr: Extension = {
  rfc: [4959],
  title: "SASL-IR: AUTHENTICATE in one step",
  capabilities: [{ name: "SASL-IR", when: "beforeLogin" }],
};
