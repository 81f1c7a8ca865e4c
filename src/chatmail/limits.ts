/** Bounds of this room, each with its reason. */

/** Largest file of invite tokens that is read: thousands of them. */
export const MAX_INVITE_FILE_BYTES = 1024 * 1024;
/** How long a look at free memory and disk holds, in milliseconds: logins may come by thousands. */
export const RESOURCES_FRESH_MS = 1_000;
/** Messages that one transaction removes: a few milliseconds, between which others have their turn. */
export const EXPIRY_BATCH = 200;
/** Longest rest after an account in a walk over all of them, in milliseconds: stopping waits for it. */
export const MAX_REST_MS = 200;
/** Accounts that one query names. */
export const EXPIRY_PAGE = 500;
/** Octets above which a message is large. */
export const LARGE_MESSAGE_BYTES = 200_000;
/** Shares of its quota at which an account is purged, and down to which. */
export const PURGE_ABOVE = 0.75;
export const PURGE_DOWN_TO = 0.7;
/** The newest messages that no purge takes: a sender who runs wild must be noticed. */
export const PURGE_SPARES_SECONDS = 86_400;
/** Between two looks at accounts that got mail, in milliseconds. */
export const PURGE_INTERVAL_MS = 10_000;
/** Between two walks over all accounts, and before the first one, in milliseconds. */
export const EXPIRY_INTERVAL_MS = 86_400_000;
export const EXPIRY_DELAY_MS = 60_000;
/** Octets of a device's token: those of today's clients have a few hundred. */
export const MAX_TOKEN_BYTES = 4096;
/** Devices of one account that are woken up. */
export const MAX_TOKENS = 10;
/** How long a token is good after a device last named it, in seconds. */
export const TOKEN_LIFE_SECONDS = 90 * 86_400;
/** How long credentials for the TURN server are good, in seconds: clients ask once per connection. */
export const TURN_LIFE_SECONDS = 5 * 86_400;
/** Requests to the push service at a time. */
export const MAX_PUSHES = 16;
/** How long the push service may take to answer. */
export const PUSH_TIMEOUT_MS = 60_000;
/** How long a device is tried, in seconds: later it is of no use. */
export const PUSH_GIVE_UP_SECONDS = 5 * 3600;
/** Between two looks at what is to be tried again. */
export const PUSH_LOOK_MS = 2_000;
/** Octets of a message's header, and of one line, that are looked at; more is not encrypted mail. */
export const MAX_CHECKED_HEADER_BYTES = 256 * 1024;
export const MAX_CHECKED_LINE = 16 * 1024;
/** Octets of a line of ASCII armor: programs write 64 or 76. */
export const MAX_ARMOR_LINE = 1024;
/** Octets that may stand before the first part: one sentence that says what the message is. */
export const MAX_PREAMBLE_BYTES = 512;
/** Octets of the first message of a secure join: its header and one line. */
export const MAX_SECURE_JOIN_BYTES = 256 * 1024;
