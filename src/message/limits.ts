/**
 * Everything a message can make this room keep or compute has a bound here. Nothing of the message
 * itself is lost at a bound: it is stored as it came, only what is derived from it stops.
 */

/** Multiparts and embedded messages inside one another; deeper ones become opaque leaves. */
export const MAX_DEPTH = 100;

/** Parts in one message, embedded messages included; later delimiters are taken as content. */
export const MAX_PARTS = 10_000;

/** Octets of one header that are looked at: thousands of recipients fit. */
export const MAX_HEADER_BYTES = 1024 * 1024;

/** Octets of header looked at in a whole message, so that many parts cannot add up. */
export const MAX_TOTAL_HEADER_BYTES = 4 * 1024 * 1024;

/** A longer boundary is taken as missing; RFC 2046 5.1.1 allows 70. */
export const MAX_BOUNDARY_LENGTH = 256;

/** An unfinished line of this length is no longer kept to see whether it is a delimiter. */
export const MAX_PENDING_LINE = 1024;

/** Addresses in the envelopes of one message; ENVELOPE shows the first so many. */
export const MAX_ADDRESSES = 20_000;

/** Parameters of one Content-Type or Content-Disposition field. */
export const MAX_PARAMETERS = 100;

/** Octets of text (after transfer decoding) that search sees, over all parts of a message. */
export const MAX_TEXT_BYTES = 4 * 1024 * 1024;

/** Message identifiers kept of References and In-Reply-To: the first and the last ones. */
export const MAX_REFERENCES = 100;

/** Characters of one message identifier; a longer one is no identifier. */
export const MAX_MESSAGE_ID_LENGTH = 998;

/** UTF-16 units of a subject that the base subject is taken from. */
export const MAX_SUBJECT_LENGTH = 2000;

/** UTF-16 units of a sort key. */
export const MAX_SORT_KEY_LENGTH = 500;

/** Characters kept as preview; RFC 8970 3.3 forbids longer ones. */
export const MAX_PREVIEW_CHARACTERS = 256;

/** UTF-16 units of decoded text that are looked at for a preview. */
export const MAX_PREVIEW_SOURCE = 1024 * 1024;

/** White space at a quoted-printable line's end that is held back until the line ends. */
export const MAX_HELD_SPACE = 1024;
