import { idCommand } from "../commands/id.ts";
import type { Extension } from "../extension.ts";

export const id: Extension = {
  rfc: [2971],
  title: "ID: who client and server are",
  capabilities: [{ name: "ID", when: "always" }],
  commands: [idCommand],
};
