/** What browsers can make this room hold, each bound with its reason. Times in milliseconds. */

/** Octets of a form's fields: the longest has a certificate chain in PEM. */
export const MAX_FORM_BYTES = 64 * 1024;
/** Browsers that are logged in at a time; the one that was idle longest goes for another. */
export const MAX_WEB_SESSIONS = 1_000;
/** How long a browser may do nothing before it must log in again: a lunch break. */
export const WEB_IDLE_MS = 60 * 60_000;
/** How long it may stay logged in at all: a working day. */
export const WEB_SESSION_MS = 12 * 60 * 60_000;
