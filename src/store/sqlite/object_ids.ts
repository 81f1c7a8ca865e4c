/**
 * Object identifiers (RFC 8474 3): a letter for the kind, a prefix drawn at random for the account,
 * and the row's number in base 36. Row numbers are never used again within an account.
 */

type Kind = "M" | "T" | "F";

export function emailIdOf(prefix: string, contentId: number): string {
  return writeObjectId("M", prefix, contentId);
}

export function threadIdOf(prefix: string, threadId: number): string {
  return writeObjectId("T", prefix, threadId);
}

export function mailboxObjectIdOf(prefix: string, mailboxId: number): string {
  return writeObjectId("F", prefix, mailboxId);
}

/** The content's row number, or undefined when the identifier is none of this account. */
export function parseEmailId(prefix: string, id: string): number | undefined {
  return parseObjectId("M", prefix, id);
}

/** The thread's number, or undefined when the identifier is none of this account. */
export function parseThreadId(prefix: string, id: string): number | undefined {
  return parseObjectId("T", prefix, id);
}

function writeObjectId(kind: Kind, prefix: string, number: number): string {
  return kind + prefix + "-" + number.toString(36);
}

function parseObjectId(kind: Kind, prefix: string, id: string): number | undefined {
  const head = kind + prefix + "-";
  if (!id.startsWith(head)) return undefined;
  const number = Number.parseInt(id.slice(head.length), 36);
  // Only the one spelling counts: object identifiers are compared octet by octet.
  return Number.isSafeInteger(number) && writeObjectId(kind, prefix, number) === id
    ? number
    : undefined;
}
