/**
 * How much work one command may cause. What `wire/limits.ts` bounds, such as the length of a line,
 * is not repeated here.
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

/**
 * Keys of one search, those within other keys included. Clients that look for lost messages chain a
 * few hundred OR HEADER or OR EMAILID; each key is compared with every message.
 */
export const MAX_SEARCH_KEYS = 1000;

/**
 * Depth of keys and parentheses in a search, so that the stack is bounded. JavaMail joins a hundred
 * terms as OR (OR (OR a b) c) d, which is deeper than any list of another command.
 */
export const MAX_SEARCH_DEPTH = 250;

/** Characters of a METADATA entry's name: it is told again in each response about the entry. */
export const MAX_ENTRY_NAME_LENGTH = 1000;

/** Groups of mailboxes in one NOTIFY: each is asked about each mailbox that changes. */
export const MAX_NOTIFY_GROUPS = 100;

/** Words of one fuzzy key, each of which is looked for in every message. */
export const MAX_FUZZY_WORDS = 50;

/** Fuzzy keys of one search: each costs up to four searches more for its scores. */
export const MAX_FUZZY_KEYS = 10;

/** Language ranges of one LANGUAGE command, and characters of one (RFC 5255 3.2). */
export const MAX_LANGUAGE_RANGES = 50;
export const MAX_LANGUAGE_RANGE_LENGTH = 100;

/**
 * Searches of one session whose changes are told (RFC 5267 4.3.1): each costs a search over what
 * changed, with every change.
 */
export const MAX_FOLLOWED_SEARCHES = 10;

/** Results of a SORT whose changes are told: their order is held in memory. */
export const MAX_FOLLOWED_RESULTS = 100_000;
