import type { Mailbox } from "../../store/mod.ts";

/**
 * The MAILBOXID response code: in the tagged OK of CREATE (RFC 8474 4.1) and in an untagged OK of
 * SELECT and EXAMINE (RFC 8474 4.2).
 */
export function mailboxIdCode({ objectId }: Mailbox): string {
  return `MAILBOXID (${objectId})`;
}
