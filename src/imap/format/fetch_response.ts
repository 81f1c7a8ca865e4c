import type { Uid } from "../../base/mod.ts";
import type { FlagRow } from "../../store/mod.ts";
import type { Modes, Responder, View } from "../session.ts";
import { writeFlags } from "./flags.ts";
import { announceKeywords } from "./keywords.ts";

/**
 * The beginning of a FETCH response, up to its first item: `* 3 FETCH (UID 7`, or `* 7 UIDFETCH (`
 * under UIDONLY (RFC 9586 3.1). Gives what separates it from the next item.
 */
export function beginFetch(out: Responder, view: View, modes: Modes, uid: Uid): "" | " " {
  if (modes.uidOnly) {
    out.writer.raw(`* ${uid} UIDFETCH (`);
    return "";
  }
  out.writer.raw(`* ${view.seqNum(uid)} FETCH (UID ${uid}`);
  return " ";
}

/** A FETCH response with the flags of a message, and its mod-sequence under CONDSTORE. */
export function writeFlagsResponse(
  out: Responder,
  view: View,
  modes: Modes,
  row: FlagRow,
  options: { flags: boolean } = { flags: true },
): void {
  if (options.flags) announceRowKeywords(out, view, row.keywords);
  const separator = beginFetch(out, view, modes, row.uid);
  const parts: string[] = [];
  if (options.flags) parts.push(`FLAGS ${flagsOf(row, view, modes)}`);
  if (modes.condstore) parts.push(`MODSEQ (${row.modSeq})`);
  out.writer.raw(`${separator}${parts.join(" ")})\r\n`);
}

/** The flags of a message as this session sees them. */
export function flagsOf(
  row: Pick<FlagRow, "uid" | "flags" | "keywords">,
  view: View,
  modes: Modes,
): string {
  return writeFlags(row.flags, row.keywords, !modes.rev2 && view.recent.has(row.uid));
}

/** Announces a message's keywords where they are new to the client. */
export function announceRowKeywords(out: Responder, view: View, keywords: string): void {
  if (keywords !== "") announceKeywords(out, view, keywords.split(" "));
}
