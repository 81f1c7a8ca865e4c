import { Buffer } from "node:buffer";
import { WireError } from "./wire_error.ts";

/**
 * Modified UTF-7 (RFC 3501 5.1.3), in which clients write mailbox names until they enable
 * IMAP4rev2 or UTF8=ACCEPT. Decoding is strict, so that a name has one spelling only.
 */

/** Decodes a name. Throws WireError when it is not valid modified UTF-7. */
export function decodeModifiedUtf7(encoded: string): string {
  if (/[^\x20-\x7e]/.test(encoded)) throw invalid("has characters outside printable ASCII");
  return encoded.replace(
    /&([^-]*)(-?)/g,
    (shift: string, base64: string, end: string, at: number) => {
      if (end === "") throw invalid("has an unfinished shift");
      if (base64 === "") return "&";
      if (/^&(?!-)/.test(encoded.slice(at + shift.length, at + shift.length + 2))) {
        throw invalid("shifts out of base64 and back in");
      }
      return decodeShifted(base64);
    },
  );
}

/** Encodes a name; always succeeds for well-formed Unicode. */
export function encodeModifiedUtf7(name: string): string {
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => {
    if (run === "&") return "&-";
    const utf16 = Buffer.from(run, "utf16le").swap16();
    return `&${utf16.toString("base64").replace(/=+$/, "").replaceAll("/", ",")}-`;
  });
}

function decodeShifted(base64: string): string {
  if (!/^[A-Za-z0-9+,]+$/.test(base64)) throw invalid("has bad base64");
  const bytes = Buffer.from(base64.replaceAll(",", "/"), "base64");
  if (bytes.length % 2 !== 0 || bytes.length === 0) throw invalid("has half a UTF-16 unit");
  const text = bytes.swap16().toString("utf16le");
  if (!text.isWellFormed()) throw invalid("has half a surrogate pair");
  if (/[\x20-\x7e]/.test(text)) throw invalid("has printable ASCII in base64");
  if (encodeModifiedUtf7(text) !== `&${base64}-`) throw invalid("has bits left over in base64");
  return text;
}

function invalid(why: string): WireError {
  return new WireError(`Mailbox name ${why}: not modified UTF-7`);
}
