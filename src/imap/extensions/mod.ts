import type { Extension } from "../extension.ts";
import { appendLimit } from "./appendlimit.ts";
import { binary } from "./binary.ts";
import { catenate } from "./catenate.ts";
import { children } from "./children.ts";
import { compress } from "./compress.ts";
import { condstore } from "./condstore.ts";
import { context } from "./context.ts";
import { enable } from "./enable.ts";
import { esearch } from "./esearch.ts";
import { esort } from "./esort.ts";
import { fuzzy } from "./fuzzy.ts";
import { i18nLevel } from "./i18nlevel.ts";
import { id } from "./id.ts";
import { idle } from "./idle.ts";
import { inprogress } from "./inprogress.ts";
import { language } from "./language.ts";
import { listExtended } from "./list_extended.ts";
import { listMetadata } from "./list_metadata.ts";
import { listStatus } from "./list_status.ts";
import { literalPlus } from "./literal_plus.ts";
import { messageLimit } from "./messagelimit.ts";
import { metadata } from "./metadata.ts";
import { move } from "./move.ts";
import { multiAppend } from "./multiappend.ts";
import { multisearch } from "./multisearch.ts";
import { namespace } from "./namespace.ts";
import { notify } from "./notify.ts";
import { objectid } from "./objectid.ts";
import { partial } from "./partial.ts";
import { previewExtension } from "./preview.ts";
import { qresync } from "./qresync.ts";
import { quota } from "./quota.ts";
import { replace } from "./replace.ts";
import { saslIr } from "./sasl_ir.ts";
import { savedate } from "./savedate.ts";
import { searchres } from "./searchres.ts";
import { sort } from "./sort.ts";
import { specialUse } from "./special_use.ts";
import { statusSize } from "./status_size.ts";
import { thread } from "./thread.ts";
import { unauthenticate } from "./unauthenticate.ts";
import { uidBatches } from "./uidbatches.ts";
import { uidOnly } from "./uidonly.ts";
import { uidPlus } from "./uidplus.ts";
import { unselect } from "./unselect.ts";
import { utf8Accept } from "./utf8_accept.ts";
import { within } from "./within.ts";

/** Every extension that is spoken. CAPABILITY announces in this order. */
export const extensions: readonly Extension[] = [
  literalPlus,
  saslIr,
  enable,
  id,
  idle,
  namespace,
  unselect,
  uidPlus,
  children,
  move,
  specialUse,
  listExtended,
  listStatus,
  statusSize,
  esearch,
  searchres,
  binary,
  utf8Accept,
  appendLimit,
  condstore,
  qresync,
  multiAppend,
  replace,
  compress,
  metadata,
  listMetadata,
  quota,
  savedate,
  within,
  previewExtension,
  inprogress,
  multisearch,
  notify,
  objectid,
  uidOnly,
  unauthenticate,
  sort,
  thread,
  esort,
  partial,
  context,
  catenate,
  messageLimit,
  uidBatches,
  language,
  i18nLevel,
  fuzzy,
];
