import type { AccountId } from "../../base/mod.ts";
import { randomBytes } from "../../base/mod.ts";
import { parseAddress, parseDomain } from "../address.ts";
import type {
  Account,
  Alias,
  Directory,
  Domain,
  PageQuery,
  PasswordVerifier,
} from "../directory.ts";
import { StoreError } from "../store_error.ts";
import { SqliteCredentials } from "./credentials.ts";
import type { Database, Row, Value } from "./database.ts";

/** In `account.quota_bytes`: no limit; NULL is the default. */
const UNLIMITED = -1;
const SECRET_BYTES = 32;
const DAY_MS = 86_400_000;

type AccountRow =
  & readonly [
    id: number,
    address: string,
    disabledMessage: string | null,
    quotaBytes: number | null,
    disabledCapabilities: string,
    created: number,
    securityVersion: number,
    passwordVersion: number,
    removeAt: number | null,
  ]
  & Row;

const SELECT_ACCOUNT = `
  SELECT id, address, disabled_message, quota_bytes, disabled_capabilities, created, security_version,
    password_version, remove_at
  FROM account`;

/** What the directory asks of the store that it belongs to. */
export interface MailKeeper {
  /** Makes the mail database of a new account. */
  create(id: AccountId): void;
  /** Removes the files of an account that is no longer in the directory. */
  remove(id: AccountId): void;
  /** Milliseconds since 1970. */
  now(): number;
}

/** The directory's database. Nothing is cached: another process may change it at any time. */
export class SqliteDirectory implements Directory {
  readonly credentials: SqliteCredentials;
  readonly #db: Database;
  readonly #mail: MailKeeper;

  constructor(db: Database, mail: MailKeeper) {
    this.#db = db;
    this.#mail = mail;
    this.credentials = new SqliteCredentials(db, () => mail.now());
  }

  async count(): Promise<{ accounts: number; domains: number }> {
    return this.#db.read(() => ({
      accounts: this.#db.number("SELECT count(*) FROM account"),
      domains: this.#db.number("SELECT count(*) FROM domain"),
    }));
  }

  async listDomains(): Promise<Domain[]> {
    return this.#db.all<[string, number]>("SELECT name, is_disabled FROM domain ORDER BY name")
      .map(domainOf);
  }

  async findDomain(name: string): Promise<Domain | undefined> {
    return this.#findDomain(parseDomain(name));
  }

  async addDomain(name: string, options: { disabled?: boolean } = {}): Promise<void> {
    const domain = parseDomain(name);
    const added = this.#db.run(
      "INSERT OR IGNORE INTO domain (name, is_disabled) VALUES (?, ?)",
      domain,
      options.disabled ? 1 : 0,
    );
    if (added === 0) throw new StoreError("already-exists", `Domain ${domain} exists already.`);
  }

  async setDomainDisabled(name: string, disabled: boolean): Promise<void> {
    const domain = parseDomain(name);
    const changed = this.#db.run(
      "UPDATE domain SET is_disabled = ? WHERE name = ?",
      disabled ? 1 : 0,
      domain,
    );
    if (changed === 0) throw new StoreError("not-found", `There is no domain ${domain}.`);
  }

  async removeDomain(name: string): Promise<void> {
    const domain = parseDomain(name);
    this.#db.write(() => {
      this.#needDomain(domain);
      if (this.#db.get("SELECT 1 FROM address WHERE domain = ? LIMIT 1", domain)) {
        throw new StoreError("already-exists", `Domain ${domain} still has addresses.`);
      }
      this.#db.run("DELETE FROM domain WHERE name = ?", domain);
    });
  }

  async listAccounts(): Promise<Account[]> {
    return this.#db.all<AccountRow>(`${SELECT_ACCOUNT} ORDER BY address`).map(accountOf);
  }

  async findAccounts(
    { search, offset, limit }: PageQuery,
  ): Promise<{ total: number; accounts: Account[] }> {
    // The keys are in order already, and in lower case; accounts are read for this page alone.
    const from = "FROM address WHERE is_own = 1 AND instr(address, ?) > 0";
    const text = search.toLowerCase();
    return this.#db.read(() => ({
      total: this.#db.number(`SELECT count(*) ${from}`, text),
      accounts: this.#db.all<AccountRow>(
        `${SELECT_ACCOUNT} JOIN (
           SELECT account_id, address AS key ${from} ORDER BY key LIMIT ? OFFSET ?
         ) ON id = account_id ORDER BY key`,
        text,
        limit,
        offset,
      ).map(accountOf),
    }));
  }

  async countByDomain(): Promise<Map<string, number>> {
    return new Map(this.#db.all<[string, number]>(
      "SELECT domain, count(*) FROM address WHERE is_own = 1 GROUP BY domain",
    ));
  }

  async getAccount(id: AccountId): Promise<Account | undefined> {
    return this.#account(id);
  }

  async resolveAddress(address: string): Promise<Account | undefined> {
    const { local, domain, key } = parseAddress(address);
    const keys = [key];
    const plus = local.indexOf("+");
    if (plus > 0) keys.push(local.slice(0, plus) + "@" + domain);
    keys.push("@" + domain);
    return this.#db.read(() => {
      for (const key of keys) {
        const id = this.#db.get<[AccountId]>(
          "SELECT account_id FROM address WHERE address = ?",
          key,
        )?.[0];
        if (id !== undefined) return this.#account(id);
      }
      return undefined;
    });
  }

  async addAccount(address: string, verifier: PasswordVerifier): Promise<Account> {
    const parsed = parseAddress(address);
    const account = this.#db.write(() => {
      this.#needDomain(parsed.domain);
      const id = this.#db.number(
        `INSERT INTO account (address, created, verifier, last_login_day)
         VALUES (?, ?, ?, ?) RETURNING id`,
        parsed.display,
        Math.floor(this.#mail.now() / 1000),
        verifier,
        Math.floor(this.#mail.now() / DAY_MS),
      ) as AccountId;
      this.#insertAddress(parsed.key, parsed.domain, id, true);
      return this.#need(id);
    });
    try {
      this.#mail.create(account.id);
    } catch (error) {
      // Nobody was told of the account: it can be asked for again when the disk has room.
      this.#delete(account.id);
      throw error;
    }
    return account;
  }

  async removeAccount(id: AccountId): Promise<void> {
    this.#delete(id);
    this.#mail.remove(id);
  }

  async passwordVerifier(id: AccountId): Promise<PasswordVerifier | undefined> {
    return this.#db.get<[string]>("SELECT verifier FROM account WHERE id = ?", id)?.[0];
  }

  async setPasswordVerifier(id: AccountId, verifier: PasswordVerifier): Promise<void> {
    this.#update(id, "verifier = ?, password_version = password_version + 1", verifier);
  }

  async noteLogin(id: AccountId): Promise<void> {
    const day = Math.floor(this.#mail.now() / DAY_MS);
    // Nearly always nothing to write, and then nothing to wait for.
    if (this.#db.get("SELECT 1 FROM account WHERE id = ? AND last_login_day >= ?", id, day)) return;
    this.#update(id, "last_login_day = ?", day);
  }

  async listUnused(
    domain: string,
    day: number,
    after: number,
    limit: number,
  ): Promise<Account[]> {
    return this.#db.all<AccountRow>(
      `${SELECT_ACCOUNT} WHERE last_login_day < ? AND id > ? AND id IN (
         SELECT account_id FROM address WHERE domain = ? AND is_own = 1
       ) ORDER BY id LIMIT ?`,
      day,
      after,
      parseDomain(domain),
      limit,
    ).map(accountOf);
  }

  async setAccountDisabled(
    id: AccountId,
    message: string | undefined,
    removeAt?: number,
  ): Promise<void> {
    this.#update(
      id,
      "disabled_message = ?, remove_at = ?, security_version = security_version + 1",
      message ?? null,
      message === undefined ? null : removeAt ?? null,
    );
  }

  async listDueForRemoval(now: number): Promise<Account[]> {
    return this.#db.all<AccountRow>(`${SELECT_ACCOUNT} WHERE remove_at <= ?`, now).map(accountOf);
  }

  async setAccountQuota(id: AccountId, quotaBytes: number | null | undefined): Promise<void> {
    this.#update(id, "quota_bytes = ?", quotaBytes === null ? UNLIMITED : quotaBytes ?? null);
  }

  async setDisabledCapabilities(id: AccountId, names: readonly string[]): Promise<void> {
    const list = names.map((name) => name.toUpperCase()).join(" ");
    this.#update(id, "disabled_capabilities = ?", list);
  }

  async listAddresses(id: AccountId): Promise<string[]> {
    return this.#db.all<[string]>(
      "SELECT address FROM address WHERE account_id = ? AND is_own = 0 ORDER BY address",
      id,
    ).map(([address]) => address);
  }

  async findAliases(
    { search, offset, limit }: PageQuery,
  ): Promise<{ total: number; aliases: Alias[] }> {
    const from = `FROM address WHERE is_own = 0 AND (instr(address, ?1) > 0 OR account_id IN (
      SELECT account_id FROM address WHERE is_own = 1 AND instr(address, ?1) > 0))`;
    const text = search.toLowerCase();
    return this.#db.read(() => ({
      total: this.#db.number(`SELECT count(*) ${from}`, text),
      aliases: this.#db.all<[string, AccountId, string]>(
        `SELECT key, id, address FROM account JOIN (
           SELECT account_id, address AS key ${from} ORDER BY key LIMIT ?2 OFFSET ?3
         ) ON id = account_id ORDER BY key`,
        text,
        limit,
        offset,
      ).map(([address, id, own]) => ({ address, account: { id, address: own } })),
    }));
  }

  async addAddress(alias: string, id: AccountId): Promise<void> {
    const { key, domain } = parseAddress(alias, { allowCatchAll: true });
    this.#db.write(() => {
      this.#need(id);
      this.#needDomain(domain);
      this.#insertAddress(key, domain, id, false);
    });
  }

  async removeAddress(alias: string): Promise<void> {
    const { key } = parseAddress(alias, { allowCatchAll: true });
    if (this.#db.run("DELETE FROM address WHERE address = ? AND is_own = 0", key) === 0) {
      throw new StoreError("not-found", `There is no address ${key}.`);
    }
  }

  async listAllowedNetworks(): Promise<string[]> {
    return this.#db.all<[string]>("SELECT network FROM allowed_network ORDER BY network")
      .map(([network]) => network);
  }

  async addAllowedNetwork(network: string): Promise<void> {
    this.#db.run("INSERT OR IGNORE INTO allowed_network (network) VALUES (?)", network);
  }

  async removeAllowedNetwork(network: string): Promise<void> {
    if (this.#db.run("DELETE FROM allowed_network WHERE network = ?", network) === 0) {
      throw new StoreError("not-found", `${network} is not on the list.`);
    }
  }

  async adminVerifier(): Promise<PasswordVerifier | undefined> {
    return this.#db.get<[string]>("SELECT verifier FROM admin")?.[0];
  }

  async setAdminVerifier(verifier: PasswordVerifier): Promise<void> {
    this.#db.run("INSERT OR REPLACE INTO admin (id, verifier) VALUES (1, ?)", verifier);
  }

  async hostSecret(name: string): Promise<Uint8Array> {
    const read = () =>
      this.#db.get<[Uint8Array]>("SELECT value FROM secret WHERE name = ?", name)?.[0];
    return read() ?? this.#db.write(() => {
      // Another process may have been first: whoever was, everybody gets the same.
      this.#db.run(
        "INSERT OR IGNORE INTO secret (name, value) VALUES (?, ?)",
        name,
        randomBytes(SECRET_BYTES),
      );
      const secret = read();
      if (!secret) throw new StoreError("corrupt", "A secret was not kept.");
      return secret;
    });
  }

  #findDomain(domain: string): Domain | undefined {
    const row = this.#db.get<[string, number]>(
      "SELECT name, is_disabled FROM domain WHERE name = ?",
      domain,
    );
    return row && domainOf(row);
  }

  #needDomain(domain: string): void {
    if (!this.#findDomain(domain)) {
      throw new StoreError("not-found", `There is no domain ${domain}.`);
    }
  }

  #account(id: AccountId): Account | undefined {
    const row = this.#db.get<AccountRow>(`${SELECT_ACCOUNT} WHERE id = ?`, id);
    return row && accountOf(row);
  }

  #need(id: AccountId): Account {
    const account = this.#account(id);
    if (!account) throw new StoreError("not-found", "There is no such account.");
    return account;
  }

  #delete(id: AccountId): void {
    this.#db.write(() => {
      this.#need(id);
      this.#db.run("DELETE FROM address WHERE account_id = ?", id);
      this.credentials.removeAccount(id);
      this.#db.run("DELETE FROM account WHERE id = ?", id);
    });
  }

  #insertAddress(key: string, domain: string, id: AccountId, isOwn: boolean): void {
    const added = this.#db.run(
      "INSERT OR IGNORE INTO address (address, domain, account_id, is_own) VALUES (?, ?, ?, ?)",
      key,
      domain,
      id,
      isOwn ? 1 : 0,
    );
    if (added === 0) throw new StoreError("already-exists", `Address ${key} is taken.`);
  }

  #update(id: AccountId, assignments: string, ...values: Value[]): void {
    if (this.#db.run(`UPDATE account SET ${assignments} WHERE id = ?`, ...values, id) === 0) {
      throw new StoreError("not-found", "There is no such account.");
    }
  }
}

/**
 * The account's limit in octets; undefined: none. Read each time it matters, since any process may
 * change it. Throws StoreError "not-found" when the account was removed.
 */
export function readLimitBytes(
  db: Database,
  id: AccountId,
  defaultBytes: number | undefined,
): number | undefined {
  const row = db.get<[number | null]>("SELECT quota_bytes FROM account WHERE id = ?", id);
  if (!row) throw new StoreError("not-found", "There is no such account.");
  const [quota] = row;
  return quota === UNLIMITED ? undefined : quota ?? defaultBytes;
}

function domainOf([name, isDisabled]: readonly [string, number]): Domain {
  return { name, isDisabled: isDisabled === 1 };
}

function accountOf(row: AccountRow): Account {
  const [id, address, message, quota, capabilities] = row;
  const [, , , , , created, securityVersion, passwordVersion, removeAt] = row;
  return {
    id: id as AccountId,
    address,
    disabledMessage: message ?? undefined,
    removeAt: removeAt ?? undefined,
    quotaBytes: quota === UNLIMITED ? null : quota ?? undefined,
    disabledCapabilities: capabilities === "" ? [] : capabilities.split(" "),
    created,
    securityVersion,
    passwordVersion,
  };
}
