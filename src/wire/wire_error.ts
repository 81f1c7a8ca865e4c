/**
 * Bytes that are not the grammar's: becomes a tagged BAD. The message says what was expected and
 * where, counted in octets of the command's text, its literals and their announcements left out; it
 * never quotes what the client sent.
 */
export class WireError extends Error {
  override readonly name = "WireError";

  /** `code`: a response code without brackets, such as "TOOBIG", where one exists. */
  constructor(message: string, readonly code?: string) {
    super(message);
  }
}
