import { uidExpungeCommand } from "../commands/expunge.ts";
import type { Extension } from "../extension.ts";

/** UID EXPUNGE, APPENDUID and COPYUID (RFC 4315). */
export const uidPlus: Extension = {
  rfc: [4315],
  title: "UIDPLUS: UID EXPUNGE, and the UIDs of what was appended and copied",
  capabilities: [{ name: "UIDPLUS", when: "afterLogin" }],
  commands: [uidExpungeCommand],
};
