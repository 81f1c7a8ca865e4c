import { command, type Completion, LOGGED_IN } from "../command.ts";
import type { Extension } from "../extension.ts";
import { writeMessageNews } from "../mailbox_news.ts";
import { isWanted, NO_NOTICES, type NotifyWish, readNotifyWish } from "../notify_wish.ts";
import type { Session } from "../session.ts";

interface NotifyArguments {
  readonly wish: NotifyWish;
  /** Tell the state of the other mailboxes first. */
  readonly status: boolean;
}

/**
 * `NOTIFY NONE` or `NOTIFY SET [STATUS] (filter events) …` (RFC 5465 3.1). Looser than the grammar:
 * SUBTREE-ONE (RFC 7377 2.2) is a filter too. Names of mailboxes that do not exist are kept, as
 * they may come to exist.
 */
const notifyCommand = command<NotifyArguments>({
  name: "NOTIFY",
  states: LOGGED_IN,
  rfc: "RFC 5465 3.1",
  catchUp: "all",
  parse(reader, session) {
    reader.space();
    if (reader.tryExactWord("NONE")) return { wish: NO_NOTICES, status: false };
    if (!reader.tryExactWord("SET")) throw reader.error("SET or NONE");
    reader.space();
    const status = reader.tryExactWord("STATUS");
    if (status) reader.space();
    return { wish: readNotifyWish(reader, session), status };
  },
  async run(session, { wish, status }): Promise<Completion | void> {
    if (wish.selected?.items?.some((item) => item.enablesCondstore)) session.enableCondstore();
    await session.notify(wish);
    if (status) await writeStatusOfOthers(session, wish);
  },
});

/**
 * STATUS of every mailbox but the selected one whose messages are watched (RFC 5465 3.1). What
 * changes from here on is told after it: a change that both tell is told twice, none is missed.
 */
async function writeStatusOfOthers(session: Session, wish: NotifyWish): Promise<void> {
  for (const mailbox of await session.account.store.listMailboxes()) {
    if (mailbox.id === session.view?.mailboxId) continue;
    if (!isWanted(wish, "MessageNew", mailbox)) continue;
    // RFC 5465 3.1: with FlagChange whether CONDSTORE was enabled or not, as it could be.
    const modSeq = session.modes.condstore || isWanted(wish, "FlagChange", mailbox);
    writeMessageNews(session, mailbox, "messages", { modSeq });
    const full = session.out.relieve();
    if (full) await full;
  }
}

/** Changes of any mailbox told as they happen, between commands too (RFC 5465). */
export const notify: Extension = {
  rfc: [5465],
  title: "NOTIFY: what happens in any mailbox, told at once",
  capabilities: [{ name: "NOTIFY", when: "afterLogin" }],
  commands: [notifyCommand],
};
