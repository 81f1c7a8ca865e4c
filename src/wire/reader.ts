import { type Bytes, decodeUtf8Strictly, encodeLatin1, MAX_UINT32 } from "../base/mod.ts";
import { type DateTime, parseDate, parseDateTime } from "./date_time.ts";
import type { Frame, FramePart, Literal } from "./framer.ts";
import { MAX_LIST_ITEMS, MAX_NESTING, MAX_SEQUENCE_RANGES, MAX_TAG_LENGTH } from "./limits.ts";
import { decodeModifiedUtf7 } from "./mailbox_name.ts";
import { parseSequenceNumber, type SequenceRange, type SequenceSet } from "./sequence_set.ts";
import { WireError } from "./wire_error.ts";

/** How names are spelt on this connection: RFC 3501 modified UTF-7, or UTF-8 once enabled. */
export type NameMode = "utf7" | "utf8";

// Character classes of RFC 9051 9, as sticky expressions over one character for each octet.
const ATOM = /[^\x00-\x20\x7f-\xff(){%*"\\\]]+/y;
const ASTRING_ATOM = /[^\x00-\x20\x7f-\xff(){%*"\\]+/y;
const LIST_ATOM = /[^\x00-\x20\x7f-\xff(){"\\]+/y;
const TAG = /[^\x00-\x20\x7f-\xff(){%*"\\+]+/y;
const WORD = /[A-Za-z0-9.=_-]+/y;
const NUMBER = /\d{1,20}/y;
const SEQUENCE = /[\d:*,]+/y;
const FLAG = /\\?[^\x00-\x20\x7f-\xff(){%*"\\\]]+/y;
const QUOTED = /"((?:[^"\\\x00\r\n]|\\["\\])*)"/y;
const RAW_DATE_TIME = /"([^"]{1,40})"/y;
const DATE = /"(\d{1,2}-[A-Za-z]{3}-\d{4})"|(\d{1,2}-[A-Za-z]{3}-\d{4})/y;

/**
 * Reads the grammar of one framed command from left to right. Methods come in pairs: `tryX` takes
 * nothing and gives undefined (or false) when something else stands there, `x` throws WireError
 * naming what was expected and where.
 */
export class Reader {
  #parts: readonly FramePart[];
  #part = 0;
  #text: string;
  #position = 0;
  /** Octets of text before the present part, for error positions. */
  #before = 0;
  #depth = 0;

  constructor(frame: Pick<Frame, "parts">, readonly nameMode: NameMode) {
    this.#parts = frame.parts;
    const first = frame.parts[0];
    this.#text = typeof first === "string" ? first : "";
  }

  /** A WireError that says that `expected` should stand here. */
  error(expected: string): WireError {
    return expectedAt(this.#before + this.#position, expected);
  }

  get atEnd(): boolean {
    return this.#position === this.#text.length && this.#part >= this.#parts.length - 1;
  }

  end(): void {
    if (!this.atEnd) throw this.error("the end of the command");
  }

  /** The next character without taking it; "" at the end, "{" where a literal stands. */
  peek(): string {
    if (this.#position < this.#text.length) return this.#text[this.#position]!;
    return this.#part + 1 < this.#parts.length ? "{" : "";
  }

  space(): void {
    if (!this.tryChar(" ")) throw this.error("a space");
  }

  trySpace(): boolean {
    return this.tryChar(" ");
  }

  char(char: string): void {
    if (!this.tryChar(char)) throw this.error(`"${char}"`);
  }

  tryChar(char: string): boolean {
    if (this.#text[this.#position] !== char) return false;
    this.#position++;
    return true;
  }

  tag(): string {
    const tag = this.#match(TAG) ?? this.#fail("a tag");
    if (tag.length <= MAX_TAG_LENGTH) return tag;
    this.#position -= tag.length;
    throw this.error("a shorter tag");
  }

  atom(): string {
    return this.#match(ATOM) ?? this.#fail("an atom");
  }

  /** Letters, digits and `. = _ -`, in capitals: names of commands, keys, options and items. */
  word(): string {
    return this.tryWord() ?? this.#fail("a word");
  }

  tryWord(): string | undefined {
    return this.#match(WORD)?.toUpperCase();
  }

  /** Takes the word `expected` (given in capitals) if it stands here, in any case. */
  tryExactWord(expected: string): boolean {
    const start = this.#position;
    if (this.tryWord() === expected) return true;
    this.#position = start;
    return false;
  }

  /** 0 to 2^32 - 1. */
  number(): number {
    const start = this.#position;
    const value = Number(this.#match(NUMBER) ?? this.#fail("a number"));
    if (value > MAX_UINT32) {
      this.#position = start;
      throw this.error("a number below 2^32");
    }
    return value;
  }

  /** 1 to 2^32 - 1. */
  nonZeroNumber(): number {
    const start = this.#position;
    const value = this.number();
    if (value > 0) return value;
    this.#position = start;
    throw this.error("a number above 0");
  }

  /**
   * 0 to 2^63 - 1. Above 2^53 - 1, where this server never goes, the value is cut to that, which
   * compares the same.
   */
  number64(): number {
    const start = this.#position;
    const digits = this.#match(NUMBER) ?? this.#fail("a number");
    if (BigInt(digits) >= 2n ** 63n) {
      this.#position = start;
      throw this.error("a number below 2^63");
    }
    return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
  }

  /** A quoted string or literal without NUL, as octets. */
  stringBytes(): Bytes {
    return this.tryStringBytes() ?? this.#fail("a string");
  }

  tryStringBytes(): Bytes | undefined {
    const literal = this.tryLiteral();
    if (literal?.bytes.includes(0)) throw this.error("no NUL in a string");
    if (literal) return literal.bytes;
    const quoted = this.#tryQuoted();
    return quoted === undefined ? undefined : encodeLatin1(quoted);
  }

  /** A quoted string or literal that must be UTF-8. */
  string(): string {
    const start = this.#before + this.#position;
    const text = decodeUtf8Strictly(this.stringBytes());
    if (text === undefined) throw expectedAt(start, "text in UTF-8");
    return text;
  }

  /** An atom-like string, quoted string or literal, as octets. */
  astringBytes(): Bytes {
    const atom = this.#match(ASTRING_ATOM);
    return atom === undefined
      ? this.tryStringBytes() ?? this.#fail("a string")
      : encodeLatin1(atom);
  }

  /** An atom-like string, quoted string or literal that must be UTF-8. */
  astring(): string {
    const atom = this.#match(ASTRING_ATOM);
    return atom ?? this.string();
  }

  /** A string or NIL. */
  nstring(): string | undefined {
    return this.#tryNil() ? undefined : this.string();
  }

  /** The literal that stands here, held or streamed. */
  tryLiteral(): Literal | undefined {
    if (this.#position < this.#text.length) return undefined;
    const literal = this.#parts[this.#part + 1];
    if (literal === undefined || typeof literal === "string") return undefined;
    const next = this.#parts[this.#part + 2];
    this.#before += this.#text.length;
    this.#part += 2;
    this.#text = typeof next === "string" ? next : "";
    this.#position = 0;
    return literal;
  }

  /** A mailbox name, decoded by the connection's `nameMode`; its rules are checked elsewhere. */
  mailbox(): string {
    return this.#decodeName(this.astring());
  }

  /** A mailbox pattern of LIST (`list-mailbox`), decoded like a name. */
  listMailbox(): string {
    return this.#decodeName(this.#match(LIST_ATOM) ?? this.string());
  }

  /** A sequence set, or "$". */
  sequenceSet(): SequenceSet {
    if (this.tryChar("$")) return "$";
    const start = this.#position;
    const text = this.#match(SEQUENCE) ?? this.#fail("a sequence set");
    const elements = text.split(",");
    const set: SequenceRange[] = [];
    for (const element of elements) {
      const colon = element.indexOf(":");
      const first = parseSequenceNumber(colon < 0 ? element : element.slice(0, colon));
      const last = colon < 0 ? first : parseSequenceNumber(element.slice(colon + 1));
      if (first === undefined || last === undefined || set.length === MAX_SEQUENCE_RANGES) {
        this.#position = start;
        throw this.error("a sequence set");
      }
      set.push({ first, last });
    }
    return set;
  }

  /** A flag or keyword, with its backslash, in the client's spelling. */
  flag(): string {
    return this.#match(FLAG) ?? this.#fail("a flag");
  }

  /** `"dd-Mon-yyyy hh:mm:ss +zzzz"`. */
  dateTime(): DateTime {
    return this.tryDateTime() ?? this.#fail("a date and time in quotes");
  }

  tryDateTime(): DateTime | undefined {
    const start = this.#position;
    const quoted = this.#match(RAW_DATE_TIME, 1);
    if (quoted === undefined) return undefined;
    const value = parseDateTime(quoted);
    if (value) return value;
    this.#position = start;
    throw this.error("a valid date and time");
  }

  /** `d-Mon-yyyy`, quoted or not, as days since 1970-01-01. */
  date(): number {
    const start = this.#position;
    const text = this.#match(DATE);
    const day = text === undefined ? undefined : parseDate(text.replaceAll('"', ""));
    if (day !== undefined) return day;
    this.#position = start;
    throw this.error("a date such as 1-Feb-2026");
  }

  /** `(item item ...)` with at least `minimum` items. */
  list<T>(item: () => T, minimum = 1): T[] {
    this.char("(");
    const items: T[] = [];
    if (minimum === 0 && this.tryChar(")")) return items;
    this.nested(() => {
      do {
        if (items.length === MAX_LIST_ITEMS) throw new WireError("Too many items in a list");
        items.push(item());
      } while (this.trySpace());
    });
    this.char(")");
    return items;
  }

  /** Runs `read` one level deeper; throws beyond MAX_NESTING, so that the stack is bounded. */
  nested<T>(read: () => T): T {
    if (++this.#depth > MAX_NESTING) throw new WireError("Too many nested parentheses");
    const result = read();
    this.#depth--;
    return result;
  }

  /** Runs `read`; when it gives undefined, goes back to where it began. */
  attempt<T>(read: () => T | undefined): T | undefined {
    const [part, text, position, before] = [
      this.#part,
      this.#text,
      this.#position,
      this.#before,
    ];
    const result = read();
    if (result === undefined) {
      this.#part = part;
      this.#text = text;
      this.#position = position;
      this.#before = before;
    }
    return result;
  }

  /** Text up to the next one of `stops` or the end of this part; for sections of FETCH. */
  until(stops: string): string {
    const start = this.#position;
    while (this.#position < this.#text.length && !stops.includes(this.#text[this.#position]!)) {
      this.#position++;
    }
    return this.#text.slice(start, this.#position);
  }

  #tryNil(): boolean {
    return this.attempt(() => {
      const atom = this.#match(ATOM);
      return atom !== undefined && atom.toUpperCase() === "NIL" ? true : undefined;
    }) ?? false;
  }

  #tryQuoted(): string | undefined {
    const inner = this.#match(QUOTED, 1);
    return inner !== undefined && inner.includes("\\") ? inner.replace(/\\(.)/g, "$1") : inner;
  }

  #decodeName(name: string): string {
    return this.nameMode === "utf7" ? decodeModifiedUtf7(name) : name;
  }

  #match(pattern: RegExp, group = 0): string | undefined {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text);
    if (!match) return undefined;
    this.#position = pattern.lastIndex;
    return match[group];
  }

  #fail(expected: string): never {
    throw this.error(expected);
  }
}

function expectedAt(octetsBefore: number, expected: string): WireError {
  return new WireError(`Expected ${expected} at octet ${octetsBefore + 1}`);
}
