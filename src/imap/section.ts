import type { Bytes } from "../base/mod.ts";
import type { ByteRange, Section } from "../message/mod.ts";
import { type Reader, WireError, Writer } from "../wire/mod.ts";

/** A section (RFC 9051 6.4.5.1) with the header fields that it is narrowed to. */
export interface BodySection extends Section {
  readonly fields?: { readonly names: readonly string[]; readonly not: boolean };
}

/** `<origin.octets>`: part of a section (RFC 9051 6.4.5.1). */
export interface Partial {
  readonly origin: number;
  readonly octets: number;
}

/** Numbers in a section: more levels than any stored message has. */
const MAX_PART_NUMBERS = 200;

/** Reads `[section]`. */
export function readSection(reader: Reader): BodySection {
  reader.char("[");
  const part = readPartNumbers(reader);
  if (reader.tryChar("]")) return { part };
  const word = reader.word();
  let section: BodySection;
  if (word === "HEADER" || word === "TEXT") section = { part, text: word };
  else if (word === "MIME" && part.length > 0) section = { part, text: "MIME" };
  else if (word === "HEADER.FIELDS" || word === "HEADER.FIELDS.NOT") {
    reader.space();
    const names = reader.list(() => reader.astring());
    section = { part, text: "HEADER", fields: { names, not: word.endsWith("NOT") } };
  } else throw new WireError("Unknown section");
  reader.char("]");
  return section;
}

/** Reads `[1.2]` or `[]`: the part numbers of a BINARY section (RFC 3516 4.1). */
export function readBinarySection(reader: Reader): readonly number[] {
  reader.char("[");
  const part = readPartNumbers(reader);
  reader.char("]");
  return part;
}

/** Part numbers, and the dot that follows them when a word comes next. */
function readPartNumbers(reader: Reader): number[] {
  const numbers: number[] = [];
  while (/\d/.test(reader.peek())) {
    if (numbers.length === MAX_PART_NUMBERS) throw new WireError("Too many part numbers");
    numbers.push(reader.nonZeroNumber());
    if (!reader.tryChar(".")) return numbers;
    if (!/[\dA-Za-z]/.test(reader.peek())) throw reader.error("a part number or a word");
  }
  return numbers;
}

/** Reads `<origin.octets>` if it stands here. */
export function readPartial(reader: Reader): Partial | undefined {
  if (!reader.tryChar("<")) return undefined;
  const origin = reader.number64();
  reader.char(".");
  const octets = reader.number64();
  if (octets === 0) throw reader.error("a number of octets above 0");
  reader.char(">");
  return { origin, octets };
}

/** The section as a response names it. */
export function sectionText({ part, text, fields }: BodySection): string {
  const words: string[] = part.map(String);
  if (text !== undefined) words.push(text);
  if (!fields) return `[${words.join(".")}]`;
  const writer = new Writer();
  writer.list(fields.names, (name) => writer.astring(name));
  const names = new TextDecoder().decode(writer.take());
  return `[${words.join(".")}.FIELDS${fields.not ? ".NOT" : ""} ${names}]`;
}

/** `<origin>`, as a response tells where its part begins. */
export function originText(partial: Partial | undefined): string {
  return partial ? `<${partial.origin}>` : "";
}

/** `<origin.octets>`, as the command had it. */
export function partialText(partial: Partial | undefined): string {
  return partial ? `<${partial.origin}.${partial.octets}>` : "";
}

/** What a partial leaves of a range; empty when it begins behind the end. */
export function cutRange({ start, end }: ByteRange, partial: Partial | undefined): ByteRange {
  if (!partial) return { start, end };
  const first = Math.min(start + partial.origin, end);
  return { start: first, end: Math.min(first + partial.octets, end) };
}

/** What a partial leaves of bytes. */
export function cut(bytes: Bytes, partial: Partial | undefined): Bytes {
  const { start, end } = cutRange({ start: 0, end: bytes.length }, partial);
  return bytes.subarray(start, end);
}
