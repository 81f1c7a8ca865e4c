import type { AccountId } from "../../base/mod.ts";
import type { Database } from "./database.ts";
import type { SearchIndex } from "./search_index.ts";

/** What reading operations, search among them, need of an account. */
export interface AccountAccess {
  readonly id: AccountId;
  /** The account's folder, for files beside `mail.db`. */
  readonly folder: string;
  readonly searchIndex: SearchIndex;
  /** Part of every object identifier of the account; see `object_ids.ts`. */
  objectPrefix(): string;
  /**
   * Runs `work` on one snapshot of `mail.db`, opening it when it was closed. `work` is synchronous
   * and keeps neither `db` nor an iterator of it. Throws StoreError "not-found" when the account
   * was removed.
   */
  read<T>(work: (db: Database) => T): T;
  /** The UID above which messages are \Recent, given what is stored for the mailbox. */
  recentAfter(mailboxId: number, stored: number): number;
}
