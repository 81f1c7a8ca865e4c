import type { MailboxId, RangeSet } from "../base/mod.ts";
import { fuzzyWords, type Predicate } from "../store/mod.ts";
import type { Session } from "./session.ts";

/** Scores of messages by UID: 1 to 100 (RFC 6203 4). */
export type Scores = ReadonlyMap<number, number>;

/**
 * How relevant the messages `uids` are to the fuzzy keys of a search, each given in its exact form.
 * A key counts more the better it matches: its words, its text as it is, and for TEXT the same of
 * the subject; the score is the mean over the keys. Without keys that are text all score 100.
 */
export async function scoreMessages(
  session: Session,
  mailbox: MailboxId,
  uids: RangeSet,
  keys: readonly Predicate[],
): Promise<Scores> {
  const { store } = session.account;
  const { signal } = session;
  const sums = new Map<number, number>();
  for (const uid of uids) sums.set(uid, keys.length === 0 ? 1 : 0);
  for (const key of keys) {
    const levels = levelsOf(key);
    const reached = new Map<number, number>();
    for (const [i, level] of levels.entries()) {
      const found = await store.search(mailbox, level, { within: uids, signal });
      for (const uid of found.uids) reached.set(uid, (i + 1) / levels.length);
    }
    for (const [uid, share] of reached) sums.set(uid, (sums.get(uid) ?? 0) + share / keys.length);
  }
  return new Map([...sums].map(([uid, sum]) => [uid, Math.max(1, Math.round(100 * sum))]));
}

/** What a key may match, from the least to the most relevant. */
function levelsOf(key: Predicate): readonly Predicate[] {
  if (key.op !== "text") return [loosened(key), key];
  const subject = { op: "header", name: "SUBJECT", value: key.value } as const;
  return [loosened(key), key, loosened(subject), subject];
}

/** The fuzzy form of a key about text that has words; any other as it is. */
export function loosened(key: Predicate): Predicate {
  if (key.op !== "header" && key.op !== "body" && key.op !== "text") return key;
  const words = fuzzyWords(key.value);
  if (words.length === 0) return key;
  switch (key.op) {
    case "header":
      return { op: "fuzzyHeader", name: key.name, words };
    case "body":
      return { op: "fuzzyBody", words };
    case "text":
      return { op: "fuzzyText", words };
  }
}
