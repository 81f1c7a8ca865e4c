import { RangeSet } from "../../base/mod.ts";
import { command, type CommandSpec, SELECTED } from "../command.ts";
import { follow, followFrom, refuseToFollow } from "../followed_search.ts";
import { addressedBy, limitMessages, tellLimit } from "../message_limit.ts";
import { Progress } from "../progress.ts";
import { scoreMessages } from "../relevancy.ts";
import { listInMailboxOrder } from "../result_list.ts";
import { parseSearchArguments, type SearchArguments } from "../search_arguments.ts";
import { numbersOfView } from "../search_keys.ts";
import {
  findMatches,
  savedUids,
  sequenceNumbers,
  writeEsearch,
  writeSearch,
} from "../search_result.ts";
import { asksForScores, asksForUpdates, DEFAULT_RETURNS } from "../search_returns.ts";

/**
 * SEARCH [RETURN ([option ...])] [CHARSET charset] key ...
 *
 * Answers with SEARCH to IMAP4rev1 clients that gave no RETURN, else with ESEARCH. Only messages
 * that the client knows of are looked at, so sequence numbers mean what it thinks they mean.
 */
export const searchCommand = searchForm("SEARCH", false);
export const uidSearchCommand = searchForm("UID SEARCH", true);

function searchForm(name: string, byUid: boolean): CommandSpec {
  return command<SearchArguments>({
    name,
    states: SELECTED,
    rfc: "RFC 9051 6.4.4, RFC 3501 6.4.4, RFC 4731, RFC 5182",
    catchUp: byUid ? "all" : "noExpunge",
    takesSequenceNumbers: !byUid,
    parse(reader, session) {
      reader.space();
      return parseSearchArguments(reader, session, true);
    },
    async run(session, { returns, saves, program }) {
      const view = session.selected;
      const { context } = program;
      const predicate = context.bind(program.predicate, numbersOfView(view));
      if (context.usesModSeq) session.enableCondstore();
      // Should the search fail, `$` is empty.
      if (saves) view.savedResult = new RangeSet();
      const options = returns ?? DEFAULT_RETURNS;
      const since = asksForUpdates(returns) ? await followFrom(session) : undefined;
      const { uids: within, code } = limitMessages(session, addressedBy(predicate, view.uids));
      const progress = new Progress(session);
      const found = await findMatches(session, view.mailboxId, predicate, options, {
        within,
        onProgress: (done, total) => progress.report(done, total),
      });
      await progress.settle();
      if (saves) view.savedResult = savedUids(found.uids, options);
      const matches = byUid ? found.uids : sequenceNumbers(found.uids, view.uids);
      const modSeq = context.usesModSeq ? found.modSeq : undefined;
      if (returns || session.modes.rev2) {
        const scores = asksForScores(returns)
          ? await scoreMessages(session, view.mailboxId, found.uids, context.fuzzyKeys)
          : undefined;
        const results = listInMailboxOrder(matches, scores && [...scores.values()]);
        writeEsearch(session, results, options, { byUid, modSeq });
      } else {
        writeSearch(session, matches, modSeq);
      }
      if (since && code) refuseToFollow(session, "Only the newest messages were looked at");
      else if (since) follow(session, { ...program, byUid, since }, found.uids);
      // A UID SEARCH with sequence numbers in it must not renumber either (RFC 7162 3.2.10).
      const catchUp = byUid && !context.usesSequenceNumbers ? "all" : "noExpunge";
      return tellLimit(session, code, { catchUp });
    },
  });
}
