import type { Database } from "./database.ts";
import type { SearchText } from "./search_text.ts";

/** Characters of a needle that are asked for; more would not narrow the candidates much. */
const MAX_QUERY_CHARACTERS = 34;
/** UTF-16 units of one row of the index, so that no single insert takes long. */
const PIECE_LENGTH = 64 * 1024;
/** Rows of one content: row = content * PIECES + piece. */
export const PIECES = 64;
/** Trigrams that a needle of one or two characters may stand for. */
const MAX_TERMS = 200;
/** With more candidates than this the index saves nothing and the messages are scanned. */
const MAX_CANDIDATES = 20_000;

/** The tables of the index, in an empty database. */
export function createTrigrams(db: Database): void {
  db.exec(`
    CREATE VIRTUAL TABLE trigram USING fts5 (
      text, content = '', contentless_delete = 1, detail = none,
      tokenize = 'trigram case_sensitive 1'
    );
    -- The trigrams there are, and in how many rows.
    CREATE VIRTUAL TABLE term USING fts5vocab ('trigram', 'row');
    -- Merged by ourselves, a few pages at a time, because FTS5 would do many at once.
    INSERT INTO trigram (trigram, rank) VALUES ('automerge', 0);
    INSERT INTO trigram (trigram, rank) VALUES ('crisismerge', 1000);
  `);
}

/** The text in pieces, each overlapping the next by as much as is asked for of a needle. */
export function piecesOf({ header, body }: SearchText): string[] {
  // Two characters more, so that every character of the text begins a trigram.
  const text = header + body + "\n\n";
  const length = Math.max(PIECE_LENGTH, Math.ceil(text.length / PIECES));
  // In UTF-16 units twice as long; a character cut in two is whole in the other piece.
  const overlap = 2 * MAX_QUERY_CHARACTERS;
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += length) {
    pieces.push(text.slice(at, at + length + overlap));
  }
  return pieces;
}

/** In SQL and not as a parameter: numbers are bound as REAL, and would be divided as such. */
export function contentOf(row: string): string {
  return `${row} / ${PIECES}`;
}

/**
 * Contents that have every trigram of `needle` near each other; undefined when the index cannot
 * tell, or when they are too many to be worth it.
 */
export function findContents(db: Database, needle: string): number[] | undefined {
  const trigrams = trigramsOf(needle);
  const query = trigrams?.length === 0
    ? matchBeginning(db, needle)
    : trigrams && matchAll(trigrams);
  if (query === undefined) return undefined;
  const found = db.all<[number]>(
    `SELECT DISTINCT ${contentOf("rowid")} FROM trigram WHERE trigram MATCH ? LIMIT ?`,
    query,
    MAX_CANDIDATES + 1,
  );
  return found.length > MAX_CANDIDATES ? undefined : found.map(([id]) => id);
}

/** Trigrams of a needle, none when it is short; undefined for what the index knows nothing of. */
function trigramsOf(needle: string): string[] | undefined {
  // FTS5 knows no NUL, and half a character would be another one there.
  if (needle === "" || needle.includes("\0") || !needle.isWellFormed()) return undefined;
  const characters = Array.from(needle.slice(0, 2 * MAX_QUERY_CHARACTERS))
    .slice(0, MAX_QUERY_CHARACTERS);
  const trigrams = new Set<string>();
  for (let at = 0; at + 3 <= characters.length; at++) {
    trigrams.add(characters.slice(at, at + 3).join(""));
  }
  return [...trigrams];
}

function matchAll(trigrams: readonly string[]): string {
  return trigrams.map(quoted).join(" AND ");
}

/**
 * The FTS5 query for texts with a trigram that begins with `needle`, of one or two characters:
 * words of two characters are what one searches for in Chinese or Japanese. Undefined when the
 * trigrams are too many or too common.
 */
function matchBeginning(db: Database, needle: string): string | undefined {
  const terms: string[] = [];
  let postings = 0;
  for (
    const [term, documents] of db.iterate<[string, number]>(
      "SELECT term, doc FROM term WHERE term >= ? AND term <= ?",
      needle,
      needle + "\u{10ffff}\u{10ffff}",
    )
  ) {
    postings += documents;
    if (terms.push(quoted(term)) > MAX_TERMS || postings > MAX_CANDIDATES) return undefined;
  }
  return terms.length === 0 ? quoted(needle) : terms.join(" OR ");
}

function quoted(trigram: string): string {
  return `"${trigram.replaceAll('"', '""')}"`;
}
