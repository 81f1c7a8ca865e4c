import type { Bytes } from "../base/mod.ts";

/** Reads big-endian numbers and length-prefixed vectors; after a failure gives zeros and nothing. */
export class Cursor {
  #bytes: Bytes;
  #offset = 0;
  failed = false;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  fail(): void {
    this.failed = true;
  }

  skip(count: number): Bytes {
    const end = this.#offset + count;
    if (this.failed || end > this.#bytes.length) {
      this.failed = true;
      return new Uint8Array(0);
    }
    const part = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return part;
  }

  number(width: number): number {
    return this.skip(width).reduce((value, byte) => value << 8 | byte, 0);
  }

  /** The bytes of a vector whose length takes `width` bytes. */
  vector(width: number): Bytes {
    return this.skip(this.number(width));
  }

  /** A cursor over a vector that must fill the rest. */
  within(width: number): Cursor {
    const inner = new Cursor(this.vector(width));
    inner.failed = this.failed ||= !this.isAtEnd;
    return inner;
  }
}
