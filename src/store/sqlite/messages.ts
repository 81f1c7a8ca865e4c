import type { Bytes, MailboxId, ModSeq, Uid } from "../../base/mod.ts";
import { RangeSet } from "../../base/mod.ts";
import { type ContentColumn, INLINE_RAW_BYTES, type MessageRow } from "../account_store.ts";
import { StoreError } from "../store_error.ts";
import type { AccountAccess } from "./account_access.ts";
import { type Layout, locate, readChunk, readStarts } from "./bodies.ts";
import type { Database, Row, Value } from "./database.ts";
import { checkMailboxExists } from "./mailbox_record.ts";
import { emailIdOf, threadIdOf } from "./object_ids.ts";

const PAGE_ROWS = 1000;
/** The same with content, so that little is read in vain when the page is full of octets first. */
const CONTENT_PAGE_ROWS = 200;
/** Octets of content after which a page ends. */
const PAGE_BYTES = 1024 * 1024;

const INDEX_COLUMNS = `uid, modseq, create_seq, flags, keywords, internal_seconds, internal_zone,
  save_date, size, content_id, thread_id`;

type IndexRow =
  & readonly [
    uid: number,
    modSeq: number,
    createSeq: number,
    flags: number,
    keywords: string,
    internalSeconds: number,
    internalZone: number,
    saveDate: number,
    size: number,
    contentId: number,
    threadId: number,
    expunged: number,
    ...content: Value[],
  ]
  & Row;

const INDEX_WIDTH = 12;

type UidRange = readonly [mailbox: MailboxId, first: number, last: number];

/** Columns of the content table; the others are made of chunks. */
const STORED_COLUMNS: Readonly<Partial<Record<ContentColumn, string>>> = {
  envelope: "envelope",
  body: "body",
  bodyStructure: "body_structure",
  preview: "preview",
  parts: "parts",
};

/** FETCH: pages of rows in ascending order, each page of a snapshot of its own. */
export async function* fetchMessages(
  account: AccountAccess,
  mailbox: MailboxId,
  uids: RangeSet,
  columns: readonly ContentColumn[],
  changedSince: number,
): AsyncGenerator<MessageRow[]> {
  account.read((db) => checkMailboxExists(db, mailbox));
  const wanted = changedSince > 0
    ? account.read((db) => narrow(db, mailbox, uids, changedSince))
    : uids;
  const reader = new PageReader(account, mailbox, columns, changedSince);
  let from = wanted.first;
  while (from !== undefined) {
    const page = account.read((db) => reader.read(db, wanted, from ?? 0));
    if (page.rows.length > 0) yield page.rows;
    from = page.next;
  }
}

/** Bytes of a message, a chunk at a time. */
export async function* readRaw(
  account: AccountAccess,
  mailbox: MailboxId,
  uid: Uid,
  start: number,
  end: number,
): AsyncGenerator<Bytes> {
  const layout = account.read((db) => {
    checkMailboxExists(db, mailbox);
    return findLayout(db, mailbox, uid);
  });
  if (!layout) throw new StoreError("message-not-found", `There is no message with UID ${uid}.`);
  const stop = Math.min(end, layout.size);
  let offset = Math.max(0, start);
  while (offset < stop) {
    const at = locate(layout, offset);
    const chunk = account.read((db) => readChunk(db, layout.contentId, at.number));
    if (!chunk) {
      // Either the last session that may see it was too slow, or something is broken.
      const isKept = account.read((db) => findLayout(db, mailbox, uid) !== undefined);
      throw isKept
        ? new StoreError("corrupt", `Content ${layout.contentId} lacks a chunk.`)
        : new StoreError("message-not-found", `The message with UID ${uid} is gone.`);
    }
    const piece = chunk.subarray(offset - at.start, stop - at.start);
    offset += piece.length;
    yield piece;
  }
}

class PageReader {
  readonly #account: AccountAccess;
  readonly #mailbox: MailboxId;
  readonly #columns: readonly ContentColumn[];
  readonly #changedSince: number;
  /** Columns read by SQL, in the order in which they stand behind the index columns. */
  readonly #stored: readonly ContentColumn[];
  readonly #needsContent: boolean;
  readonly #needsChunks: boolean;

  constructor(
    account: AccountAccess,
    mailbox: MailboxId,
    columns: readonly ContentColumn[],
    changedSince: number,
  ) {
    this.#account = account;
    this.#mailbox = mailbox;
    this.#columns = columns;
    this.#changedSince = changedSince;
    this.#stored = columns.filter((column) => STORED_COLUMNS[column] !== undefined);
    this.#needsContent = columns.length > 0;
    this.#needsChunks = this.#stored.length < columns.length;
  }

  /** Rows of `uids` from `from` on, and where the next page begins. */
  read(
    db: Database,
    uids: RangeSet,
    from: number,
  ): { rows: MessageRow[]; next: number | undefined } {
    checkMailboxExists(db, this.#mailbox);
    const pageRows = this.#needsContent ? CONTENT_PAGE_ROWS : PAGE_ROWS;
    const rows: MessageRow[] = [];
    let bytes = 0;
    for (const { first, last } of uids.ranges()) {
      if (last < from) continue;
      const range = [this.#mailbox, Math.max(first, from), last] as const;
      const limit = this.#limit(db, range, pageRows - rows.length, PAGE_BYTES - bytes);
      const found = this.#rows(db, range, limit);
      const starts = this.#needsChunks ? this.#starts(db, found, PAGE_BYTES - bytes) : undefined;
      const taken = starts?.length ?? found.length;
      for (let i = 0; i < taken; i++) {
        const [message, size] = this.#message(found[i]!, starts?.[i]);
        rows.push(message);
        bytes += size;
      }
      if (taken < found.length || found.length === limit || bytes >= PAGE_BYTES) {
        return { rows, next: memberAfter(uids, rows.at(-1)!.uid) };
      }
    }
    return { rows, next: undefined };
  }

  /** How many rows fit, when at most `rows` and `room` octets do; at least one. */
  #limit(db: Database, range: UidRange, rows: number, room: number): number {
    if (this.#stored.length === 0) return rows;
    const lengths = this.#stored.map((column) => `ifnull(length(${STORED_COLUMNS[column]}), 0)`);
    const { source, values } = this.#source(db, range);
    let limit = rows;
    const bytes = () =>
      db.number(
        `SELECT coalesce(sum(${lengths.join(" + ")}), 0)
         FROM (${source} ORDER BY uid LIMIT ?) JOIN content ON content.id = content_id`,
        ...values,
        limit,
      );
    // Someone may send messages whose envelopes are as large as a header may be.
    while (limit > 1 && bytes() > room) limit = Math.ceil(limit / 8);
    return limit;
  }

  #rows(db: Database, range: UidRange, limit: number): IndexRow[] {
    const { source, values } = this.#source(db, range);
    values.push(limit);
    if (!this.#needsContent) return db.all<IndexRow>(`${source} ORDER BY uid LIMIT ?`, ...values);
    const content = ["content.first_chunk_size", "content.header_size"].concat(
      this.#stored.map((column) => `content.${STORED_COLUMNS[column]}`),
    );
    return db.all<IndexRow>(
      `SELECT found.*, ${content.join(", ")}
       FROM (${source} ORDER BY uid LIMIT ?) AS found JOIN content ON content.id = content_id
       ORDER BY uid`,
      ...values,
    );
  }

  /** SQL for the index rows of the range, expunged ones that are kept included. */
  #source(db: Database, range: UidRange): { source: string; values: Value[] } {
    const hasExpunged = db.get(
      "SELECT 1 FROM expunged WHERE mailbox_id = ? AND uid BETWEEN ? AND ? LIMIT 1",
      ...range,
    );
    const condition = `mailbox_id = ? AND uid BETWEEN ? AND ? AND modseq > ?`;
    const values: Value[] = [...range, this.#changedSince];
    let source = `SELECT ${INDEX_COLUMNS}, 0 AS expunged FROM message WHERE ${condition}`;
    if (hasExpunged) {
      source += ` UNION ALL SELECT ${INDEX_COLUMNS}, 1 FROM expunged WHERE ${condition}`;
      values.push(...values);
    }
    return { source, values };
  }

  /**
   * Header or whole message of each row, but only of the first rows when together they have more
   * octets than `room`; of one at least.
   */
  #starts(db: Database, rows: readonly IndexRow[], room: number): Bytes[] {
    const wanted: { layout: Layout; end: number }[] = [];
    let bytes = 0;
    for (const row of rows) {
      const end = this.#hasRaw(row)
        ? row[8]
        : this.#columns.includes("header")
        ? Number(row[INDEX_WIDTH + 1])
        : 0;
      bytes += end;
      if (bytes > room && wanted.length > 0) break;
      const firstChunkSize = Number(row[INDEX_WIDTH]);
      wanted.push({ layout: { contentId: row[9], size: row[8], firstChunkSize }, end });
    }
    return readStarts(db, wanted);
  }

  #hasRaw(row: IndexRow): boolean {
    return this.#columns.includes("raw") && row[8] <= INLINE_RAW_BYTES;
  }

  /** The message, and about how many octets of content are in it. */
  #message(row: IndexRow, start: Bytes | undefined): [message: MessageRow, bytes: number] {
    const prefix = this.#account.objectPrefix();
    const message: MessageRow = {
      uid: row[0] as Uid,
      modSeq: row[1] as ModSeq,
      createSeq: row[2] as ModSeq,
      flags: row[3],
      keywords: row[4],
      internalDate: { seconds: row[5], zoneMinutes: row[6] },
      saveDate: row[7],
      size: row[8],
      emailId: emailIdOf(prefix, row[9]),
      threadId: threadIdOf(prefix, row[10]),
      expunged: row[11] === 1,
    };
    if (!this.#needsContent) return [message, 0];
    const content: Partial<Record<ContentColumn, Value>> = {};
    let bytes = start?.length ?? 0;
    this.#stored.forEach((column, i) => {
      const value = row[INDEX_WIDTH + 2 + i] ?? null;
      content[column] = value;
      if (typeof value !== "number") bytes += value?.length ?? 0;
    });
    if (start && this.#hasRaw(row)) content.raw = start;
    if (start && this.#columns.includes("header")) {
      content.header = start.subarray(0, Number(row[INDEX_WIDTH + 1]));
    }
    return [Object.assign(message, content), bytes];
  }
}

/** The layout of a message's content, expunged ones that are kept included. */
function findLayout(db: Database, mailbox: MailboxId, uid: Uid): Layout | undefined {
  const row = db.get<[number, number, number]>(
    `SELECT id, size, first_chunk_size FROM content WHERE id = coalesce(
       (SELECT content_id FROM message WHERE mailbox_id = ?1 AND uid = ?2),
       (SELECT content_id FROM expunged WHERE mailbox_id = ?1 AND uid = ?2))`,
    mailbox,
    uid,
  );
  return row && { contentId: row[0], size: row[1], firstChunkSize: row[2] };
}

/** Only the UIDs that changed, when they are few enough to be listed; else all of `uids`. */
function narrow(db: Database, mailbox: MailboxId, uids: RangeSet, changedSince: number): RangeSet {
  const changed = db.all<[number]>(
    `SELECT uid FROM message INDEXED BY message_modseq WHERE mailbox_id = ? AND modseq > ?
     LIMIT ?`,
    mailbox,
    changedSince,
    PAGE_ROWS + 1,
  );
  if (changed.length > PAGE_ROWS) return uids;
  const expunged = db.all<[number]>(
    "SELECT uid FROM expunged WHERE mailbox_id = ? AND modseq > ?",
    mailbox,
    changedSince,
  );
  const found = [...changed, ...expunged].map(([uid]) => uid).sort((a, b) => a - b);
  return RangeSet.from(found).intersect(uids);
}

function memberAfter(uids: RangeSet, uid: number): number | undefined {
  return uids.at(uids.countTo(uid));
}
