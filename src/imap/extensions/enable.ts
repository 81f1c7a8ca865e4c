import { enableCommand } from "../commands/enable.ts";
import type { Extension } from "../extension.ts";

export const enable: Extension = {
  rfc: [5161],
  title: "ENABLE: clients turn on what changes responses",
  capabilities: [{ name: "ENABLE", when: "always" }],
  commands: [enableCommand],
};
