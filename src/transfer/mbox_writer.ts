import { Buffer } from "node:buffer";
import { type Bytes, concatBytes, EMPTY_BYTES, encodeLatin1 } from "../base/mod.ts";
import type { ZonedTime } from "../store/mod.ts";
import { lettersOf, STATUS_FLAGS, X_STATUS_FLAGS } from "./flags.ts";
import { withoutCr } from "./line_ends.ts";
import { writeFromLine } from "./mbox_date.ts";

const LF = 10;
const QUOTE = 62; // >
const QUOTE_BYTES = Uint8Array.of(QUOTE);
const FROM = "From ";

/** The separator line and the fields with the flags, which stand before the message's own header. */
export function writeMboxHead(
  facts: { flags: number; keywords: string; internalDate: ZonedTime },
): Bytes {
  const { flags, keywords, internalDate } = facts;
  const field = (name: string, value: string) => `${name}:${value === "" ? "" : ` ${value}`}\n`;
  return encodeLatin1(
    `${writeFromLine(internalDate)}\n` +
      field("Status", `${lettersOf(flags, STATUS_FLAGS)}O`) +
      field("X-Status", lettersOf(flags, X_STATUS_FLAGS)) +
      field("X-Keywords", keywords),
  );
}

/** Quotes one message as mboxrd has it: one more ">" where a line is any number of them and "From ". */
export class MboxQuoter {
  /** What may be the beginning of "From ". */
  #tail: Bytes = EMPTY_BYTES;
  /** The line so far has nothing but ">". */
  #isAtStart = true;

  /** Takes the next stored bytes, in any split; gives what to write. */
  write(chunk: Bytes): Bytes {
    const bytes = concatBytes([this.#tail, withoutCr(chunk)]);
    const end = bytes.length - lengthOfBeginning(bytes);
    this.#tail = bytes.slice(end);
    return this.#quote(bytes.subarray(0, end));
  }

  /** The rest of the message, and the line end that belongs to the format. */
  end(): Bytes {
    return concatBytes([this.#tail, Uint8Array.of(LF)]);
  }

  #quote(bytes: Bytes): Bytes {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const parts: Bytes[] = [];
    let done = 0;
    for (let from = 0; (from = buffer.indexOf(FROM, from, "latin1")) >= 0; from += FROM.length) {
      if (!this.#startsLine(bytes, from)) continue;
      parts.push(bytes.subarray(done, from), QUOTE_BYTES);
      done = from;
    }
    this.#isAtStart = this.#startsLine(bytes, bytes.length);
    return parts.length === 0 ? bytes : concatBytes([...parts, bytes.subarray(done)]);
  }

  /** Whether there is nothing but ">" between the start of the line and `at`. */
  #startsLine(bytes: Bytes, at: number): boolean {
    while (at > 0 && bytes[at - 1] === QUOTE) at--;
    return at === 0 ? this.#isAtStart : bytes[at - 1] === LF;
  }
}

/** How many octets at the end of `bytes` are a beginning of "From ", but not the whole. */
function lengthOfBeginning(bytes: Bytes): number {
  for (let length = FROM.length - 1; length > 0; length--) {
    const end = String.fromCharCode(...bytes.subarray(Math.max(0, bytes.length - length)));
    if (end === FROM.slice(0, length)) return length;
  }
  return 0;
}
