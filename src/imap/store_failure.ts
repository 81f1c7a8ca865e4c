import { MAX_ANNOTATION_BYTES, StoreError, type StoreErrorCode } from "../store/mod.ts";
import { type ImapError, no } from "./imap_error.ts";

interface Failure {
  /** Response code without brackets. */
  readonly code: string;
  /** What the client reads; undefined: the error's own message, which was written for it. */
  readonly text: string | undefined;
}

/**
 * What each refusal by the store becomes (RFC 5530 3, RFC 9051 7.1). Only messages about what the
 * client itself gave are passed on; the rest may speak of files and schemas, and goes to the log.
 */
const FAILURES: Readonly<Record<StoreErrorCode, Failure>> = {
  "mailbox-not-found": { code: "NONEXISTENT", text: "There is no such mailbox" },
  "message-not-found": { code: "EXPUNGEISSUED", text: "The message is gone" },
  "already-exists": { code: "ALREADYEXISTS", text: "A mailbox of this name exists" },
  "has-children": { code: "HASCHILDREN", text: "There are mailboxes below this one" },
  "inbox": { code: "CANNOT", text: "INBOX always exists" },
  "invalid-name": { code: "CANNOT", text: undefined },
  "invalid-special-use": { code: "USEATTR", text: "This special use cannot be given" },
  "over-quota": { code: "OVERQUOTA", text: "The quota would be exceeded" },
  "limit": { code: "LIMIT", text: undefined },
  "too-many-annotations": { code: "METADATA TOOMANY", text: "Too many entries" },
  "annotations-too-large": {
    code: `METADATA MAXSIZE ${MAX_ANNOTATION_BYTES}`,
    text: "All entries together would be too large",
  },
  "not-found": { code: "UNAVAILABLE", text: "The account is not available" },
  "exhausted": { code: "LIMIT", text: "The mailbox has no more unique identifiers" },
  "unavailable": { code: "UNAVAILABLE", text: "The mail store cannot be written, try again" },
  "newer-schema": { code: "UNAVAILABLE", text: "The mail store is not available" },
  "corrupt": { code: "CORRUPTION", text: "The mail store is damaged" },
};

/** Refusals that only the admin can do something about: disks, versions, damage. */
const ADMINISTRATIVE: ReadonlySet<StoreErrorCode> = new Set([
  "unavailable",
  "newer-schema",
  "corrupt",
]);

/** Whether a refusal by the store must be in the log, whatever the client is told of it. */
export function concernsAdmin({ code }: StoreError): boolean {
  return ADMINISTRATIVE.has(code);
}

/** The tagged NO for a refusal by the store. */
export function storeFailure(error: StoreError): ImapError {
  const { code, text } = FAILURES[error.code];
  return no(text ?? error.message, code);
}

/**
 * Does `work` for a command that puts messages into a mailbox: when that does not exist, the
 * client is told that creating it would help (RFC 9051 6.3.12, 6.4.7).
 */
export async function orTryCreate<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreError && error.code === "mailbox-not-found") {
      throw no("There is no such mailbox", "TRYCREATE");
    }
    throw error;
  }
}
