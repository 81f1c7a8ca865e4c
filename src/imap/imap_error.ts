/**
 * A refusal that a command decided on: the tagged NO or BAD and its response code. Nothing that the
 * command was asked to do was done, unless the text says so.
 */
export class ImapError extends Error {
  override readonly name = "ImapError";

  /** `code`: response code without brackets, such as "TRYCREATE" (RFC 9051 7.1, RFC 5530). */
  constructor(readonly status: "NO" | "BAD", message: string, readonly code?: string) {
    super(message);
  }
}

/**
 * The store failed (`cause`) when the beginning of a response was out already, so that no tagged
 * response would be understood: the connection ends.
 */
export class ResponseCut extends Error {
  override readonly name = "ResponseCut";

  constructor(cause: unknown) {
    super("A response could not be completed", { cause });
  }
}

/** A tagged NO. */
export function no(message: string, code?: string): ImapError {
  return new ImapError("NO", message, code);
}

/** A tagged BAD: the client broke the protocol, rather than asked for what cannot be. */
export function bad(message: string, code?: string): ImapError {
  return new ImapError("BAD", message, code);
}
