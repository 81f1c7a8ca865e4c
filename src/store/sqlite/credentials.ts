import type { AccountId } from "../../base/mod.ts";
import type { AppPassword, ClientKey, Credentials } from "../credentials.ts";
import { MAX_APP_PASSWORDS, MAX_CLIENT_KEYS } from "../limits.ts";
import { StoreError } from "../store_error.ts";
import type { Database, Row } from "./database.ts";

type KeyRow =
  & readonly [
    fingerprint: string,
    accountId: number,
    address: string,
    name: string,
    keyType: string,
    allowsPreauth: number,
    certificate: Uint8Array,
    created: number,
  ]
  & Row;

const SELECT_KEY = `
  SELECT fingerprint, account_id, address, name, key_type, allows_preauth, certificate, created
  FROM client_key`;

type PasswordRow =
  & readonly [
    id: number,
    accountId: number,
    name: string,
    scopes: string,
    verifier: string,
    created: number,
    lastUsed: number | null,
  ]
  & Row;

const SELECT_PASSWORD = `
  SELECT id, account_id, name, scopes, verifier, created, last_used FROM app_password`;

/** The last use of an app password is written no more often than this. */
const TOUCH_SECONDS = 3600;

/** Keys and app passwords in the directory's database. */
export class SqliteCredentials implements Credentials {
  readonly #db: Database;
  readonly #nowMs: () => number;

  constructor(db: Database, nowMs: () => number) {
    this.#db = db;
    this.#nowMs = nowMs;
  }

  async listClientKeys(id?: AccountId): Promise<ClientKey[]> {
    const order = "ORDER BY created, fingerprint";
    const rows = id === undefined
      ? this.#db.all<KeyRow>(`${SELECT_KEY} ${order}`)
      : this.#db.all<KeyRow>(`${SELECT_KEY} WHERE account_id = ? ${order}`, id);
    return rows.map(keyOf);
  }

  async findClientKey(fingerprint: string): Promise<ClientKey | undefined> {
    return this.#key(fingerprint);
  }

  async addClientKey(key: Omit<ClientKey, "created">): Promise<void> {
    this.#db.write(() => {
      this.#needAccount(key.accountId);
      if (this.#key(key.fingerprint)) {
        throw new StoreError("already-exists", "The key is registered already.");
      }
      const count = this.#db.number(
        "SELECT count(*) FROM client_key WHERE account_id = ?",
        key.accountId,
      );
      if (count >= MAX_CLIENT_KEYS) {
        throw new StoreError("limit", `The account has ${count} keys, which is the most.`);
      }
      this.#db.run(
        `INSERT INTO client_key (fingerprint, account_id, address, name, key_type, allows_preauth,
           certificate, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        key.fingerprint,
        key.accountId,
        key.address,
        key.name,
        key.keyType,
        key.allowsPreauth ? 1 : 0,
        new Uint8Array(key.certificate),
        this.#now(),
      );
    });
  }

  async changeClientKey(
    fingerprint: string,
    { name, allowsPreauth }: Pick<ClientKey, "name" | "allowsPreauth">,
  ): Promise<void> {
    const changed = this.#db.run(
      "UPDATE client_key SET name = ?, allows_preauth = ? WHERE fingerprint = ?",
      name,
      allowsPreauth ? 1 : 0,
      fingerprint,
    );
    if (changed === 0) throw new StoreError("not-found", `There is no key ${fingerprint}.`);
  }

  async removeClientKey(fingerprint: string): Promise<ClientKey> {
    return this.#db.write(() => {
      const key = this.#key(fingerprint);
      if (!key) throw new StoreError("not-found", `There is no key ${fingerprint}.`);
      this.#db.run("DELETE FROM client_key WHERE fingerprint = ?", fingerprint);
      return key;
    });
  }

  async listAppPasswords(id: AccountId): Promise<AppPassword[]> {
    return this.#db.all<PasswordRow>(`${SELECT_PASSWORD} WHERE account_id = ? ORDER BY id`, id)
      .map(passwordOf);
  }

  async addAppPassword(
    { accountId, name, scopes, verifier }: Parameters<Credentials["addAppPassword"]>[0],
  ): Promise<void> {
    this.#db.write(() => {
      this.#needAccount(accountId);
      const count = this.#db.number(
        "SELECT count(*) FROM app_password WHERE account_id = ?",
        accountId,
      );
      if (count >= MAX_APP_PASSWORDS) {
        throw new StoreError("limit", `The account has ${count} app passwords, which is the most.`);
      }
      const added = this.#db.run(
        `INSERT OR IGNORE INTO app_password (account_id, name, scopes, verifier, created)
         VALUES (?, ?, ?, ?, ?)`,
        accountId,
        name,
        scopes.join(" "),
        verifier,
        this.#now(),
      );
      if (added === 0) {
        throw new StoreError("already-exists", `There is an app password ${name} already.`);
      }
    });
  }

  async removeAppPassword(id: AccountId, name: string): Promise<void> {
    const removed = this.#db.run(
      "DELETE FROM app_password WHERE account_id = ? AND name = ?",
      id,
      name,
    );
    if (removed === 0) throw new StoreError("not-found", `There is no app password ${name}.`);
  }

  async touchAppPassword(passwordId: number): Promise<void> {
    const now = this.#now();
    // Read first: a write, even one of nothing, waits for the disk.
    const stale = this.#db.get(
      "SELECT 1 FROM app_password WHERE id = ? AND coalesce(last_used, 0) <= ?",
      passwordId,
      now - TOUCH_SECONDS,
    );
    if (!stale) return;
    this.#db.run("UPDATE app_password SET last_used = ? WHERE id = ?", now, passwordId);
  }

  /** Forgets everything of an account; part of the transaction that removes it. */
  removeAccount(id: AccountId): void {
    this.#db.run("DELETE FROM client_key WHERE account_id = ?", id);
    this.#db.run("DELETE FROM app_password WHERE account_id = ?", id);
  }

  #key(fingerprint: string): ClientKey | undefined {
    const row = this.#db.get<KeyRow>(`${SELECT_KEY} WHERE fingerprint = ?`, fingerprint);
    return row && keyOf(row);
  }

  #needAccount(id: AccountId): void {
    if (!this.#db.get("SELECT 1 FROM account WHERE id = ?", id)) {
      throw new StoreError("not-found", "There is no such account.");
    }
  }

  #now(): number {
    return Math.floor(this.#nowMs() / 1000);
  }
}

function keyOf(row: KeyRow): ClientKey {
  const [fingerprint, accountId, address, name, keyType, allowsPreauth, certificate, created] = row;
  return {
    fingerprint,
    accountId: accountId as AccountId,
    address,
    name,
    keyType,
    allowsPreauth: allowsPreauth === 1,
    certificate,
    created,
  };
}

function passwordOf(row: PasswordRow): AppPassword {
  const [id, accountId, name, scopes, verifier, created, lastUsed] = row;
  return {
    id,
    accountId: accountId as AccountId,
    name,
    scopes: scopes === "" ? [] : scopes.split(" "),
    verifier,
    created,
    lastUsed: lastUsed ?? undefined,
  };
}
