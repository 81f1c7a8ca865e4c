import { parseMailboxName, StoreError } from "../../store/mod.ts";
import { command, LOGGED_IN } from "../command.ts";
import { parseMailbox } from "./mailbox_argument.ts";

/** `SUBSCRIBE mailbox`: any valid name, whether the mailbox exists or not. */
export const subscribeCommand = command({
  name: "SUBSCRIBE",
  states: LOGGED_IN,
  rfc: "RFC 9051 6.3.7",
  catchUp: "all",
  parse: parseMailbox,
  run: (session, name) => session.account.store.setSubscribed(parseMailboxName(name), true),
});

/** `UNSUBSCRIBE mailbox`: OK also for a name that is not subscribed. */
export const unsubscribeCommand = command({
  name: "UNSUBSCRIBE",
  states: LOGGED_IN,
  rfc: "RFC 9051 6.3.8",
  catchUp: "all",
  parse: parseMailbox,
  run: async (session, name) => {
    try {
      await session.account.store.setSubscribed(parseMailboxName(name), false);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "mailbox-not-found")) throw error;
    }
  },
});
