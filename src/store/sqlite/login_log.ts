import { createHash } from "node:crypto";
import { join } from "node:path";
import type { AccountId, Clock } from "../../base/mod.ts";
import { systemClock } from "../../base/mod.ts";
import { LOGIN_DAYS, MAX_LOGIN_ENTRIES } from "../limits.ts";
import type { LoginEntry, LoginFacts, LoginLog, LoginQuery, NetworkRecord } from "../login_log.ts";
import type { Database, Row, Value } from "./database.ts";
import { makeFolder } from "./make_folder.ts";
import { openMigrated } from "./migrate.ts";
import { loginsSchema } from "./migrations/mod.ts";

const DAY_MS = 86_400_000;

/** In the place of an account that there is not. */
const NO_ACCOUNT = 0;

const FACTS = "username, remote, local, tls, fingerprint, protocol, user_agent, mechanism, result";

type LoginRow =
  & readonly [
    id: number,
    accountId: number,
    isFailure: number,
    count: number,
    firstMs: number,
    lastMs: number,
    username: string,
    remote: string,
    local: string,
    tls: string,
    fingerprint: string,
    protocol: string,
    userAgent: string,
    mechanism: string,
    result: string,
  ]
  & Row;

type NetworkRow =
  & readonly [
    network: string,
    minuteStartMs: number,
    minuteFailures: number,
    dayStartMs: number,
    dayFailures: number,
    banReason: string | null,
    banSinceMs: number | null,
    banUntilMs: number | null,
  ]
  & Row;

export interface SqliteLoginLogOptions {
  readonly dataDir: string;
  readonly clock?: Clock;
  /**
   * Whether a write waits for the disk. Not where a server writes at every login: there what the
   * last moment before a power failure had may be lost, and the file stays whole all the same.
   */
  readonly durable?: boolean;
}

/** Opens `logins.db`, and makes it when it is missing. */
export function openSqliteLoginLog(options: SqliteLoginLogOptions): LoginLog {
  makeFolder(options.dataDir);
  const db = openMigrated(join(options.dataDir, "logins.db"), loginsSchema);
  db.exec(`PRAGMA synchronous = ${options.durable ? "FULL" : "NORMAL"}`);
  return new SqliteLoginLog(db, options.clock ?? systemClock);
}

class SqliteLoginLog implements LoginLog {
  readonly #db: Database;
  readonly #clock: Clock;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  async add(
    attempts: readonly (LoginFacts & { readonly timeMs: number })[],
    networks: readonly NetworkRecord[],
  ): Promise<void> {
    this.#db.write(() => {
      const grown = new Set<string>();
      for (const attempt of attempts) {
        const { accountId = NO_ACCOUNT, isFailure } = attempt;
        if (this.#addOne(attempt)) grown.add(`${accountId} ${isFailure ? 1 : 0}`);
      }
      for (const group of grown) {
        const [accountId = 0, isFailure = 0] = group.split(" ").map(Number);
        this.#bound(accountId, isFailure);
      }
      for (const network of networks) this.#putNetwork(network);
    });
  }

  async list(
    { accountId, search, failuresOnly, before, limit }: LoginQuery,
  ): Promise<LoginEntry[]> {
    const conditions = ["last_ms >= ?"];
    const values: Value[] = [this.#oldestMs()];
    if (accountId !== undefined) {
      conditions.push("account_id = ?");
      values.push(accountId);
    }
    if (search !== undefined) {
      const texts = FACTS.split(", ").join(" || char(10) || ");
      conditions.push(`instr(lower(${texts}), ?) > 0`);
      values.push(search.toLowerCase());
    }
    if (failuresOnly) conditions.push("is_failure = 1");
    if (before !== undefined) {
      conditions.push("(last_ms, id) < (?, ?)");
      values.push(before.lastMs, before.id);
    }
    return this.#db.all<LoginRow>(
      `SELECT id, account_id, is_failure, count, first_ms, last_ms, ${FACTS} FROM login
       WHERE ${conditions.join(" AND ")} ORDER BY last_ms DESC, id DESC LIMIT ?`,
      ...values,
      limit,
    ).map(entryOf);
  }

  async trim(): Promise<void> {
    this.#db.write(() => {
      const now = this.#clock.now();
      this.#db.run("DELETE FROM login WHERE last_ms < ?", this.#oldestMs());
      this.#db.run(
        "DELETE FROM network WHERE day_start_ms < ? AND coalesce(ban_until_ms, 0) < ?",
        now - DAY_MS,
        now,
      );
    });
  }

  async listNetworks(): Promise<NetworkRecord[]> {
    return this.#db.all<NetworkRow>(
      `SELECT network, minute_start_ms, minute_failures, day_start_ms, day_failures, ban_reason,
         ban_since_ms, ban_until_ms FROM network ORDER BY network`,
    ).map(networkOf);
  }

  async forgetNetworks(networks: readonly string[]): Promise<void> {
    this.#db.write(() => {
      for (const network of networks) {
        this.#db.run("DELETE FROM network WHERE network = ?", network);
      }
    });
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  /** Whether it made a new entry. */
  #addOne(attempt: LoginFacts & { readonly timeMs: number }): boolean {
    const { accountId = NO_ACCOUNT, isFailure, timeMs } = attempt;
    const facts = [
      ...[attempt.username, attempt.remote, attempt.local, attempt.tls, attempt.fingerprint],
      ...[attempt.protocol, attempt.userAgent, attempt.mechanism, attempt.result],
    ];
    const key = createHash("sha256").update(JSON.stringify([accountId, ...facts])).digest();
    const count = this.#db.number(
      `INSERT INTO login (key, account_id, is_failure, count, first_ms, last_ms, ${FACTS})
       VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET count = count + 1, last_ms = max(last_ms, excluded.last_ms)
       RETURNING count`,
      new Uint8Array(key),
      accountId,
      isFailure ? 1 : 0,
      timeMs,
      timeMs,
      ...facts,
    );
    return count === 1;
  }

  #bound(accountId: number, isFailure: number): void {
    this.#db.run(
      `DELETE FROM login WHERE id IN (
         SELECT id FROM login WHERE account_id = ? AND is_failure = ?
         ORDER BY last_ms DESC LIMIT -1 OFFSET ?)`,
      accountId,
      isFailure,
      MAX_LOGIN_ENTRIES,
    );
  }

  #putNetwork(record: NetworkRecord): void {
    const { ban } = record;
    this.#db.run(
      "INSERT OR REPLACE INTO network VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      record.network,
      record.minuteStartMs,
      record.minuteFailures,
      record.dayStartMs,
      record.dayFailures,
      ban?.reason ?? null,
      ban?.sinceMs ?? null,
      ban?.untilMs ?? null,
    );
  }

  #oldestMs(): number {
    return this.#clock.now() - LOGIN_DAYS * DAY_MS;
  }
}

function entryOf(row: LoginRow): LoginEntry {
  const [id, accountId, isFailure, count, firstMs, lastMs, username, remote, local, tls] = row;
  const [fingerprint, protocol, userAgent, mechanism, result] = row.slice(10) as [
    ...[string, string, string, string, string],
  ];
  return {
    id,
    accountId: accountId === NO_ACCOUNT ? undefined : accountId as AccountId,
    isFailure: isFailure === 1,
    count,
    firstMs,
    lastMs,
    username,
    remote,
    local,
    tls,
    fingerprint,
    protocol,
    userAgent,
    mechanism,
    result,
  };
}

function networkOf(row: NetworkRow): NetworkRecord {
  const [network, minuteStartMs, minuteFailures, dayStartMs, dayFailures, reason, since, until] =
    row;
  return {
    network,
    minuteStartMs,
    minuteFailures,
    dayStartMs,
    dayFailures,
    ...(reason === null || since === null || until === null
      ? {}
      : { ban: { reason, sinceMs: since, untilMs: until } }),
  };
}
