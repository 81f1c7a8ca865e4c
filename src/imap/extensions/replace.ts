import { RangeSet, type Uid } from "../../base/mod.ts";
import { parseMailboxName } from "../../store/mod.ts";
import { type Frame, type LiteralHeader, Reader, type SequenceSet } from "../../wire/mod.ts";
import { command, type Completion, type LiteralReceiver, SELECTED } from "../command.ts";
import { type AppendItem, readAppendItem, readUpToLiteral } from "../append_items.ts";
import { withMessages } from "../commands/append.ts";
import type { Extension } from "../extension.ts";
import { bad, no } from "../imap_error.ts";
import { receiveMessageLiteral } from "../incoming_message.ts";
import type { Session, View } from "../session.ts";
import { orTryCreate } from "../store_failure.ts";

interface ReplaceArguments {
  readonly number: SequenceSet;
  readonly mailbox: string;
  readonly item: AppendItem;
}

/** REPLACE and UID REPLACE (RFC 8508 3.2, 3.3): APPEND and EXPUNGE as one step. */
function replaceForm(name: string, by: "seq" | "uid") {
  return command<ReplaceArguments>({
    name,
    states: SELECTED,
    rfc: by === "seq" ? "RFC 8508 3.2" : "RFC 8508 3.3",
    catchUp: "all",
    takesSequenceNumbers: by === "seq",
    parse(reader) {
      reader.space();
      const number = readNumber(reader);
      reader.space();
      const mailbox = reader.mailbox();
      return { number, mailbox, item: readAppendItem(reader) };
    },
    run: (session, args) => run(session, args, by),
    receiveLiteral: (session, frame, literal) => receiveLiteral(session, frame, literal, by),
  });
}

/** One message: a number or `*`, no range. */
function readNumber(reader: Reader): SequenceSet {
  const set = reader.sequenceSet();
  if (set === "$" || set.length !== 1 || set[0]!.first !== set[0]!.last) {
    throw bad("REPLACE is for one message");
  }
  return set;
}

/** What can be refused is refused before the client sends the message. */
async function receiveLiteral(
  session: Session,
  frame: Frame,
  literal: LiteralHeader,
  by: "seq" | "uid",
): Promise<LiteralReceiver | undefined> {
  if (!session.view) throw bad("Select a mailbox first");
  if (by === "seq" && session.modes.uidOnly) throw bad("Use UID REPLACE", "UIDREQUIRED");
  const view = writableView(session);
  const reader = new Reader(frame, session.modes.nameMode);
  reader.tag();
  reader.space();
  if (reader.word() === "UID") {
    reader.space();
    reader.word();
  }
  reader.space();
  const uid = view.resolve(readNumber(reader), by).first;
  reader.space();
  if (reader.atEnd) return undefined;
  const name = parseMailboxName(reader.mailbox());
  const { pending } = readUpToLiteral(reader);
  const freedBytes = uid === undefined ? 0 : await sizeOf(session, view, uid);
  return await receiveMessageLiteral(session, { name, freedBytes }, literal, pending);
}

async function sizeOf(session: Session, view: View, uid: number): Promise<number> {
  const { store } = session.account;
  for await (const [row] of store.fetchMessages(view.mailboxId, RangeSet.of(uid))) {
    if (row && !row.expunged) return row.size;
  }
  return 0;
}

function writableView(session: Session): View {
  const view = session.selected;
  if (view.isReadOnly) throw no("Mailbox is read-only");
  return view;
}

async function run(
  session: Session,
  { number, mailbox, item }: ReplaceArguments,
  by: "seq" | "uid",
): Promise<Completion> {
  const view = writableView(session);
  const uid = view.resolve(number, by).first as Uid | undefined;
  if (uid === undefined) throw no("There is no such message", "EXPUNGEISSUED");
  const name = parseMailboxName(mailbox);
  const { store } = session.account;
  const freedBytes = await sizeOf(session, view, uid);
  const result = await withMessages(
    session,
    { name, freedBytes },
    [item],
    ([message]) => orTryCreate(() => store.replace(view.mailboxId, uid, name, message!)),
  );
  // RFC 8508 4.3: before the expunge, so that the client can follow the message.
  session.out.untagged(`OK [APPENDUID ${result.mailbox.uidValidity} ${result.uids}] Replaced`);
  // The new message first, the expunge with what the dispatcher tells at the end.
  await session.catchUp({ expunge: false });
  return session.modes.qresync ? { code: `HIGHESTMODSEQ ${result.modSeq}` } : {};
}

/** Messages replaced in one step (RFC 8508). */
export const replace: Extension = {
  rfc: [8508],
  title: "REPLACE: a message in place of another in one step",
  capabilities: [{ name: "REPLACE", when: "afterLogin" }],
  commands: [replaceForm("REPLACE", "seq"), replaceForm("UID REPLACE", "uid")],
};
