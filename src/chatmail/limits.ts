/** Bounds of this room, each with its reason. */

/** Largest file of invite tokens that is read: thousands of them. */
export const MAX_INVITE_FILE_BYTES = 1024 * 1024;
/** How long a look at free memory and disk holds, in milliseconds: logins may come by thousands. */
export const RESOURCES_FRESH_MS = 1_000;
/** Messages that one transaction removes: a few milliseconds, between which others have their turn. */
export const EXPIRY_BATCH = 200;
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
