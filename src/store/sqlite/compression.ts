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
/** Below this a frame's overhead and the time are not worth what little is saved. */
const MIN_COMPRESSED_BYTES = 512;
/** Level 1 takes half the time of level 3 on small messages and is nearly as small. */
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Compressed where that saves at least a tenth. */
export function encodeBytes(bytes: Bytes): Encoded {
  if (bytes.length >= MIN_COMPRESSED_BYTES) {
    const data = zstdCompressSync(bytes, OPTIONS);
    if (data.length <= bytes.length * 0.9) return { coding: ZSTD, data };
  }
  return { coding: PLAIN, data: bytes };
}

/** Undoes `encodeBytes`. Throws StoreError "corrupt". */
export function decodeBytes(coding: number, data: Bytes): Bytes {
  if (coding === PLAIN) return data;
  if (coding !== ZSTD) throw new StoreError("corrupt", `Unknown coding ${coding}.`);
  try {
    return zstdDecompressSync(data);
  } catch (error) {
    throw new StoreError("corrupt", "Compressed data cannot be read.", { cause: error });
  }
}
