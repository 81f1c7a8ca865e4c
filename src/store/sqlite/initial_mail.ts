import type { MailboxId } from "../../base/mod.ts";
import type { SpecialUse } from "../account_store.ts";
import type { Database } from "./database.ts";
import { insertMailbox, subscribe } from "./mailboxes.ts";
import { specialUseBits } from "./mailbox_record.ts";

export interface InitialMailbox {
  readonly name: string;
  readonly specialUse: readonly SpecialUse[];
}

/** The mod-sequence of everything an account begins with; the first change is 2. */
const FIRST_MODSEQ = 1;

/** Fills a new mail database, in one transaction; does nothing when another process was first. */
export function createMail(
  db: Database,
  options: { now: number; objectPrefix: string; mailboxes: readonly InitialMailbox[] },
): void {
  const mailboxes = [{ name: "INBOX", specialUse: [] }, ...options.mailboxes];
  db.write(() => {
    if (db.get("SELECT 1 FROM account")) return;
    db.run(
      `INSERT INTO account (id, object_prefix, modseq, next_uid_validity, next_mailbox_id,
         next_content_id) VALUES (1, ?, ?, ?, ?, 1)`,
      options.objectPrefix,
      FIRST_MODSEQ,
      // Half the time leaves room upwards, and an account made anew later still begins higher.
      Math.floor(options.now / 2),
      mailboxes.length + 1,
    );
    mailboxes.forEach(({ name, specialUse }, i) => {
      insertMailbox(db, {
        id: i + 1 as MailboxId,
        name,
        modSeq: FIRST_MODSEQ,
        specialUse: specialUseBits(specialUse),
      });
      subscribe(db, name);
    });
  });
}
