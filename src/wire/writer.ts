import { type Bytes, concatBytes, encodeUtf8, type RangeSet } from "../base/mod.ts";
import { type DateTime, writeDateTime } from "./date_time.ts";
import { encodeModifiedUtf7 } from "./mailbox_name.ts";
import type { NameMode } from "./reader.ts";

const SAFE_ASTRING = /^[^\x00-\x20\x7f-\uffff(){%*"\\]+$/;
const QUOTABLE_ASCII = /^[\x20-\x7e\t]*$/;
const QUOTABLE_UTF8 = /^[^\x00-\x08\x0a-\x1f\x7f]*$/;

/** Longest string that is quoted rather than sent as a literal: some clients bound a line. */
const MAX_QUOTED_LENGTH = 1000;

/**
 * Builds responses. It collects; `take` gives what was collected. What it is asked to write it
 * writes in a form that is valid whatever the value: a string that cannot be quoted becomes a
 * literal, a name is spelt as the connection's `nameMode` says. What no string can hold, NUL and
 * half a surrogate pair, is written as U+FFFD.
 */
export class Writer {
  #chunks: Bytes[] = [];
  #chunkBytes = 0;
  #text = "";
  nameMode: NameMode = "utf7";

  /** Octets collected, or a little less when the text holds more than ASCII. */
  get length(): number {
    return this.#chunkBytes + this.#text.length;
  }

  /** Text that is already in wire form. */
  raw(text: string): this {
    this.#text += text;
    return this;
  }

  /** Octets that are already in wire form. */
  bytes(bytes: Bytes): this {
    this.#flushText();
    this.#chunks.push(bytes);
    this.#chunkBytes += bytes.length;
    return this;
  }

  crlf(): this {
    this.#text += "\r\n";
    return this;
  }

  /** A quoted string or a literal. */
  string(value: string): this {
    const quotable = this.nameMode === "utf8" ? QUOTABLE_UTF8 : QUOTABLE_ASCII;
    if (value.length <= MAX_QUOTED_LENGTH && quotable.test(value)) {
      return this.raw(`"${value.replace(/["\\]/g, "\\$&")}"`);
    }
    return this.literal(encodeUtf8(value.replaceAll("\0", "\ufffd")));
  }

  /** A string, or NIL. */
  nstring(value: string | undefined): this {
    return value === undefined ? this.raw("NIL") : this.string(value);
  }

  /** An atom when the value is one, else a string. */
  astring(value: string): this {
    return SAFE_ASTRING.test(value) && value.toUpperCase() !== "NIL"
      ? this.raw(value)
      : this.string(value);
  }

  /** A mailbox name in the connection's spelling. */
  mailbox(name: string): this {
    return this.astring(this.nameMode === "utf7" ? encodeModifiedUtf7(name) : name);
  }

  /**
   * `{n}` and the octets. NUL is not allowed in them (RFC 9051 4.3); parts of stored messages are
   * sent with those they have all the same, since clients ask for the message as it is.
   */
  literal(bytes: Bytes): this {
    return this.raw(`{${bytes.length}}\r\n`).bytes(bytes);
  }

  /** `~{n}` and the octets (RFC 3516 4.2, RFC 9051 4.3). */
  literal8(bytes: Bytes): this {
    return this.raw(`~{${bytes.length}}\r\n`).bytes(bytes);
  }

  dateTime(value: DateTime): this {
    return this.raw(writeDateTime(value));
  }

  set(set: RangeSet): this {
    return this.raw(set.toString());
  }

  /** `(a b c)` with each item written by `item`. */
  list<T>(items: Iterable<T>, item: (value: T) => void): this {
    this.raw("(");
    let first = true;
    for (const value of items) {
      if (!first) this.raw(" ");
      first = false;
      item(value);
    }
    return this.raw(")");
  }

  /** Everything collected so far, in one array; the writer is empty after it. */
  take(): Bytes {
    this.#flushText();
    const all = concatBytes(this.#chunks);
    this.#chunks = [];
    this.#chunkBytes = 0;
    return all;
  }

  #flushText(): void {
    if (this.#text === "") return;
    const bytes = encodeUtf8(this.#text);
    this.#chunks.push(bytes);
    this.#chunkBytes += bytes.length;
    this.#text = "";
  }
}
