/** What an archive can make this room hold or do, each bound with its reason. */

/** Files and folders of a zip: a Maildir of a full account, at a message each. */
export const MAX_ZIP_ENTRIES = 100_000;
/** Octets of a zip's list of entries: it is in memory as a whole. */
export const MAX_ZIP_DIRECTORY_BYTES = 32 * 1024 * 1024;
/**
 * Octets that are read of a zip at a time: Deno inflates them in one step, and they become up to
 * 1,032 times as many.
 */
export const ZIP_READ_BYTES = 16 * 1024;
/** Octets of a name between two "/", as file systems have it. */
export const MAX_ZIP_NAME_BYTES = 255;
/** Levels of folders: those that a mailbox name may have, and what stands around them. */
export const MAX_ZIP_LEVELS = 60;
/** Octets of an entry, packed and not, that is inflated in one step. */
export const SMALL_ZIP_ENTRY_BYTES = 1024 * 1024;
/** Octets that are deflated between two turns of others: a millisecond. */
export const ZIP_TURN_BYTES = 32 * 1024;
/** Entries of a zip that are looked at between two turns of others: a few milliseconds. */
export const ZIP_TURN_ENTRIES = 50;
/** Octets of a list beside a Maildir, such as of 20,000 subscriptions: it is in memory as a whole. */
export const MAX_LIST_BYTES = 2 * 1024 * 1024;
/**
 * Messages that come into a mailbox in one step: each is 300 octets of memory until then, however
 * small it is, and the step stops the server for 7 microseconds.
 */
export const MAX_IMPORTED_MESSAGES = 500_000;
/** Messages that are stored, or taken back, between two turns of others: a few milliseconds. */
export const IMPORT_TURN_MESSAGES = 20;
