/** Lower-case hexadecimal text of `byteCount` cryptographically random bytes. */
export function randomHex(byteCount: number): string {
  return crypto.getRandomValues(new Uint8Array(byteCount)).toHex();
}

/** `byteCount` cryptographically random bytes (at most 65,536). */
export function randomBytes(byteCount: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(byteCount));
}
