/**
 * delivery: mail coming in. Laws: every message from outside comes in through `deliverMessage`;
 * nothing is acknowledged before it is durable, and what is not acknowledged has left nothing
 * behind; one recipient's trouble is never another's; a message's own bytes are not changed, only
 * trace fields are put in front; what a peer says cannot add a line to them.
 */
export {
  deliverMessage,
  type DeliveryResult,
  type DeliveryServices,
  type DeliveryTarget,
  type MessageSource,
  type Recipient,
  type Refusal,
  type RefusalKind,
  resolveRecipient,
} from "./accept.ts";
export { LmtpServer, type LmtpServices } from "./lmtp.ts";
