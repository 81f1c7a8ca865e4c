import { type Bytes, concatBytes, EMPTY_BYTES } from "../base/mod.ts";
import { headerFields } from "../message/mod.ts";
import { MAX_FILTERED_HEADER_BYTES } from "./limits.ts";
import { findHeaderEnd } from "./submitted_header.ts";

/**
 * Takes fields out of a message's header while the message comes in, in any split. What follows the
 * header is not looked at, nor a header that is too long to be one: both stay octet by octet.
 */
export class HeaderFilter {
  readonly #names: readonly string[];
  /** The header so far; undefined behind its end. */
  #head: Bytes | undefined = EMPTY_BYTES;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** What of the message is known to stay. */
  write(bytes: Bytes): Bytes {
    if (this.#head === undefined) return bytes;
    // The end may begin in what came before.
    const from = Math.max(0, this.#head.length - 3);
    const head = this.#head = concatBytes([this.#head, bytes]);
    const end = findHeaderEnd(head, from);
    if ((end ?? head.length) > MAX_FILTERED_HEADER_BYTES) {
      this.#head = undefined;
      return head;
    }
    if (end === undefined) return EMPTY_BYTES;
    this.#head = undefined;
    return concatBytes([this.#filter(head.subarray(0, end)), head.subarray(end)]);
  }

  /** The rest of a message that has nothing but a header. */
  end(): Bytes {
    const head = this.#head ?? EMPTY_BYTES;
    this.#head = undefined;
    return head.length === 0 ? head : this.#filter(head);
  }

  #filter(header: Bytes): Bytes {
    // Without the empty line that it ends with.
    return headerFields(header, this.#names, true).subarray(0, -2);
  }
}
