/**
 * wire: IMAP bytes to grammar and back; knows no command. Laws: pure, no I/O, no clock, nothing
 * async; bytes are framed into whole commands before anything is parsed; whatever a peer sends is
 * bounded by limits.ts; the writer cannot write what a client could not read.
 */
export * from "./date_time.ts";
export * from "./framer.ts";
export * from "./limits.ts";
export * from "./mailbox_name.ts";
export * from "./reader.ts";
export * from "./sequence_set.ts";
export * from "./wire_error.ts";
export * from "./writer.ts";
