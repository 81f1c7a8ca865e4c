import type { AccountId } from "../base/mod.ts";
import type { Credentials } from "./credentials.ts";

export interface Domain {
  readonly name: string;
  readonly isDisabled: boolean;
}

export interface Account {
  readonly id: AccountId;
  /** The address it was made with: lower-case domain, local part as given in NFC. */
  readonly address: string;
  /** What logins are refused with after correct credentials; undefined when enabled. */
  readonly disabledMessage: string | undefined;
  /** When it is to be removed, in seconds since 1970; only ever of a disabled account. */
  readonly removeAt: number | undefined;
  /** Octets; undefined: the configured default; null: no limit. */
  readonly quotaBytes: number | null | undefined;
  /** Capabilities kept from this account's sessions, in capitals. */
  readonly disabledCapabilities: readonly string[];
  /** Seconds since 1970. */
  readonly created: number;
  /** Rises whenever something changes that every open session relied on: disabling, enabling. */
  readonly securityVersion: number;
  /** Rises with each new password, for those sessions alone that relied on the old one. */
  readonly passwordVersion: number;
}

/** An address that leads to an account beside its own; "@domain" is a catch-all. */
export interface Alias {
  readonly address: string;
  readonly account: Pick<Account, "id" | "address">;
}

/** A page of a long list. */
export interface PageQuery {
  /** A text that addresses have in them, in whatever letter case; "" for all. */
  readonly search: string;
  /** How many are passed over. */
  readonly offset: number;
  readonly limit: number;
}

/** What `auth/` keeps of a password, as JSON that only it reads: verifiers and a hash. */
export type PasswordVerifier = string;

/**
 * Domains, accounts, addresses and credentials: one database for the host. Every method is one
 * durable transaction. Addresses are compared after `parseAddress`. Errors: StoreError with
 * "already-exists", "not-found", "invalid-name".
 */
export interface Directory {
  /** Keys and app passwords. */
  readonly credentials: Credentials;

  /** How many there are. */
  count(): Promise<{ readonly accounts: number; readonly domains: number }>;
  listDomains(): Promise<Domain[]>;
  findDomain(name: string): Promise<Domain | undefined>;
  addDomain(name: string, options?: { disabled?: boolean }): Promise<void>;
  setDomainDisabled(name: string, disabled: boolean): Promise<void>;
  /** Refused with "already-exists" while accounts or addresses are in it. */
  removeDomain(name: string): Promise<void>;

  /** How many accounts each domain has; domains without any are left out. */
  countByDomain(): Promise<ReadonlyMap<string, number>>;
  listAccounts(): Promise<Account[]>;
  /** Some accounts, by address in lower case, and how many there are in all. */
  findAccounts(query: PageQuery): Promise<{ readonly total: number; readonly accounts: Account[] }>;
  getAccount(id: AccountId): Promise<Account | undefined>;
  /**
   * The account that `address` leads to: its own, an alias, the address without its "+detail", or
   * the domain's catch-all, in this order.
   */
  resolveAddress(address: string): Promise<Account | undefined>;
  addAccount(address: string, verifier: PasswordVerifier): Promise<Account>;
  /** Removes the account, its addresses and its mail. */
  removeAccount(id: AccountId): Promise<void>;
  passwordVerifier(id: AccountId): Promise<PasswordVerifier | undefined>;
  setPasswordVerifier(id: AccountId, verifier: PasswordVerifier): Promise<void>;
  /** Notes that somebody logged in today; the time of day is kept nowhere. */
  noteLogin(id: AccountId): Promise<void>;
  /**
   * Accounts of the domain that nobody logged in to since `day` (days since 1970, UTC) or later, a
   * new one counting from the day on which it was made; by id, above `after`.
   */
  listUnused(domain: string, day: number, after: number, limit: number): Promise<Account[]>;
  /**
   * Refuses logins with the message, and has the account removed at `removeAt` (seconds since 1970)
   * if that is given. Without a message: allows logins, and keeps the account.
   */
  setAccountDisabled(
    id: AccountId,
    message: string | undefined,
    removeAt?: number,
  ): Promise<void>;
  /** Accounts to be removed by `now`, in seconds since 1970. */
  listDueForRemoval(now: number): Promise<Account[]>;
  setAccountQuota(id: AccountId, quotaBytes: number | null | undefined): Promise<void>;
  setDisabledCapabilities(id: AccountId, names: readonly string[]): Promise<void>;

  /** Networks in CIDR notation that no limit on connections and failed logins holds for. */
  listAllowedNetworks(): Promise<string[]>;
  /** Nothing happens when it is there already. */
  addAllowedNetwork(network: string): Promise<void>;
  removeAllowedNetwork(network: string): Promise<void>;

  /** Addresses of the account beside its own; "@domain" is a catch-all. */
  listAddresses(id: AccountId): Promise<string[]>;
  /** Some of these of all accounts, found by them or by the account's own, and how many there are. */
  findAliases(query: PageQuery): Promise<{ readonly total: number; readonly aliases: Alias[] }>;
  addAddress(alias: string, id: AccountId): Promise<void>;
  removeAddress(alias: string): Promise<void>;

  /** What the admin's password is checked with; undefined until one was set. */
  adminVerifier(): Promise<PasswordVerifier | undefined>;
  setAdminVerifier(verifier: PasswordVerifier): Promise<void>;

  /** A secret of this host, made on first use, the same ever after: for fake SCRAM salts and the like. */
  hostSecret(name: string): Promise<Uint8Array>;
}
