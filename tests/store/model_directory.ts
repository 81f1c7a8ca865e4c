import type { AccountId } from "../../src/base/mod.ts";
import { randomBytes } from "../../src/base/mod.ts";
import type {
  Account,
  Alias,
  Directory,
  Domain,
  PageQuery,
  PasswordVerifier,
} from "../../src/store/mod.ts";
import { StoreError } from "../../src/store/mod.ts";
import { ModelCredentials } from "./model_credentials.ts";

type Entry = { -readonly [Key in keyof Account]: Account[Key] } & {
  verifier: string;
  lastLoginDay: number;
};

/** The oracle of the directory: maps. */
export class ModelDirectory implements Directory {
  readonly credentials = new ModelCredentials((id) => this.#need(id));
  readonly #domains = new Map<string, Domain>();
  readonly #accounts = new Map<AccountId, Entry>();
  readonly #aliases = new Map<string, AccountId>();
  readonly #secrets = new Map<string, Uint8Array>();
  readonly #allowed = new Set<string>();
  #lastAccount = 0;
  #adminVerifier: string | undefined;

  async count(): Promise<{ accounts: number; domains: number }> {
    return { accounts: this.#accounts.size, domains: this.#domains.size };
  }

  async listDomains(): Promise<Domain[]> {
    return [...this.#domains.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  }

  async findDomain(name: string): Promise<Domain | undefined> {
    return this.#domains.get(name.toLowerCase());
  }

  async addDomain(name: string, options: { disabled?: boolean } = {}): Promise<void> {
    const domain = name.toLowerCase();
    if (!/^[^@\s]+$/.test(domain)) throw new StoreError("invalid-name", "Not a domain name.");
    if (this.#domains.has(domain)) throw new StoreError("already-exists", "It exists already.");
    this.#domains.set(domain, { name: domain, isDisabled: options.disabled ?? false });
  }

  async setDomainDisabled(name: string, disabled: boolean): Promise<void> {
    const domain = this.#needDomain(name);
    this.#domains.set(domain.name, { name: domain.name, isDisabled: disabled });
  }

  async removeDomain(name: string): Promise<void> {
    const domain = this.#needDomain(name);
    const used = [...this.#accounts.values()].map((it) => it.address).concat(
      ...this.#aliases.keys(),
    )
      .some((address) => address.endsWith("@" + domain.name));
    if (used) throw new StoreError("already-exists", "The domain has addresses.");
    this.#domains.delete(domain.name);
  }

  async listAccounts(): Promise<Account[]> {
    return [...this.#accounts.values()].map(account).sort((a, b) => a.address < b.address ? -1 : 1);
  }

  async findAccounts({ search, offset, limit }: PageQuery) {
    const found = (await this.listAccounts()).filter(({ address }) => has(address, search))
      .sort((a, b) => a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1);
    return { total: found.length, accounts: found.slice(offset, offset + limit) };
  }

  async countByDomain(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const { address } of this.#accounts.values()) {
      const { domain } = parse(address);
      counts.set(domain, (counts.get(domain) ?? 0) + 1);
    }
    return counts;
  }

  async getAccount(id: AccountId): Promise<Account | undefined> {
    const entry = this.#accounts.get(id);
    return entry && account(entry);
  }

  async resolveAddress(address: string): Promise<Account | undefined> {
    const { local, domain } = parse(address);
    for (const key of [`${local}@${domain}`, `${local.split("+")[0]}@${domain}`, `@${domain}`]) {
      const entry = this.#own(key) ?? this.#accounts.get(this.#aliases.get(key) ?? 0 as AccountId);
      if (entry) return account(entry);
    }
    return undefined;
  }

  async addAccount(address: string, verifier: PasswordVerifier): Promise<Account> {
    const { local, domain } = parse(address);
    this.#needDomain(domain);
    this.#needFree(`${local}@${domain}`);
    const given = address.normalize("NFC");
    const entry: Entry = {
      id: ++this.#lastAccount as AccountId,
      address: given.slice(0, given.lastIndexOf("@")) + "@" + domain,
      disabledMessage: undefined,
      removeAt: undefined,
      quotaBytes: undefined,
      disabledCapabilities: [],
      created: Math.floor(Date.now() / 1000),
      securityVersion: 1,
      passwordVersion: 1,
      verifier,
      lastLoginDay: Math.floor(Date.now() / 86_400_000),
    };
    this.#accounts.set(entry.id, entry);
    return account(entry);
  }

  async removeAccount(id: AccountId): Promise<void> {
    this.#need(id);
    this.#accounts.delete(id);
    this.credentials.removeAccount(id);
    for (const [alias, owner] of this.#aliases) if (owner === id) this.#aliases.delete(alias);
  }

  async passwordVerifier(id: AccountId): Promise<PasswordVerifier | undefined> {
    return this.#accounts.get(id)?.verifier;
  }

  async setPasswordVerifier(id: AccountId, verifier: PasswordVerifier): Promise<void> {
    const entry = this.#need(id);
    entry.verifier = verifier;
    entry.passwordVersion++;
  }

  async noteLogin(id: AccountId): Promise<void> {
    this.#need(id).lastLoginDay = Math.floor(Date.now() / 86_400_000);
  }

  async listUnused(
    domain: string,
    day: number,
    after: number,
    limit: number,
  ): Promise<Account[]> {
    return [...this.#accounts.values()]
      .filter(({ id, address, lastLoginDay }) =>
        id > after && lastLoginDay < day && address.endsWith(`@${domain.toLowerCase()}`)
      )
      .sort((a, b) => a.id - b.id).slice(0, limit).map(account);
  }

  async setAccountDisabled(
    id: AccountId,
    message: string | undefined,
    removeAt?: number,
  ): Promise<void> {
    const entry = this.#need(id);
    entry.disabledMessage = message;
    entry.removeAt = message === undefined ? undefined : removeAt;
    entry.securityVersion++;
  }

  async listDueForRemoval(now: number): Promise<Account[]> {
    return [...this.#accounts.values()].filter(({ removeAt }) => (removeAt ?? Infinity) <= now)
      .map(account);
  }

  async setAccountQuota(id: AccountId, quotaBytes: number | null | undefined): Promise<void> {
    this.#need(id).quotaBytes = quotaBytes;
  }

  async setDisabledCapabilities(id: AccountId, names: readonly string[]): Promise<void> {
    this.#need(id).disabledCapabilities = names.map((name) => name.toUpperCase());
  }

  async listAddresses(id: AccountId): Promise<string[]> {
    return [...this.#aliases].filter(([, owner]) => owner === id).map(([alias]) => alias).sort();
  }

  async findAliases({ search, offset, limit }: PageQuery) {
    const found: Alias[] = [...this.#aliases].sort(([a], [b]) => a < b ? -1 : 1)
      .map(([alias, id]) => ({ address: alias, account: { id, address: this.#need(id).address } }))
      .filter((alias) => has(alias.address, search) || has(alias.account.address, search));
    return { total: found.length, aliases: found.slice(offset, offset + limit) };
  }

  async addAddress(alias: string, id: AccountId): Promise<void> {
    this.#need(id);
    const { local, domain } = parse(alias, true);
    this.#needDomain(domain);
    this.#needFree(`${local}@${domain}`);
    this.#aliases.set(`${local}@${domain}`, id);
  }

  async removeAddress(alias: string): Promise<void> {
    const { local, domain } = parse(alias, true);
    if (!this.#aliases.delete(`${local}@${domain}`)) {
      throw new StoreError("not-found", "No such address.");
    }
  }

  async listAllowedNetworks(): Promise<string[]> {
    return [...this.#allowed].sort();
  }

  async addAllowedNetwork(network: string): Promise<void> {
    this.#allowed.add(network);
  }

  async removeAllowedNetwork(network: string): Promise<void> {
    if (!this.#allowed.delete(network)) throw new StoreError("not-found", "Not on the list.");
  }

  async adminVerifier(): Promise<PasswordVerifier | undefined> {
    return this.#adminVerifier;
  }

  async setAdminVerifier(verifier: PasswordVerifier): Promise<void> {
    this.#adminVerifier = verifier;
  }

  async hostSecret(name: string): Promise<Uint8Array> {
    const secret = this.#secrets.get(name) ?? randomBytes(32);
    this.#secrets.set(name, secret);
    return secret.slice();
  }

  /** The limit of an account in octets. Throws StoreError "not-found" when it is gone. */
  limitBytes(id: AccountId, byDefault: number | undefined): number | undefined {
    const { quotaBytes } = this.#need(id);
    return quotaBytes === null ? undefined : quotaBytes ?? byDefault;
  }

  #own(key: string): Entry | undefined {
    return [...this.#accounts.values()].find((it) => it.address.toLowerCase() === key);
  }

  #need(id: AccountId): Entry {
    const entry = this.#accounts.get(id);
    if (!entry) throw new StoreError("not-found", "No such account.");
    return entry;
  }

  #needDomain(name: string): Domain {
    const domain = this.#domains.get(name.toLowerCase());
    if (!domain) throw new StoreError("not-found", "No such domain.");
    return domain;
  }

  #needFree(key: string): void {
    if (this.#own(key) || this.#aliases.has(key)) {
      throw new StoreError("already-exists", "The address is taken.");
    }
  }
}

function account(entry: Entry): Account {
  const { verifier: _, lastLoginDay: _day, ...rest } = entry;
  return { ...rest };
}

function has(address: string, search: string): boolean {
  return address.toLowerCase().includes(search.toLowerCase());
}

function parse(address: string, isCatchAllAllowed = false): { local: string; domain: string } {
  const at = address.lastIndexOf("@");
  const local = address.slice(0, Math.max(0, at)).normalize("NFC").toLowerCase();
  const domain = address.slice(at + 1).toLowerCase();
  if (at < 0 || domain === "" || /\s/.test(address) || (local === "" && !isCatchAllAllowed)) {
    throw new StoreError("invalid-name", "Not an address.");
  }
  return { local, domain };
}
