import { RangeSet } from "../base/mod.ts";
import type { Predicate } from "../store/mod.ts";
import type { Completion } from "./command.ts";
import { no } from "./imap_error.ts";
import type { Session } from "./session.ts";

/** Messages that one command may touch, where the host limits them (RFC 9738). */
export interface Limited {
  readonly uids: RangeSet;
  /** MESSAGELIMIT, when messages were left out; names the lowest UID that was not. */
  readonly code: string | undefined;
}

/** The newest of `uids`, as many as one command may touch. */
export function limitMessages({ limits }: Session, uids: RangeSet): Limited {
  const { messageLimit } = limits;
  if (messageLimit === undefined || uids.size <= messageLimit) return { uids, code: undefined };
  const newest = uids.slice(uids.size - messageLimit, uids.size);
  return { uids: newest, code: `MESSAGELIMIT ${messageLimit} ${newest.first}` };
}

/** Throws NO [MESSAGELIMIT] when a command that is done whole or not at all touches too many. */
export function checkMessageLimit({ limits }: Session, count: number): void {
  check(limits.messageLimit, count);
}

/** Throws NO [MESSAGELIMIT] when a command would put too many messages into a mailbox. */
export function checkSaveLimit({ limits }: Session, count: number): void {
  check(Math.min(limits.messageLimit ?? Infinity, limits.saveLimit ?? Infinity), count);
}

function check(limit = Infinity, count: number): void {
  if (count <= limit) return;
  throw no(`One command may be for at most ${limit} messages`, `MESSAGELIMIT ${limit}`);
}

/** `completion` with the code of the limit, or that in a response of its own beside another code. */
export function tellLimit(
  session: Session,
  code: string | undefined,
  completion: Completion = {},
): Completion {
  if (code === undefined) return completion;
  if (completion.code === undefined) return { text: TEXT, ...completion, code };
  session.out.untagged(`NO [${code}] ${TEXT}`);
  return completion;
}

const TEXT = "Only the newest messages were taken";

/** Messages of `known` that a search looks at: those that all of its numbers and UIDs name. */
export function addressedBy(predicate: Predicate, known: RangeSet): RangeSet {
  if (predicate.op === "uid") return known.intersect(predicate.set);
  if (predicate.op !== "and") return known;
  return predicate.of.reduce((uids, it) => it.op === "uid" ? uids.intersect(it.set) : uids, known);
}
