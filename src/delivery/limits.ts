/** What a peer can make this room hold, each bound with its reason. */

/** Recipients of one message: what RFC 5321 4.5.3.1.8 demands at least; each may hold 256 KiB. */
export const MAX_RECIPIENTS = 100;
/** Octets of one command line: RFC 5321 4.5.3.1.4 and room for the parameters of extensions. */
export const MAX_COMMAND_BYTES = 4096;
/** Milliseconds that a peer may be silent: RFC 5321 4.5.3.2.7 asks for at least five minutes. */
export const IDLE_TIMEOUT_MS = 5 * 60_000;
/** Milliseconds that a peer may leave our answers unread. */
export const WRITE_TIMEOUT_MS = 60_000;
/** Octets of a name that a peer gives itself, as far as a Received field repeats it. */
export const MAX_RECEIVED_NAME_BYTES = 255;
