/** What browsers can make this room hold, each bound with its reason. Times in milliseconds. */

/** Octets of a form's fields: the longest has a certificate chain in PEM. */
export const MAX_FORM_BYTES = 64 * 1024;
/** Browsers that are logged in at a time; the one that was idle longest goes for another. */
export const MAX_WEB_SESSIONS = 1_000;
/** How long a browser may do nothing before it must log in again: a lunch break. */
export const WEB_IDLE_MS = 60 * 60_000;
/** How long it may stay logged in at all: a working day. */
export const WEB_SESSION_MS = 12 * 60 * 60_000;
/** Octets of one field, and of the head of each part, beside the file that is sent with them. */
export const MAX_FIELD_BYTES = 4 * 1024;
export const MAX_PART_HEAD_BYTES = 4 * 1024;
/** Fields before a file: the form has one. */
export const MAX_FIELDS = 10;
/** Octets of a file to import; larger ones are for `postern import`, beside the server. */
export const MAX_UPLOAD_BYTES = 2 * 1024 ** 3;
/** How many times as large a zip may be when it is unpacked: mail becomes a fifth of its size. */
export const MAX_UNPACKED_RATIO = 5;
/** Octets of the disk that imports leave free, since mail must go on coming in. */
export const MIN_FREE_BYTES = 1024 ** 3;
/** How often that is looked at while an import goes on. */
export const ROOM_INTERVAL_MS = 1_000;
/** Imports at a time on the whole host: each keeps a disk busy. */
export const MAX_IMPORTS = 4;
/** Accounts, and the like, on one page of the admin. */
export const ADMIN_PAGE = 50;
/** Connections on one page: a busy host has thousands. */
export const CONNECTIONS_PAGE = 200;
/** Letters of what is searched for. */
export const MAX_SEARCH = 200;
/** Logins on one page when all are asked for. */
export const LOGINS_PAGE = 500;
