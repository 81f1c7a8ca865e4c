/**
 * How much a client may send, each with its reason. What goes over a limit is answered, never
 * stored by halves, and costs no more memory than the limit.
 */

/**
 * Octets of one command outside its literals, all lines together. RFC 7162 4 asks servers to take
 * 8,192; phones that name thousands of UIDs one by one send more.
 */
export const MAX_LINE_BYTES = 64 * 1024;

/** Octets of a line that answers a continuation request: SASL and IDLE never need more. */
export const MAX_CONTINUATION_BYTES = 16 * 1024;

/**
 * Octets of one literal that is held in memory (message literals are streamed instead): a SEARCH
 * text, a METADATA value or a mailbox name has no business being larger.
 */
export const MAX_LITERAL_BYTES = 100 * 1024;

/** Octets of all literals held in memory for one command. */
export const MAX_LITERALS_BYTES = 10 * MAX_LITERAL_BYTES;

/** Literals in one command. */
export const MAX_LITERALS = 1000;

/** Octets of all literals of one command before login: names and passwords are short. */
export const MAX_LITERALS_BYTES_BEFORE_LOGIN = 16 * 1024;

/** Depth of parentheses in a command: deeper SEARCH programs would be an attack on the stack. */
export const MAX_NESTING = 50;

/** Items of one parenthesised list or SEARCH program. */
export const MAX_LIST_ITEMS = 10_000;

/** Ranges in one sequence set; MAX_LINE_BYTES bounds it too, this bounds the work per command. */
export const MAX_SEQUENCE_RANGES = 20_000;

/** Characters of a tag: it is echoed in every answer. */
export const MAX_TAG_LENGTH = 200;
