/** What a peer can make this room hold, each bound with its reason. */

/** Recipients of one message: what RFC 5321 4.5.3.1.8 demands at least; each may hold 256 KiB. */
export const MAX_RECIPIENTS = 100;
/** Octets of one command line: RFC 5321 4.5.3.1.4 and room for the parameters of extensions. */
export const MAX_COMMAND_BYTES = 4096;
/** Milliseconds that a peer may be silent: RFC 5321 4.5.3.2.7 asks for at least five minutes. */
export const IDLE_TIMEOUT_MS = 5 * 60_000;
/** Octets of a name that a peer gives itself, as far as a Received field repeats it. */
export const MAX_RECEIVED_NAME_BYTES = 255;
/** Recipients of one message that a user submits: what chatmail hosts tell their clients. */
export const MAX_SUBMISSION_RECIPIENTS = 1000;
/**
 * Octets of one line that a submission client sends: RFC 4954 4 demands 12288 for an exchange, and
 * the longest message with a token that `auth` takes has 16 KiB in base64.
 */
export const MAX_SUBMISSION_COMMAND_BYTES = 16_384 + 128;
/** Commands before a login, lines of exchanges among them: several failed SCRAM attempts fit. */
export const MAX_COMMANDS_BEFORE_LOGIN = 25;
/** Octets of a submitted message's header: 1000 recipients with long names fit. */
export const MAX_SUBMITTED_HEADER_BYTES = 512 * 1024;
/**
 * Octets of a header that fields are taken out of on its way in: kept in memory until its end is
 * found, and far above what real mail has.
 */
export const MAX_FILTERED_HEADER_BYTES = 256 * 1024;
/** Octets of a submitted message that are kept in memory while it comes in. */
export const MAX_SPOOLED_IN_MEMORY = 256 * 1024;
/** Accounts that a submitted message is written to at a time, each of which may hold 256 KiB. */
export const LOCAL_BATCH = 100;
/** Addresses of a From field, each of which is looked up. */
export const MAX_FROM_ADDRESSES = 50;
/** How long a message is tried, in seconds: what chatmail hosts do; people notice within two days. */
export const QUEUE_LIFE_SECONDS = 2 * 86_400;
/** After how long a sender is told that a message is late, in seconds: RFC 5321 4.5.4.1 has hours. */
export const DELAY_NOTICE_SECONDS = 4 * 3600;
/** Waits after the attempts for a recipient, in seconds; the last one goes on. */
export const RETRY_SECONDS: readonly number[] = [60, 300, 900, 1800, 3600, 7200, 14_400];
/** Connections to the relay, and so messages being sent, at a time. */
export const MAX_RELAY_CONNECTIONS = 4;
/** Milliseconds between two looks at the queue: commands of other processes change it. */
export const QUEUE_LOOK_MS = 5_000;
/** Milliseconds that the relay may take to connect and to greet. */
export const RELAY_TIMEOUT_MS = 60_000;
/** Milliseconds that the relay has for its answer when the server stops. */
export const RELAY_STOP_MS = 1_000;
/** Octets of a message's header that a report of failed delivery repeats. */
export const MAX_REPORTED_HEADER_BYTES = 64 * 1024;
