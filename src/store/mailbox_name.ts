import { StoreError } from "./store_error.ts";

/** Longest name in UTF-8 octets: what clients and LIST lines bear; modified UTF-7 may be longer. */
export const MAX_MAILBOX_NAME_BYTES = 1000;
/** Most levels of a name, so that walking up a hierarchy is bounded. */
export const MAX_MAILBOX_LEVELS = 50;

/** The hierarchy delimiter of every mailbox name. */
export const DELIMITER = "/";

/**
 * Checks a decoded mailbox name and gives the form in which it is stored: NFC, a first level that
 * equals INBOX in any case spelt INBOX (RFC 9051 5.1). Any printable Unicode is allowed, but not an
 * empty level, "." or "..", a control character, a line or paragraph separator, or "#" in front
 * (namespaces, RFC 9051 5.1.2). Throws StoreError "invalid-name".
 */
export function parseMailboxName(name: string): string {
  const refuse = (why: string) => new StoreError("invalid-name", `Mailbox name ${why}.`);
  if (name === "") throw refuse("is empty");
  if (!name.isWellFormed()) throw refuse("is not well-formed Unicode");
  if (name !== name.normalize("NFC")) throw refuse("is not in Unicode normal form C");
  if (new TextEncoder().encode(name).length > MAX_MAILBOX_NAME_BYTES) {
    throw refuse(`is longer than ${MAX_MAILBOX_NAME_BYTES} octets`);
  }
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name)) {
    throw refuse("contains a control character");
  }
  if (name.startsWith("#")) throw refuse('begins with "#"');
  const levels = name.split(DELIMITER);
  if (levels.length > MAX_MAILBOX_LEVELS) throw refuse(`has over ${MAX_MAILBOX_LEVELS} levels`);
  if (levels.includes("")) throw refuse("has an empty level");
  if (levels.includes(".") || levels.includes("..")) throw refuse('has a level "." or ".."');
  if (/^inbox$/i.test(levels[0] ?? "")) levels[0] = "INBOX";
  return levels.join(DELIMITER);
}

/** Names of the levels above `name`, highest first: "a/b/c" has "a" and "a/b". */
export function parentNames(name: string): string[] {
  const levels = name.split(DELIMITER);
  return levels.slice(1).map((_, i) => levels.slice(0, i + 1).join(DELIMITER));
}
