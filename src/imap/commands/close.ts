import { command, noArguments, SELECTED } from "../command.ts";

/** CLOSE (RFC 9051 6.4.1): expunges silently, unless read-only, and leaves the mailbox. */
export const closeCommand = command({
  name: "CLOSE",
  states: SELECTED,
  rfc: "RFC 9051 6.4.1",
  catchUp: "none",
  parse: noArguments,
  async run(session) {
    const { view } = session;
    if (view && !view.isReadOnly && !view.isDeleted) {
      await session.account.store.expunge(view.mailboxId, view.uids, { onlyDeleted: true });
    }
    session.unselect();
  },
});

/** UNSELECT (RFC 9051 6.4.2, RFC 3691 2): leaves the mailbox and expunges nothing. */
export const unselectCommand = command({
  name: "UNSELECT",
  states: SELECTED,
  rfc: "RFC 9051 6.4.2",
  catchUp: "none",
  parse: noArguments,
  run: (session) => session.unselect(),
});
