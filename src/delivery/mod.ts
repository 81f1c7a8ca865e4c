/**
 * delivery: mail coming in and going out. Laws: every message from outside comes in through
 * `deliverMessage`; nothing is acknowledged before it is durable, and what is not acknowledged has
 * left nothing behind; one recipient's trouble is never another's; a message's own bytes are not
 * changed, only trace fields are put in front; what a peer says cannot add a line to them; what a
 * user submits is changed in its header alone, and leaves the queue only when somebody else has it
 * or the sender was told.
 */
export {
  deliverMessage,
  type DeliveryResult,
  type DeliveryServices,
  type DeliveryTarget,
  type MessageInspector,
  type MessageSource,
  type Recipient,
  type Refusal,
  type RefusalKind,
  type RemovedFields,
  resolveRecipient,
} from "./accept.ts";
export { LmtpServer, type LmtpServices } from "./lmtp.ts";
export { Outbox } from "./outbox.ts";
export { QueueRunner } from "./queue_runner.ts";
export { RateLimit, type SendingRate } from "./rate_limit.ts";
export { Relay, type RelayOptions } from "./relay.ts";
export { sweepSpool } from "./spool.ts";
export { SubmissionServer, type SubmissionServices } from "./submission.ts";
export type { LiveSubmission } from "./submission_connection.ts";
export type { SubmissionPolicy, SubmissionRefusal, SubmittedMessage } from "./submission_policy.ts";
