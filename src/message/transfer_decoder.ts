import { type Bytes, concatBytes, EMPTY_BYTES } from "../base/mod.ts";
import { MAX_HELD_SPACE } from "./limits.ts";

/**
 * Takes the bytes of a part in any split and gives what they stand for. `write` may give less than
 * it could and `end` gives the rest; the result does not depend on the split. What is given may
 * share the memory of what was written.
 */
export interface TransferDecoder {
  write(chunk: Bytes): Bytes;
  end(): Bytes;
}

/**
 * A decoder for a Content-Transfer-Encoding (RFC 2045 6), lower case; undefined when nobody knows
 * it, which FETCH BINARY answers with UNKNOWN-CTE (RFC 9051 7.5.2). Garbage in the content is
 * skipped (base64) or taken as it stands (quoted-printable), never an error.
 * With `crlfLines` bare CR and LF come out as CRLF, as RFC 9051 7.5.2 asks for text.
 */
export function createTransferDecoder(
  encoding: string,
  options: { readonly crlfLines?: boolean } = {},
): TransferDecoder | undefined {
  const decoder = createPlain(encoding);
  if (decoder === undefined || options.crlfLines !== true) return decoder;
  const lines = new LineNormaliser();
  return {
    write: (chunk) => lines.write(decoder.write(chunk)),
    end: () => concatBytes([lines.write(decoder.end()), lines.end()]),
  };
}

/** The whole of `bytes` decoded; as they are when nobody knows the encoding. */
export function decodeTransfer(bytes: Bytes, encoding: string): Bytes {
  const decoder = createPlain(encoding);
  if (decoder === undefined) return bytes;
  const first = decoder.write(bytes);
  const rest = decoder.end();
  return rest.length === 0 ? first : concatBytes([first, rest]);
}

function createPlain(encoding: string): TransferDecoder | undefined {
  switch (encoding) {
    case "":
    case "7bit":
    case "8bit":
    case "binary":
      return { write: (chunk) => chunk, end: () => EMPTY_BYTES };
    case "base64":
      return new Base64Decoder();
    case "quoted-printable":
      return new QuotedPrintableDecoder();
    default:
      return undefined;
  }
}

const PADDING = 64;
const SKIP = 65;
const BASE64 = makeBase64Table();

function makeBase64Table(): Uint8Array {
  const table = new Uint8Array(256).fill(SKIP);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (let i = 0; i < 64; i++) table[alphabet.charCodeAt(i)] = i;
  table["=".charCodeAt(0)] = PADDING;
  return table;
}

/** RFC 2045 6.8. Padding ends a group, so encoded pieces that were pasted together decode. */
class Base64Decoder implements TransferDecoder {
  #bits = 0;
  #count = 0;

  write(chunk: Bytes): Bytes {
    const out = new Uint8Array(Math.ceil((chunk.length + 3) / 4) * 3);
    let length = 0;
    let bits = this.#bits;
    let count = this.#count;
    for (let i = 0; i < chunk.length; i++) {
      const value = BASE64[chunk[i]!]!;
      if (value < PADDING) {
        bits = (bits << 6) | value;
        if (++count === 4) {
          out[length] = bits >> 16;
          out[length + 1] = bits >> 8;
          out[length + 2] = bits;
          length += 3;
          bits = 0;
          count = 0;
        }
      } else if (value === PADDING && count > 0) {
        length += writeGroup(out, length, bits, count);
        bits = 0;
        count = 0;
      }
    }
    this.#bits = bits;
    this.#count = count;
    return out.subarray(0, length);
  }

  end(): Bytes {
    const out = new Uint8Array(2);
    const length = writeGroup(out, 0, this.#bits, this.#count);
    this.#bits = 0;
    this.#count = 0;
    return out.subarray(0, length);
  }
}

/** Writes the whole octets of an unfinished group of `count` characters; gives how many. */
function writeGroup(out: Uint8Array, at: number, bits: number, count: number): number {
  if (count === 2) {
    out[at] = bits >> 4;
    return 1;
  }
  if (count === 3) {
    out[at] = bits >> 10;
    out[at + 1] = bits >> 2;
    return 2;
  }
  return 0;
}

const CR = 13;
const LF = 10;
const EQUALS = 61;

/** RFC 2045 6.7. */
class QuotedPrintableDecoder implements TransferDecoder {
  /** White space that is content unless the line ends after it; or "=" and what followed it. */
  #held: number[] = [];

  write(chunk: Bytes): Bytes {
    const out = new Uint8Array(chunk.length + this.#held.length);
    let length = 0;
    const held = this.#held;
    const release = () => {
      for (const byte of held) out[length++] = byte;
      held.length = 0;
    };
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (held.length === 0) {
        // The usual cases, when the bytes that decide are at hand.
        const next = chunk[i + 1] ?? LF;
        if (byte > EQUALS || (byte > 32 && byte < EQUALS) || (byte === 32 && next > EQUALS)) {
          out[length++] = byte;
          continue;
        }
        const value = byte === EQUALS ? hexValue(next) * 16 + hexValue(chunk[i + 2] ?? LF) : -1;
        if (value >= 0 && hexValue(chunk[i + 2] ?? LF) >= 0) {
          out[length++] = value;
          i += 2;
          continue;
        }
      }
      if (held.length > 0 && held[0] === EQUALS) {
        // "=" has come: two hex digits, or white space up to the line's end (a soft break).
        const last = held[held.length - 1]!;
        if (held.length === 1 ? hexValue(byte) >= 0 : held.length === 2 && hexValue(last) >= 0) {
          if (held.length === 1) {
            held.push(byte);
            continue;
          }
          if (hexValue(byte) >= 0) {
            out[length++] = hexValue(last) * 16 + hexValue(byte);
            held.length = 0;
            continue;
          }
        } else if (byte === LF) {
          held.length = 0;
          continue;
        } else if (
          (byte === CR || byte === 32 || byte === 9) && last !== CR && held.length < MAX_HELD_SPACE
        ) {
          held.push(byte);
          continue;
        }
        release();
      }
      if (byte === EQUALS) {
        release();
        held.push(byte);
      } else if (byte === 32 || byte === 9) {
        if (held.length >= MAX_HELD_SPACE) release();
        held.push(byte);
      } else {
        if (byte === CR || byte === LF) held.length = 0;
        else if (held.length > 0) release();
        out[length++] = byte;
      }
    }
    return out.subarray(0, length);
  }

  end(): Bytes {
    const held = this.#held;
    this.#held = [];
    // A soft break that the end of the part cut off, or white space at its end, is no content.
    const isContent = held[0] === EQUALS && held.length === 2 && hexValue(held[1]!) >= 0;
    return isContent ? Uint8Array.from(held) : EMPTY_BYTES;
  }
}

function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  if (byte >= 65 && byte <= 70) return byte - 55;
  if (byte >= 97 && byte <= 102) return byte - 87;
  return -1;
}

/** Makes every line end CRLF. */
class LineNormaliser {
  #afterCr = false;

  write(chunk: Bytes): Bytes {
    let extra = 0;
    let afterCr = this.#afterCr;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if ((byte === LF) !== afterCr) extra++;
      afterCr = byte === CR;
    }
    if (extra === 0) {
      this.#afterCr = afterCr;
      return chunk;
    }
    const out = new Uint8Array(chunk.length + extra);
    let length = 0;
    afterCr = this.#afterCr;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (byte === LF && !afterCr) out[length++] = CR;
      else if (byte !== LF && afterCr) out[length++] = LF;
      out[length++] = byte;
      afterCr = byte === CR;
    }
    this.#afterCr = afterCr;
    return out.subarray(0, length);
  }

  end(): Bytes {
    const owed = this.#afterCr;
    this.#afterCr = false;
    return owed ? Uint8Array.of(LF) : EMPTY_BYTES;
  }
}
