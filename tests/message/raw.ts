import { decodeLatin1, encodeLatin1 } from "../../src/base/mod.ts";
import {
  decodeParts,
  encodeParts,
  type ParsedMessage,
  parseMessage,
  resolveSection,
} from "../../src/message/mod.ts";
import type { ByteRange } from "../../src/message/mod.ts";

/** Bytes of lines, each ended by CRLF; a character stands for a byte. */
export function crlf(...lines: string[]): Uint8Array {
  return encodeLatin1(lines.map((line) => `${line}\r\n`).join(""));
}

export function raw(text: string): Uint8Array {
  return encodeLatin1(text);
}

export function text(bytes: Uint8Array): string {
  return decodeLatin1(bytes);
}

export function parse(...lines: string[]): ParsedMessage {
  return parseMessage(crlf(...lines));
}

/**
 * The text of a section given as "", "1.2", "1.2.HEADER", "TEXT" …; undefined for NIL. The tree goes
 * through its stored form first, as it does in the server.
 */
export function section(bytes: Uint8Array, spec: string): string | undefined {
  const { root } = parseMessage(bytes);
  const words = spec === "" ? [] : spec.split(".");
  const last = words.at(-1);
  const keyword = last === "HEADER" || last === "TEXT" || last === "MIME" ? last : undefined;
  const part = (keyword === undefined ? words : words.slice(0, -1)).map(Number);
  const range: ByteRange | undefined = resolveSection(
    decodeParts(encodeParts(root)),
    keyword === undefined ? { part } : { part, text: keyword },
  );
  return range && text(bytes.subarray(range.start, range.end));
}
