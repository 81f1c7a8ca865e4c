/**
 * How much work one command of the mailbox list may cause. What `wire/limits.ts` bounds, such as
 * the length of a line, is not repeated here.
 */

/**
 * Pattern positions looked at while LIST and LSUB match names, beyond what earlier names have
 * already answered. Twenty thousand names against ordinary patterns need a few hundred; patterns
 * made to be slow would keep the one event loop from everybody else.
 */
export const MAX_PATTERN_STEPS = 2_000_000;

/** RFC 2971 3.3: pairs in one ID command, octets of a field name, octets of a value. */
export const MAX_ID_PAIRS = 30;
export const MAX_ID_FIELD_BYTES = 30;
export const MAX_ID_VALUE_BYTES = 1024;
