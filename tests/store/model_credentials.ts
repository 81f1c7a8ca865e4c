import type { AccountId } from "../../src/base/mod.ts";
import type { AppPassword, ClientKey, Credentials } from "../../src/store/mod.ts";
import { StoreError } from "../../src/store/mod.ts";
import { MAX_APP_PASSWORDS, MAX_CLIENT_KEYS } from "../../src/store/limits.ts";

/** The oracle of keys and app passwords: two arrays. */
export class ModelCredentials implements Credentials {
  #keys: ClientKey[] = [];
  #passwords: AppPassword[] = [];
  #lastPassword = 0;

  /** `needAccount` throws StoreError "not-found" for an account that is not there. */
  constructor(private readonly needAccount: (id: AccountId) => unknown) {}

  async listClientKeys(id?: AccountId): Promise<ClientKey[]> {
    return this.#keys.filter((key) => id === undefined || key.accountId === id);
  }

  async findClientKey(fingerprint: string): Promise<ClientKey | undefined> {
    return this.#keys.find((key) => key.fingerprint === fingerprint);
  }

  async addClientKey(key: Omit<ClientKey, "created">): Promise<void> {
    this.needAccount(key.accountId);
    if (await this.findClientKey(key.fingerprint)) {
      throw new StoreError("already-exists", "The key is there.");
    }
    if ((await this.listClientKeys(key.accountId)).length >= MAX_CLIENT_KEYS) {
      throw new StoreError("limit", "Too many keys.");
    }
    this.#keys.push({ ...key, created: now() });
  }

  async changeClientKey(
    fingerprint: string,
    change: Pick<ClientKey, "name" | "allowsPreauth">,
  ): Promise<void> {
    const key = await this.findClientKey(fingerprint);
    if (!key) throw new StoreError("not-found", "No such key.");
    this.#keys = this.#keys.map((other) => other === key ? { ...key, ...change } : other);
  }

  async removeClientKey(fingerprint: string): Promise<ClientKey> {
    const key = await this.findClientKey(fingerprint);
    if (!key) throw new StoreError("not-found", "No such key.");
    this.#keys = this.#keys.filter((other) => other !== key);
    return key;
  }

  async listAppPasswords(id: AccountId): Promise<AppPassword[]> {
    return this.#passwords.filter((password) => password.accountId === id);
  }

  async addAppPassword(
    password: Pick<AppPassword, "accountId" | "name" | "scopes" | "verifier">,
  ): Promise<void> {
    this.needAccount(password.accountId);
    const own = await this.listAppPasswords(password.accountId);
    if (own.length >= MAX_APP_PASSWORDS) throw new StoreError("limit", "Too many.");
    if (own.some(({ name }) => name === password.name)) {
      throw new StoreError("already-exists", "The name is taken.");
    }
    const id = ++this.#lastPassword;
    this.#passwords.push({ ...password, id, created: now(), lastUsed: undefined });
  }

  async removeAppPassword(id: AccountId, name: string): Promise<void> {
    const kept = this.#passwords.filter((it) => it.accountId !== id || it.name !== name);
    if (kept.length === this.#passwords.length) throw new StoreError("not-found", "No such one.");
    this.#passwords = kept;
  }

  async touchAppPassword(passwordId: number): Promise<void> {
    this.#passwords = this.#passwords.map((it) =>
      it.id === passwordId ? { ...it, lastUsed: now() } : it
    );
  }

  removeAccount(id: AccountId): void {
    this.#keys = this.#keys.filter((key) => key.accountId !== id);
    this.#passwords = this.#passwords.filter((password) => password.accountId !== id);
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
