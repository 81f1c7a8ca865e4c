import { type Bytes, othersTurn } from "../../base/mod.ts";
import { MessageParser, type ParsedMessage } from "../../message/mod.ts";
import { StoreError } from "../store_error.ts";
import type { AccountFile } from "./account_file.ts";
import { takeUids } from "./append.ts";
import {
  CHUNK_CONTENT_ID,
  chunkIds,
  chunkSize,
  countChunks,
  type Layout,
  readChunk,
} from "./bodies.ts";
import { derivedFault } from "./check_contents.ts";
import { replaceContent } from "./content.ts";
import type { Database } from "./database.ts";
import { makeWithParents } from "./mailboxes.ts";
import { mailboxByName } from "./mailbox_record.ts";
import { encodeSearchText } from "./search_text.ts";
import type { Transaction } from "./transaction.ts";

/** Where messages go of which nothing says where they were. */
const RECOVERED = "Recovered";
/** Contents looked at on one snapshot. */
const PAGE = 200;

/** Derives anew what cannot be read of what was derived, from the message itself. */
export async function* deriveContents(file: AccountFile): AsyncGenerator<string> {
  for (let after = 0;;) {
    const ids = file.read((db) => knownIds(db, after));
    for (const id of ids) {
      const fault = file.read((db) => contentFault(db, id));
      if (fault !== undefined) yield await deriveContent(file, id, fault);
    }
    const last = ids.at(-1);
    if (last === undefined) return;
    after = last;
    await othersTurn();
  }
}

/** Contents that have a row, or only their bytes, but not those that are still coming in. */
function knownIds(db: Database, after: number): number[] {
  return db.all<[number]>(
    `SELECT id FROM (
       SELECT * FROM (SELECT id FROM content WHERE id > ?1 ORDER BY id LIMIT ?3)
       UNION SELECT * FROM (SELECT DISTINCT ${CHUNK_CONTENT_ID} FROM chunk WHERE id > ?2
         ORDER BY id LIMIT ?3))
     WHERE id NOT IN (SELECT content_id FROM staging) ORDER BY id LIMIT ?3`,
    after,
    chunkIds(after)[1],
    PAGE,
  ).map(([id]) => id);
}

function contentFault(db: Database, id: number): string | undefined {
  const row = db.get<[number, number, number]>(
    "SELECT size, first_chunk_size, header_size FROM content WHERE id = ?",
    id,
  );
  if (!row) return "what is known of it is lost";
  const [size, firstChunkSize, headerSize] = row;
  const layout: Layout = { contentId: id, size, firstChunkSize };
  const sizes = chunkSizes(db, id);
  const isWhole = sizes.length === countChunks(layout) &&
    sizes.every((found, number) => found === chunkSize(layout, number));
  if (!isWhole) return "its size is not that of its bytes";
  if (headerSize < 0 || headerSize > size) return "the size of its header is impossible";
  return derivedFault(db, id);
}

/** Octets of the chunks by their rows, in order. */
function chunkSizes(db: Database, id: number): number[] {
  return db.all<[number]>(
    "SELECT size FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id",
    ...chunkIds(id),
  ).map(([size]) => size);
}

async function deriveContent(file: AccountFile, id: number, fault: string): Promise<string> {
  try {
    const { parsed, layout } = await parseStored(file, id);
    const searchText = encodeSearchText(parsed);
    await file.write(({ db }) => replaceContent(db, id, { ...layout, parsed, searchText }));
    return `content ${id}: ${fault}; derived anew from its ${layout.size} octets`;
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "corrupt") throw error;
    return `content ${id}: ${fault}; this cannot be mended: ${error.message}`;
  }
}

/** Parses what is stored. Throws StoreError "corrupt" when a part of it is missing. */
async function parseStored(
  file: AccountFile,
  id: number,
): Promise<{ parsed: ParsedMessage; layout: Layout }> {
  const sizes = file.read((db) => chunkSizes(db, id));
  const size = sizes.reduce((sum, each) => sum + each, 0);
  const layout: Layout = { contentId: id, size, firstChunkSize: sizes[0] ?? 0 };
  const claimed = file.read((db) => claimedSizes(db, id));
  if (claimed.length > 0 && !claimed.includes(size)) {
    throw new StoreError("corrupt", `${size} octets of it are left, of ${claimed[0]}.`);
  }
  const parser = new MessageParser();
  for (let number = 0; number < sizes.length; number++) {
    const chunk: Bytes | undefined = file.read((db) => readChunk(db, id, number));
    if (chunk?.length !== chunkSize(layout, number)) {
      throw new StoreError("corrupt", `octets of it are missing at chunk ${number}.`);
    }
    parser.write(chunk);
    await othersTurn();
  }
  return { parsed: parser.end(), layout };
}

/** The sizes that messages say they have, or else that the content itself does. */
function claimedSizes(db: Database, id: number): number[] {
  const ofMessages = db.all<[number]>(
    `SELECT size FROM message WHERE content_id = ?1
     UNION SELECT size FROM expunged WHERE content_id = ?1`,
    id,
  );
  const sizes = ofMessages.length > 0
    ? ofMessages
    : db.all<[number]>("SELECT size FROM content WHERE id = ?", id);
  return sizes.map(([size]) => size);
}

/** Gives contents that are in no mailbox a place, instead of dropping what may be somebody's mail. */
export async function* adoptContents(file: AccountFile): AsyncGenerator<string> {
  for (;;) {
    const adopted = await file.write(adoptSome);
    if (adopted === 0) return;
    yield `messages without a mailbox were put into ${RECOVERED} (${adopted})`;
  }
}

function adoptSome(transaction: Transaction): number {
  const { db, account } = transaction;
  const contents = db.all<[number, number, number, number | null]>(
    `SELECT id, size, thread_id, sent_ms FROM content
     WHERE NOT EXISTS (SELECT 1 FROM message WHERE content_id = content.id)
       AND NOT EXISTS (SELECT 1 FROM expunged WHERE content_id = content.id)
       AND NOT EXISTS (SELECT 1 FROM staging WHERE content_id = content.id) LIMIT ?`,
    PAGE,
  );
  // Messages that are in a mailbox which is not there.
  const strays = db.all<[number, number]>(
    `SELECT mailbox_id, uid FROM message
     WHERE mailbox_id NOT IN (SELECT id FROM mailbox UNION ALL SELECT id FROM doomed_mailbox)
     LIMIT ?`,
    PAGE,
  );
  const count = contents.length + strays.length;
  if (count === 0) return 0;
  const mailbox = mailboxByName(db, account, RECOVERED) ??
    makeWithParents(transaction, RECOVERED).at(-1);
  if (!mailbox) throw new Error("a mailbox was made");
  const uids = takeUids(transaction, mailbox.id, count);
  const modSeq = transaction.modSeq();
  contents.forEach(([id, size, threadId, sentMs], i) => {
    const seconds = sentMs === null ? transaction.now : Math.floor(sentMs / 1000);
    db.run(
      `INSERT INTO message (mailbox_id, uid, modseq, create_seq, flags, keywords, internal_seconds,
         internal_zone, internal_day, save_date, size, content_id, thread_id)
       VALUES (?, ?, ?, ?, 0, '', ?, 0, ?, ?, ?, ?, ?)`,
      mailbox.id,
      uids.at(i) ?? 0,
      modSeq,
      modSeq,
      seconds,
      Math.floor(seconds / 86400),
      transaction.now,
      size,
      id,
      threadId,
    );
  });
  strays.forEach(([strayId, uid], i) => {
    db.run(
      `UPDATE message SET mailbox_id = ?, uid = ?, modseq = ?, create_seq = ?, keywords = ''
       WHERE mailbox_id = ? AND uid = ?`,
      mailbox.id,
      uids.at(contents.length + i) ?? 0,
      modSeq,
      modSeq,
      strayId,
      uid,
    );
  });
  db.run("UPDATE mailbox SET modseq = ?, append_seq = ? WHERE id = ?", modSeq, modSeq, mailbox.id);
  return count;
}
