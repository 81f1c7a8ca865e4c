import { type MailboxId, RangeSet } from "../../base/mod.ts";
import { type Mailbox, type SearchResult, StoreError } from "../../store/mod.ts";
import { type Reader, WireError } from "../../wire/mod.ts";
import { command, LOGGED_IN } from "../command.ts";
import type { Extension } from "../extension.ts";
import { follow, followFrom } from "../followed_search.ts";
import { no } from "../imap_error.ts";
import { isMeant, type MailboxFilter, parseMailboxFilter } from "../mailbox_filter.ts";
import { Progress } from "../progress.ts";
import { scoreMessages } from "../relevancy.ts";
import { listInMailboxOrder } from "../result_list.ts";
import { parseSearchArguments, type SearchArguments } from "../search_arguments.ts";
import { numbersOfView, type SearchNumbers, type SearchProgram } from "../search_keys.ts";
import { findMatches, savedUids, writeEsearch } from "../search_result.ts";
import {
  asksForScores,
  asksForUpdates,
  DEFAULT_RETURNS,
  type SearchReturn,
} from "../search_returns.ts";
import type { Session } from "../session.ts";

interface EsearchArguments extends SearchArguments {
  readonly sources: readonly MailboxFilter[];
  /** No other mailbox than the selected one can be meant. */
  readonly onlySelected: boolean;
}

/**
 * ESEARCH [IN (source ...)] [RETURN ([option ...])] [CHARSET charset] key ...
 *
 * One ESEARCH response for each mailbox with matches, by name, always with UIDs. Sources that do
 * not exist are passed over, and what several of them mean is searched once (RFC 7377 2.2).
 */
const esearchCommand = command<EsearchArguments>({
  name: "ESEARCH",
  states: LOGGED_IN,
  rfc: "RFC 7377 2",
  catchUp: "all",
  parse(reader, session) {
    reader.space();
    const sources = parseSources(reader);
    if (sources.some(isSelected) && !session.view) throw new WireError("No mailbox is selected");
    const onlySelected = sources.every(isSelected);
    return { sources, onlySelected, ...parseSearchArguments(reader, session, onlySelected) };
  },
  async run(session, { sources, onlySelected, returns = DEFAULT_RETURNS, saves, program }) {
    const { context } = program;
    const view = onlySelected ? session.selected : session.view;
    const mailboxes = (await session.account.store.listMailboxes()).filter((mailbox) =>
      sources.some((source) => isMeant(source, mailbox, view?.mailboxId))
    );
    if (context.usesSavedResult && mailboxes.some(({ id }) => id !== view?.mailboxId)) {
      throw no("$ means nothing in a mailbox that is not selected");
    }
    if (context.usesModSeq) session.enableCondstore();
    const viewNumbers = view && numbersOfView(view);
    if (saves && view) view.savedResult = new RangeSet();
    const progress = new Progress(session);
    const goal = mailboxes.reduce((sum, { counts }) => sum + counts.messages, 0);
    let searched = 0;
    for (const mailbox of mailboxes) {
      const since = asksForUpdates(returns) ? await followFrom(session) : undefined;
      const found = await searchMailbox(session, mailbox, program, returns, {
        known: mailbox.id === view?.mailboxId ? viewNumbers : undefined,
        onProgress: (done) => progress.report(searched + done, goal),
      });
      searched += mailbox.counts.messages;
      await progress.settle();
      if (saves && view) {
        view.savedResult = found ? savedUids(found.uids, returns) : new RangeSet();
      }
      if (since && found) follow(session, { ...program, byUid: true, since }, found.uids);
      if (!found || found.uids.isEmpty) continue;
      const modSeq = context.usesModSeq ? found.modSeq : undefined;
      const scores = asksForScores(returns)
        ? await scoreMessages(session, mailbox.id, found.uids, context.fuzzyKeys)
        : undefined;
      const results = listInMailboxOrder(found.uids, scores && [...scores.values()]);
      writeEsearch(session, results, returns, { byUid: true, modSeq, mailbox });
      await session.out.relieve();
    }
    return { catchUp: context.usesSequenceNumbers ? "noExpunge" : "all" };
  },
});

/** MULTISEARCH: one search over many mailboxes (RFC 7377). */
export const multisearch: Extension = {
  rfc: [7377],
  title: "MULTISEARCH: searching several mailboxes at once",
  capabilities: [{ name: "MULTISEARCH", when: "afterLogin" }],
  commands: [esearchCommand],
};

function isSelected({ kind }: MailboxFilter): boolean {
  return kind === "SELECTED";
}

/** `IN (source *(SP source)) SP` if it stands here. No scope option has been defined yet. */
function parseSources(reader: Reader): MailboxFilter[] {
  if (!reader.tryExactWord("IN")) return [{ kind: "SELECTED" }];
  reader.space();
  const sources = reader.list(() => parseMailboxFilter(reader));
  reader.space();
  return sources;
}

/** Undefined when the mailbox was deleted meanwhile. `known`: the numbers of the selected one. */
async function searchMailbox(
  session: Session,
  { id }: Mailbox,
  { context, predicate }: SearchProgram,
  returns: readonly SearchReturn[],
  { known, onProgress }: {
    known: SearchNumbers | undefined;
    onProgress: (done: number) => void;
  },
): Promise<SearchResult | undefined> {
  try {
    const numbers = known ?? await numbersOf(session, id, context.needsNumbers);
    const bound = context.bind(predicate, numbers);
    const within = known ? { within: known.uids } : {};
    return await findMatches(session, id, bound, returns, { ...within, onProgress });
  } catch (error) {
    if (error instanceof StoreError && error.code === "mailbox-not-found") return undefined;
    throw error;
  }
}

/** The numbers of a mailbox that is not selected: those that selecting it now would give. */
async function numbersOf(
  session: Session,
  mailbox: MailboxId,
  areNeeded: boolean,
): Promise<SearchNumbers> {
  const none = new RangeSet();
  const { uids } = areNeeded
    ? await session.account.store.search(mailbox, { op: "all" })
    : { uids: none };
  return { uids, recent: none, savedResult: undefined };
}
