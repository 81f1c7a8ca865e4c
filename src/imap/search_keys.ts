import { RangeSet } from "../base/mod.ts";
import type { Predicate } from "../store/mod.ts";
import { type Reader, resolveSequenceSet, WireError } from "../wire/mod.ts";
import { no } from "./imap_error.ts";
import { MAX_SEARCH_DEPTH, MAX_SEARCH_KEYS } from "./limits.ts";
import { readSearchText, searchDecoder } from "./search_text.ts";
import type { Session, View } from "./session.ts";

/** What the numbers in a search refer to: those of a view, or of a mailbox not selected. */
export interface SearchNumbers {
  /** UIDs of the messages; position + 1 is the sequence number. */
  readonly uids: RangeSet;
  /** UIDs that are \Recent in this session. */
  readonly recent: RangeSet;
  /** What `$` means; undefined for a mailbox that is not selected. */
  readonly savedResult: RangeSet | undefined;
}

/** The numbers of the selected mailbox. */
export function numbersOfView(view: View): SearchNumbers {
  return { uids: view.uids, recent: view.recent, savedResult: view.savedResult };
}

/** What search keys may depend on while they are parsed, and what they leave behind. */
export class SearchContext {
  readonly session: Session;
  /** Seconds since 1970: one "now" for all keys. */
  readonly nowSeconds: number;
  /** Set by MODSEQ: the answer then tells the highest mod-sequence (RFC 7162 3.1.5). */
  usesModSeq = false;
  /** Message sequence numbers occur, so EXPUNGE must wait (RFC 9051 7.5.1, RFC 7162 3.2.10). */
  usesSequenceNumbers = false;
  /** FUZZY occurs: only then there is RELEVANCY (RFC 6203 4). */
  isFuzzy = false;
  /** Keys that are matched fuzzily, in their exact form. */
  readonly fuzzyKeys: Predicate[] = [];
  /** `$` occurs. */
  usesSavedResult = false;
  #keys = 0;
  #depth = 0;
  readonly #decoder: TextDecoder;
  readonly #byNumbers = new Map<Predicate, NumberKey>();

  /** `decoder`: of the strings in the search, see `searchDecoder`. */
  constructor(session: Session, decoder: TextDecoder) {
    this.session = session;
    this.nowSeconds = Math.floor(session.now() / 1000);
    this.#decoder = decoder;
  }

  /** Reads a search text in the charset of this search. */
  text(reader: Reader): string {
    return readSearchText(reader, this.#decoder);
  }

  /**
   * A predicate for the messages that `resolve` gives, asked once for each mailbox that is searched
   * since numbers mean something else in each. `isFixed`: it means the same messages for ever.
   */
  byNumbers(
    resolve: (numbers: SearchNumbers) => RangeSet,
    { isFixed = false }: { isFixed?: boolean } = {},
  ): Predicate {
    const placeholder: Predicate = { op: "uid", set: new RangeSet() };
    this.#byNumbers.set(placeholder, { resolve, isFixed });
    return placeholder;
  }

  /** Reads a key with `read`, counting how many and how deep they are. */
  key(read: () => Predicate): Predicate {
    if (++this.#keys > MAX_SEARCH_KEYS) throw no("The search has too many keys", "LIMIT");
    if (++this.#depth > MAX_SEARCH_DEPTH) throw no("The search is nested too deep", "LIMIT");
    const key = read();
    this.#depth--;
    return key;
  }

  /** Whether the numbers of a mailbox are needed for `bind`. */
  get needsNumbers(): boolean {
    return this.#byNumbers.size > 0;
  }

  /** `predicate` for the mailbox whose numbers are given. */
  bind(predicate: Predicate, numbers: SearchNumbers): Predicate {
    return this.#bind(predicate, numbers, () => true);
  }

  /**
   * Binds what is said of messages once and for all, such as sequence numbers (RFC 5267 4.3), and
   * leaves what may mean others later, such as `UID 7:*`. `isBound`: nothing is left.
   */
  freeze(
    predicate: Predicate,
    numbers: SearchNumbers,
  ): { predicate: Predicate; isBound: boolean } {
    const isBound = [...this.#byNumbers.values()].every(({ isFixed }) => isFixed);
    return { predicate: this.#bind(predicate, numbers, ({ isFixed }) => isFixed), isBound };
  }

  #bind(
    predicate: Predicate,
    numbers: SearchNumbers,
    isMeant: (key: NumberKey) => boolean,
  ): Predicate {
    if (!this.needsNumbers) return predicate;
    const key = this.#byNumbers.get(predicate);
    if (key) return isMeant(key) ? { op: "uid", set: key.resolve(numbers) } : predicate;
    switch (predicate.op) {
      case "and":
      case "or": {
        const of = predicate.of.map((part) => this.#bind(part, numbers, isMeant));
        return { op: predicate.op, of };
      }
      case "not":
        return { op: "not", of: this.#bind(predicate.of, numbers, isMeant) };
      default:
        return predicate;
    }
  }
}

interface NumberKey {
  readonly resolve: (numbers: SearchNumbers) => RangeSet;
  readonly isFixed: boolean;
}

/** A parsed `search-program` (RFC 9051 9). */
export interface SearchProgram {
  readonly context: SearchContext;
  /** To be bound to the numbers of the mailbox that is searched. */
  readonly predicate: Predicate;
}

/** Reads `[CHARSET charset SP] key *(SP key)`. Throws NO [BADCHARSET] as well as WireError. */
export function parseSearchProgram(reader: Reader, session: Session): SearchProgram {
  let charset = "UTF-8";
  if (reader.tryExactWord("CHARSET")) {
    // RFC 6855 3: all strings are UTF-8 then, and a second label could only contradict.
    if (session.modes.utf8) throw new WireError("CHARSET is not for use with UTF8=ACCEPT");
    reader.space();
    charset = reader.astring();
    reader.space();
  }
  const context = new SearchContext(session, searchDecoder(charset));
  return { context, predicate: parseSearchKeys(reader, context) };
}

/** Reads keys separated by spaces, all of which must match, up to the end or a ")". */
export function parseSearchKeys(reader: Reader, context: SearchContext): Predicate {
  const keys = [parseSearchKey(reader, context)];
  while (reader.trySpace()) keys.push(parseSearchKey(reader, context));
  return join("and", keys);
}

/**
 * Reads one key: a sequence set, keys in parentheses, or a key of the registry. Throws NO [LIMIT]
 * beyond MAX_SEARCH_KEYS or MAX_SEARCH_DEPTH.
 */
export function parseSearchKey(reader: Reader, context: SearchContext): Predicate {
  return context.key(() => {
    if (reader.tryChar("(")) {
      const keys = parseSearchKeys(reader, context);
      reader.char(")");
      return keys;
    }
    if (/[\d*$]/.test(reader.peek())) return parseSequenceKey(reader, context);
    const spec = context.session.registry.searchKeys.get(reader.word());
    if (!spec) throw new WireError("Unknown SEARCH key");
    return spec.parse(reader, context);
  });
}

/** All or any of `parts`, without needless depth: what clients nest is mostly a flat list. */
export function join(op: "and" | "or", parts: readonly Predicate[]): Predicate {
  const of = parts.flatMap((part) => part.op === op ? part.of : [part]);
  return of.length === 1 ? of[0]! : { op, of };
}

/** `$`, in place of sequence numbers or UIDs (RFC 9051 6.4.4.1). */
export function savedResultKey(context: SearchContext): Predicate {
  context.usesSavedResult = true;
  return context.byNumbers(({ savedResult }) => {
    if (!savedResult) throw no("$ means nothing in a mailbox that is not selected");
    return savedResult;
  }, { isFixed: true });
}

/** Messages by sequence number; numbers above the last match nothing (RFC 7377 2). */
function parseSequenceKey(reader: Reader, context: SearchContext): Predicate {
  const set = reader.sequenceSet();
  if (set === "$") return savedResultKey(context);
  if (context.session.modes.uidOnly) throw new WireError("Use UID in searches", "UIDREQUIRED");
  context.usesSequenceNumbers = true;
  return context.byNumbers(
    ({ uids }) => uids.select(resolveSequenceSet(set, uids.size)),
    { isFixed: true },
  );
}
