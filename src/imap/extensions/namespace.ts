import { namespaceCommand } from "../commands/namespace.ts";
import type { Extension } from "../extension.ts";

export const namespace: Extension = {
  rfc: [2342],
  title: "NAMESPACE: where personal and shared mailboxes are",
  capabilities: [{ name: "NAMESPACE", when: "afterLogin" }],
  commands: [namespaceCommand],
};
