import type { Database } from "./database.ts";

/**
 * How far sessions of this process have claimed \Recent (RFC 3501 2.3.2) beyond what is stored. It
 * is kept in memory until something else is written, because a claim is not worth a sync: after a
 * crash a message may be \Recent once more, which the RFC allows.
 */
export class RecentMarks {
  /** By mailbox. Made when needed: accounts are many, and most have none. */
  #marks: Map<number, number> | undefined;

  /** The UID above which messages are \Recent. */
  after(mailboxId: number, stored: number): number {
    return Math.max(stored, this.#marks?.get(mailboxId) ?? 0);
  }

  /** Messages up to `uid` are claimed. */
  claim(mailboxId: number, uid: number): void {
    if (uid > (this.#marks?.get(mailboxId) ?? 0)) (this.#marks ??= new Map()).set(mailboxId, uid);
  }

  get isEmpty(): boolean {
    return this.#marks === undefined;
  }

  /** Writes the marks; to be cleared once that is committed. */
  store(db: Database): void {
    for (const [mailboxId, uid] of this.#marks ?? []) {
      db.run(
        `UPDATE mailbox SET recent_after = ?,
           recent = (SELECT count(*) FROM message WHERE mailbox_id = mailbox.id AND uid > ?)
         WHERE id = ? AND recent_after < ?`,
        uid,
        uid,
        mailboxId,
        uid,
      );
    }
  }

  clear(): void {
    this.#marks = undefined;
  }
}
