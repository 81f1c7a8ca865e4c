/** Why a store refused. `imap/` and `delivery/` map each code to the response of their protocol. */
export type StoreErrorCode =
  /** The mailbox named does not exist. */
  | "mailbox-not-found"
  /** The message addressed does not exist (any more). */
  | "message-not-found"
  /** A mailbox, account, address or domain of that name exists already. */
  | "already-exists"
  /** The mailbox has children, so it cannot be deleted. */
  | "has-children"
  /** INBOX cannot be deleted, created, or be the destination of a RENAME. */
  | "inbox"
  /** The name breaks a rule of `mailbox_name.ts` or of the directory. */
  | "invalid-name"
  /** A special-use attribute that a mailbox cannot be given (RFC 6154 3). */
  | "invalid-special-use"
  /** The account's quota would be exceeded (RFC 9208 4.3.1). */
  | "over-quota"
  /** A limit of `store/limits.ts` would be exceeded; `message` names it. */
  | "limit"
  /** METADATA: too many entries, or together too large (RFC 5464 4.3). */
  | "too-many-annotations"
  | "annotations-too-large"
  /** Account, address, domain or key not in the directory. */
  | "not-found"
  /** UIDs or UIDVALIDITYs of the mailbox are used up. */
  | "exhausted"
  /** The disk is full or cannot be written; nothing was changed. May be tried again. */
  | "unavailable"
  /** The database was written by a newer version of this program. */
  | "newer-schema"
  /** Stored data contradicts itself; see `postern check`. */
  | "corrupt";

/** A refusal by the store. Nothing of the refused operation was kept. */
export class StoreError extends Error {
  override readonly name = "StoreError";

  constructor(readonly code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
