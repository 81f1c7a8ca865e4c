import { Buffer } from "node:buffer";
import { constants, createZstdCompress, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type Bytes, concatBytes } from "../../base/mod.ts";
import { StoreError } from "../store_error.ts";

/** Bytes as they are kept, and how. */
export interface Encoded {
  readonly coding: number;
  readonly data: Bytes;
}

const PLAIN = 0;
const ZSTD = 1;
/** A zstd frame's beginning, which can be read alone. */
const HEAD = 2;
/** The rest of it: see `encodePair`. */
export const TAIL = 3;
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

/** Bytes and a text that is much like them, together in less than either takes alone. */
export interface EncodedPair {
  /** Read by `decodeBytes`, without the text. */
  readonly bytes: Encoded;
  /** Read by `decodeTail` if its coding is `TAIL`, or else by `decodeBytes`. */
  readonly text: Encoded;
}

/**
 * Compresses `text` as the rest of the frame of `bytes`, so that it is told in terms of them: the
 * folded text of a message takes a tenth of what it would take alone.
 */
export async function encodePair(bytes: Bytes, text: Bytes): Promise<EncodedPair> {
  if (bytes.length >= MIN_COMPRESSED_BYTES && text.length > 0) {
    const [head, tail] = await compressInTwo(bytes, text);
    // Where the frame was cut hangs on zlib's streams, and mail hangs on where it was cut.
    const isRight = Buffer.compare(decodeBytes(HEAD, head, bytes.length), bytes) === 0;
    if (isRight && head.length <= bytes.length * 0.9) {
      return {
        bytes: { coding: HEAD, data: head },
        text: { coding: TAIL, data: tail },
      };
    }
  }
  return { bytes: encodeBytes(bytes), text: encodeBytes(text) };
}

/** A frame in two pieces, of which the first gives `first` and both together `first` and `second`. */
function compressInTwo(first: Bytes, second: Bytes): Promise<[Bytes, Bytes]> {
  const { promise, resolve, reject } = Promise.withResolvers<[Bytes, Bytes]>();
  const heads: Bytes[] = [];
  const tails: Bytes[] = [];
  let pieces = heads;
  const compressor = createZstdCompress({
    params: { ...PARAMS, [constants.ZSTD_c_windowLog]: windowLog(first.length + second.length) },
  });
  const take = () => {
    for (let piece: Bytes | null; (piece = compressor.read());) pieces.push(piece);
  };
  compressor.on("readable", take);
  compressor.on("error", reject);
  compressor.on("end", () => resolve([concatBytes(heads), concatBytes(tails)]));
  compressor.write(first);
  compressor.flush(constants.ZSTD_e_flush, () => {
    take();
    pieces = tails;
    compressor.end(second);
  });
  return promise;
}

/** Just as large a window as is needed, since its memory is made anew for each frame. */
function windowLog(bytes: number): number {
  return Math.min(20, Math.max(10, Math.ceil(Math.log2(bytes))));
}

/** The text of an `EncodedPair`, of whose bytes there were `size`. Throws "corrupt". */
export function decodeTail(head: Bytes, size: number, tail: Bytes): Bytes {
  return decompress(concatBytes([head, tail]), pieces(2 * size)).subarray(size);
}

/** Undoes `encodeBytes`; `size` is how many octets it was given, if known. Throws "corrupt". */
export function decodeBytes(coding: number, data: Bytes, size = 0): Bytes {
  switch (coding) {
    case PLAIN:
      return data;
    case ZSTD:
      return decompress(data, pieces(size));
    case HEAD:
      return decompress(data, { ...pieces(size), finishFlush: constants.ZSTD_e_flush });
    default:
      throw new StoreError("corrupt", `Unknown coding ${coding}.`);
  }
}

function decompress(data: Bytes, options: { chunkSize?: number; finishFlush?: number }): Bytes {
  try {
    return zstdDecompressSync(data, options);
  } catch (error) {
    throw new StoreError("corrupt", "Compressed data cannot be read.", { cause: error });
  }
}

/** Room for the whole output in one piece: half the time where it does not fit the default. */
function pieces(bytes: number): { chunkSize?: number } {
  return bytes < DEFAULT_PIECE_BYTES ? {} : { chunkSize: bytes + 1 };
}
