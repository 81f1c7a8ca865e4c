import { parseMailboxName } from "../../store/mod.ts";
import type { Reader } from "../../wire/mod.ts";
import { command, LOGGED_IN } from "../command.ts";
import { no } from "../imap_error.ts";
import { parseMailbox } from "./mailbox_argument.ts";

interface RenameArgs {
  readonly from: string;
  readonly to: string;
}

/**
 * `RENAME mailbox mailbox`. Mailboxes below come along, missing parents of the new name are made,
 * subscriptions stay on the old names. RENAME INBOX moves its messages to a new mailbox.
 */
export const renameCommand = command({
  name: "RENAME",
  states: LOGGED_IN,
  rfc: "RFC 9051 6.3.6",
  catchUp: "all",
  parse: (reader: Reader): RenameArgs => ({
    from: parseMailbox(reader),
    to: parseMailbox(reader),
  }),
  run: (session, args) => {
    const from = parseMailboxName(args.from);
    const to = parseMailboxName(args.to);
    if (to === "INBOX") throw no("INBOX always exists", "ALREADYEXISTS");
    return session.account.store.renameMailbox(from, to);
  },
});
