import type { Bytes } from "../base/mod.ts";

const CR = 13;

/**
 * Stored bytes with LF for CRLF, as files have it. Stored messages have neither CR nor LF alone, so
 * the way back gives the same bytes.
 */
export function withoutCr(bytes: Bytes): Bytes {
  const out = new Uint8Array(bytes.length);
  let at = 0;
  let from = 0;
  for (let cr; (cr = bytes.indexOf(CR, from)) >= 0; from = cr + 1) {
    out.set(bytes.subarray(from, cr), at);
    at += cr - from;
  }
  out.set(bytes.subarray(from), at);
  return out.subarray(0, at + bytes.length - from);
}
