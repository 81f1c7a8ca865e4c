/**
 * Branded numbers, so that a UID cannot be passed where a sequence number is meant.
 * A brand costs nothing at run time. The functions of the same name brand a plain number and check
 * its bounds; use a cast only where the number was just read from the store.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** Unique identifier of a message within one mailbox and UIDVALIDITY: 1 to 2^32-1 (RFC 9051 2.3.1.1). */
export type Uid = Branded<"Uid">;
/** Position of a message in a session's view of a mailbox: 1 to 2^32-1 (RFC 9051 2.3.1.2). */
export type SeqNum = Branded<"SeqNum">;
/** Modification sequence of an account: 1 to 2^53-1; the RFC's 63 bits are never reached (RFC 7162 3.1). */
export type ModSeq = Branded<"ModSeq">;
/** UIDVALIDITY value of a mailbox: 1 to 2^32-1. */
export type UidValidity = Branded<"UidValidity">;
/** Row number of an account in the directory; never reused. */
export type AccountId = Branded<"AccountId">;
/** Row number of a mailbox within its account; never reused. */
export type MailboxId = Branded<"MailboxId">;

/** Highest UID, UIDVALIDITY or sequence number: an unsigned 32-bit integer. */
export const MAX_UINT32 = 0xffff_ffff;

function checked(value: number, maximum: number, name: string): number {
  if (!Number.isInteger(value) || value < 1 || value > maximum) {
    throw new RangeError(`${name} must be an integer from 1 to ${maximum}, not ${value}`);
  }
  return value;
}

/** Brands `value` as a UID. Throws RangeError outside 1 to 2^32-1. */
export function uid(value: number): Uid {
  return checked(value, MAX_UINT32, "UID") as Uid;
}
/** Brands `value` as a sequence number. Throws RangeError outside 1 to 2^32-1. */
export function seqNum(value: number): SeqNum {
  return checked(value, MAX_UINT32, "sequence number") as SeqNum;
}
/** Brands `value` as a modification sequence. Throws RangeError outside 1 to 2^53-1. */
export function modSeq(value: number): ModSeq {
  return checked(value, Number.MAX_SAFE_INTEGER, "mod-sequence") as ModSeq;
}
/** Brands `value` as an account's id. Throws RangeError unless a positive safe integer. */
export function accountId(value: number): AccountId {
  return checked(value, Number.MAX_SAFE_INTEGER, "account id") as AccountId;
}
/** Brands `value` as a mailbox's id. Throws RangeError unless a positive safe integer. */
export function mailboxId(value: number): MailboxId {
  return checked(value, Number.MAX_SAFE_INTEGER, "mailbox id") as MailboxId;
}
