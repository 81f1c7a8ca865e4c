import { CHUNK_CONTENT_ID, CONTENT_CHUNK_IDS } from "./bodies.ts";

/** Keywords of messages that are not in their mailbox's list: the mailbox's id and name, and the word. */
export const FIND_UNKNOWN_KEYWORDS =
  `SELECT DISTINCT mailbox.id, mailbox.name, word.value FROM mailbox JOIN (SELECT DISTINCT
     mailbox_id, keywords AS text FROM message WHERE keywords <> '') AS used
     ON used.mailbox_id = mailbox.id,
     json_each('[' || replace(json_quote(used.text), ' ', '","') || ']') AS word
   WHERE instr(' ' || mailbox.keywords || ' ', ' ' || word.value || ' ') = 0`;

/** Rules for one mailbox, whose id is the one parameter: each selects its breaches, in words. */
export const MAILBOX_RULES: readonly string[] = [
  // Counts equal what they count.
  `SELECT 'mailbox ' || name || ': the counts ' || printf('%d/%d/%d/%d/%d/%d', messages, unseen,
     deleted, size, deleted_size, recent) || ' should be ' || printf('%d/%d/%d/%d/%d/%d', real.n,
     real.u, real.d, real.s, real.ds, real.r)
   FROM mailbox, (
     SELECT count(*) AS n, coalesce(sum(flags & 1 = 0), 0) AS u,
       coalesce(sum(flags & 8 <> 0), 0) AS d, coalesce(sum(message.size), 0) AS s,
       coalesce(sum(CASE WHEN flags & 8 <> 0 THEN message.size END), 0) AS ds,
       coalesce(sum(uid > (SELECT recent_after FROM mailbox WHERE id = ?1)), 0) AS r
     FROM message WHERE mailbox_id = ?1
   ) AS real
   WHERE id = ?1 AND (messages, unseen, deleted, size, deleted_size, recent)
     <> (real.n, real.u, real.d, real.s, real.ds, real.r)`,
  // Numbers of messages are within those of their mailbox, and dates are what they say.
  `SELECT 'mailbox ' || name || ': message ' || uid || ' has impossible numbers'
   FROM message JOIN mailbox ON mailbox.id = mailbox_id
   WHERE mailbox_id = ?1 AND NOT (uid BETWEEN 1 AND uid_next - 1
     AND message.create_seq BETWEEN 1 AND message.modseq AND message.modseq <= mailbox.modseq
     AND flags BETWEEN 0 AND 31 AND internal_zone BETWEEN -1439 AND 1439
     AND internal_seconds + internal_zone * 60 - internal_day * 86400 BETWEEN 0 AND 86399)`,
  // Every message has its content, and agrees with it.
  `SELECT 'mailbox ' || mailbox_id || ': message ' || uid || ' lacks its content, or differs from it'
   FROM message LEFT JOIN content ON content.id = content_id
   WHERE mailbox_id = ?1
     AND (content.size, content.thread_id) IS NOT (message.size, message.thread_id)`,
  // Keywords of messages are keywords of the mailbox.
  `SELECT 'mailbox ' || mailbox.name || ': keyword ' || word.value || ' is not in its list'
   FROM mailbox, (SELECT DISTINCT keywords AS text FROM message
     WHERE mailbox_id = ?1 AND keywords <> '') AS used,
     json_each('[' || replace(json_quote(used.text), ' ', '","') || ']') AS word
   WHERE mailbox.id = ?1
     AND instr(' ' || mailbox.keywords || ' ', ' ' || word.value || ' ') = 0`,
  // Tombstones are of messages that are gone.
  `SELECT 'mailbox ' || mailbox.name || ': expunge ' || modseq_of || ' of ' || first_uid || ':'
     || last_uid || ' is impossible'
   FROM mailbox, (SELECT modseq AS modseq_of, first_uid, last_uid FROM tombstone
     WHERE mailbox_id = ?1)
   WHERE mailbox.id = ?1 AND NOT (first_uid BETWEEN 1 AND last_uid AND last_uid < uid_next
     AND modseq_of BETWEEN trimmed_seq + 1 AND mailbox.modseq
     AND NOT EXISTS (SELECT 1 FROM message
       WHERE mailbox_id = ?1 AND uid BETWEEN first_uid AND last_uid))`,
  // Expunged messages that are kept are gone, and told of.
  `SELECT 'mailbox ' || name || ': expunged message ' || uid || ' is impossible'
   FROM expunged JOIN mailbox ON mailbox.id = mailbox_id
   WHERE mailbox_id = ?1 AND (uid >= uid_next OR expunged.modseq > mailbox.modseq
     OR EXISTS (SELECT 1 FROM message
       WHERE message.mailbox_id = ?1 AND message.uid = expunged.uid)
     OR (expunged.modseq > trimmed_seq AND uid > coalesce((SELECT last_uid FROM tombstone
       WHERE tombstone.mailbox_id = ?1 AND tombstone.modseq = expunged.modseq
         AND first_uid <= expunged.uid ORDER BY first_uid DESC LIMIT 1), 0)))`,
];

/** Rules for the account as a whole. */
export const ACCOUNT_RULES: readonly string[] = [
  `SELECT 'there are ' || count(*) || ' account rows, not 1' FROM account HAVING count(*) <> 1`,
  `SELECT 'account: the totals ' || printf('%d/%d/%d', messages, size, deleted_size)
     || ' should be ' || printf('%d/%d/%d', real.n, real.s, real.d)
   FROM account, (SELECT coalesce(sum(messages), 0) AS n, coalesce(sum(size), 0) AS s,
     coalesce(sum(deleted_size), 0) AS d FROM mailbox) AS real
   WHERE (messages, size, deleted_size) <> (real.n, real.s, real.d)`,
  `SELECT 'mailbox ' || name || ': its numbers are impossible' FROM mailbox, account
   WHERE NOT (mailbox.id BETWEEN 1 AND next_mailbox_id - 1
     AND uid_validity BETWEEN 1 AND next_uid_validity - 1 AND uid_next BETWEEN 1 AND 4294967295
     AND mailbox.create_seq BETWEEN 1 AND mailbox.modseq AND mailbox.modseq <= account.modseq
     AND append_seq BETWEEN 0 AND mailbox.modseq AND expunge_seq BETWEEN 0 AND mailbox.modseq
     AND flag_seq BETWEEN 0 AND mailbox.modseq AND trimmed_seq BETWEEN 0 AND mailbox.modseq
     AND recent_after < uid_next AND special_use BETWEEN 0 AND 31)`,
  `SELECT 'UIDVALIDITY ' || uid_validity || ' is used twice' FROM mailbox
   GROUP BY uid_validity HAVING count(*) > 1`,
  `SELECT 'special use ' || bit.value || ' is used twice' FROM mailbox, json_each('[1,2,4,8,16]') AS bit
   WHERE special_use & bit.value <> 0 GROUP BY bit.value HAVING count(*) > 1`,
  `SELECT 'messages of mailbox ' || mailbox_id || ', which is unknown'
   FROM (SELECT mailbox_id FROM message UNION SELECT mailbox_id FROM expunged
     UNION SELECT mailbox_id FROM tombstone)
   WHERE mailbox_id NOT IN (SELECT id FROM mailbox UNION ALL SELECT id FROM doomed_mailbox)`,
  `SELECT 'mailbox ' || id || ' is deleted and is not' FROM doomed_mailbox
   WHERE id IN (SELECT id FROM mailbox)`,
  `SELECT 'annotation ' || entry || ' of mailbox ' || mailbox_id || ' is impossible'
   FROM annotation LEFT JOIN mailbox ON mailbox.id = mailbox_id, account
   WHERE (mailbox_id <> 0 AND mailbox.id IS NULL)
     OR annotation.modseq NOT BETWEEN 1 AND coalesce(mailbox.modseq, account.modseq)`,
  `SELECT 'event ' || event.id || ' is impossible' FROM event, account
   WHERE event.modseq NOT BETWEEN events_trimmed_seq + 1 AND account.modseq`,
  `SELECT 'content ' || id || ' belongs to no message' FROM content
   WHERE NOT EXISTS (SELECT 1 FROM message WHERE content_id = content.id)
     AND NOT EXISTS (SELECT 1 FROM expunged WHERE content_id = content.id)
     AND NOT EXISTS (SELECT 1 FROM staging WHERE content_id = content.id)`,
  `SELECT 'expunged message ' || uid || ' of mailbox ' || mailbox_id || ' lacks its content'
   FROM expunged WHERE NOT EXISTS (SELECT 1 FROM content WHERE content.id = content_id)`,
  `SELECT 'content ' || content.id || ': its numbers are impossible' FROM content, account
   WHERE content.id >= next_content_id OR header_size NOT BETWEEN 0 AND content.size
     OR content.thread_id NOT BETWEEN 1 AND content.id`,
  `SELECT 'content ' || id || ': its chunks have not ' || size || ' octets' FROM content
   WHERE size <> (SELECT coalesce(sum(chunk.size), 0) FROM chunk
     WHERE chunk.id BETWEEN ${CONTENT_CHUNK_IDS})`,
  `SELECT 'text for search of content ' || content_id || ', which is unknown' FROM search_text
   WHERE NOT EXISTS (SELECT 1 FROM content WHERE content.id = content_id)`,
  `SELECT DISTINCT 'chunks of content ' || ${CHUNK_CONTENT_ID} || ', which is unknown' FROM chunk
   WHERE NOT EXISTS (SELECT 1 FROM content WHERE content.id = ${CHUNK_CONTENT_ID})
     AND NOT EXISTS (SELECT 1 FROM staging WHERE content_id = ${CHUNK_CONTENT_ID})`,
  `SELECT 'thread ' || thread_id || ' has no messages' FROM thread_ref
   WHERE NOT EXISTS (SELECT 1 FROM content WHERE content.thread_id = thread_ref.thread_id)`,
  `SELECT 'account: its counters are impossible' FROM account
   WHERE NOT (modseq >= 1 AND events_trimmed_seq BETWEEN 0 AND modseq)`,
  `SELECT 'message ' || content_id || ' is coming in and has come' FROM staging
   WHERE content_id IN (SELECT content_id FROM message UNION ALL SELECT content_id FROM expunged)`,
];
