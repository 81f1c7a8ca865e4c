import type { AccountId, ModSeq } from "../base/mod.ts";
import type { AccountStore } from "./account_store.ts";
import type { Directory } from "./directory.ts";

/** Told after each durable commit to an account's mail, by this process. */
export type CommitListener = (account: AccountId, modSeq: ModSeq) => void;

export interface AccountOptions {
  /** Told the mod-sequence of each change made through this handle, once it is durable. */
  readonly onOwnChange?: (modSeq: ModSeq) => void;
}

/** The whole of a host's data, as an engine gives it to `app/`. */
export interface Store {
  readonly directory: Directory;
  /**
   * The mail of an account. The handle is cheap, stays valid until the store closes, and holds no
   * file open while it is idle. Rejects with StoreError "not-found" for an unknown account.
   */
  openAccount(id: AccountId, options?: AccountOptions): Promise<AccountStore>;
  /** Adds a listener; gives the function that removes it. */
  onCommit(listener: CommitListener): () => void;
  /** Waits for work under way, then closes every file. */
  close(): Promise<void>;
}
