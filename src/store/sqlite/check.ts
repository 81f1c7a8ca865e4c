import { othersTurn } from "../../base/mod.ts";
import { parentNames, parseMailboxName } from "../mailbox_name.ts";
import type { AccountAccess } from "./account_access.ts";
import type { AccountFile } from "./account_file.ts";
import { countChunks, type Layout } from "./bodies.ts";
import { chunkFault, derivedFault } from "./check_contents.ts";
import { ACCOUNT_RULES, MAILBOX_RULES } from "./check_rules.ts";
import { type Database, isCorrupt } from "./database.ts";
import { damageOf } from "./rebuild.ts";

/** Breaches of one rule that are told before the rest of them is only counted as "more". */
const MAX_TOLD = 20;
const MORE = "(and more of the same)";
/** Contents looked at on one snapshot, if they are small: header and body. */
const CONTENT_PAGE = 50;
const MAX_SMALL_CHUNKS = 2;

/**
 * Proves the invariants of an account's database, each on one snapshot; mail may flow meanwhile.
 * Memory is bounded by a page of each query, and the event loop runs in between.
 */
export async function* checkAccount(account: AccountFile): AsyncGenerator<string> {
  for (const problem of damageOf(account.useDatabase(), MAX_TOLD)) {
    yield `the file is damaged: ${problem}`;
  }
  try {
    yield* checkRules(account);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    yield `the check could not go on: ${error.message}`;
  }
}

async function* checkRules(account: AccountAccess): AsyncGenerator<string> {
  yield* account.read(checkNames);
  for (const rule of ACCOUNT_RULES) {
    yield* told(account.read((db) => db.all<[string]>(`${rule} LIMIT ${MAX_TOLD + 1}`)));
    await othersTurn();
  }
  const mailboxes = account.read((db) => db.all<[number]>("SELECT id FROM mailbox"));
  for (const [id] of mailboxes) {
    for (const rule of MAILBOX_RULES) {
      yield* told(account.read((db) => db.all<[string]>(`${rule} LIMIT ${MAX_TOLD + 1}`, id)));
      await othersTurn();
    }
  }
  yield* checkContents(account);
  for (const problem of account.searchIndex.check()) yield `search index: ${problem}`;
}

function* told(breaches: readonly (readonly [string])[]): Generator<string> {
  for (const [breach] of breaches.slice(0, MAX_TOLD)) yield breach;
  if (breaches.length > MAX_TOLD) yield MORE;
}

function checkNames(db: Database): string[] {
  const breaches: string[] = [];
  const names = new Set(
    db.all<[string]>("SELECT name FROM mailbox ORDER BY name").map(([name]) => name),
  );
  if (!names.has("INBOX")) breaches.push("there is no INBOX");
  for (const name of names) {
    if (!isValid(name)) breaches.push(`mailbox ${name}: the name is not valid`);
    for (const parent of parentNames(name)) {
      if (!names.has(parent)) breaches.push(`mailbox ${name}: its parent ${parent} is missing`);
    }
  }
  for (const [name] of db.all<[string]>("SELECT name FROM subscription ORDER BY name")) {
    if (!isValid(name)) breaches.push(`subscription ${name}: the name is not valid`);
  }
  return breaches;
}

function isValid(name: string): boolean {
  try {
    return parseMailboxName(name) === name;
  } catch {
    return false;
  }
}

/** Reads every stored byte: each chunk is there, decodable, and as long as it should be. */
async function* checkContents(account: AccountAccess): AsyncGenerator<string> {
  let count = 0;
  for (let after = 0;;) {
    const { breaches, large, last } = account.read((db) => checkContentPage(db, after));
    for (const layout of large) {
      for (let number = 0; number < countChunks(layout); number++) {
        // A snapshot for each chunk, to bound the time: the content may be cleared away meanwhile.
        const fault = account.read((db) =>
          db.get("SELECT 1 FROM content WHERE id = ?", layout.contentId) &&
          chunkFault(db, layout, number)
        );
        if (fault) breaches.push(`content ${layout.contentId}: ${fault}`);
        await othersTurn();
      }
    }
    for (const breach of breaches) {
      if (++count <= MAX_TOLD) yield breach;
    }
    if (last === undefined) break;
    after = last;
    await othersTurn();
  }
  if (count > MAX_TOLD) yield MORE;
}

interface ContentPage {
  readonly breaches: string[];
  /** Contents of many chunks, not looked at yet. */
  readonly large: readonly Layout[];
  /** Where the next page begins; undefined at the end. */
  readonly last: number | undefined;
}

function checkContentPage(db: Database, after: number): ContentPage {
  const layouts = db.all<[number, number, number]>(
    "SELECT id, size, first_chunk_size FROM content WHERE id > ? ORDER BY id LIMIT ?",
    after,
    CONTENT_PAGE,
  ).map(([contentId, size, firstChunkSize]): Layout => ({ contentId, size, firstChunkSize }));
  const isLarge = (layout: Layout) => countChunks(layout) > MAX_SMALL_CHUNKS;
  const breaches = layouts.flatMap((layout) => {
    const chunks = isLarge(layout) ? 0 : countChunks(layout);
    return [
      derivedFault(db, layout.contentId),
      ...Array.from({ length: chunks }, (_, number) => chunkFault(db, layout, number)),
    ].filter((fault) => fault !== undefined)
      .map((fault) => `content ${layout.contentId}: ${fault}`);
  });
  return {
    breaches,
    large: layouts.filter(isLarge),
    last: layouts.at(-1)?.contentId,
  };
}
