import { type Bytes, concatBytes } from "../../base/mod.ts";
import { CHUNK_BYTES } from "../ingest.ts";
import { StoreError } from "../store_error.ts";
import { decodeBytes, encodeBytes, type Encoded } from "./compression.ts";
import type { Database, Row } from "./database.ts";

/** Chunk ids are content id * this + number: up to 256 GiB in one message, 2^33 messages. */
export const CHUNKS_PER_CONTENT = 2 ** 20;

/** A chunk as it is kept. */
export interface EncodedChunk extends Encoded {
  readonly size: number;
}

type ChunkRow = readonly [size: number, coding: number, data: Bytes] & Row;

/** How a message's bytes lie in chunks: the first has its own size, the others `CHUNK_BYTES`. */
export interface Layout {
  readonly contentId: number;
  readonly size: number;
  readonly firstChunkSize: number;
}

export function encodeChunk(bytes: Bytes): EncodedChunk {
  return { size: bytes.length, ...encodeBytes(bytes) };
}

export function insertChunk(
  db: Database,
  contentId: number,
  number: number,
  chunk: EncodedChunk,
): void {
  db.run(
    "INSERT INTO chunk (id, size, coding, data) VALUES (?, ?, ?, ?)",
    contentId * CHUNKS_PER_CONTENT + number,
    chunk.size,
    chunk.coding,
    chunk.data,
  );
}

export function deleteChunks(db: Database, contentId: number): void {
  db.run("DELETE FROM chunk WHERE id BETWEEN ? AND ?", ...chunkIds(contentId));
}

/** The first and last id that chunks of a content may have. */
export function chunkIds(contentId: number): [first: number, last: number] {
  return [contentId * CHUNKS_PER_CONTENT, (contentId + 1) * CHUNKS_PER_CONTENT - 1];
}

/** In SQL, the content that a row of `chunk` belongs to, and the ids of chunks of a row of `content`. */
export const CHUNK_CONTENT_ID = `(chunk.id / ${CHUNKS_PER_CONTENT})`;
export const CONTENT_CHUNK_IDS =
  `content.id * ${CHUNKS_PER_CONTENT} AND content.id * ${CHUNKS_PER_CONTENT} + ${
    CHUNKS_PER_CONTENT - 1
  }`;

export function countChunks(layout: Layout): number {
  return chunksUpTo(layout, layout.size);
}

/** Octets that a chunk of the layout has. */
export function chunkSize({ size, firstChunkSize }: Layout, number: number): number {
  if (number === 0) return firstChunkSize;
  return Math.min(CHUNK_BYTES, size - firstChunkSize - (number - 1) * CHUNK_BYTES);
}

/** The number of the chunk with byte `offset`, and the offset of its first byte. */
export function locate(layout: Layout, offset: number): { number: number; start: number } {
  const { firstChunkSize } = layout;
  if (offset < firstChunkSize) return { number: 0, start: 0 };
  const further = Math.floor((offset - firstChunkSize) / CHUNK_BYTES);
  return { number: further + 1, start: firstChunkSize + further * CHUNK_BYTES };
}

/** A chunk's bytes; undefined when it is not there. */
export function readChunk(db: Database, contentId: number, number: number): Bytes | undefined {
  const row = db.get<ChunkRow>(
    "SELECT size, coding, data FROM chunk WHERE id = ?",
    contentId * CHUNKS_PER_CONTENT + number,
  );
  return row && decodeChunk(row);
}

function decodeChunk([size, coding, data]: ChunkRow): Bytes {
  const bytes = decodeBytes(coding, data, size);
  if (bytes.length !== size) throw new StoreError("corrupt", "A chunk has the wrong size.");
  return bytes;
}

/**
 * The bytes up to `end` of each message, for what is small when taken together: one query for all.
 * Throws StoreError "corrupt".
 */
export function readStarts(
  db: Database,
  wanted: readonly { readonly layout: Layout; readonly end: number }[],
): Bytes[] {
  const ids: number[] = [];
  for (const { layout, end } of wanted) {
    for (let number = 0; number < chunksUpTo(layout, end); number++) {
      ids.push(layout.contentId * CHUNKS_PER_CONTENT + number);
    }
  }
  const rows = db.all<readonly [id: number, size: number, coding: number, data: Bytes]>(
    "SELECT id, size, coding, data FROM chunk WHERE id IN (SELECT value FROM json_each(?))",
    JSON.stringify(ids),
  );
  const chunks = new Map<number, ChunkRow>(
    rows.map(([id, size, coding, data]) => [id, [size, coding, data]]),
  );
  return wanted.map(({ layout, end }) => {
    const parts: Bytes[] = [];
    let at = 0;
    for (let number = 0; at < end; number++) {
      const row = chunks.get(layout.contentId * CHUNKS_PER_CONTENT + number);
      if (!row) throw new StoreError("corrupt", `Content ${layout.contentId} lacks a chunk.`);
      const chunk = decodeChunk(row);
      parts.push(chunk.subarray(0, end - at));
      at += chunk.length;
    }
    return concatBytes(parts);
  });
}

function chunksUpTo(layout: Layout, end: number): number {
  return end === 0 ? 0 : locate(layout, end - 1).number + 1;
}
