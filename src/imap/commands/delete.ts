import { parseMailboxName } from "../../store/mod.ts";
import { command, LOGGED_IN } from "../command.ts";
import { parseMailbox } from "./mailbox_argument.ts";

/** `DELETE mailbox`. With mailboxes below it: NO [HASCHILDREN]. Its subscription stays. */
export const deleteCommand = command({
  name: "DELETE",
  states: LOGGED_IN,
  rfc: "RFC 9051 6.3.5",
  catchUp: "all",
  parse: parseMailbox,
  run: (session, name) => session.account.store.deleteMailbox(parseMailboxName(name)),
});
