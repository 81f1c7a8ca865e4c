import { parseMailboxName } from "../../store/mod.ts";
import type { Reader } from "../../wire/mod.ts";
import { command, LOGGED_IN } from "../command.ts";
import type { StatusItemSpec } from "../extension.ts";
import { no } from "../imap_error.ts";
import type { Session } from "../session.ts";
import { parseStatusItems, writeStatusResponse } from "../status_items.ts";
import { parseMailbox } from "./mailbox_argument.ts";

interface StatusArgs {
  readonly name: string;
  readonly items: readonly StatusItemSpec[];
}

/** `STATUS mailbox (item …)`, of the selected mailbox too. An item given twice is answered once. */
export const statusCommand = command({
  name: "STATUS",
  states: LOGGED_IN,
  rfc: "RFC 9051 6.3.11",
  catchUp: "all",
  parse: parseStatus,
  run: async (session, args) => {
    const mailbox = await session.account.store.findMailbox(parseMailboxName(args.name));
    if (!mailbox) throw no("There is no such mailbox", "NONEXISTENT");
    writeStatusResponse(session, mailbox, args.items);
  },
});

function parseStatus(reader: Reader, session: Session): StatusArgs {
  const name = parseMailbox(reader);
  reader.space();
  return { name, items: parseStatusItems(reader, session) };
}
