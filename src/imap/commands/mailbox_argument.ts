import type { Reader } from "../../wire/mod.ts";

/** `parse` of a command whose one argument is a mailbox: its name decoded, but not yet checked. */
export function parseMailbox(reader: Reader): string {
  reader.space();
  return reader.mailbox();
}
