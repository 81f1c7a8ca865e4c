import type { ParsedMessage } from "../../message/mod.ts";
import type { Database } from "./database.ts";

/**
 * The thread of a new message: that of the nearest message it answers, or of an answer to it that
 * came first, or a new one, numbered by its content. A message's thread never changes afterwards
 * (RFC 8474 5.2), so threads are not joined.
 */
export function findThread(db: Database, parsed: ParsedMessage, contentId: number): number {
  const hashes = [...parsed.references, ...parsed.inReplyTo].reverse()
    .concat(parsed.messageId ?? []).map(hashOf);
  let found: number | undefined;
  const missing = new Set<number>();
  for (const hash of hashes) {
    const thread = db.get("SELECT thread_id FROM thread_ref WHERE hash = ?", hash)?.[0];
    if (typeof thread === "number") found ??= thread;
    else missing.add(hash);
  }
  const threadId = found ?? contentId;
  for (const hash of missing) {
    db.run("INSERT INTO thread_ref (hash, thread_id) VALUES (?, ?)", hash, threadId);
  }
  return threadId;
}

/** Identifiers above a message in its thread, oldest first (RFC 5256 3). */
export function ancestorsOf(parsed: ParsedMessage): readonly string[] {
  return parsed.references.length > 0 ? parsed.references : parsed.inReplyTo.slice(0, 1);
}

/**
 * 53 bits of a message identifier, by FNV-1a in two lanes. Whoever wants a message in somebody
 * else's thread need only name it in References, so nothing hangs on collisions being hard to make.
 */
function hashOf(messageId: string): number {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (let i = 0; i < messageId.length; i++) {
    const unit = messageId.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit ^ low >>> 15, 0x85ebca6b);
  }
  return (high >>> 0 & 0x1fffff) * 2 ** 32 + (low >>> 0);
}
