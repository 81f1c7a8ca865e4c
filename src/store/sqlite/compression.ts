import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Bytes } from "../../base/mod.ts";
import { StoreError } from "../store_error.ts";

/** Bytes as they are kept, and how. */
export interface Encoded {
  readonly coding: number;
  readonly data: Bytes;
}

const PLAIN = 0;
const ZSTD = 1;
/**
 * Below this, a header mostly, the time is not worth what little is saved: to undo a frame takes
 * 20 us whatever its size, as much as all else that FETCH does for the message.
 */
const MIN_COMPRESSED_BYTES = 2048;
/** Level 1 takes half the time of level 3 on small messages and is nearly as small. */
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 1 };
/** zlib collects its output in pieces of this size, unless it is told how much will come. */
const DEFAULT_PIECE_BYTES = 16 * 1024;

/** Compressed where that saves at least a tenth. */
export function encodeBytes(bytes: Bytes): Encoded {
  if (bytes.length >= MIN_COMPRESSED_BYTES) {
    const data = zstdCompressSync(bytes, { params: PARAMS, ...pieces(bytes.length) });
    if (data.length <= bytes.length * 0.9) return { coding: ZSTD, data };
  }
  return { coding: PLAIN, data: bytes };
}

/** Undoes `encodeBytes`; `size` is how many octets it was given, if known. Throws "corrupt". */
export function decodeBytes(coding: number, data: Bytes, size = 0): Bytes {
  if (coding === PLAIN) return data;
  if (coding !== ZSTD) throw new StoreError("corrupt", `Unknown coding ${coding}.`);
  try {
    return zstdDecompressSync(data, pieces(size));
  } catch (error) {
    throw new StoreError("corrupt", "Compressed data cannot be read.", { cause: error });
  }
}

/** Room for the whole output in one piece: half the time where it does not fit the default. */
function pieces(bytes: number): { chunkSize?: number } {
  return bytes < DEFAULT_PIECE_BYTES ? {} : { chunkSize: bytes + 1 };
}
