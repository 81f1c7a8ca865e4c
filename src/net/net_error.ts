/** What went wrong: a peer's fault (`handshake`, `closed`, `timeout`) or the configuration's. */
export type NetErrorCode =
  | "handshake"
  | "closed"
  | "timeout"
  | "address"
  | "in_use"
  | "certificate";

/** An expected failure of this room; `message` is fit for a log line and, for an admin, a terminal. */
export class NetError extends Error {
  override readonly name = "NetError";
  readonly code: NetErrorCode;

  constructor(code: NetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
