import { type Modes, type Responder, writeExpunges } from "../imap/mod.ts";
import { announceKeywords, writeFlagsResponse } from "../imap/mod.ts";
import type { MessageChanges } from "../store/mod.ts";
import type { View } from "./view.ts";

/**
 * Moves the view forward over what others changed and writes the untagged responses that tell the
 * client so: expunges (unless they must wait), keywords before their use, flags, then new messages,
 * so that a number never refers to a message that the client does not know. `flags`: false passes
 * changes of flags over, as NOTIFY may ask for. Pure: no I/O.
 */
export function applyChanges(
  view: View,
  changes: MessageChanges,
  modes: Modes,
  out: Responder,
  options: { expunge: boolean; flags: boolean },
): void {
  if (!changes.mailbox) {
    view.isDeleted = true;
    return;
  }
  view.name = changes.mailbox.name;
  view.pendingExpunges = view.pendingExpunges.union(changes.expunged.intersect(view.uids));
  if (options.expunge && !view.pendingExpunges.isEmpty) {
    writeExpunges(out, view, modes, view.pendingExpunges);
    view.forget(view.pendingExpunges);
  }
  announceKeywords(out, view, changes.mailbox.keywords);
  for (const row of changes.changed) {
    if (!view.uids.has(row.uid) || view.knows(row)) continue;
    if (options.flags) writeFlagsResponse(out, view, modes, row);
    else view.skippedFlags ??= view.cursor;
  }
  addNew(view, changes, modes, out);
  view.advance(changes.cursor, !changes.more);
  const hasToldAll = !changes.more && view.pendingExpunges.isEmpty && !view.skippedFlags;
  if (hasToldAll) view.modSeq = changes.mailbox.modSeq;
}

function addNew(view: View, changes: MessageChanges, modes: Modes, out: Responder): void {
  if (changes.appended.length === 0) return;
  view.add(changes.appended.map((row) => row.uid), changes.recent);
  out.untagged(`${view.uids.size} EXISTS`);
  if (!modes.rev2) out.untagged(`${view.recent.size} RECENT`);
}
