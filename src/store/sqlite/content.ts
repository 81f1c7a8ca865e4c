import { encodeParts, type ParsedMessage } from "../../message/mod.ts";
import { deleteChunks, type EncodedChunk, insertChunk } from "./bodies.ts";
import type { Database } from "./database.ts";
import { type EncodedSearchText, insertSearchText } from "./search_text.ts";
import { ancestorsOf, findThread } from "./threads.ts";

/** A complete message before it has rows; its first chunks may be in the database already. */
export interface NewContent {
  readonly size: number;
  readonly parsed: ParsedMessage;
  readonly stored: { readonly count: number; readonly firstChunkSize: number } | undefined;
  readonly chunks: readonly EncodedChunk[];
  readonly searchText: EncodedSearchText;
}

/** Stores all that is known of a message but its place in a mailbox. Gives its thread. */
export function insertContent(db: Database, contentId: number, content: NewContent): number {
  const { parsed, stored, chunks } = content;
  chunks.forEach((chunk, i) => insertChunk(db, contentId, (stored?.count ?? 0) + i, chunk));
  const threadId = findThread(db, parsed, contentId);
  const firstChunkSize = stored?.firstChunkSize ?? chunks[0]?.size ?? 0;
  insertDerived(db, contentId, threadId, { ...content, firstChunkSize });
  return threadId;
}

/** What a content's rows are made of, but for its bytes. */
export interface DerivedContent {
  readonly size: number;
  readonly firstChunkSize: number;
  readonly parsed: ParsedMessage;
  readonly searchText: EncodedSearchText;
}

/** Writes all that is known of stored bytes anew. The thread stays, where there is one. */
export function replaceContent(db: Database, contentId: number, content: DerivedContent): void {
  const threadId = db.get<[number]>(
    `SELECT thread_id FROM (SELECT id AS content_id, thread_id FROM content
       UNION ALL SELECT content_id, thread_id FROM message)
     WHERE content_id = ?1 AND thread_id BETWEEN 1 AND ?1 LIMIT 1`,
    contentId,
  )?.[0];
  db.run("DELETE FROM content WHERE id = ?", contentId);
  db.run("DELETE FROM search_text WHERE content_id = ?", contentId);
  insertDerived(
    db,
    contentId,
    threadId ?? findThread(db, content.parsed, contentId),
    content,
  );
}

function insertDerived(
  db: Database,
  contentId: number,
  threadId: number,
  { size, firstChunkSize, parsed, searchText }: DerivedContent,
): void {
  insertSearchText(db, contentId, searchText);
  db.run(
    `INSERT INTO content (id, size, first_chunk_size, header_size, thread_id, sent_ms, sent_day,
       message_id, ancestors, base_subject, is_reply, sort_keys, preview, envelope, body,
       body_structure, parts)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    contentId,
    size,
    firstChunkSize,
    parsed.headerSize,
    threadId,
    parsed.sentDate ?? null,
    parsed.sentDay ?? null,
    parsed.messageId ?? null,
    JSON.stringify(ancestorsOf(parsed)),
    parsed.baseSubject,
    parsed.isReply ? 1 : 0,
    JSON.stringify(parsed.sortKeys),
    parsed.preview,
    parsed.envelope,
    parsed.body,
    parsed.bodyStructure,
    encodeParts(parsed.root),
  );
}

/** Drops a content, complete or not, and its thread when it was the last of it. */
export function dropContent(db: Database, id: number): void {
  const threadId = db.get<[number]>(
    "DELETE FROM content WHERE id = ? RETURNING thread_id",
    id,
  )?.[0];
  deleteChunks(db, id);
  db.run("DELETE FROM search_text WHERE content_id = ?", id);
  if (threadId === undefined) return;
  if (db.get("SELECT 1 FROM content WHERE thread_id = ? LIMIT 1", threadId)) return;
  db.run("DELETE FROM thread_ref WHERE thread_id = ?", threadId);
}
