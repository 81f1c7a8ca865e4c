import { type Bytes, concatBytes, EMPTY_BYTES } from "../base/mod.ts";

const LF = 10;

/** Cuts bytes that come in any split into lines, without their ends. */
export class LineReader {
  readonly #maxBytes: number;
  readonly #take: (line: Bytes) => void;
  #rest: Bytes = EMPTY_BYTES;

  /** `take` is called for each line of at most `maxBytes`, which it must copy to keep. */
  constructor(maxBytes: number, take: (line: Bytes) => void) {
    this.#maxBytes = maxBytes;
    this.#take = take;
  }

  /** False as soon as a line is too long. */
  write(bytes: Bytes): boolean {
    let start = 0;
    for (let end; (end = bytes.indexOf(LF, start)) >= 0; start = end + 1) {
      const line = join(this.#rest, bytes.subarray(start, end));
      this.#rest = EMPTY_BYTES;
      if (line.length > this.#maxBytes) return false;
      this.#take(line.at(-1) === 13 ? line.subarray(0, -1) : line);
    }
    // A copy: the caller may use its bytes again.
    if (start < bytes.length) this.#rest = concatBytes([this.#rest, bytes.subarray(start)]);
    return this.#rest.length <= this.#maxBytes;
  }

  /** Takes what stands behind the last line end. */
  end(): boolean {
    return this.#rest.length === 0 || this.write(Uint8Array.of(LF));
  }
}

/** Most lines come in one piece, and are looked at where they lie. */
function join(first: Bytes, second: Bytes): Bytes {
  return first.length === 0 ? second : second.length === 0 ? first : concatBytes([first, second]);
}
