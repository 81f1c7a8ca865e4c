import {
  type MailboxId,
  MAX_UINT32,
  type ModSeq,
  othersTurn,
  type Range,
  RangeSet,
} from "../../base/mod.ts";
import type { SearchOptions, SearchResult } from "../account_store.ts";
import type { Predicate } from "../predicate.ts";
import type { AccountAccess } from "./account_access.ts";
import type { Database, Row, Value } from "./database.ts";
import { checkMailboxExists } from "./mailbox_record.ts";
import type { Candidates, SearchIndex } from "./search_index.ts";
import { decide, type Decision, planSearch, type SearchPlan } from "./search_plan.ts";
import { readSearchTexts, type SearchText } from "./search_text.ts";

/** Longest time that a search keeps the event loop, but for one page. */
const SLICE_MS = 5;
/** Rows read at once: where only the index is looked at, and where texts are. */
const INDEX_PAGE = 2000;
const TEXT_PAGE = 64;
/** Ranges of UIDs given to one query. */
const PAGE_RANGES = 500;
/** Needles of one search that are looked up; the others only decide when messages are verified. */
const MAX_LOOKUPS = 64;
/** With a longer unindexed tail than this its messages are not told apart from the others. */
const MAX_TAIL = 50_000;

const NO_TEXT: SearchText = { header: "\n", body: "" };

type MatchRow =
  & readonly [uid: number, modSeq: number, contentId: number, ...columns: Value[]]
  & Row;

/**
 * UIDs of the mailbox's messages that `predicate` is true of. Text is looked up in the index first
 * and what that leaves is compared with the stored text, so that the answer is that of a scan. The
 * event loop runs in between; messages that come meanwhile may or may not be among the answer.
 * Throws StoreError "mailbox-not-found", and the signal's reason.
 */
export async function searchMessages(
  account: AccountAccess,
  mailboxId: MailboxId,
  predicate: Predicate,
  options: SearchOptions = {},
): Promise<SearchResult> {
  options.signal?.throwIfAborted();
  const plan = planSearch(predicate, account.read(() => account.objectPrefix()));
  const { within, total } = account.read((mail) => {
    checkMailboxExists(mail, mailboxId);
    return narrow(mail, account.searchIndex, mailboxId, plan, options);
  });
  const found = new RangeSet();
  let highest = 0;
  let done = 0;
  let rest = within;
  for (let sliceEnd = performance.now() + SLICE_MS; !rest.isEmpty;) {
    const page = account.read((mail) => {
      checkMailboxExists(mail, mailboxId);
      return readPage(mail, mailboxId, plan, rest, options.only === "max");
    });
    for (const [uid, modSeq] of page.matches) {
      found.add(uid);
      highest = Math.max(highest, modSeq);
      if (options.only) break;
    }
    if (options.only && !found.isEmpty) break;
    rest = page.rest;
    done += page.looked;
    if (performance.now() > sliceEnd && !rest.isEmpty) {
      options.onProgress?.(Math.min(done, total), total);
      await othersTurn();
      options.signal?.throwIfAborted();
      sliceEnd = performance.now() + SLICE_MS;
    }
  }
  return { uids: found, modSeq: highest === 0 ? undefined : highest as ModSeq };
}

/** The UIDs to look at, and how many messages they are at most. */
function narrow(
  mail: Database,
  index: SearchIndex,
  mailboxId: MailboxId,
  plan: SearchPlan,
  options: SearchOptions,
): { within: RangeSet; total: number } {
  let within = options.within ?? RangeSet.range(1, MAX_UINT32);
  const known = new Map<string, RangeSet | undefined>();
  const candidates = plan.decision &&
    candidateUids(plan.decision, false, (needle) => {
      if (!known.has(needle) && known.size < MAX_LOOKUPS) {
        const found = index.candidates(needle);
        known.set(needle, found && uidsOf(mail, mailboxId, found));
      }
      return known.get(needle);
    });
  if (candidates) within = within.intersect(candidates);
  const messages = mail.number("SELECT messages FROM mailbox WHERE id = ?", mailboxId);
  return { within, total: Math.min(messages, within.size) };
}

/** UIDs outside of which `decision` is false (or true, when negated); undefined: unknown. */
function candidateUids(
  decision: Decision,
  isNegated: boolean,
  lookUp: (needle: string) => RangeSet | undefined,
): RangeSet | undefined {
  switch (decision.kind) {
    case "column":
    case "words":
      return undefined;
    case "uid":
      return isNegated ? undefined : decision.set;
    case "text":
      return isNegated ? undefined : lookUp(decision.needle);
    case "not":
      return candidateUids(decision.of, !isNegated, lookUp);
    case "and":
    case "or": {
      const isAll = (decision.kind === "and") !== isNegated;
      let united: RangeSet | undefined;
      for (const it of decision.of) {
        const part = candidateUids(it, isNegated, lookUp);
        if (!part) {
          if (isAll) continue;
          return undefined;
        }
        united = united ? isAll ? united.intersect(part) : united.union(part) : part;
        if (isAll && united.isEmpty) break;
      }
      return united ?? (isAll ? undefined : new RangeSet());
    }
    default:
      return decision satisfies never;
  }
}

/** Messages of the mailbox with one of the contents, or with one that is not indexed. */
function uidsOf(
  mail: Database,
  mailboxId: MailboxId,
  { contentIds, through }: Candidates,
): RangeSet | undefined {
  const tail = mail.all<[number]>(
    "SELECT uid FROM message WHERE content_id > ? AND mailbox_id = ? LIMIT ?",
    through,
    mailboxId,
    MAX_TAIL + 1,
  );
  if (tail.length > MAX_TAIL) return undefined;
  const indexed = mail.all<[number]>(
    `SELECT m.uid FROM json_each(?) AS j CROSS JOIN message AS m
     WHERE m.content_id = j.value AND m.mailbox_id = ?`,
    JSON.stringify(contentIds),
    mailboxId,
  );
  return RangeSet.from([...indexed, ...tail].map(([uid]) => uid).sort((a, b) => a - b));
}

interface Page {
  readonly matches: readonly (readonly [uid: number, modSeq: number])[];
  /** Messages that were looked at. */
  readonly looked: number;
  /** What is still to be looked at. */
  readonly rest: RangeSet;
}

/** Looks at the next messages of `within`, from its low or its high end. */
function readPage(
  mail: Database,
  mailboxId: MailboxId,
  plan: SearchPlan,
  within: RangeSet,
  isDescending: boolean,
): Page {
  const size = plan.needsHeader || plan.needsBody ? TEXT_PAGE : INDEX_PAGE;
  const ranges = endRanges(within, isDescending);
  const columns = plan.columns.map(({ sql }) => `, ${sql}`).join("");
  const rows = mail.all<MatchRow>(
    `SELECT m.uid, m.modseq, m.content_id${columns}
     FROM json_each(?) AS j CROSS JOIN message AS m
     WHERE m.mailbox_id = ? AND m.uid BETWEEN j.value ->> 0 AND j.value ->> 1 AND ${plan.where.sql}
     ORDER BY m.uid${isDescending ? " DESC" : ""} LIMIT ?`,
    ...plan.columns.flatMap(({ values }) => values),
    JSON.stringify(ranges.map(({ first, last }) => [first, last])),
    mailboxId,
    ...plan.where.values,
    size,
  );
  const matches = plan.decision ? verified(mail, plan, plan.decision, rows) : rows;
  const lastRow = rows.length === size ? rows.at(-1)?.[0] : undefined;
  const lastRange = ranges.at(-1);
  const reached = lastRow ?? (isDescending ? lastRange?.first : lastRange?.last) ?? 0;
  const seen = isDescending
    ? RangeSet.range(Math.max(1, reached), MAX_UINT32)
    : RangeSet.range(1, reached);
  return {
    matches: matches.map(([uid, modSeq]) => [uid, modSeq]),
    looked: rows.length,
    rest: within.difference(seen),
  };
}

/** The first ranges of a set in the order of the search. */
function endRanges(set: RangeSet, isDescending: boolean): Range[] {
  const ranges: Range[] = [];
  if (isDescending) {
    for (const range of [...set.ranges()].slice(-PAGE_RANGES).reverse()) ranges.push(range);
    return ranges;
  }
  for (const range of set.ranges()) {
    ranges.push(range);
    if (ranges.length === PAGE_RANGES) break;
  }
  return ranges;
}

/** Those of `rows` that `decision` is true of; texts are read together, and only where needed. */
function verified(
  mail: Database,
  plan: SearchPlan,
  decision: Decision,
  rows: readonly MatchRow[],
): MatchRow[] {
  const undecided = new Set<number>();
  const outcomes = rows.map(([uid, , contentId, ...columns]) => {
    let needsText = false;
    const isMatch = decide(decision, uid, columns, () => {
      needsText = true;
      return NO_TEXT;
    });
    if (needsText) undecided.add(contentId);
    return needsText ? undefined : isMatch;
  });
  const texts = undecided.size === 0
    ? new Map<number, SearchText>()
    : readSearchTexts(mail, [...undecided], { header: plan.needsHeader, body: plan.needsBody });
  return rows.filter(([uid, , contentId, ...columns], i) =>
    outcomes[i] ?? decide(decision, uid, columns, () => texts.get(contentId) ?? NO_TEXT)
  );
}
