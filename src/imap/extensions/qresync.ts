import { RangeSet } from "../../base/mod.ts";
import { type Reader, resolveSequenceSet, type SequenceSet } from "../../wire/mod.ts";
import type { Extension } from "../extension.ts";
import type { FetchModifierSpec } from "../fetch_modifiers.ts";
import { splitSet } from "../format/expunge.ts";
import { writeFlagsResponse } from "../format/fetch_response.ts";
import { bad } from "../imap_error.ts";
import type { Session, View } from "../session.ts";

/** Argument of SELECT's QRESYNC parameter (RFC 7162 3.2.5). */
export interface QresyncParameters {
  readonly uidValidity: number;
  readonly modSeq: number;
  /** UIDs that the client has; undefined: all up to UIDNEXT - 1. */
  readonly knownUids: SequenceSet | undefined;
  /** Sequence numbers and the UIDs that the client thinks they have (RFC 7162 3.2.5.2). */
  readonly match: { readonly numbers: RangeSet; readonly uids: RangeSet } | undefined;
}

/** Reads ` (uidvalidity modseq [known-uids] [(numbers uids)])`. */
export function readQresync(reader: Reader): QresyncParameters {
  reader.space();
  reader.char("(");
  const uidValidity = reader.nonZeroNumber();
  reader.space();
  const modSeq = reader.number64();
  if (modSeq === 0) throw bad("The mod-sequence of QRESYNC is above 0");
  let knownUids: SequenceSet | undefined;
  let match: QresyncParameters["match"];
  let hasSpace = reader.trySpace();
  if (hasSpace && reader.peek() !== "(") {
    knownUids = readKnownSet(reader);
    hasSpace = reader.trySpace();
  }
  if (hasSpace) {
    reader.char("(");
    const numbers = readKnownSet(reader);
    reader.space();
    const uids = readKnownSet(reader);
    reader.char(")");
    match = { numbers: resolveSequenceSet(numbers, 0), uids: resolveSequenceSet(uids, 0) };
    if (match.numbers.size !== match.uids.size) throw bad("As many numbers as UIDs are needed");
  }
  reader.char(")");
  return { uidValidity, modSeq, knownUids, match };
}

/** A set without `*` and `$` (RFC 7162 7, `known-uids`). */
function readKnownSet(reader: Reader) {
  const set = reader.sequenceSet();
  if (set === "$" || set.some(({ first, last }) => first === "*" || last === "*")) {
    throw bad("* and $ are not allowed in QRESYNC");
  }
  return set;
}

/** What changed since the client was last here: VANISHED (EARLIER), then flags. */
export async function resynchronize(
  session: Session,
  view: View,
  parameters: QresyncParameters,
): Promise<void> {
  const { out, modes, account } = session;
  const known = parameters.knownUids ?? ALL_UIDS;
  const beyond = highestMatch(view, parameters.match);
  await writeVanishedEarlier(session, view, known, parameters.modSeq, beyond);
  const uids = resolveKnown(known).intersect(view.uids);
  const options = { changedSince: parameters.modSeq };
  for await (const page of account.store.fetchMessages(view.mailboxId, uids, [], options)) {
    for (const row of page) if (!row.expunged) writeFlagsResponse(out, view, modes, row);
    await out.relieve();
  }
}

const ALL_UIDS: SequenceSet = [{ first: 1, last: 0xffff_ffff }];

function resolveKnown(set: SequenceSet): RangeSet {
  return set === "$" ? new RangeSet() : resolveSequenceSet(set, 0);
}

/**
 * The highest UID up to which the client knows every expunge, because its number and UID match
 * (RFC 7162 3.2.5.2); 0 when none does.
 */
function highestMatch(view: View, match: QresyncParameters["match"]): number {
  if (!match) return 0;
  const uids = match.uids[Symbol.iterator]();
  let highest = 0;
  for (const number of match.numbers) {
    const uid = uids.next().value!;
    if (number > view.uids.size) break;
    if (view.uids.at(number - 1) !== uid) break;
    highest = uid;
  }
  return highest;
}

/**
 * VANISHED (EARLIER) with those UIDs of `set` that are gone since `modSeq` (RFC 7162 3.2.10.1),
 * only above `beyond`. When history does not reach back so far, all UIDs of the set that do not
 * exist are named.
 */
export async function writeVanishedEarlier(
  session: Session,
  view: View,
  set: SequenceSet,
  modSeq: number,
  beyond = 0,
): Promise<void> {
  const { store } = session.account;
  const mailbox = await store.findMailbox(view.name);
  const last = (mailbox?.uidNext ?? 1) - 1;
  if (last <= beyond) return;
  // `*` reaches to the highest UID ever given: messages at the end may have vanished too.
  const asked = set === "$" ? view.savedResult : resolveSequenceSet(set, last);
  const within = asked.intersect(RangeSet.range(beyond + 1, last)).difference(view.uids);
  if (within.isEmpty) return;
  const expunged = await store.expungedSince(view.mailboxId, modSeq, within);
  const gone = expunged === "resync" ? within : expunged;
  for (const piece of splitSet(gone)) session.out.untagged(`VANISHED (EARLIER) ${piece}`);
}

/** VANISHED (RFC 7162 3.2.6): only in UID FETCH, with CHANGEDSINCE, and once QRESYNC is enabled. */
const vanished: FetchModifierSpec = {
  name: "VANISHED",
  parse(_reader, plan, session) {
    if (plan.by !== "uid") throw bad("VANISHED is for UID FETCH");
    if (!session.modes.qresync) throw bad("Enable QRESYNC first");
    plan.vanished = true;
  },
};

/** Quick mailbox resynchronisation (RFC 7162 3.2). */
export const qresync: Extension = {
  rfc: [7162],
  title: "QRESYNC: what changed and vanished, in one SELECT",
  capabilities: [{ name: "QRESYNC", when: "afterLogin" }],
  enables: [{ name: "QRESYNC", implies: ["CONDSTORE"] }],
  fetchModifiers: [vanished],
};
