import type { Bytes } from "../base/mod.ts";
import type { Account } from "../store/mod.ts";

/** Why something submitted is refused, as the client reads it. */
export interface SubmissionRefusal {
  /** Reply code (RFC 5321 4.2.3), such as 550. */
  readonly code: number;
  /** Enhanced status code (RFC 3463), such as 5.7.1. */
  readonly status: string;
  /** One line for people. */
  readonly text: string;
}

/** A message that was received whole and is not accepted yet. */
export interface SubmittedMessage {
  readonly account: Account;
  /** Its reverse-path; "" for none. */
  readonly sender: string;
  /** Addresses of its From field. */
  readonly from: readonly string[];
  /** As the client named them. */
  readonly recipients: readonly string[];
  /** The message as it will be sent, without the Received field; may be read again and again. */
  content(): AsyncIterable<Bytes>;
}

/** What a host wants of mail that is submitted, beyond that its sender is who it says. */
export interface SubmissionPolicy {
  /** Neither adds a Received field nor keeps any, nor other fields that tell of the client. */
  readonly hidesClient?: boolean;
  /** Values that replace those of fields, whose names are in lower case, where a message has them. */
  replacedFields?(account: Account, recipients: readonly string[]): ReadonlyMap<string, string>;
  /** Asked at MAIL, once the address is known to be the account's; "" for none. */
  checkSender?(account: Account, sender: string): Promise<SubmissionRefusal | undefined>;
  /** Asked before anybody is given the message. */
  checkMessage?(message: SubmittedMessage): Promise<SubmissionRefusal | undefined>;
}
