import {
  type NewMessage,
  parseMailboxName,
  type StagedMessage,
  type ZonedTime,
} from "../../store/mod.ts";
import { type Frame, type Literal, type LiteralHeader, Reader } from "../../wire/mod.ts";
import { command, type Completion, type LiteralReceiver, LOGGED_IN } from "../command.ts";
import { type ParsedFlags, parseFlags } from "../format/flags.ts";
import { bad, no } from "../imap_error.ts";
import type { Session } from "../session.ts";
import { orTryCreate } from "../store_failure.ts";

/** One message of an APPEND, or of a command that takes messages as APPEND does. */
export interface AppendItem {
  readonly flags: ParsedFlags;
  /** Undefined: now. */
  readonly internalDate: ZonedTime | undefined;
  readonly literal: Literal;
}

interface AppendArguments {
  readonly mailbox: string;
  readonly items: readonly AppendItem[];
}

/**
 * APPEND (RFC 9051 6.3.12) of one or more messages (RFC 3502 6.3.11), as literals or literal8, also
 * in the form UTF8 (~{n}) of RFC 6855 4. Messages are taken as they are; bare LF becomes CRLF.
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

/** Reads ` (flags) "date" literal` (RFC 4466 2.5, `append-message`). */
export function readAppendItem(reader: Reader): AppendItem {
  const head = readItemHead(reader);
  const literal = reader.tryLiteral();
  if (!literal) throw reader.error("a literal with the message");
  if (head.isUtf8) reader.char(")");
  return { ...head, literal };
}

function readItemHead(reader: Reader) {
  reader.space();
  let flags: ParsedFlags = { flags: 0, keywords: [] };
  if (reader.peek() === "(") {
    flags = parseFlags(reader.list(() => reader.flag(), 0));
    reader.space();
  }
  const internalDate = reader.tryDateTime();
  if (internalDate) reader.space();
  const isUtf8 = reader.tryExactWord("UTF8");
  if (isUtf8) {
    reader.space();
    reader.char("(");
  }
  return { flags, internalDate, isUtf8 };
}

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
  const earlierBytes = readEarlierMessages(reader);
  return await openMessageReceiver(session, name, literal, { earlierBytes });
}

/** Reads up to a message that is still to come; gives the octets of those before it. */
export function readEarlierMessages(reader: Reader): number {
  for (let bytes = 0;;) {
    const { isUtf8 } = readItemHead(reader);
    if (reader.atEnd) return bytes;
    const earlier = reader.tryLiteral();
    if (!earlier) throw reader.error("a literal with the message");
    if (isUtf8) reader.char(")");
    bytes += earlier.size;
  }
}

/**
 * Where a message literal for the mailbox `name` goes, once it is clear that it would be taken.
 * `earlierBytes`: messages of the same command that come before it; `freedBytes`: what the command
 * removes. For every command that takes messages.
 */
export async function openMessageReceiver(
  session: Session,
  name: string,
  literal: LiteralHeader,
  { earlierBytes = 0, freedBytes = 0 }: { earlierBytes?: number; freedBytes?: number },
): Promise<LiteralReceiver> {
  const { maxMessageBytes } = session.limits;
  if (literal.size > maxMessageBytes) {
    throw no(`A message may have at most ${maxMessageBytes} octets`, "TOOBIG");
  }
  const { store } = session.account;
  if (!await store.findMailbox(name)) throw no("No such mailbox", "TRYCREATE");
  const { usedBytes, limitBytes } = await store.quota();
  const bytesAfter = usedBytes + earlierBytes + literal.size - freedBytes;
  if (limitBytes !== undefined && bytesAfter > limitBytes) {
    throw no("The message does not fit into the quota", "OVERQUOTA");
  }
  const stage = store.stageMessage();
  return {
    async write(bytes) {
      await stage.write(bytes);
      // Bare LF and CR grow to CRLF: what counts is what is stored.
      if (stage.size > maxMessageBytes) {
        throw no(`A message may have at most ${maxMessageBytes} octets`, "TOOBIG");
      }
    },
    end: () => stage.finish(),
    discard: () => stage.discard(),
  };
}

async function run(session: Session, { mailbox, items }: AppendArguments): Promise<Completion> {
  const name = parseMailboxName(mailbox);
  // RFC 3502 6.3.11: an empty message takes the whole APPEND back.
  if (items.some(({ literal }) => literal.size === 0)) throw no("Empty message: nothing appended");
  const messages = items.map((item) => newMessage(item, session.now()));
  const { store } = session.account;
  const { uids, mailbox: { uidValidity } } = await orTryCreate(() => store.append(name, messages));
  return { code: `APPENDUID ${uidValidity} ${uids}`, text: "Appended" };
}

/** The message as the store takes it, received at `nowMs` unless it says when. */
export function newMessage(
  { flags, internalDate, literal }: AppendItem,
  nowMs: number,
): NewMessage {
  return {
    staged: literal.streamed as StagedMessage,
    ...flags,
    internalDate: internalDate ?? { seconds: Math.floor(nowMs / 1000), zoneMinutes: 0 },
  };
}
