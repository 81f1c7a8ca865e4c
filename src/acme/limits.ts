/** What an authority may make this room hold or wait for. Sizes in bytes, times in milliseconds. */

/** For one answer of the authority. */
export const REQUEST_TIMEOUT_MS = 30_000;

/** Longest answer; a chain of certificates has some 5 KiB. */
export const MAX_ANSWER = 256 * 1024;

/** For validation, and again for the issuing: authorities look from several places, one by one. */
export const WAIT_TIMEOUT_MS = 180_000;

/** Between two looks at an order that is being worked on; doubles up to the second. */
export const FIRST_POLL_MS = 250;
export const LONGEST_POLL_MS = 10_000;

/**
 * Before a second attempt; doubles with each failure. Let's Encrypt takes five failed validations of
 * a name in an hour: these are four.
 */
export const FIRST_RETRY_MS = 5 * 60_000;
export const LONGEST_RETRY_MS = 8 * 3_600_000;

/** How often it is looked whether something is due: clocks are set, and machines sleep. */
export const LOOK_EVERY_MS = 3_600_000;
