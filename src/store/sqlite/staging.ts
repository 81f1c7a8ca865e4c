import type { AccountId, Bytes } from "../../base/mod.ts";
import type { ParsedMessage } from "../../message/mod.ts";
import type { ParkedMessage, StagedMessage } from "../account_store.ts";
import type { StageSink } from "../ingest.ts";
import { StoreError } from "../store_error.ts";
import type { AccountFile } from "./account_file.ts";
import { encodeChunk, type EncodedChunk, insertChunk } from "./bodies.ts";
import { dropContent, insertContent } from "./content.ts";
import type { Database } from "./database.ts";
import { type EncodedSearchText, encodeSearchText, encodeSmallMessage } from "./search_text.ts";

/** A message that nobody added to for so long belongs to a process that is no more. */
const ABANDONED_SECONDS = 6 * 3600;

/** Messages that are swept in one transaction. */
export const SWEEP_MESSAGES = 200;

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
  /** Set when the message was appended or parked. */
  isUsed = false;
  readonly #file: AccountFile;
  readonly #nowSeconds: () => number;

  constructor(
    file: AccountFile,
    nowSeconds: () => number,
    encoded: Pick<SqliteStagedMessage, "parsed" | "stored" | "chunks" | "searchText">,
  ) {
    this.accountId = file.id;
    this.size = encoded.parsed.size;
    this.parsed = encoded.parsed;
    this.stored = encoded.stored;
    this.chunks = encoded.chunks;
    this.searchText = encoded.searchText;
    this.#file = file;
    this.#nowSeconds = nowSeconds;
  }

  /** The content is complete from here on, and its row in `staging` says that nobody has it yet. */
  async park(): Promise<ParkedMessage> {
    if (this.isUsed) throw new Error("a staged message is used once");
    const now = this.#nowSeconds();
    const contentId = this.#file.writeLoosely((db) => {
      const id = this.stored?.contentId ?? beginStaging(db, now);
      touchStaging(db, id, now);
      insertContent(db, id, this);
      return id;
    });
    this.isUsed = true;
    return new SqliteParkedMessage(this.#file, contentId, this.size);
  }

  async discard(): Promise<void> {
    if (this.isUsed) return;
    this.isUsed = true;
    const { stored } = this;
    if (stored) clearAway(this.#file, stored.contentId);
  }
}

/** A message of this engine of which only the number is in memory. */
export class SqliteParkedMessage implements ParkedMessage {
  readonly accountId: AccountId;
  /** Set when the message was appended. */
  isUsed = false;
  readonly #file: AccountFile;

  constructor(file: AccountFile, readonly contentId: number, readonly size: number) {
    this.accountId = file.id;
    this.#file = file;
  }

  async discard(): Promise<void> {
    if (this.isUsed) return;
    this.isUsed = true;
    clearAway(this.#file, this.contentId);
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
      touchStaging(db, stored.contentId, now);
      insertChunk(db, stored.contentId, stored.count, chunk);
      return { ...stored, count: stored.count + 1 };
    });
  }

  async finish(rest: Bytes, parsed: ParsedMessage): Promise<StagedMessage> {
    const encoded = this.#stored
      ? { chunks: [encodeChunk(rest)], searchText: encodeSearchText(parsed) }
      : await encodeSmallMessage(rest, parsed.headerSize, parsed);
    return new SqliteStagedMessage(this.#file, this.#nowSeconds, {
      parsed,
      stored: this.#stored,
      ...encoded,
    });
  }

  async discard(): Promise<void> {
    const stored = this.#stored;
    this.#stored = undefined;
    if (stored) clearAway(this.#file, stored.contentId);
  }
}

/** Removes a message that nobody wants any more, or leaves it to `sweepStaging`. */
function clearAway(file: AccountFile, contentId: number): void {
  try {
    file.writeLoosely((db) => forgetStaged(db, contentId));
  } catch (error) {
    // The disk is full, or the account was removed: no harm to what the caller does next.
    if (!(error instanceof StoreError)) throw error;
  }
}

/**
 * Removes what processes that died left behind, so many messages at most that nobody waits long for
 * it: an import leaves hundreds of thousands. Gives how many.
 */
export function sweepStaging(db: Database, nowSeconds: number): number {
  const abandoned = db.all<[number]>(
    "SELECT content_id FROM staging WHERE touched_at < ? LIMIT ?",
    nowSeconds - ABANDONED_SECONDS,
    SWEEP_MESSAGES,
  );
  for (const [contentId] of abandoned) forgetStaged(db, contentId);
  return abandoned.length;
}

function beginStaging(db: Database, now: number): number {
  const contentId = db.number(
    "UPDATE account SET next_content_id = next_content_id + 1 RETURNING next_content_id - 1",
  );
  db.run("INSERT INTO staging (content_id, touched_at) VALUES (?, ?)", contentId, now);
  return contentId;
}

function touchStaging(db: Database, contentId: number, now: number): void {
  if (db.run("UPDATE staging SET touched_at = ? WHERE content_id = ?", now, contentId) !== 1) {
    throw new StoreError("unavailable", "The message was too slow in coming.");
  }
}

function forgetStaged(db: Database, contentId: number): void {
  // Not when it was appended meanwhile: then the chunks belong to a message.
  if (db.run("DELETE FROM staging WHERE content_id = ?", contentId) === 1) {
    dropContent(db, contentId);
  }
}
