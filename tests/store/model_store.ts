import type { AccountId, ModSeq } from "../../src/base/mod.ts";
import type { AccountOptions, AccountStore, CommitListener, Store } from "../../src/store/mod.ts";
import { StoreError } from "../../src/store/mod.ts";
import { ModelAccountStore } from "./model_account.ts";
import { ModelDirectory } from "./model_directory.ts";

/**
 * The whole contract in arrays and maps: the oracle that engines are compared with. Where the
 * contract leaves something open this is what was decided:
 * an account begins with INBOX, subscribed; subscriptions are by name and stay where they are when a
 * mailbox is renamed; a rename raises the mod-sequence of what it renames and nothing else; what
 * changes nothing takes no mod-sequence; quota counts live messages, each copy with its full size.
 */
export class ModelStore implements Store {
  readonly directory = new ModelDirectory();
  readonly #accounts = new Map<AccountId, ModelAccountStore>();
  readonly #listeners = new Set<CommitListener>();
  readonly #options: { defaultQuotaBytes?: number; now?: () => number };

  constructor(options: { defaultQuotaBytes?: number; now?: () => number } = {}) {
    this.#options = options;
  }

  async openAccount(id: AccountId, options: AccountOptions = {}): Promise<AccountStore> {
    if (!await this.directory.getAccount(id)) throw new StoreError("not-found", "No such account.");
    let account = this.#accounts.get(id);
    if (!account) {
      account = new ModelAccountStore({
        account: id,
        limitBytes: () => this.directory.limitBytes(id, this.#options.defaultQuotaBytes),
        committed: (modSeq: ModSeq) => {
          for (const listener of [...this.#listeners]) listener(id, modSeq);
        },
        now: this.#options.now ?? Date.now,
      });
      this.#accounts.set(id, account);
    }
    const { onOwnChange } = options;
    return onOwnChange ? account.withListener(onOwnChange) : account;
  }

  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }
}
