import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../../base/mod.ts";
import type {
  MailQueue,
  NewQueuedMessage,
  QueuedMessage,
  QueuedRecipient,
  QueueOutcome,
  RunnerClaim,
} from "../queue.ts";
import { StoreError } from "../store_error.ts";
import { Database } from "./database.ts";
import { makeFolder } from "./make_folder.ts";
import { openMigrated } from "./migrate.ts";
import { queueSchema } from "./migrations/mod.ts";

/** Octets of content in one row, and so in one commit while a message comes in. */
const PIECE_BYTES = 1024 * 1024;
/** Age in seconds at which a message whose content is not whole is what a killed process left. */
const ABANDONED_SECONDS = 3600;

/** Opens `queue.db` in the folder; makes both when they are missing. */
export function openSqliteQueue(dataDir: string): SqliteMailQueue {
  makeFolder(dataDir);
  return new SqliteMailQueue(openMigrated(join(dataDir, "queue.db"), queueSchema), dataDir);
}

/** The queue in one SQLite file, beside the accounts. */
export class SqliteMailQueue implements MailQueue {
  readonly #db: Database;
  readonly #dataDir: string;

  constructor(db: Database, dataDir: string) {
    this.#db = db;
    this.#dataDir = dataDir;
  }

  async add(message: NewQueuedMessage, content: AsyncIterable<Bytes>): Promise<number> {
    const { sender, queued, expires, isUtf8, recipients } = message;
    const id = this.#db.write(() => {
      this.#sweep(queued);
      return this.#db.number(
        `INSERT INTO message (sender, queued, expires, size, is_utf8, is_whole)
         VALUES (?, ?, ?, 0, ?, 0) RETURNING id`,
        sender,
        queued,
        expires,
        isUtf8 ? 1 : 0,
      );
    });
    try {
      let size = 0;
      let number = 0;
      for await (const octets of piecesOf(content)) {
        size += octets.length;
        this.#db.run("INSERT INTO piece VALUES (?, ?, ?)", id, number++, octets);
      }
      this.#db.write(() => {
        const count = this.#db.run(
          "UPDATE message SET size = ?, is_whole = 1 WHERE id = ?",
          size,
          id,
        );
        if (count === 0) throw new StoreError("unavailable", "The message took too long.");
        for (const { address, due, lastError } of recipients) {
          this.#db.run(
            "INSERT INTO recipient (message_id, address, due, last_error) VALUES (?, ?, ?, ?)",
            id,
            address,
            due,
            lastError,
          );
        }
      });
      return id;
    } catch (error) {
      this.#db.write(() => this.#remove(id));
      throw error;
    }
  }

  async listDue(now: number, limit: number): Promise<QueuedMessage[]> {
    return this.#db.read(() => {
      const ids = this.#db.all<[number]>(
        `SELECT message_id FROM recipient WHERE due <= ?
         GROUP BY message_id ORDER BY message_id LIMIT ?`,
        now,
        limit,
      );
      return ids.flatMap(([id]) => this.#message(id, now) ?? []);
    });
  }

  async nextDue(): Promise<number | undefined> {
    return this.#db.get<[number | null]>("SELECT min(due) FROM recipient")?.[0] ?? undefined;
  }

  async list(): Promise<QueuedMessage[]> {
    return this.#db.read(() =>
      this.#db.all<[number]>("SELECT id FROM message WHERE is_whole = 1 ORDER BY id")
        .flatMap(([id]) => this.#message(id) ?? [])
    );
  }

  async summary(): Promise<{ messages: number; oldest: number | undefined }> {
    const [messages, oldest] = this.#db.get<[number, number | null]>(
      "SELECT count(*), min(queued) FROM message WHERE is_whole = 1",
    ) ?? [0, null];
    return { messages, oldest: oldest ?? undefined };
  }

  async get(id: number): Promise<QueuedMessage | undefined> {
    return this.#db.read(() => this.#message(id));
  }

  async *readContent(id: number): AsyncGenerator<Bytes> {
    const size = this.#db.get<[number]>("SELECT size FROM message WHERE id = ?", id)?.[0];
    let read = 0;
    for (let number = 0; read !== size; number++) {
      const row = this.#db.get<[Bytes]>(
        "SELECT octets FROM piece WHERE message_id = ? AND number = ?",
        id,
        number,
      );
      // Whoever reads must not take what there was for the whole.
      if (row === undefined) {
        throw new StoreError("message-not-found", `Message ${id} is not in the queue.`);
      }
      read += row[0].length;
      yield row[0];
    }
  }

  async settle(outcomes: readonly QueueOutcome[]): Promise<void> {
    this.#db.write(() => {
      const messages = new Set<number>();
      for (const outcome of outcomes) {
        if (outcome.kind === "postponed") {
          this.#db.run(
            "UPDATE recipient SET attempts = attempts + 1, due = ?, last_error = ? WHERE id = ?",
            outcome.due,
            outcome.error,
            outcome.recipient,
          );
          continue;
        }
        const row = this.#db.get<[number]>(
          "DELETE FROM recipient WHERE id = ? RETURNING message_id",
          outcome.recipient,
        );
        if (row) messages.add(row[0]);
      }
      for (const id of messages) {
        if (!this.#db.get("SELECT 1 FROM recipient WHERE message_id = ?", id)) this.#remove(id);
      }
    });
    this.#db.exec("PRAGMA incremental_vacuum");
  }

  async noteDelayTold(id: number): Promise<void> {
    this.#db.run("UPDATE message SET is_delay_told = 1 WHERE id = ?", id);
  }

  async retry(id?: number): Promise<number> {
    return id === undefined
      ? this.#db.run("UPDATE recipient SET due = 0")
      : this.#db.run("UPDATE recipient SET due = 0 WHERE message_id = ?", id);
  }

  async drop(id: number): Promise<boolean> {
    return this.#db.write(() =>
      this.#db.get("SELECT 1 FROM message WHERE id = ? AND is_whole = 1", id)
        ? this.#remove(id)
        : false
    );
  }

  async claimRunner(): Promise<RunnerClaim | undefined> {
    // A database of nothing, for the lock: the system gives it back however the process ends.
    const lock = new DatabaseSync(join(this.#dataDir, "queue.lock"), { timeout: 0 });
    try {
      lock.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      lock.close();
      if (error instanceof Error && /locked|busy/i.test(error.message)) return undefined;
      throw error;
    }
    return { release: () => lock.close() };
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  /** With all recipients, or those due by `due`; undefined when there are none. */
  #message(id: number, due?: number): QueuedMessage | undefined {
    const row = this.#db.get<[string, number, number, number, number, number]>(
      `SELECT sender, queued, expires, size, is_utf8, is_delay_told
       FROM message WHERE id = ? AND is_whole = 1`,
      id,
    );
    if (row === undefined) return undefined;
    const [sender, queued, expires, size, isUtf8, isDelayTold] = row;
    const recipients = this.#db.all<[number, string, number, number, string]>(
      `SELECT id, address, attempts, due, last_error FROM recipient
       WHERE message_id = ? AND due <= ? ORDER BY id`,
      id,
      due ?? Number.MAX_SAFE_INTEGER,
    ).map(([recipientId, address, attempts, due, lastError]): QueuedRecipient => ({
      id: recipientId,
      address,
      attempts,
      due,
      lastError,
    }));
    if (recipients.length === 0) return undefined;
    return {
      id,
      sender,
      queued,
      expires,
      size,
      isUtf8: isUtf8 === 1,
      isDelayTold: isDelayTold === 1,
      recipients,
    };
  }

  #remove(id: number): boolean {
    this.#db.run("DELETE FROM recipient WHERE message_id = ?", id);
    this.#db.run("DELETE FROM piece WHERE message_id = ?", id);
    return this.#db.run("DELETE FROM message WHERE id = ?", id) > 0;
  }

  /** Clears away what processes left that were killed while a message came in. */
  #sweep(now: number): void {
    const abandoned = this.#db.all<[number]>(
      "SELECT id FROM message WHERE is_whole = 0 AND queued < ?",
      now - ABANDONED_SECONDS,
    );
    for (const [id] of abandoned) this.#remove(id);
  }
}

/** The same octets in pieces as large as a row may be. */
async function* piecesOf(content: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  let piece = new Uint8Array(PIECE_BYTES);
  let length = 0;
  for await (let bytes of content) {
    while (bytes.length > 0) {
      const part = bytes.subarray(0, PIECE_BYTES - length);
      piece.set(part, length);
      length += part.length;
      bytes = bytes.subarray(part.length);
      if (length === PIECE_BYTES) {
        yield piece;
        piece = new Uint8Array(PIECE_BYTES);
        length = 0;
      }
    }
  }
  if (length > 0) yield piece.subarray(0, length);
}
