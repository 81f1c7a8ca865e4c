import type { AccountId } from "../base/mod.ts";
import { type Quota, type Store, StoreError } from "../store/mod.ts";

/** All accounts are asked anew so often, since other processes add mail too. */
const ASK_ALL_MS = 86_400_000;
/** Between two accounts, so that opening their databases takes no more than a tenth of the time. */
const PAUSE_MS = 10;

/** How much each account holds, kept up by asking those that changed. */
export class AccountUsage {
  readonly #store: Store;
  readonly #unsubscribe: () => void;
  readonly #changed = new Set<AccountId>();
  #quotas = new Map<AccountId, Quota>();
  #askAllAt = -Infinity;
  #refreshing: Promise<void> | undefined;
  #isClosed = false;

  constructor(store: Store) {
    this.#store = store;
    this.#unsubscribe = store.onCommit((account) => this.noteChange(account));
  }

  /** As of the last `refresh`; empty before the first. */
  get quotas(): ReadonlyMap<AccountId, Quota> {
    return this.#quotas;
  }

  /** Has the account asked at the next `refresh`: it was removed, say. */
  noteChange(account: AccountId): void {
    this.#changed.add(account);
  }

  /** Asks those that changed, and the first time all: about 15 seconds for a thousand. */
  refresh(): Promise<void> {
    return this.#refreshing ??= this.#refresh().finally(() => this.#refreshing = undefined);
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unsubscribe();
    await this.#refreshing?.catch(() => {});
  }

  async #refresh(): Promise<void> {
    if (this.#isClosed) return;
    const now = performance.now();
    const asksAll = now - this.#askAllAt >= ASK_ALL_MS;
    const asked = asksAll
      ? (await this.#store.directory.listAccounts()).map(({ id }) => id)
      : [...this.#changed];
    this.#changed.clear();
    const quotas = asksAll ? new Map<AccountId, Quota>() : this.#quotas;
    for (const [i, id] of asked.entries()) {
      if (this.#isClosed) return;
      if (i > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      try {
        quotas.set(id, await (await this.#store.openAccount(id)).quota());
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        // It was removed, or cannot be read: whoever uses it is told of that.
        quotas.delete(id);
      }
    }
    this.#quotas = quotas;
    if (asksAll) this.#askAllAt = now;
  }
}
