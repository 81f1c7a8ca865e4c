/**
 * store: what is kept, as a contract; the engines are in the folders below and only `app/` (and
 * tests) import one. Laws: one method, one transaction, described by data; what was resolved is
 * durable; reads come in pages and no transaction stays open between them; the change log is the
 * truth and a nudge only says that it grew; message content is parsed once, when it is stored.
 */
export * from "./account_store.ts";
export * from "./address.ts";
export * from "./credentials.ts";
export * from "./directory.ts";
export * from "./history.ts";
export {
  MAX_ANNOTATION_BYTES,
  MAX_APP_PASSWORDS,
  MAX_KEYWORD_LENGTH,
  MAX_MAILBOXES,
} from "./limits.ts";
export * from "./login_log.ts";
export * from "./mailbox_name.ts";
export * from "./predicate.ts";
export * from "./push.ts";
export * from "./queue.ts";
export * from "./store.ts";
export * from "./store_error.ts";
