import type { RangeSet } from "../../base/mod.ts";
import { SystemFlag } from "../../store/mod.ts";
import { command, type Completion, SELECTED } from "../command.ts";
import { writeExpunges } from "../format/expunge.ts";
import { no } from "../imap_error.ts";
import { type Limited, limitMessages, tellLimit } from "../message_limit.ts";
import type { Session } from "../session.ts";

/** EXPUNGE (RFC 9051 6.4.3): removes the messages with \Deleted that the client knows. */
export const expungeCommand = command({
  name: "EXPUNGE",
  states: SELECTED,
  rfc: "RFC 9051 6.4.3",
  catchUp: "all",
  parse: () => undefined,
  run: (session) => expungeDeleted(session, { uids: session.selected.uids, code: undefined }),
});

/** UID EXPUNGE (RFC 9051 6.4.9, RFC 4315 2.1): of the UIDs given, those with \Deleted. */
export const uidExpungeCommand = command({
  name: "UID EXPUNGE",
  states: SELECTED,
  rfc: "RFC 4315 2.1",
  catchUp: "all",
  parse(reader, session) {
    reader.space();
    const set = reader.sequenceSet();
    return () => session.selected.resolve(set, "uid");
  },
  run: async (session, uids) => await expungeDeleted(session, await limitDeleted(session, uids())),
});

/** Of the messages with \Deleted among `uids` those that one command may touch (RFC 9738). */
async function limitDeleted(session: Session, uids: RangeSet): Promise<Limited> {
  if (limitMessages(session, uids).code === undefined) return { uids, code: undefined };
  const { store } = session.account;
  const deleted = { op: "flags", mask: SystemFlag.deleted } as const;
  const found = await store.search(session.selected.mailboxId, deleted, { within: uids });
  return limitMessages(session, found.uids);
}

async function expungeDeleted(session: Session, { uids, code }: Limited): Promise<Completion> {
  const view = session.selected;
  if (view.isReadOnly) throw no("Mailbox is read-only");
  const { store } = session.account;
  const result = await store.expunge(view.mailboxId, uids, { onlyDeleted: true });
  writeExpunges(session.out, view, session.modes, result.uids);
  view.forget(result.uids);
  view.toldChange(result.modSeq);
  // RFC 7162 3.2.7 and 3.2.8: with the tagged OK, when QRESYNC is on.
  const completion = session.modes.qresync && result.modSeq !== undefined
    ? { code: `HIGHESTMODSEQ ${result.modSeq}` }
    : {};
  return tellLimit(session, code, completion);
}
