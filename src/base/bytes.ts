import { Buffer } from "node:buffer";

/** Small operations on byte arrays that several rooms need. */

const encoder = new TextEncoder();
const utf8Decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictUtf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A byte array that owns or shares any kind of buffer. */
export type Bytes = Uint8Array<ArrayBufferLike>;

export const EMPTY_BYTES: Bytes = new Uint8Array(0);

/** The UTF-8 bytes of `text`. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Text of UTF-8 bytes; what is not UTF-8 becomes U+FFFD. */
export function decodeUtf8(bytes: Bytes): string {
  return utf8Decoder.decode(bytes);
}

/** Text of UTF-8 bytes, or undefined when they are not valid UTF-8. */
export function decodeUtf8Strictly(bytes: Bytes): string | undefined {
  try {
    return strictUtf8Decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Text with one character for each byte (ISO 8859-1), which loses nothing. */
export function decodeLatin1(bytes: Bytes): string {
  return view(bytes).toString("latin1");
}

/** Bytes of a text in which each character stands for one byte. */
export function encodeLatin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** One array with the bytes of all `parts` in order; the part itself when there is only one. */
export function concatBytes(parts: readonly Bytes[]): Bytes {
  const first = parts[0];
  if (first === undefined) return EMPTY_BYTES;
  if (parts.length === 1) return first;
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Whether every byte is 7-bit and not NUL. */
export function isAscii(bytes: Bytes): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === 0 || byte > 0x7f) return false;
  }
  return true;
}

function view(bytes: Bytes): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
