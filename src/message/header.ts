import { type Bytes, concatBytes, decodeLatin1, encodeLatin1 } from "../base/mod.ts";
import { decodeWords } from "./encoded_word.ts";
import { trimRaw } from "./raw_text.ts";

// deno-lint-ignore no-control-regex
const BREAKS = /[\x00\r\n]+/g;

/** One header field. */
export interface HeaderField {
  /** As written. */
  readonly name: string;
  /** Raw text (one character for a byte), unfolded, without NUL and outer white space. */
  readonly value: string;
}

/** The fields of one header, in order. */
export class Header {
  readonly fields: readonly HeaderField[];
  /** Indexes of fields by lower-case name. */
  #byName = new Map<string, number[]>();

  constructor(fields: readonly HeaderField[]) {
    this.fields = fields;
    fields.forEach((field, index) => {
      const name = field.name.toLowerCase();
      const known = this.#byName.get(name);
      if (known === undefined) this.#byName.set(name, [index]);
      else known.push(index);
    });
  }

  /** Raw value of the first field called `name` (lower case), "" when it is empty. */
  first(name: string): string | undefined {
    const index = this.#byName.get(name)?.[0];
    return index === undefined ? undefined : this.fields[index]?.value;
  }

  /** Raw values of all fields called `name` (lower case). */
  all(name: string): string[] {
    return (this.#byName.get(name) ?? []).map((index) => this.fields[index]?.value ?? "");
  }

  /** All fields decoded, each "Name: value" on its own line, for search. */
  text(): string {
    let text = "";
    for (const { name, value } of this.fields) {
      text += `${name}: ${decodeField(value)}\n`;
    }
    return text;
  }
}

/** A raw field value as text on one line. */
export function decodeField(value: string): string {
  return decodeWords(value).replace(BREAKS, " ");
}

/**
 * Fields of a raw header (RFC 5322 2.2). Lines that are no field, such as an mbox "From " line, are
 * passed over with their continuations.
 */
export function parseHeader(raw: string): Header {
  const fields: HeaderField[] = [];
  forEachField(raw, (name, start, end) => {
    if (name === "") return;
    const value = trimRaw(raw.slice(raw.indexOf(":", start) + 1, end));
    fields.push({ name, value: trimRaw(value.replace(BREAKS, "")) });
  });
  return new Header(fields);
}

/** Whether a raw line begins a header field: a name of printable characters, then a colon. */
export function isFieldStart(line: string): boolean {
  return /^[!-9;-~]+[ \t]*:/.test(line);
}

/**
 * The fields of `header` that are called one of `names` (any ASCII case), or all but those, exactly
 * as they stand there, and an empty line (RFC 9051 6.4.5.1).
 */
export function headerFields(header: Bytes, names: readonly string[], not = false): Bytes {
  const raw = decodeLatin1(header);
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const kept: Bytes[] = [];
  forEachField(raw, (name, start, end) => {
    if (wanted.has(name.toLowerCase()) === not) return;
    kept.push(header.subarray(start, end));
    if (raw.charCodeAt(end - 1) !== 10) kept.push(encodeLatin1("\r\n"));
  });
  kept.push(encodeLatin1("\r\n"));
  return concatBytes(kept);
}

/** Calls `take` with each field's name ("" for junk) and where its lines begin and end. */
function forEachField(raw: string, take: (name: string, start: number, end: number) => void): void {
  let start = 0;
  while (start < raw.length) {
    const first = raw.charCodeAt(start);
    if (first === 10 || (first === 13 && raw.charCodeAt(start + 1) === 10)) return;
    let end = start;
    do {
      const newline = raw.indexOf("\n", end);
      end = newline < 0 ? raw.length : newline + 1;
    } while (end < raw.length && (raw.charCodeAt(end) === 32 || raw.charCodeAt(end) === 9));
    take(fieldName(raw, start, end), start, end);
    start = end;
  }
}

function fieldName(raw: string, start: number, end: number): string {
  let at = start;
  while (at < end) {
    const code = raw.charCodeAt(at);
    if (code <= 32 || code >= 127 || code === 58) break;
    at++;
  }
  const name = raw.slice(start, at);
  while (at < end && (raw.charCodeAt(at) === 32 || raw.charCodeAt(at) === 9)) at++;
  return at < end && raw.charCodeAt(at) === 58 ? name : "";
}
