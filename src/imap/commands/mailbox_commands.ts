import type { CommandSpec } from "../command.ts";
import { capabilityCommand } from "./capability.ts";
import { checkCommand } from "./check.ts";
import { createCommand } from "./create.ts";
import { deleteCommand } from "./delete.ts";
import { listCommand } from "./list.ts";
import { logoutCommand } from "./logout.ts";
import { lsubCommand } from "./lsub.ts";
import { noopCommand } from "./noop.ts";
import { renameCommand } from "./rename.ts";
import { statusCommand } from "./status.ts";
import { subscribeCommand, unsubscribeCommand } from "./subscribe.ts";

/** Base commands that touch no message: the connection, and mailboxes as a whole. */
export const mailboxCommands: readonly CommandSpec[] = [
  capabilityCommand,
  noopCommand,
  logoutCommand,
  checkCommand,
  createCommand,
  deleteCommand,
  renameCommand,
  subscribeCommand,
  unsubscribeCommand,
  listCommand,
  lsubCommand,
  statusCommand,
];
