/** Bounds of this room, each with its reason. */

/** Largest file of invite tokens that is read: thousands of them. */
export const MAX_INVITE_FILE_BYTES = 1024 * 1024;
/** How long a look at free memory and disk holds, in milliseconds: logins may come by thousands. */
export const RESOURCES_FRESH_MS = 1_000;
