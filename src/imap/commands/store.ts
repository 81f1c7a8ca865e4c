import type { FlagMode, FlagRow } from "../../store/mod.ts";
import { type ModSeq, RangeSet } from "../../base/mod.ts";
import type { Reader, SequenceSet } from "../../wire/mod.ts";
import { command, type Completion, SELECTED } from "../command.ts";
import { writeFlagsResponse } from "../format/fetch_response.ts";
import { type ParsedFlags, parseFlags } from "../format/flags.ts";
import { bad, no } from "../imap_error.ts";
import { limitMessages, tellLimit } from "../message_limit.ts";
import type { Session, View } from "../session.ts";

/** STORE (RFC 9051 6.4.6) with UNCHANGEDSINCE (RFC 7162 3.1.3). */
export const storeCommand = storeForm("STORE", "seq");
/** UID STORE (RFC 9051 6.4.9). */
export const uidStoreCommand = storeForm("UID STORE", "uid");

interface StoreArguments {
  readonly set: SequenceSet;
  readonly unchangedSince: number | undefined;
  readonly mode: FlagMode;
  readonly silent: boolean;
  readonly flags: ParsedFlags;
}

function storeForm(name: string, by: "seq" | "uid") {
  return command<StoreArguments>({
    name,
    states: SELECTED,
    rfc: "RFC 9051 6.4.6",
    catchUp: by === "uid" ? "all" : "noExpunge",
    takesSequenceNumbers: by === "seq",
    parse: readArguments,
    run: (session, args) => run(session, args, by),
  });
}

function readArguments(reader: Reader): StoreArguments {
  reader.space();
  const set = reader.sequenceSet();
  reader.space();
  const unchangedSince = reader.peek() === "(" ? readModifiers(reader) : undefined;
  const sign = reader.tryChar("+") ? "add" : reader.tryChar("-") ? "remove" : "replace";
  const word = reader.word();
  if (word !== "FLAGS" && word !== "FLAGS.SILENT") throw reader.error("FLAGS or FLAGS.SILENT");
  reader.space();
  // RFC 9051 9, `store-att-flags`: a list in parentheses, or flags separated by spaces.
  const names: string[] = [];
  if (reader.peek() === "(") {
    names.push(...reader.list(() => reader.flag(), 0));
  } else {
    do names.push(reader.flag()); while (reader.trySpace());
  }
  return {
    set,
    unchangedSince,
    mode: sign,
    silent: word === "FLAGS.SILENT",
    flags: parseFlags(names),
  };
}

/** `(UNCHANGEDSINCE n) `. */
function readModifiers(reader: Reader): number {
  let unchangedSince: number | undefined;
  reader.list(() => {
    if (!reader.tryExactWord("UNCHANGEDSINCE") || unchangedSince !== undefined) {
      throw bad("Unknown or repeated STORE modifier");
    }
    reader.space();
    unchangedSince = reader.number64();
  });
  reader.space();
  return unchangedSince!;
}

async function run(
  session: Session,
  args: StoreArguments,
  by: "seq" | "uid",
): Promise<Completion | void> {
  const view = session.selected;
  if (view.isReadOnly) throw no("Mailbox is read-only");
  const { uids, code } = limitMessages(session, view.resolve(args.set, by));
  const { unchangedSince } = args;
  if (unchangedSince !== undefined) session.enableCondstore();
  const result = await session.account.store.changeFlags(view.mailboxId, uids, {
    mode: args.mode,
    ...args.flags,
    ...(unchangedSince === undefined ? {} : { unchangedSince: unchangedSince as ModSeq }),
  });
  await writeResults(session, view, result.rows, {
    flags: !args.silent,
    modified: result.modified,
    modSeq: result.modSeq,
  });
  // What others did to these messages meanwhile was told only with the flags (RFC 3501 6.4.6).
  if (!args.silent) view.told(result.rows);
  view.toldChange(result.modSeq);
  // Messages that are gone, though the client was not told: it may not think they were changed.
  const gone = uids.size - result.rows.length;
  if (by === "seq" && gone > 0 && result.rows.length === 0 && uids.size > 0) {
    throw no("The messages are gone", "EXPUNGEISSUED");
  }
  if (result.modified.isEmpty) return tellLimit(session, code);
  const modified = by === "uid"
    ? result.modified
    : RangeSet.from(result.modified.toArray().map((uid) => view.seqNum(uid)));
  return tellLimit(session, code, {
    code: `MODIFIED ${modified}`,
    text: "Some messages had changed",
  });
}

/**
 * Untagged FETCH for each message: its flags, or with .SILENT only the new mod-sequence, and that
 * only under CONDSTORE (RFC 7162 3.1.3). Messages that failed UNCHANGEDSINCE get their flags.
 */
async function writeResults(
  session: Session,
  view: View,
  rows: readonly FlagRow[],
  { flags, modified, modSeq }: {
    flags: boolean;
    modified: RangeSet;
    modSeq: ModSeq | undefined;
  },
): Promise<void> {
  const { out, modes } = session;
  for (const row of rows) {
    const hasFailed = !modified.isEmpty && modified.has(row.uid);
    const isChanged = row.modSeq === modSeq;
    if (flags || hasFailed) writeFlagsResponse(out, view, modes, row);
    else if (modes.condstore && isChanged) {
      writeFlagsResponse(out, view, modes, row, { flags: false });
    } else continue;
    const relieved = out.relieve();
    if (relieved) await relieved;
  }
}
