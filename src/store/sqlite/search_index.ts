import { existsSync, rmSync } from "node:fs";
import { logger, metrics } from "../../base/mod.ts";
import { StoreError } from "../store_error.ts";
import type { AccountAccess } from "./account_access.ts";
import { Database } from "./database.ts";
import { readSearchTexts, type SearchText } from "./search_text.ts";
import { damageOf, missingContents } from "./search_index_check.ts";
import { contentOf, createTrigrams, findContents, PIECES, piecesOf } from "./search_trigrams.ts";

/** Rises when the file, the folding or the tokens change: an index of another version is made anew. */
const VERSION = 3;
const APPLICATION_ID = 0x50_73_74_58; // "PstX"
/** Filling waits until no mail has come for so long, since it takes as much work as storing does. */
const FILL_DELAY_MS = 500;
/** While mail keeps coming it begins all the same after so long: what is not indexed is scanned. */
const FILL_AT_LATEST_MS = 10_000;
/** Rest between two slices while mail keeps coming. */
const FILL_REST_BUSY_MS = 40;
/** Longest time that filling keeps the event loop, but for one message larger than that. */
const FILL_SLICE_MS = 6;
/** Rest between two slices, in which the event loop does what else there is. */
const FILL_REST_MS = 4;
/** Messages of one commit of the index: about what fits into a slice. */
const FILL_BATCH = 16;
/** Pages merged after each batch. */
const MERGE_PAGES = 48;
/** The file is closed when nobody asked for so long. */
const IDLE_MS = 10_000;
/** After an error of the disk filling waits so long before it tries again. */
const RETRY_MS = 60_000;
/** Contents that may be gone from the mail before the index is swept of them. */
const SWEEP_AFTER = 1000;

/** Which contents may have a needle in their text: those listed, and those above `through`. */
export interface Candidates {
  readonly contentIds: readonly number[];
  /** Contents above this are not in the index yet. */
  readonly through: number;
}

/**
 * The trigram index of an account's mail, in a file of its own beside it. Laws: it is a cache, which
 * may be deleted at any time and is then made again from the mail; it is filled in the background
 * and never in the way of an append; it only ever narrows, and what it says is verified.
 * Text and needles are folded before they come here, so SQLite must not fold again.
 */
export class SearchIndex {
  readonly #account: AccountAccess;
  #db: Database | undefined;
  #fillTimer: ReturnType<typeof setTimeout> | undefined;
  /** When mail last came, and when the oldest came that may not be indexed; `performance.now()`. */
  #lastWake = 0;
  #firstWake: number | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #isEnded = false;
  /** Messages not indexed yet, as far as filling has looked. */
  #lag = 0;

  /** Touches no file yet. */
  constructor(account: AccountAccess) {
    this.#account = account;
  }

  get #path(): string {
    return `${this.#account.folder}/search.db`;
  }

  /** Says that mail may have been added: it will be indexed soon. */
  wake(): void {
    this.#lastWake = performance.now();
    this.#firstWake ??= this.#lastWake;
    this.#fillAfter(FILL_DELAY_MS);
  }

  /**
   * Contents whose text may contain `needle` (folded); undefined when the index cannot tell, and
   * everything must be scanned.
   */
  candidates(needle: string): Candidates | undefined {
    return this.#attempt((db) =>
      db.read(() => {
        const found = findContents(db, needle);
        return found && {
          contentIds: [...todoOf(db).map(([id]) => id), ...found],
          through: throughOf(db),
        };
      })
    );
  }

  /** Indexes what is not indexed yet, now. For tests and measurements. */
  fill(): void {
    while (this.#attempt((db) => this.#fillBatch(db, Infinity)) === true);
  }

  /**
   * Where the file is damaged, or knows less than it says it does, in words; nothing for an index
   * that is not there yet, or that cannot be looked at now.
   */
  *check(): Generator<string> {
    if (!existsSync(this.#path)) return;
    const damage = this.#attempt((db) => damageOf(db));
    if (damage !== undefined && damage !== "") yield damage;
    for (let after = 0;;) {
      const from = after;
      const page = this.#attempt((db) =>
        db.read(() => this.#account.read((mail) => missingContents(db, mail, from, throughOf(db))))
      );
      if (!page) return;
      for (const id of page.missing) yield `content ${id} is not in it`;
      if (page.last === undefined) return;
      after = page.last;
    }
  }

  /** Forgets everything; it fills itself again. */
  clear(): void {
    this.release();
    this.#remove();
    this.wake();
  }

  /**
   * Forgets contents that are gone from the mail, when they are many, and gives their space back.
   * `pause` is awaited in between; when it gives false, the rest is left for later.
   */
  async sweep(pause: () => Promise<boolean>): Promise<void> {
    if (!existsSync(this.#path)) return;
    const counts = this.#attempt((db) => ({
      indexed: db.number("SELECT contents FROM progress"),
      kept: this.#account.read((mail) => mail.number("SELECT count(*) FROM content")),
    }));
    if (!counts) return;
    const { indexed, kept } = counts;
    if (indexed > SWEEP_AFTER && kept * 2 < indexed) return this.clear();
    if (indexed - kept < SWEEP_AFTER) return;
    for (let after: number | undefined = 0; after !== undefined;) {
      const from: number = after;
      after = this.#attempt((db) =>
        db.write(() => this.#account.read((mail) => sweepPage(db, mail, from)))
      );
      if (!await pause()) return;
    }
  }

  /** Closes the file, which is opened again when needed. */
  release(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    const db = this.#db;
    this.#db = undefined;
    db?.close();
  }

  /** Closes for good. */
  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#fillTimer);
    this.#setLag(0);
    this.release();
  }

  #fillAfter(delayMs: number): void {
    if (this.#isEnded || this.#fillTimer !== undefined) return;
    this.#fillTimer = setTimeout(() => {
      this.#fillTimer = undefined;
      const now = performance.now();
      const quietMs = now - this.#lastWake;
      const isBusy = quietMs < FILL_DELAY_MS;
      if (isBusy && now - (this.#firstWake ?? now) < FILL_AT_LATEST_MS) {
        return this.#fillAfter(FILL_DELAY_MS - quietMs);
      }
      const more = this.#attempt((db) => this.#fillBatch(db, now + FILL_SLICE_MS));
      if (more === undefined) this.#fillAfter(RETRY_MS);
      else if (more) this.#fillAfter(isBusy ? FILL_REST_BUSY_MS : FILL_REST_MS);
      else this.#firstWake = undefined;
    }, delayMs);
    Deno.unrefTimer(this.#fillTimer);
  }

  /** Runs `work` on the index; undefined when it failed. What is damaged is thrown away. */
  #attempt<T>(work: (db: Database) => T): T | undefined {
    if (this.#isEnded) return undefined;
    try {
      const result = work(this.#open());
      this.#closeWhenIdle();
      return result;
    } catch (error) {
      const isDisk = error instanceof StoreError && error.code === "unavailable";
      const isGone = error instanceof StoreError && error.code === "not-found";
      this.release();
      if (isGone) return undefined;
      logger("store").warn("search index of account {account} failed: {error}", {
        account: this.#account.id,
        error,
      });
      // The next use makes a new one.
      if (!isDisk) this.#remove();
      this.#fillAfter(isDisk ? RETRY_MS : FILL_DELAY_MS);
      return undefined;
    }
  }

  #open(): Database {
    if (this.#db) return this.#db;
    // Throws when the account was removed, before a file is made where its folder was.
    const prefix = this.#account.read(() => this.#account.objectPrefix());
    let db = openFile(this.#path);
    try {
      if (db.number("PRAGMA user_version") !== VERSION || !isOf(db, prefix)) {
        db.close();
        this.#remove();
        db = openFile(this.#path);
        create(db, prefix);
      }
    } catch (error) {
      db.close();
      throw error;
    }
    this.#db = db;
    this.#fillAfter(FILL_DELAY_MS);
    return db;
  }

  #closeWhenIdle(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.release(), IDLE_MS);
    Deno.unrefTimer(this.#idleTimer);
  }

  #remove(): void {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(this.#path + suffix, { force: true });
  }

  /** Indexes one batch. Gives whether there is more. */
  #fillBatch(db: Database, until: number): boolean {
    // Another process may be at it too: all is read inside the write transaction.
    return db.write(() => {
      const through = throughOf(db);
      const todo = todoOf(db);
      const work = this.#account.read((mail) => nextWork(mail, through, todo.map(([id]) => id)));
      for (const id of work.dead) db.run("DELETE FROM todo WHERE content_id = ?", id);
      for (const [id, pieces] of todo) {
        if (!work.arrived.has(id)) continue;
        const reached = this.#index(db, id, this.#texts([id]).get(id), pieces, until);
        if (reached === undefined) db.run("DELETE FROM todo WHERE content_id = ?", id);
        else db.run("UPDATE todo SET pieces = ? WHERE content_id = ?", reached, id);
        if (performance.now() > until) return true;
      }
      let last = through;
      const texts = this.#texts(work.fresh);
      for (const id of work.fresh) {
        const reached = this.#index(db, id, texts.get(id), 0, until);
        last = id;
        if (reached !== undefined) {
          db.run("INSERT INTO todo (content_id, pieces) VALUES (?, ?)", id, reached);
        }
        if (performance.now() > until) break;
      }
      // Their numbers have few gaps.
      this.#setLag(Math.max(0, work.highest - last));
      if (last === through) return false;
      db.run("INSERT INTO trigram (trigram, rank) VALUES ('merge', ?)", MERGE_PAGES);
      db.run("UPDATE progress SET through = ?", last);
      for (const id of work.staged) {
        if (id <= last) db.run("INSERT INTO todo (content_id, pieces) VALUES (?, 0)", id);
      }
      return last !== work.fresh.at(-1) || work.fresh.length === FILL_BATCH;
    });
  }

  #setLag(lag: number): void {
    metrics.add("postern_search_index_lag_messages", undefined, lag - this.#lag);
    this.#lag = lag;
  }

  #texts(ids: readonly number[]): Map<number, SearchText> {
    return this.#account.read((mail) => readSearchTexts(mail, ids, { header: true, body: true }));
  }

  /** Indexes a content from a piece on. Gives the next piece, or undefined when that was all. */
  #index(
    db: Database,
    id: number,
    text: SearchText | undefined,
    from: number,
    until: number,
  ): number | undefined {
    const pieces = text ? piecesOf(text) : [];
    if (from === 0) db.run("UPDATE progress SET contents = contents + 1");
    for (let piece = from; piece < pieces.length; piece++) {
      if (piece > from && performance.now() > until) return piece;
      db.run(
        "INSERT INTO trigram (rowid, text) VALUES (?, ?)",
        id * PIECES + piece,
        pieces[piece] ?? "",
      );
    }
    return undefined;
  }
}

interface Work {
  /** Those of `todo` that are in a mailbox now. */
  readonly arrived: ReadonlySet<number>;
  /** Those of `todo` that will never come. */
  readonly dead: readonly number[];
  /** Not yet looked at, rising. */
  readonly fresh: readonly number[];
  /** Numbers given to messages that are still coming in. */
  readonly staged: readonly number[];
  /** The highest in a mailbox. */
  readonly highest: number;
}

/** Forgets those of the next contents that are gone. Gives the last one looked at, if there was any. */
function sweepPage(db: Database, mail: Database, after: number): number | undefined {
  const ids = db.all<[number]>(
    `SELECT DISTINCT ${contentOf("id")} FROM trigram_docsize WHERE id >= ? ORDER BY 1 LIMIT 500`,
    (after + 1) * PIECES,
  ).map(([id]) => id);
  const gone = mail.all<[number]>(
    `SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM content WHERE id = value)`,
    JSON.stringify(ids),
  );
  for (const [id] of gone) {
    db.run(
      `DELETE FROM trigram
       WHERE rowid IN (SELECT id FROM trigram_docsize WHERE id BETWEEN ? AND ?)`,
      id * PIECES,
      id * PIECES + PIECES - 1,
    );
  }
  db.run("UPDATE progress SET contents = contents - ?", gone.length);
  return ids.at(-1);
}

/** What to index next, as of one snapshot of the mail. */
function nextWork(mail: Database, through: number, todo: readonly number[]): Work {
  const states = mail.all<[number, number, number]>(
    `SELECT value, EXISTS (SELECT 1 FROM message WHERE content_id = value),
       EXISTS (SELECT 1 FROM staging WHERE content_id = value)
     FROM json_each(?)`,
    JSON.stringify(todo),
  );
  // An import of very many messages is waited for: noting each as passed over would take for ever.
  const bound = mail.number(
    `SELECT coalesce((SELECT min(content_id) FROM staging
       WHERE EXISTS (SELECT 1 FROM content WHERE content.id = content_id)), 9007199254740991)`,
  );
  // Only what is in a mailbox: its number is durable and will not be given to another message,
  // as that of a message being staged may be after a power failure.
  const fresh = mail.all<[number]>(
    `SELECT DISTINCT content_id FROM message WHERE content_id > ? AND content_id < ?
     ORDER BY content_id LIMIT ?`,
    through,
    bound,
    FILL_BATCH,
  ).map(([id]) => id);
  return {
    arrived: new Set(states.filter(([, isMessage]) => isMessage).map(([id]) => id)),
    dead: states.filter(([, isMessage, isStaged]) => !isMessage && !isStaged).map(([id]) => id),
    fresh,
    staged: mail.all<[number]>(
      "SELECT content_id FROM staging WHERE content_id > ? AND content_id < ?",
      through,
      bound,
    ).map(([id]) => id),
    highest: mail.number("SELECT coalesce(max(content_id), 0) FROM message"),
  };
}

function openFile(path: string): Database {
  return Database.open(path, ["synchronous = NORMAL"]);
}

/** The contents up to which all were looked at. */
function throughOf(db: Database): number {
  return db.number("SELECT through FROM progress");
}

/** Contents of those that are not, or not wholly, indexed, and how many pieces are. */
function todoOf(db: Database): [contentId: number, pieces: number][] {
  return db.all<[number, number]>("SELECT content_id, pieces FROM todo");
}

function isOf(db: Database, prefix: string): boolean {
  return db.number("PRAGMA application_id") === APPLICATION_ID &&
    db.get("SELECT object_prefix FROM progress")?.[0] === prefix;
}

function create(db: Database, prefix: string): void {
  db.write(() => {
    createTrigrams(db);
    db.exec(`
      -- Contents up to through are in the index, but for those of todo.
      CREATE TABLE progress (
        through INTEGER NOT NULL,
        object_prefix TEXT NOT NULL,
        -- How many contents are in the index.
        contents INTEGER NOT NULL
      ) STRICT;
      -- Passed over while they were still coming in, or indexed in part: so many pieces.
      CREATE TABLE todo (content_id INTEGER PRIMARY KEY, pieces INTEGER NOT NULL) STRICT;
    `);
    db.run(
      "INSERT INTO progress (through, object_prefix, contents) VALUES (0, ?, 0)",
      prefix,
    );
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    db.exec(`PRAGMA user_version = ${VERSION}`);
  });
}
