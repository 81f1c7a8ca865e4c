import type { MailboxId, ModSeq } from "../../base/mod.ts";
import type { MailboxEvent } from "../account_store.ts";
import type { AccountAccess } from "./account_access.ts";
import type { Database } from "./database.ts";

/**
 * One operation that writes. It shares its commit with the operations that came in the same turn,
 * and has a savepoint and a mod-sequence of its own.
 */
export class Transaction {
  readonly db: Database;
  readonly account: AccountAccess;
  /** Seconds since 1970, the same for the whole operation. */
  readonly now: number;
  /** Octets; undefined: no limit. */
  readonly limitBytes: number | undefined;
  #modSeq: ModSeq | undefined;

  constructor(
    db: Database,
    account: AccountAccess,
    now: number,
    limitBytes: number | undefined,
  ) {
    this.db = db;
    this.account = account;
    this.now = now;
    this.limitBytes = limitBytes;
  }

  /** The operation's mod-sequence, taken from the account's counter at the first call. */
  modSeq(): ModSeq {
    this.#modSeq ??= this.#next("modseq") as ModSeq;
    return this.#modSeq;
  }

  /** The mod-sequence if one was taken: if not, nothing that anybody is told of was changed. */
  get takenModSeq(): ModSeq | undefined {
    return this.#modSeq;
  }

  nextContentId(): number {
    return this.#next("next_content_id") - 1;
  }

  nextMailboxId(): MailboxId {
    return this.#next("next_mailbox_id") - 1 as MailboxId;
  }

  /** Adds to the log of what happened to mailboxes as a whole. */
  logEvent(
    kind: MailboxEvent["kind"],
    mailboxId: MailboxId | undefined,
    name: string,
    detail = "",
  ): void {
    this.db.run(
      `INSERT INTO event (modseq, happened_at, kind, mailbox_id, name, detail)
       VALUES (?, ?, ?, ?, ?, ?)`,
      this.modSeq(),
      this.now,
      kind,
      mailboxId ?? null,
      name,
      detail,
    );
  }

  #next(counter: "modseq" | "next_content_id" | "next_mailbox_id"): number {
    return this.db.number(`UPDATE account SET ${counter} = ${counter} + 1 RETURNING ${counter}`);
  }
}
