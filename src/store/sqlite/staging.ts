import type { AccountId, Bytes } from "../../base/mod.ts";
import type { ParsedMessage } from "../../message/mod.ts";
import type { StagedMessage } from "../account_store.ts";
import type { StageSink } from "../ingest.ts";
import { StoreError } from "../store_error.ts";
import type { AccountFile } from "./account_file.ts";
import {
  deleteChunks,
  encodeChunk,
  type EncodedChunk,
  encodeSmallMessage,
  insertChunk,
} from "./bodies.ts";
import type { Database } from "./database.ts";
import { type EncodedSearchText, encodeSearchText } from "./search_text.ts";

/** A message that nobody added to for so long belongs to a process that is no more. */
const ABANDONED_SECONDS = 6 * 3600;

/** Chunks that are in the database already, under the number of the content they will be. */
interface StoredChunks {
  readonly contentId: number;
  readonly count: number;
  readonly firstChunkSize: number;
}

/** A complete message of this engine, compressed already so that the commit has less to do. */
export class SqliteStagedMessage implements StagedMessage {
  readonly accountId: AccountId;
  readonly size: number;
  readonly parsed: ParsedMessage;
  readonly stored: StoredChunks | undefined;
  /** What is not in the database yet. */
  readonly chunks: readonly EncodedChunk[];
  readonly searchText: EncodedSearchText;
  /** Set when the message was appended. */
  isUsed = false;
  readonly #forget: () => void;

  constructor(
    accountId: AccountId,
    parsed: ParsedMessage,
    stored: StoredChunks | undefined,
    chunks: readonly EncodedChunk[],
    forget: () => void,
  ) {
    this.accountId = accountId;
    this.size = parsed.size;
    this.parsed = parsed;
    this.stored = stored;
    this.chunks = chunks;
    this.searchText = encodeSearchText(parsed);
    this.#forget = forget;
  }

  async discard(): Promise<void> {
    if (this.isUsed) return;
    this.isUsed = true;
    this.#forget();
  }
}

/**
 * Takes a message's chunks: one that fits into a single chunk waits in memory, a larger one goes to
 * the database chunk by chunk, in a small transaction each, so that memory stays flat.
 */
export class SqliteStageSink implements StageSink {
  readonly #file: AccountFile;
  readonly #nowSeconds: () => number;
  #stored: StoredChunks | undefined;

  constructor(file: AccountFile, nowSeconds: () => number) {
    this.#file = file;
    this.#nowSeconds = nowSeconds;
  }

  async write(bytes: Bytes): Promise<void> {
    const chunk = encodeChunk(bytes);
    const now = this.#nowSeconds();
    this.#stored = this.#file.writeLoosely((db) => {
      const stored = this.#stored ?? {
        contentId: beginStaging(db, now),
        count: 0,
        firstChunkSize: chunk.size,
      };
      if (
        db.run("UPDATE staging SET touched_at = ? WHERE content_id = ?", now, stored.contentId) !==
          1
      ) {
        throw new StoreError("unavailable", "The message was too slow in coming.");
      }
      insertChunk(db, stored.contentId, stored.count, chunk);
      return { ...stored, count: stored.count + 1 };
    });
  }

  async finish(rest: Bytes, parsed: ParsedMessage): Promise<StagedMessage> {
    const chunks = this.#stored ? [encodeChunk(rest)] : encodeSmallMessage(rest, parsed.headerSize);
    return new SqliteStagedMessage(
      this.#file.id,
      parsed,
      this.#stored,
      chunks,
      () => this.#forget(),
    );
  }

  async discard(): Promise<void> {
    this.#forget();
  }

  #forget(): void {
    const stored = this.#stored;
    this.#stored = undefined;
    if (stored) this.#file.writeLoosely((db) => forgetStaged(db, stored.contentId));
  }
}

/** Removes what processes that died left behind. Gives how many messages. */
export function sweepStaging(db: Database, nowSeconds: number): number {
  const abandoned = db.all<[number]>(
    "SELECT content_id FROM staging WHERE touched_at < ?",
    nowSeconds - ABANDONED_SECONDS,
  );
  for (const [contentId] of abandoned) db.write(() => forgetStaged(db, contentId));
  return abandoned.length;
}

function beginStaging(db: Database, now: number): number {
  const contentId = db.number(
    "UPDATE account SET next_content_id = next_content_id + 1 RETURNING next_content_id - 1",
  );
  db.run("INSERT INTO staging (content_id, touched_at) VALUES (?, ?)", contentId, now);
  return contentId;
}

function forgetStaged(db: Database, contentId: number): void {
  // Not when it was appended meanwhile: then the chunks belong to a message.
  if (db.run("DELETE FROM staging WHERE content_id = ?", contentId) === 1) {
    deleteChunks(db, contentId);
  }
}
