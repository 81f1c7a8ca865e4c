import { RangeSet } from "../../base/mod.ts";
import {
  type ContentColumn,
  type FlagRow,
  type MessageRow,
  StoreError,
  SystemFlag,
} from "../../store/mod.ts";
import type { Reader, SequenceSet } from "../../wire/mod.ts";
import { command, type Completion, SELECTED } from "../command.ts";
import { flagsItem } from "../core_fetch_items.ts";
import { modSeqItem } from "../extensions/condstore.ts";
import { writeVanishedEarlier } from "../extensions/qresync.ts";
import type { FetchItem } from "../fetch_items.ts";
import type { FetchPlan } from "../fetch_modifiers.ts";
import { announceRowKeywords, beginFetch } from "../format/fetch_response.ts";
import { bad, ImapError, no, ResponseCut } from "../imap_error.ts";
import { checkMessageLimit, limitMessages, tellLimit } from "../message_limit.ts";
import type { Session, View } from "../session.ts";

/** FETCH (RFC 9051 6.4.5), with the modifiers of the registry (RFC 4466 2.4). */
export const fetchCommand = fetchForm("FETCH", "seq");
/** UID FETCH (RFC 9051 6.4.9). */
export const uidFetchCommand = fetchForm("UID FETCH", "uid");

interface FetchArguments {
  readonly set: SequenceSet;
  readonly plan: FetchPlan;
}

function fetchForm(name: string, by: "seq" | "uid") {
  return command<FetchArguments>({
    name,
    states: SELECTED,
    rfc: "RFC 9051 6.4.5",
    catchUp: by === "uid" ? "all" : "noExpunge",
    takesSequenceNumbers: by === "seq",
    parse(reader, session) {
      reader.space();
      const set = reader.sequenceSet();
      reader.space();
      const plan: FetchPlan = { by, items: readFetchItems(reader, session, { macros: true }) };
      if (reader.trySpace()) readModifiers(reader, session, plan);
      return { set, plan };
    },
    run,
  });
}

const MACROS: ReadonlyMap<string, readonly string[]> = new Map([
  ["FAST", ["FLAGS", "INTERNALDATE", "RFC822.SIZE"]],
  ["ALL", ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"]],
  ["FULL", ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"]],
]);

/** Reads one item, or several in parentheses; a macro stands alone (RFC 9051 9, `fetch`). */
export function readFetchItems(
  reader: Reader,
  session: Session,
  { macros }: { macros: boolean },
): FetchItem[] {
  const items = new Map<string, FetchItem>();
  const add = (item: FetchItem) => void items.set(item.key, item);
  if (reader.peek() === "(") {
    reader.list(() => add(readItem(reader.word(), reader, session)));
  } else {
    const word = reader.word();
    const macro = macros ? MACROS.get(word) : undefined;
    if (!macro) add(readItem(word, reader, session));
    for (const name of macro ?? []) add(readItem(name, reader, session));
  }
  return [...items.values()];
}

function readItem(name: string, reader: Reader, session: Session): FetchItem {
  const spec = session.registry.fetchItems.get(name);
  if (!spec) throw bad("Unknown FETCH item");
  return spec.parse(reader, session);
}

function readModifiers(reader: Reader, session: Session, plan: FetchPlan): void {
  const seen = new Set<string>();
  reader.list(() => {
    const name = reader.word();
    const spec = session.registry.fetchModifiers.get(name);
    if (!spec || seen.has(name)) throw bad("Unknown or repeated FETCH modifier");
    seen.add(name);
    spec.parse(reader, plan, session);
  });
  if (plan.vanished && plan.changedSince === undefined) throw bad("VANISHED needs CHANGEDSINCE");
}

async function run(
  session: Session,
  { set, plan }: FetchArguments,
): Promise<Completion | void> {
  const view = session.selected;
  if (plan.items.some((item) => item.enablesCondstore) || plan.changedSince !== undefined) {
    session.enableCondstore();
  }
  // What is gone must be known before VANISHED (EARLIER), which leaves the numbers alone.
  if (plan.vanished) await session.catchUp({ expunge: true });
  let uids = view.resolve(set, plan.by);
  if (plan.vanished) await writeVanishedEarlier(session, view, set, plan.changedSince ?? 0);
  if (plan.pick) {
    uids = plan.pick(uids);
    checkMessageLimit(session, uids.size);
  }
  const limited = limitMessages(session, uids);
  uids = limited.uids;
  if (uids.isEmpty) return;
  const failure = await fetchMessages(session, view, uids, plan);
  if (failure) throw failure;
  return tellLimit(session, limited.code);
}

/** Answers for each message; gives what went wrong with single items, if anything did. */
export async function fetchMessages(
  session: Session,
  view: View,
  uids: RangeSet,
  plan: FetchPlan,
): Promise<ImapError | undefined> {
  const columns = [...new Set<ContentColumn>(plan.items.flatMap((item) => item.columns))];
  const setsSeen = !view.isReadOnly && plan.items.some((item) => item.setsSeen);
  const { changedSince } = plan;
  const options = changedSince === undefined ? {} : { changedSince };
  const { store } = session.account;
  let failure: ImapError | undefined;
  let found = 0;
  for await (const page of store.fetchMessages(view.mailboxId, uids, columns, options)) {
    found += page.length;
    const seen = setsSeen ? await markSeen(session, view, page) : undefined;
    for (const row of page) {
      if (row.expunged && changedSince !== undefined) continue;
      const written = writeMessage(session, view, row, plan, seen?.get(row.uid));
      failure = (written instanceof Promise ? await written : written) ?? failure;
      const relieved = session.out.relieve();
      if (relieved) await relieved;
    }
  }
  if (changedSince === undefined && found < uids.size) {
    failure ??= no("Some of the messages are gone", "EXPUNGEISSUED");
  }
  return failure;
}

/**
 * Writes one response; gives what went wrong with an item, if anything did. Waits only for items
 * that do: thousands of messages are answered without one turn of the event loop each.
 */
function writeMessage(
  session: Session,
  view: View,
  row: MessageRow,
  plan: FetchPlan,
  seen: FlagRow | undefined,
): ImapError | undefined | Promise<ImapError | undefined> {
  const { out, modes } = session;
  const shown = seen ? { ...row, ...seen } : row;
  const items = seen ? withFlags(session, plan.items) : plan.items;
  if (items.some((item) => item.usesFlags)) announceRowKeywords(out, view, shown.keywords);
  const separator = beginFetch(out, view, modes, row.uid);
  return writeItems(session, shown, items, separator);
}

/** Writes `items` from number `from` on, and the end of the response. */
function writeItems(
  session: Session,
  row: MessageRow,
  items: readonly FetchItem[],
  separator: "" | " ",
  from = 0,
  failure?: ImapError,
): ImapError | undefined | Promise<ImapError | undefined> {
  const { out, modes } = session;
  for (let i = from; i < items.length; i++) {
    const item = items[i]!;
    // UID stands in front of every response already, except where UIDFETCH gives it.
    if (item.key === "UID" && !modes.uidOnly) continue;
    out.writer.raw(separator);
    separator = " ";
    try {
      const written = item.write(row, session);
      if (!written) continue;
      return written.then(() => failure, failureOf)
        .then((known) => writeItems(session, row, items, " ", i + 1, known));
    } catch (error) {
      failure = failureOf(error);
    }
  }
  out.writer.raw(")\r\n");
  return failure;
}

/** A refusal fails its item alone; anything else leaves half a response, which nothing can mend. */
function failureOf(error: unknown): ImapError {
  if (error instanceof ImapError) return error;
  throw new ResponseCut(error);
}

/** Flags that the FETCH itself changed are told in its own response (RFC 9051 6.4.5). */
function withFlags(session: Session, items: readonly FetchItem[]): readonly FetchItem[] {
  const wanted = session.modes.condstore ? [flagsItem, modSeqItem] : [flagsItem];
  return [...wanted.filter((item) => !items.some(({ key }) => key === item.key)), ...items];
}

/** Sets \Seen where it is not set; gives the flags of the messages that this changed. */
async function markSeen(
  session: Session,
  view: View,
  page: readonly MessageRow[],
): Promise<Map<number, FlagRow> | undefined> {
  const unseen = page.filter((row) => !row.expunged && !(row.flags & SystemFlag.seen));
  if (unseen.length === 0) return undefined;
  const uids = RangeSet.from(unseen.map((row) => row.uid));
  const { store } = session.account;
  try {
    const change = { mode: "add", flags: SystemFlag.seen, keywords: [] } as const;
    const { rows, modSeq } = await store.changeFlags(view.mailboxId, uids, change);
    // Only what is told with the answer: some were set to \Seen by somebody else meanwhile.
    const changed = rows.filter((row) => row.modSeq === modSeq);
    view.told(changed);
    view.toldChange(modSeq);
    return new Map(changed.map((row) => [row.uid, row]));
  } catch (error) {
    // A full disk is no reason not to let people read.
    if (error instanceof StoreError && error.code === "unavailable") return undefined;
    throw error;
  }
}
