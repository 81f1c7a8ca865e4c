/**
 * store/sqlite: the engine for one host. Laws: a file for the directory, one for who tried to log in
 * (the only one that may lose the last moment), and a folder for each
 * account, `accounts/<id>/mail.db`; a promise resolves only after a commit under synchronous=FULL;
 * everything asked of an account in one turn of the event loop is one commit, each operation with a
 * savepoint of its own; nothing is cached that another process may change; a handle is only a
 * number, so that files can be closed when they are idle; what is slow to clear away is cleared away
 * later, by `trim`, a bit at a time.
 */
import type { AccountId, ModSeq } from "../../base/mod.ts";
import { type Clock, logger, metrics, othersTurn, randomHex, systemClock } from "../../base/mod.ts";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { AccountStore, SpecialUse } from "../account_store.ts";
import type { AccountOptions, CommitListener, Store } from "../store.ts";
import { StoreError } from "../store_error.ts";
import { SqliteAccountStore } from "./account.ts";
import { AccountFile, type AccountHost, timed } from "./account_file.ts";
import type { Database } from "./database.ts";
import { readLimitBytes, SqliteDirectory } from "./directory.ts";
import { createMail, type InitialMailbox } from "./initial_mail.ts";
import { openMigrated, openUpgraded, upgradeOthers } from "./migrate.ts";
import {
  directorySchema,
  loginsSchema,
  mailSchema,
  pushSchema,
  queueSchema,
} from "./migrations/mod.ts";
import { sweepStaging } from "./staging.ts";
import { makeFolder } from "./make_folder.ts";
import { trimAccount, type TrimPolicy } from "./trim.ts";

export { type BackupOptions, type BackupResult, backupStore } from "./backup.ts";
export { restoreAccount, restoreStore } from "./restore.ts";
export type { InitialMailbox, TrimPolicy };
export { openSqliteQueue } from "./queue.ts";
export { openSqliteLoginLog } from "./login_log.ts";
export { openSqliteHistory } from "./history.ts";
export { openSqlitePush } from "./push.ts";

export interface SqliteStoreOptions {
  /** The folder of everything; made when missing. */
  readonly dataDir: string;
  /** For accounts without a quota of their own, octets; undefined: no limit. */
  readonly defaultQuotaBytes?: number;
  /** Made with each new account beside INBOX, subscribed. */
  readonly initialMailboxes?: readonly InitialMailbox[];
  /** Account databases open at once: three files and about 130 KiB each. */
  readonly maxOpenAccounts?: number;
  /** Unused for so long, an account's database is closed. */
  readonly idleCloseMs?: number;
  /** How long what is gone is remembered, where it differs from the default. */
  readonly trim?: Partial<TrimPolicy>;
  readonly clock?: Clock;
}

const DEFAULT_OPEN_ACCOUNTS = 256;
const DEFAULT_IDLE_CLOSE_MS = 60_000;

const TRIM_RETRY_MS = 300_000;
/** Longest rest between two accounts that are trimmed: closing waits for it. */
const MAX_TRIM_REST_MS = 200;
/** An account that nobody uses is looked at no more often. */
const TURN_MS = 3600_000;

const DEFAULT_TRIM: TrimPolicy = {
  contentSeconds: 3600,
  // A device that was away on a long holiday still gets the short answer.
  historySeconds: 60 * 86400,
  maxHistoryRows: 100_000,
};

const DEFAULT_MAILBOXES: readonly InitialMailbox[] = (
  ["Archive", "Drafts", "Junk", "Sent", "Trash"] satisfies SpecialUse[]
).map((name) => ({ name, specialUse: [name] }));

/** Opens the store, makes it when the folder is empty, and clears away what removed accounts left. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  makeFolder(join(options.dataDir, "accounts"));
  const path = join(options.dataDir, "directory.db");
  const db = await openUpgraded(() => openMigrated(path, directorySchema));
  try {
    await upgradeOthers(options.dataDir, OTHER_SCHEMAS);
  } catch (error) {
    db.close();
    throw error;
  }
  return new SqliteStore(db, options);
}

/** Databases of the folder that are opened at once when they are needed, so upgraded before. */
const OTHER_SCHEMAS = { "logins.db": loginsSchema, "push.db": pushSchema, "queue.db": queueSchema };

/** Folders with a folder for each account, named by its number; journals of imports are one. */
const ACCOUNT_FOLDERS = ["accounts", "imports"];

export class SqliteStore implements Store {
  readonly directory: SqliteDirectory;
  readonly #db: Database;
  readonly #options: SqliteStoreOptions;
  readonly #clock: Clock;
  readonly #host: AccountHost;
  readonly #files = new Map<AccountId, AccountFile>();
  /** Files with an open database, the longest unused first. */
  readonly #open = new Set<AccountFile>();
  readonly #listeners = new Set<CommitListener>();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #trimPolicy: TrimPolicy;
  #trimming: Promise<void> | undefined;
  /** The account whose turn it was last, of all. */
  #lastTurn = 0;
  #isClosing = false;
  #isClosed = false;

  constructor(db: Database, options: SqliteStoreOptions) {
    this.#db = db;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#trimPolicy = { ...DEFAULT_TRIM, ...options.trim };
    this.#host = {
      folderOf: (id) => join(options.dataDir, "accounts", String(id)),
      use: (file) => this.#use(file),
      close: (file) => this.#closeFile(file),
      limitBytes: (id) => readLimitBytes(this.#db, id, options.defaultQuotaBytes),
      committed: (id, modSeq) => this.#committed(id, modSeq),
      now: () => this.#clock.now(),
    };
    this.directory = new SqliteDirectory(db, {
      create: (id) => void this.#use(this.#file(id)),
      remove: (id) => this.#removeMail(id),
      now: () => this.#clock.now(),
    });
    this.#sweepAccounts();
    const idleMs = options.idleCloseMs ?? DEFAULT_IDLE_CLOSE_MS;
    this.#timer = setInterval(() => {
      void this.trim();
      this.#closeIdle(idleMs);
    }, idleMs / 2);
    Deno.unrefTimer(this.#timer);
  }

  async openAccount(id: AccountId, options?: AccountOptions): Promise<AccountStore> {
    const file = this.#file(id);
    await this.#ready(file);
    return new SqliteAccountStore(file, this.#host, options);
  }

  /** Opens the account's database, upgraded; once, however many ask at a time. */
  async #ready(file: AccountFile): Promise<void> {
    if (file.database === undefined && file.upgrading === undefined) {
      file.upgrading = openUpgraded(() => file.read(() => {}))
        .finally(() => file.upgrading = undefined);
    }
    if (file.upgrading) await file.upgrading;
    else file.read(() => {});
  }

  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Clears away what has become due: content of expunged messages, deleted mailboxes, old history,
   * free space. Looks at accounts that this process used, and each time at one of all, in turn.
   * Runs by itself; call it for the moment.
   */
  async trim(): Promise<void> {
    this.#trimming ??= this.#trimDue().finally(() => this.#trimming = undefined);
    await this.#trimming;
  }

  /** How many account databases are open. */
  get openAccounts(): number {
    return this.#open.size;
  }

  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearInterval(this.#timer);
    await this.#trimming;
    await Promise.all([...this.#files.values()].map((file) => file.settled()));
    this.#isClosed = true;
    for (const file of this.#files.values()) file.searchIndex.end();
    for (const file of [...this.#open]) this.#closeFile(file);
    this.#db.close();
  }

  async #trimDue(): Promise<void> {
    await this.#takeTurn();
    let restMs = 0;
    for (const file of [...this.#files.values()]) {
      const now = this.#clock.now();
      if (file.trimAt > now) continue;
      // Of thousands of accounts most must be opened for this: those who are connected come first.
      await new Promise((resolve) => setTimeout(resolve, restMs));
      if (this.#isClosing) return;
      const began = performance.now();
      try {
        // What is expunged meanwhile sets an earlier time.
        file.trimAt = Infinity;
        const next = await trimAccount(file, Math.floor(now / 1000), this.#trimPolicy, async () => {
          await othersTurn();
          return !this.#isClosing;
        });
        if (next !== undefined) file.trimAt = Math.min(file.trimAt, next * 1000);
      } catch (error) {
        file.trimAt = now + TRIM_RETRY_MS;
        if (error instanceof StoreError && error.code === "not-found") continue;
        logger("store").warn("trimming account {account} failed: {error}", {
          account: file.id,
          error,
        });
      } finally {
        restMs = Math.min((performance.now() - began) * 3, MAX_TRIM_REST_MS);
      }
    }
  }

  /** Has the next account looked at, whether it was used or not. */
  async #takeTurn(): Promise<void> {
    const next = "SELECT id FROM account WHERE has_mail = 1 AND id > ? ORDER BY id LIMIT 1";
    const id = (this.#db.get(next, this.#lastTurn) ?? this.#db.get(next, 0))?.[0];
    if (typeof id !== "number") return;
    this.#lastTurn = id;
    const file = this.#file(id as AccountId);
    // With few accounts a turn comes soon again, and an idle one should be left alone.
    if (file.lastTurn > this.#clock.now() - TURN_MS) return;
    file.lastTurn = this.#clock.now();
    try {
      await this.#ready(file);
      file.trimAt = 0;
    } catch (error) {
      logger("store").warn("account {account} cannot be opened: {error}", { account: id, error });
    }
  }

  #file(id: AccountId): AccountFile {
    let file = this.#files.get(id);
    if (!file) {
      file = new AccountFile(this.#host, id);
      this.#files.set(id, file);
    }
    return file;
  }

  #use(file: AccountFile): Database {
    file.lastUse = this.#clock.now();
    // Last in the set's order.
    this.#open.delete(file);
    if (file.database) {
      this.#open.add(file);
      return file.database;
    }
    if (this.#isClosed) throw new StoreError("unavailable", "The store is closed.");
    const limit = this.#options.maxOpenAccounts ?? DEFAULT_OPEN_ACCOUNTS;
    for (const other of this.#open) {
      if (this.#open.size < limit) break;
      this.#closeFile(other);
    }
    const db = timed("open", () => this.#openMail(file));
    file.database = db;
    this.#open.add(file);
    metrics.set("postern_store_open_accounts", {}, this.#open.size);
    return db;
  }

  #openMail(file: AccountFile): Database {
    const path = join(file.folder, "mail.db");
    const hasMail = this.#db.get<[number]>("SELECT has_mail FROM account WHERE id = ?", file.id)
      ?.[0];
    if (hasMail === undefined) throw new StoreError("not-found", "There is no such account.");
    if (hasMail === 1 && !existsSync(path)) {
      // An empty mailbox in its place would make clients delete their copies.
      throw new StoreError("corrupt", `The mail database ${path} is missing.`);
    }
    if (hasMail === 0) {
      makeFolder(file.folder);
    }
    const db = openMigrated(path, mailSchema);
    try {
      if (hasMail === 0) {
        createMail(db, {
          now: Math.floor(this.#clock.now() / 1000),
          objectPrefix: randomHex(4),
          mailboxes: this.#options.initialMailboxes ?? DEFAULT_MAILBOXES,
        });
        this.#db.run("UPDATE account SET has_mail = 1 WHERE id = ?", file.id);
      }
      db.write(() => sweepStaging(db, Math.floor(this.#clock.now() / 1000)));
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  }

  #closeFile(file: AccountFile): void {
    this.#open.delete(file);
    metrics.set("postern_store_open_accounts", {}, this.#open.size);
    const db = file.database;
    file.database = undefined;
    file.searchIndex.release();
    if (!db) return;
    try {
      if (!file.recentMarks.isEmpty) {
        db.write(() => file.recentMarks.store(db));
        file.recentMarks.clear();
      }
    } catch (error) {
      // Worth no more: the messages are \Recent once again.
      logger("store").warn("claims of \\Recent were not kept: {error}", { error });
    } finally {
      db.close();
    }
  }

  #closeIdle(idleMs: number): void {
    const before = this.#clock.now() - idleMs;
    for (const file of this.#open) {
      if (file.lastUse > before) break;
      this.#closeFile(file);
    }
  }

  #committed(id: AccountId, modSeq: ModSeq): void {
    const file = this.#file(id);
    file.trimAt = Math.min(
      file.trimAt,
      this.#clock.now() + this.#trimPolicy.contentSeconds * 1000,
    );
    for (const listener of [...this.#listeners]) {
      try {
        listener(id, modSeq);
      } catch (error) {
        logger("store").error("a commit listener failed: {error}", { error });
      }
    }
  }

  #removeMail(id: AccountId): void {
    const file = this.#file(id);
    file.recentMarks.clear();
    file.searchIndex.end();
    this.#closeFile(file);
    this.#files.delete(id);
    for (const folder of ACCOUNT_FOLDERS) {
      rmSync(join(this.#options.dataDir, folder, String(id)), { recursive: true, force: true });
    }
  }

  /** Folders whose account is no longer in the directory: a crash came between the two. */
  #sweepAccounts(): void {
    const folders = ACCOUNT_FOLDERS.map((name) => join(this.#options.dataDir, name))
      .filter((folder) => existsSync(folder));
    for (const folder of folders) {
      // The folders first: one that is made meanwhile belongs to an account that is in the directory.
      for (const name of readdirSync(folder)) {
        if (!/^\d+$/.test(name)) continue;
        if (this.#db.get("SELECT 1 FROM account WHERE id = ?", Number(name))) continue;
        rmSync(join(folder, name), { recursive: true, force: true });
      }
    }
  }
}
