import type { RangeSet } from "../../base/mod.ts";
import type { Modes, Responder, View } from "../session.ts";

/** Longest set in one VANISHED line, in characters; clients bound their lines. */
const MAX_SET_LENGTH = 4000;

/**
 * Tells that messages are gone, as EXPUNGE with sequence numbers or, under QRESYNC and UIDONLY, as
 * VANISHED with UIDs (RFC 7162 3.2.10, RFC 9586 3.2). The caller then takes them out of the view.
 */
export function writeExpunges(out: Responder, view: View, modes: Modes, uids: RangeSet): void {
  // While the numbers of the messages still mean them (RFC 5267 4.3.4).
  for (const search of view.followed.values()) search.remove(out, view, modes, uids);
  if (modes.qresync || modes.uidOnly) {
    for (const set of splitSet(uids)) out.untagged(`VANISHED ${set}`);
    return;
  }
  // From the highest down, so that no number shifts before it was used.
  for (const uid of uids.toArray().reverse()) out.untagged(`${view.seqNum(uid)} EXPUNGE`);
}

/** The set in wire form, in pieces short enough for a line each. */
export function splitSet(uids: RangeSet): string[] {
  const lines: string[] = [];
  let line = "";
  for (const { first, last } of uids.ranges()) {
    const range = first === last ? `${first}` : `${first}:${last}`;
    if (line.length + range.length >= MAX_SET_LENGTH) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? range : `,${range}`;
  }
  if (line !== "") lines.push(line);
  return lines;
}
