import { type Bytes, decodeLatin1, encodeLatin1 } from "../base/mod.ts";
import type { PartTree } from "./mime_part.ts";

/** First byte of the form below; another one is a form of another time. */
const VERSION = 1;

/** Texts that nearly every part has, given by number. The order is part of the stored form. */
const COMMON = [
  "7bit",
  "8bit",
  "binary",
  "base64",
  "quoted-printable",
  "text/plain",
  "text/html",
  "multipart/mixed",
  "multipart/alternative",
  "multipart/related",
  "multipart/signed",
  "message/rfc822",
  "application/octet-stream",
  "application/pdf",
  "image/jpeg",
  "image/png",
];

/**
 * A part tree in few bytes, to be stored with the message. Parts come in order, each as unsigned
 * LEB128 numbers: header start less the parent's, header length, body length, media type, encoding,
 * and 2 × children + (1 for an embedded message). A text is its number in COMMON, or 16 + its
 * length and its bytes.
 */
export function encodeParts(root: PartTree): Bytes {
  const bytes: number[] = [VERSION];
  writePart(bytes, root, 0);
  return Uint8Array.from(bytes);
}

/** The tree again. Throws RangeError when `bytes` are not from `encodeParts`. */
export function decodeParts(bytes: Bytes): PartTree {
  const reader = new PartReader(bytes);
  if (reader.readNumber() !== VERSION) throw new RangeError("part tree of an unknown version");
  return reader.readPart(0);
}

function writePart(bytes: number[], part: PartTree, base: number): void {
  writeNumber(bytes, part.headerStart - base);
  writeNumber(bytes, part.bodyStart - part.headerStart);
  writeNumber(bytes, part.bodyEnd - part.bodyStart);
  writeText(bytes, part.mediaType);
  writeText(bytes, part.encoding);
  writeNumber(bytes, part.children.length * 2 + (part.message === undefined ? 0 : 1));
  for (const child of part.children) writePart(bytes, child, part.headerStart);
  if (part.message !== undefined) writePart(bytes, part.message, part.headerStart);
}

function writeNumber(bytes: number[], value: number): void {
  // Division, because offsets may go beyond 32 bits.
  while (value >= 128) {
    bytes.push(value % 128 + 128);
    value = Math.floor(value / 128);
  }
  bytes.push(value);
}

function writeText(bytes: number[], text: string): void {
  const index = COMMON.indexOf(text);
  if (index >= 0) writeNumber(bytes, index);
  else {
    const raw = encodeLatin1(text.slice(0, 255));
    writeNumber(bytes, COMMON.length + raw.length);
    for (const byte of raw) bytes.push(byte);
  }
}

class PartReader {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  readPart(base: number): PartTree {
    const headerStart = base + this.readNumber();
    const bodyStart = headerStart + this.readNumber();
    const bodyEnd = bodyStart + this.readNumber();
    const mediaType = this.#readText();
    const encoding = this.#readText();
    const inner = this.readNumber();
    const children: PartTree[] = [];
    for (let count = Math.floor(inner / 2); count > 0; count--) {
      children.push(this.readPart(headerStart));
    }
    const message = inner % 2 === 1 ? this.readPart(headerStart) : undefined;
    return { headerStart, bodyStart, bodyEnd, mediaType, encoding, children, message };
  }

  readNumber(): number {
    let value = 0;
    for (let factor = 1;; factor *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new RangeError("part tree cut short");
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  }

  #readText(): string {
    const code = this.readNumber();
    const common = COMMON[code];
    if (common !== undefined) return common;
    const end = this.#at + code - COMMON.length;
    const text = decodeLatin1(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return text;
  }
}
