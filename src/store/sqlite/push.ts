import { join } from "node:path";
import type { AccountId } from "../../base/mod.ts";
import type { PushOutcome, PushStore, WaitingPush } from "../push.ts";
import type { Database, Row } from "./database.ts";
import { makeFolder } from "./make_folder.ts";
import { openMigrated } from "./migrate.ts";
import { pushSchema } from "./migrations/mod.ts";

/** Opens `push.db` in the folder; makes both when they are missing. */
export function openSqlitePush(dataDir: string): SqlitePushStore {
  makeFolder(dataDir);
  return new SqlitePushStore(openMigrated(join(dataDir, "push.db"), pushSchema));
}

/** Tokens and the queue in one SQLite file, beside the accounts. */
export class SqlitePushStore implements PushStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async addToken(account: AccountId, token: string, now: number, limit: number): Promise<void> {
    this.#db.write(() => {
      // A device may change hands: it is woken up for its last account alone.
      this.#db.run("INSERT OR REPLACE INTO token VALUES (?, ?, ?)", token, account, now);
      this.#db.run(
        `DELETE FROM token WHERE account_id = ? AND token NOT IN (
           SELECT token FROM token WHERE account_id = ?
           ORDER BY named DESC, token = ? DESC, token LIMIT ?)`,
        account,
        account,
        token,
        limit,
      );
    });
  }

  async listTokens(account: AccountId, since: number): Promise<string[]> {
    return this.#db.all<[string]>(
      "SELECT token FROM token WHERE account_id = ? AND named >= ? ORDER BY named, token",
      account,
      since,
    ).map(([token]) => token);
  }

  async removeTokens(account: AccountId): Promise<void> {
    this.#db.run("DELETE FROM token WHERE account_id = ?", account);
  }

  async enqueue(account: AccountId, now: number, since: number): Promise<number> {
    // Most accounts of some hosts have none: nothing is written for these.
    const tokens = await this.listTokens(account, since);
    if (tokens.length === 0) return 0;
    this.#db.write(() => {
      for (const token of tokens) {
        // With a new number, so that what is on its way now does not settle it.
        this.#db.run("DELETE FROM waiting WHERE token = ?", token);
        this.#db.run("INSERT INTO waiting (token, queued, due) VALUES (?, ?, ?)", token, now, now);
      }
    });
    return tokens.length;
  }

  async listDue(now: number, limit: number): Promise<WaitingPush[]> {
    return this.#db.all<readonly [number, string, number, number] & Row>(
      `SELECT id, token, queued, attempts FROM waiting WHERE due <= ? ORDER BY due, id LIMIT ?`,
      now,
      limit,
    ).map(([id, token, queued, attempts]) => ({ id, token, queued, attempts }));
  }

  async nextDue(): Promise<number | undefined> {
    return this.#db.get<[number | null]>("SELECT min(due) FROM waiting")?.[0] ?? undefined;
  }

  async settle(id: number, outcome: PushOutcome): Promise<void> {
    if (outcome.kind === "postponed") {
      this.#db.run(
        "UPDATE waiting SET due = ?, attempts = attempts + 1 WHERE id = ?",
        outcome.due,
        id,
      );
      return;
    }
    this.#db.write(() => {
      if (outcome.kind === "gone") {
        this.#db.run(
          "DELETE FROM token WHERE token = (SELECT token FROM waiting WHERE id = ?)",
          id,
        );
      }
      this.#db.run("DELETE FROM waiting WHERE id = ?", id);
    });
  }

  async dropBefore(time: number): Promise<void> {
    this.#db.run("DELETE FROM token WHERE named < ?", time);
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}
