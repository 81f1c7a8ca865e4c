import { idleCommand } from "../commands/idle.ts";
import type { Extension } from "../extension.ts";

/** IDLE (RFC 2177). */
export const idle: Extension = {
  rfc: [2177],
  title: "IDLE: changes told as they happen",
  capabilities: [{ name: "IDLE", when: "afterLogin" }],
  commands: [idleCommand],
};
