/** What came over of one mailbox. */
export interface MailboxResult {
  readonly mailbox: string;
  readonly messages: number;
  /** What could not be taken along, in words. */
  readonly warnings: readonly string[];
}

/**
 * Told how far a mailbox is: of `total` units, which are messages or octets. It may throw: that ends
 * the transfer, and the mailbox under way is left as it was.
 */
export type Progress = (mailbox: string, done: number, total: number) => void;

/** Why nothing more is transferred; `message` says it to a person. */
export class TransferError extends Error {
  override readonly name = "TransferError";
}

/** Thrown by a `Progress` to end a transfer at once, with nothing cleared away that the store will. */
export class TransferStopped extends Error {
  override readonly name = "TransferStopped";
}
