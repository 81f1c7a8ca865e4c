import type { RangeSet } from "../base/mod.ts";
import type { Predicate } from "../store/mod.ts";
import { MAX_LIST_ITEMS, type Reader, resolveSequenceSet, WireError } from "../wire/mod.ts";
import type { Session } from "./session.ts";

/** The numbers that a search's sets refer to: those of a view, or of a mailbox not selected. */
export interface SearchNumbers {
  readonly uids: RangeSet;
  /** What `$` means; undefined where it means nothing (RFC 7377 2.1). */
  readonly savedResult: RangeSet | undefined;
}

/** What a SEARCH key may depend on while it is parsed. */
export interface SearchContext {
  readonly session: Session;
  readonly numbers: SearchNumbers;
  /** Set by MODSEQ: the answer then tells the highest mod-sequence (RFC 7162 3.1.5). */
  usesModSeq: boolean;
}

/** Reads a search program: keys separated by spaces, up to the end of the command or a ")". */
export function parseSearchProgram(reader: Reader, context: SearchContext): Predicate {
  const keys = [parseSearchKey(reader, context)];
  while (reader.trySpace()) {
    if (keys.length === MAX_LIST_ITEMS) throw new WireError("Too many search keys");
    keys.push(parseSearchKey(reader, context));
  }
  return keys.length === 1 ? keys[0]! : { op: "and", of: keys };
}

/** Reads one key: a sequence set, a program in parentheses, or a key of the registry. */
export function parseSearchKey(reader: Reader, context: SearchContext): Predicate {
  // Keys nest without parentheses too (NOT NOT NOT …), so all depth is counted here.
  return reader.nested(() => {
    if (reader.tryChar("(")) {
      const program = parseSearchProgram(reader, context);
      reader.char(")");
      return program;
    }
    if (/[\d*$]/.test(reader.peek())) return parseSequenceKey(reader, context);
    const spec = context.session.registry.searchKeys.get(reader.word());
    if (!spec) throw new WireError("Unknown SEARCH key");
    return spec.parse(reader, context);
  });
}

/** Messages by sequence number; numbers above the last match nothing (RFC 9051 6.4.4). */
function parseSequenceKey(reader: Reader, { session, numbers }: SearchContext): Predicate {
  const set = reader.sequenceSet();
  if (set === "$") {
    if (!numbers.savedResult) throw new WireError("$ has no meaning here");
    return { op: "uid", set: numbers.savedResult };
  }
  if (session.modes.uidOnly) throw new WireError("Use UID in searches", "UIDREQUIRED");
  const { uids } = numbers;
  const positions = resolveSequenceSet(set, uids.size);
  return { op: "uid", set: uids.select(positions) };
}
