import type { Bytes } from "../base/mod.ts";

/**
 * Whether a message that comes in pieces has lines and nothing else: no CR and no LF but together,
 * and no NUL (RFC 5321 2.3.8, RFC 6152 3). Such would be taken for the end of a line by some hosts
 * and not by others, and so hide a message within another.
 */
export class LineCheck {
  #endsWithCr = false;

  /** False when a piece has something that is in no line. */
  write(bytes: Bytes): boolean {
    if (bytes.length === 0) return true;
    if (bytes.includes(0)) return false;
    if (this.#endsWithCr && bytes[0] !== 10) return false;
    for (let at = -1; (at = bytes.indexOf(13, at + 1)) >= 0;) {
      if (at + 1 < bytes.length && bytes[at + 1] !== 10) return false;
    }
    for (let at = -1; (at = bytes.indexOf(10, at + 1)) >= 0;) {
      if (at === 0 ? !this.#endsWithCr : bytes[at - 1] !== 13) return false;
    }
    this.#endsWithCr = bytes[bytes.length - 1] === 13;
    return true;
  }

  /** False when the message ends in the middle of the end of a line. */
  end(): boolean {
    return !this.#endsWithCr;
  }
}
