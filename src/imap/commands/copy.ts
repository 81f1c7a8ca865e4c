import { parseMailboxName } from "../../store/mod.ts";
import type { Reader, SequenceSet } from "../../wire/mod.ts";
import { command, type Completion, SELECTED } from "../command.ts";
import { writeExpunges } from "../format/expunge.ts";
import { no } from "../imap_error.ts";
import { checkSaveLimit, limitMessages, tellLimit } from "../message_limit.ts";
import type { Session } from "../session.ts";
import { orTryCreate } from "../store_failure.ts";

/** COPY (RFC 9051 6.4.7). */
export const copyCommand = transferForm("COPY", "seq", "RFC 9051 6.4.7", runCopy);
/** UID COPY (RFC 9051 6.4.9). */
export const uidCopyCommand = transferForm("UID COPY", "uid", "RFC 9051 6.4.9", runCopy);
/** MOVE (RFC 6851 3.1, RFC 9051 6.4.8). */
export const moveCommand = transferForm("MOVE", "seq", "RFC 6851 3.1", runMove);
/** UID MOVE (RFC 6851 3.2). */
export const uidMoveCommand = transferForm("UID MOVE", "uid", "RFC 6851 3.2", runMove);

function transferForm(
  name: string,
  by: "seq" | "uid",
  rfc: string,
  run: (
    session: Session,
    args: CopyArguments,
    by: "seq" | "uid",
  ) => Promise<Completion | void>,
) {
  return command<CopyArguments>({
    name,
    states: SELECTED,
    rfc,
    catchUp: "all",
    takesSequenceNumbers: by === "seq",
    parse: readArguments,
    run: (session, args) => run(session, args, by),
  });
}

interface CopyArguments {
  readonly set: SequenceSet;
  readonly destination: string;
}

function readArguments(reader: Reader): CopyArguments {
  reader.space();
  const set = reader.sequenceSet();
  reader.space();
  return { set, destination: reader.mailbox() };
}

async function runCopy(
  session: Session,
  { set, destination }: CopyArguments,
  by: "seq" | "uid",
): Promise<Completion | void> {
  const view = session.selected;
  const uids = view.resolve(set, by);
  checkSaveLimit(session, uids.size);
  const name = parseMailboxName(destination);
  const { store } = session.account;
  const result = await orTryCreate(() => store.copy(view.mailboxId, uids, name));
  if (result.from.isEmpty) return nothingDone(uids.isEmpty, by);
  return {
    code: `COPYUID ${result.destination.uidValidity} ${result.from} ${result.to}`,
    text: "Copied",
  };
}

async function runMove(
  session: Session,
  { set, destination }: CopyArguments,
  by: "seq" | "uid",
): Promise<Completion | void> {
  const view = session.selected;
  if (view.isReadOnly) throw no("Mailbox is read-only");
  const { uids, code } = limitMessages(session, view.resolve(set, by));
  const name = parseMailboxName(destination);
  const { store } = session.account;
  const result = await orTryCreate(() => store.move(view.mailboxId, uids, name));
  if (result.from.isEmpty) return nothingDone(uids.isEmpty, by);
  const { out, modes } = session;
  // Before the expunges, as RFC 6851 4.3 asks, so that the client can follow the messages.
  out.untagged(
    `OK [COPYUID ${result.destination.uidValidity} ${result.from} ${result.to}] Moved`,
  );
  writeExpunges(out, view, modes, result.from);
  view.forget(result.from);
  if (result.destination.id !== view.mailboxId) view.toldChange(result.modSeq);
  const completion = modes.qresync && result.modSeq !== undefined
    ? { code: `HIGHESTMODSEQ ${result.modSeq}` }
    : {};
  return tellLimit(session, code, completion);
}

/** UIDs that name nothing are no error (RFC 9051 6.4.9); known messages that are gone are. */
function nothingDone(isEmpty: boolean, by: "seq" | "uid"): Completion {
  if (by === "seq" || !isEmpty) throw no("The messages are gone", "EXPUNGEISSUED");
  return { text: "No message matched" };
}
