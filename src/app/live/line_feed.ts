import { type Bytes, decodeUtf8 } from "../../base/mod.ts";

/** Octets of a line that are shown; of what is longer, the number. */
const MAX_SHOWN_BYTES = 1_000;

const LF = 0x0a;

/** One line of a conversation. */
export interface Line {
  /** Without its end, cut where it is too long. */
  readonly text: string;
  /** Octets of all of it, without its end. */
  readonly size: number;
  /** Its last characters, also of one that was cut. */
  readonly tail: string;
}

/** Cuts one direction of a conversation into lines, between octets that are not looked at. */
export class LineFeed {
  #bytes: number[] = [];
  #size = 0;
  #tail: number[] = [];
  #skip = 0;

  /** Passes over so many octets, which follow the line that was given last. */
  skip(count: number): void {
    this.#skip = count;
  }

  /** Takes back what of `skip` has not come. */
  stopSkipping(): void {
    this.#skip = 0;
  }

  /** Calls `take` for each line that is whole with these octets. */
  push(bytes: Bytes, take: (line: Line) => void): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#skip > 0) {
        const count = Math.min(this.#skip, bytes.length - at);
        this.#skip -= count;
        at += count;
        continue;
      }
      const end = bytes.indexOf(LF, at);
      this.#keep(bytes.subarray(at, end < 0 ? bytes.length : end));
      if (end < 0) return;
      at = end + 1;
      take(this.#take());
    }
  }

  #keep(part: Bytes): void {
    this.#size += part.length;
    for (const byte of part.subarray(0, Math.max(0, MAX_SHOWN_BYTES - this.#bytes.length))) {
      this.#bytes.push(byte);
    }
    this.#tail = [...this.#tail, ...part.subarray(-TAIL_BYTES)].slice(-TAIL_BYTES);
  }

  #take(): Line {
    const size = this.#size - (this.#tail.at(-1) === CR ? 1 : 0);
    const text = decodeUtf8(new Uint8Array(this.#bytes.slice(0, size)));
    const line = {
      size,
      text: size > MAX_SHOWN_BYTES ? `${text} (${size - MAX_SHOWN_BYTES} octets more)` : text,
      tail: decodeUtf8(new Uint8Array(this.#tail)).replace(/\r$/, ""),
    };
    this.#bytes = [];
    this.#tail = [];
    this.#size = 0;
    return line;
  }
}

const CR = 0x0d;
/** A literal's header has at most about so many. */
const TAIL_BYTES = 32;
