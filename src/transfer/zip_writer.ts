import { constants, crc32, deflateRawSync } from "node:zlib";
import { type Bytes, concatBytes, othersTurn } from "../base/mod.ts";
import type { ExportFile } from "./export_files.ts";
import { SMALL_ZIP_ENTRY_BYTES, ZIP_TURN_BYTES } from "./limits.ts";

const MAX_32 = 0xffff_ffff;
const MAX_16 = 0xffff;
/** What ends deflated data: a last block with nothing in it. */
const LAST_BLOCK = Uint8Array.of(3, 0);
/** Names are in UTF-8; and sizes stand behind the data, where they are not known before. */
const UTF_8_FLAG = 0x800;
const SIZES_FOLLOW_FLAG = 8;

interface WrittenEntry {
  readonly flags: number;
  readonly time: number;
  readonly checksum: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

/**
 * Writes a zip as it is read, with sizes of 64 bits where they are needed. Of a file that was written
 * only its line in the directory is kept, some 130 octets; others have their turn meanwhile.
 */
export async function* writeZip(files: AsyncIterable<ExportFile>): AsyncGenerator<Bytes> {
  const directory: Bytes[] = [];
  let offset = 0;
  for await (const file of files) {
    await othersTurn();
    const name = new TextEncoder().encode(file.path);
    const time = file.seconds ?? Math.floor(Date.now() / 1000);
    const pieces: Bytes[] = [];
    const rest = file.bytes()[Symbol.asyncIterator]();
    let gathered = 0;
    let isWhole = false;
    while (gathered <= SMALL_ZIP_ENTRY_BYTES && !isWhole) {
      const { done, value } = await rest.next();
      if (done) isWhole = true;
      else gathered += pieces[pieces.push(value.slice()) - 1]?.length ?? 0;
    }
    const begun = concatBytes(pieces);
    const start = offset;
    const flags = UTF_8_FLAG | (isWhole ? 0 : SIZES_FOLLOW_FLAG);
    let entry: WrittenEntry;
    if (isWhole) {
      const packed = gathered === 0 ? begun : deflateRawSync(begun);
      const checksum = crc32(begun);
      entry = { flags, time, checksum, packed: packed.length, size: gathered, offset: start };
      for (const part of [localHeader(entry, name), packed]) {
        offset += part.length;
        yield part;
      }
    } else {
      let [checksum, packed, size] = [0, 0, 0];
      const head = localHeader({ flags, time, checksum, packed, size, offset: start }, name);
      offset += head.length;
      yield head;
      for await (const piece of inPieces(begun, rest)) {
        await othersTurn();
        const part = deflateRawSync(piece, { finishFlush: constants.Z_SYNC_FLUSH });
        checksum = crc32(piece, checksum);
        packed += part.length;
        size += piece.length;
        yield part;
      }
      packed += LAST_BLOCK.length;
      entry = { flags, time, checksum, packed, size, offset: start };
      offset += packed + DESCRIPTOR_BYTES;
      yield LAST_BLOCK;
      yield descriptor(entry);
    }
    directory.push(concatBytes([centralHeader(entry, name), name, centralExtra(entry)]));
  }
  for (const line of directory) yield line;
  yield endOf(directory, offset);
}

/** The octets in pieces that take a millisecond each. */
async function* inPieces(begun: Bytes, rest: AsyncIterator<Bytes>): AsyncGenerator<Bytes> {
  for (let piece: Bytes | undefined = begun; piece !== undefined;) {
    for (let at = 0; at < piece.length; at += ZIP_TURN_BYTES) {
      yield piece.subarray(at, at + ZIP_TURN_BYTES);
    }
    const next: IteratorResult<Bytes> = await rest.next();
    piece = next.done ? undefined : next.value;
  }
}

/** Numbers in a row, the lowest octet first: how many octets each has, and which it is. */
function numbers(...fields: readonly (readonly [octets: 2 | 4 | 8, value: number])[]): Bytes {
  const bytes = new Uint8Array(fields.reduce((sum, [octets]) => sum + octets, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [octets, value] of fields) {
    if (octets === 2) view.setUint16(at, value, true);
    else if (octets === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += octets;
  }
  return bytes;
}

/** Day and time as MS-DOS has them, which begin in 1980; in UTC. */
function dosTime(seconds: number): number {
  const date = new Date(Math.min(Math.max(seconds, 315_532_800), 4_354_819_198) * 1000);
  const day = date.getUTCFullYear() - 1980 << 9 | date.getUTCMonth() + 1 << 5 | date.getUTCDate();
  const time = date.getUTCHours() << 11 | date.getUTCMinutes() << 5 | date.getUTCSeconds() >> 1;
  return day * 0x1_0000 + time;
}

/** Seconds since 1970, which know of no time zone. */
function timeExtra(seconds: number): Bytes {
  return concatBytes([
    numbers([2, 0x5455], [2, 5]),
    Uint8Array.of(1),
    numbers([4, Math.min(Math.max(seconds, 0), 0x7fff_ffff)]),
  ]);
}

function localHeader(entry: WrittenEntry, name: Bytes): Bytes {
  const { flags, time, checksum, packed, size } = entry;
  const isOpen = (flags & SIZES_FOLLOW_FLAG) !== 0;
  const extra = concatBytes([
    timeExtra(time),
    ...(isOpen ? [numbers([2, 1], [2, 16], [8, 0], [8, 0])] : []),
  ]);
  return concatBytes([
    numbers(
      ...[[4, 0x04034b50], [2, isOpen ? 45 : 20], [2, flags], [2, methodOf(entry)], [
        4,
        dosTime(time),
      ]] as const,
      ...[[4, checksum], [4, isOpen ? MAX_32 : packed], [4, isOpen ? MAX_32 : size]] as const,
      ...[[2, name.length], [2, extra.length]] as const,
    ),
    name,
    extra,
  ]);
}

/** Deflated, but for what is empty, such as a folder. */
function methodOf({ flags, size }: WrittenEntry): number {
  return size === 0 && (flags & SIZES_FOLLOW_FLAG) === 0 ? 0 : 8;
}

const DESCRIPTOR_BYTES = 24;

function descriptor({ checksum, packed, size }: WrittenEntry): Bytes {
  return numbers([4, 0x08074b50], [4, checksum], [8, packed], [8, size]);
}

/** What does not fit into 32 bits. */
function centralExtra({ time, packed, size, offset }: WrittenEntry): Bytes {
  const large = [size, packed, offset].filter((value) => value >= MAX_32);
  if (large.length === 0) return timeExtra(time);
  return concatBytes([
    timeExtra(time),
    numbers([2, 1], [2, large.length * 8], ...large.map((value) => [8, value] as const)),
  ]);
}

function centralHeader(entry: WrittenEntry, name: Bytes): Bytes {
  const { flags, time, checksum, packed, size, offset } = entry;
  const isFolder = name.at(-1) === 0x2f;
  // Types and permissions of Unix; and the sign of MS-DOS for a folder.
  const attributes = isFolder ? 0o040700 * 0x1_0000 + 0x10 : 0o100600 * 0x1_0000;
  return numbers(
    ...[[4, 0x02014b50], [2, 0x032d], [2, 45], [2, flags], [2, methodOf(entry)], [
      4,
      dosTime(time),
    ]] as const,
    ...[[4, checksum], [4, Math.min(packed, MAX_32)], [4, Math.min(size, MAX_32)]] as const,
    ...[[2, name.length], [2, centralExtra(entry).length], [2, 0], [2, 0], [2, 0]] as const,
    ...[[4, attributes], [4, Math.min(offset, MAX_32)]] as const,
  );
}

function endOf(directory: readonly Bytes[], offset: number): Bytes {
  const count = directory.length;
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = numbers(
    ...[[4, 0x06054b50], [2, 0], [2, 0], [2, Math.min(count, MAX_16)]] as const,
    ...[[2, Math.min(count, MAX_16)], [4, Math.min(size, MAX_32)]] as const,
    ...[[4, Math.min(offset, MAX_32)], [2, 0]] as const,
  );
  if (count < MAX_16 && offset < MAX_32 && size < MAX_32) return end;
  return concatBytes([
    numbers(
      ...[[4, 0x06064b50], [8, 44], [2, 0x032d], [2, 45], [4, 0], [4, 0]] as const,
      ...[[8, count], [8, count], [8, size], [8, offset]] as const,
    ),
    numbers([4, 0x07064b50], [4, 0], [8, offset + size], [4, 1]),
    end,
  ]);
}
