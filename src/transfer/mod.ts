/**
 * transfer: mail goes from one system to another: mbox, Maildir, another IMAP server. Laws: a
 * mailbox comes over as a whole or not at all, but for a server that is far away, where each batch
 * is whole and the next run goes on after it; memory does not grow with the mail; what was exported
 * here comes back byte for byte; what a format cannot hold is counted and told, never hidden.
 */
export { importFolder } from "./folder_import.ts";
export { exportMaildir } from "./maildir_export.ts";
export { importMaildir } from "./maildir_import.ts";
export { exportMbox } from "./mbox_export.ts";
export { importMbox } from "./mbox_import.ts";
export { mailboxOfMbox } from "./mbox_path.ts";
export { type ImapSource, importImap } from "./imap_import.ts";
export { type MailboxResult, type Progress, TransferError, TransferStopped } from "./result.ts";
export { exportZip, type ZipKind } from "./zip_export.ts";
export { unpackZip } from "./zip_import.ts";
