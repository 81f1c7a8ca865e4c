import { type NewMessage, parseMailboxName, type StagedMessage } from "../../store/mod.ts";
import { type Frame, type LiteralHeader, Reader } from "../../wire/mod.ts";
import { type AppendItem, readAppendItem, readUpToLiteral } from "../append_items.ts";
import { command, type Completion, type LiteralReceiver, LOGGED_IN } from "../command.ts";
import { bad, no } from "../imap_error.ts";
import {
  type Destination,
  finishMessage,
  type IncomingMessage,
  receiveMessageLiteral,
} from "../incoming_message.ts";
import { checkSaveLimit } from "../message_limit.ts";
import type { Session } from "../session.ts";
import { orTryCreate } from "../store_failure.ts";

interface AppendArguments {
  readonly mailbox: string;
  readonly items: readonly AppendItem[];
}

/**
 * APPEND (RFC 9051 6.3.12) of one or more messages (RFC 3502 6.3.11), as literals or literal8, also
 * in the form UTF8 (~{n}) of RFC 6855 4, or put together of pieces (RFC 4469 3). Messages are taken
 * as they are; bare LF becomes CRLF.
 */
export const appendCommand = command<AppendArguments>({
  name: "APPEND",
  states: LOGGED_IN,
  rfc: "RFC 9051 6.3.12",
  catchUp: "all",
  parse(reader) {
    reader.space();
    const mailbox = reader.mailbox();
    const items: AppendItem[] = [];
    do items.push(readAppendItem(reader)); while (!reader.atEnd);
    return { mailbox, items };
  },
  run,
  receiveLiteral,
});

/**
 * Checks name, mailbox, size and quota before the client is asked to send, and gives the way into
 * the store for the message. The name may be a literal itself, which is held.
 */
async function receiveLiteral(
  session: Session,
  frame: Frame,
  literal: LiteralHeader,
): Promise<LiteralReceiver | undefined> {
  if (!session.login) throw bad("Log in first");
  const reader = new Reader(frame, session.modes.nameMode);
  reader.tag();
  reader.space();
  reader.word();
  reader.space();
  if (reader.atEnd) return undefined;
  const name = parseMailboxName(reader.mailbox());
  const { earlier, pending } = readUpToLiteral(reader);
  checkSaveLimit(session, earlier.length + 1);
  return await receiveMessageLiteral(session, { name, earlier }, literal, pending);
}

async function run(session: Session, { mailbox, items }: AppendArguments): Promise<Completion> {
  const name = parseMailboxName(mailbox);
  checkSaveLimit(session, items.length);
  const { store } = session.account;
  return await withMessages(session, { name }, items, async (messages) => {
    const { uids, mailbox } = await orTryCreate(() => store.append(name, messages));
    return { code: `APPENDUID ${mailbox.uidValidity} ${uids}`, text: "Appended" };
  });
}

/**
 * Completes the messages and gives them to `store`. RFC 3502 6.3.11: an empty message takes the
 * whole command back.
 */
export async function withMessages<T>(
  session: Session,
  destination: Destination,
  items: readonly AppendItem[],
  store: (messages: readonly NewMessage[]) => Promise<T>,
): Promise<T> {
  const opened: IncomingMessage[] = [];
  try {
    const messages: NewMessage[] = [];
    for (const item of items) {
      const staged = await finishMessage(session, destination, item, (it) => opened.push(it));
      if (staged.size === 0) throw no("Empty message: nothing was done");
      messages.push(newMessage(item, staged, session.now()));
    }
    return await store(messages);
  } finally {
    for (const message of opened) await message.discard();
  }
}

/** The message as the store takes it, received at `nowMs` unless it says when. */
function newMessage(item: AppendItem, staged: StagedMessage, nowMs: number): NewMessage {
  return {
    staged,
    ...item.flags,
    internalDate: item.internalDate ?? { seconds: Math.floor(nowMs / 1000), zoneMinutes: 0 },
  };
}
