import type { Extension } from "../extension.ts";
import { appendLimit } from "./appendlimit.ts";
import { children } from "./children.ts";
import { enable } from "./enable.ts";
import { id } from "./id.ts";
import { listExtended } from "./list_extended.ts";
import { listStatus } from "./list_status.ts";
import { namespace } from "./namespace.ts";
import { specialUse } from "./special_use.ts";
import { statusSize } from "./status_size.ts";
import { unselect } from "./unselect.ts";

/** Every extension that is spoken. CAPABILITY announces in this order. */
export const extensions: readonly Extension[] = [
  enable,
  id,
  unselect,
  children,
  namespace,
  listExtended,
  listStatus,
  specialUse,
  statusSize,
  appendLimit,
];
