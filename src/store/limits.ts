/** Bounds of what one account may make the store keep. Errors: StoreError "limit" unless noted. */

/** Mailboxes of one account: LIST "*" answers with one line for each. */
export const MAX_MAILBOXES = 10_000;

/** Subscribed names of one account, existing or not: LSUB answers with one line for each. */
export const MAX_SUBSCRIPTIONS = 20_000;

/** Keywords ever used in one mailbox: SELECT names them all, twice. */
export const MAX_KEYWORDS = 1000;

/** Characters of one keyword. */
export const MAX_KEYWORD_LENGTH = 250;

/** METADATA entries of one account, its mailboxes included: "too-many-annotations" (RFC 5464 4.3). */
export const MAX_ANNOTATIONS = 1000;

/** Octets of their names and values together: "annotations-too-large" (RFC 5464 4.3). */
export const MAX_ANNOTATION_BYTES = 1_000_000;

/** App passwords of one account: each costs a proof to check at every login by SCRAM. */
export const MAX_APP_PASSWORDS = 32;

/** Keys of one account: a person has a handful of devices. */
export const MAX_CLIENT_KEYS = 32;

/** How long attempts to log in are kept. */
export const LOGIN_DAYS = 30;

/**
 * Entries of failed logins of one account, and of successful ones; those of names without an account
 * count as one account's. The oldest go first.
 */
export const MAX_LOGIN_ENTRIES = 10_000;

/** How long the server keeps what its charts show: 8,640 samples of each series. */
export const HISTORY_DAYS = 30;

/** Points of a chart: more than a screen is wide. */
export const MAX_HISTORY_POINTS = 1000;
