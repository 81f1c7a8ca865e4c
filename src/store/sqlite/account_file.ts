import { type AccountId, metrics, type ModSeq } from "../../base/mod.ts";
import { StoreError } from "../store_error.ts";
import type { AccountAccess } from "./account_access.ts";
import type { Database } from "./database.ts";
import { RecentMarks } from "./recent_marks.ts";
import { SearchIndex } from "./search_index.ts";
import { Transaction } from "./transaction.ts";

/** What an account's file needs of the store. */
export interface AccountHost {
  /** The account's folder. */
  folderOf(id: AccountId): string;
  /** Gives the account's open database, opening it if it is closed and closing others. */
  use(file: AccountFile): Database;
  /** Closes it until it is used again. */
  close(file: AccountFile): void;
  /** Octets; undefined: no limit. Throws StoreError "not-found" when the account was removed. */
  limitBytes(id: AccountId): number | undefined;
  /** Tells listeners. Never throws. */
  committed(id: AccountId, modSeq: ModSeq): void;
  /** Milliseconds since 1970. */
  now(): number;
}

interface Waiting {
  readonly work: (transaction: Transaction) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The mail database of one account, in this process: reads, and the queue of writes. Everything
 * that asked to write in one turn of the event loop is committed together.
 */
export class AccountFile implements AccountAccess {
  readonly id: AccountId;
  readonly recentMarks = new RecentMarks();
  readonly searchIndex: SearchIndex;
  /** Set by the host while the database is open. */
  database: Database | undefined;
  /** Set by the host while the database is brought up to date. */
  upgrading: Promise<void> | undefined;
  /** Milliseconds since 1970. */
  lastUse = 0;
  /** When it was last looked at because it had its turn, milliseconds since 1970. */
  lastTurn = 0;
  /** When `trim` may have something to do next, milliseconds since 1970; a new process looks at once. */
  trimAt = 0;
  readonly #host: AccountHost;
  #objectPrefix: string | undefined;
  #waiting: Waiting[] = [];
  #flushed: Promise<void> | undefined;

  constructor(host: AccountHost, id: AccountId) {
    this.#host = host;
    this.id = id;
    this.searchIndex = new SearchIndex(this);
  }

  get folder(): string {
    return this.#host.folderOf(this.id);
  }

  objectPrefix(): string {
    this.#objectPrefix ??= String(
      this.#host.use(this).get("SELECT object_prefix FROM account")?.[0],
    );
    return this.#objectPrefix;
  }

  read<T>(work: (db: Database) => T): T {
    this.#host.limitBytes(this.id);
    const db = this.#host.use(this);
    return timed("read", () => db.read(() => work(db)));
  }

  recentAfter(mailboxId: number, stored: number): number {
    return this.recentMarks.after(mailboxId, stored);
  }

  /** The open database, for what runs outside of any transaction. */
  useDatabase(): Database {
    return this.#host.use(this);
  }

  /** Closes the database until it is used again. */
  closeDatabase(): void {
    this.#host.close(this);
  }

  /** Runs `work` in the next commit. Resolves once it is durable; rejects with nothing changed. */
  write<T>(work: (transaction: Transaction) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject });
    this.#flushed ??= new Promise((done) => {
      // After everything that this turn's input set off.
      setImmediate(() => {
        this.#flushed = undefined;
        this.#flush();
        done();
      });
    });
    return promise;
  }

  /**
   * Writes at once, without waiting for the disk: for data that nobody was promised yet. Under
   * synchronous=NORMAL a commit appends to the WAL and does not sync it. The commit that promises
   * something runs under FULL and syncs the one WAL file, all earlier frames included; a
   * checkpoint in between syncs the WAL before it copies. So whatever is found after a power
   * failure is a prefix of the commits, and a promised one implies those before it.
   */
  writeLoosely<T>(work: (db: Database) => T): T {
    this.#host.limitBytes(this.id);
    const db = this.#host.use(this);
    db.exec("PRAGMA synchronous = NORMAL");
    try {
      return timed("stage", () => db.write(() => work(db)));
    } finally {
      db.exec("PRAGMA synchronous = FULL");
    }
  }

  /** Waits until what was asked so far is committed or refused. */
  async settled(): Promise<void> {
    while (this.#flushed) await this.#flushed;
  }

  #flush(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    let outcomes: (() => void)[];
    try {
      outcomes = timed("commit", () => this.#commit(batch));
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const settle of outcomes) settle();
  }

  /** Gives what settles each promise, to be called after the commit. */
  #commit(batch: readonly Waiting[]): (() => void)[] {
    const limitBytes = this.#host.limitBytes(this.id);
    const db = this.#host.use(this);
    const now = Math.floor(this.#host.now() / 1000);
    const outcomes: (() => void)[] = [];
    let highest: ModSeq | undefined;
    db.write(() => {
      this.recentMarks.store(db);
      for (const { work, resolve, reject } of batch) {
        const transaction = new Transaction(db, this, now, limitBytes);
        db.exec("SAVEPOINT operation");
        try {
          const result = work(transaction);
          outcomes.push(() => resolve(result));
          highest = transaction.takenModSeq ?? highest;
        } catch (error) {
          // SQLite itself ends the transaction on some errors of the disk: then all is undone.
          if (!db.isInTransaction) {
            throw new StoreError("unavailable", "The commit was given up.", { cause: error });
          }
          db.exec("ROLLBACK TO operation");
          outcomes.push(() => reject(error));
        }
        db.exec("RELEASE operation");
      }
    });
    this.recentMarks.clear();
    if (highest !== undefined) {
      this.searchIndex.wake();
      this.#host.committed(this.id, highest);
    }
    return outcomes;
  }
}

/** Measures one piece of work, failed ones too. */
export function timed<T>(operation: "commit" | "read" | "stage" | "open", work: () => T): T {
  const began = performance.now();
  try {
    return work();
  } finally {
    const seconds = (performance.now() - began) / 1000;
    metrics.observe("postern_store_operation_duration_seconds", { operation }, seconds);
  }
}
