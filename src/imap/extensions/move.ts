import { moveCommand, uidMoveCommand } from "../commands/copy.ts";
import type { Extension } from "../extension.ts";

/** MOVE and UID MOVE (RFC 6851). */
export const move: Extension = {
  rfc: [6851],
  title: "MOVE: messages moved in one step",
  capabilities: [{ name: "MOVE", when: "afterLogin" }],
  commands: [moveCommand, uidMoveCommand],
};
