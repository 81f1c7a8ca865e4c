import { MAX_SUBJECT_LENGTH } from "./limits.ts";
import { cutText } from "./raw_text.ts";

/** `*subj-blob subj-refwd` of RFC 5256 5. */
const REPLY = /^(?:\[[^[\]]*\] *)*(?:re|fwd?) *(?:\[[^[\]]*\] *)?:/i;
const BLOB = /^\[[^[\]]*\] */;

/** What a Subject is about, and whether it answers or forwards something. */
export interface BaseSubject {
  /** In the case it was written in. */
  readonly base: string;
  /** A reply or forward mark was taken off (RFC 5256 3, the threading step on subjects). */
  readonly isReply: boolean;
}

/** The base subject (RFC 5256 2.1) of a decoded Subject value. */
export function baseSubject(decoded: string): BaseSubject {
  const text = cutText(decoded, MAX_SUBJECT_LENGTH).replace(/[\t\r\n ]+/g, " ");
  let subject: BaseSubject = { base: text, isReply: false };
  for (;;) {
    subject = stripLeaders(stripTrailers(subject));
    const { base } = subject;
    const isForward = base.endsWith("]") && base.slice(0, 5).toLowerCase() === "[fwd:";
    if (!isForward) return subject;
    subject = { base: base.slice(5, -1), isReply: true };
  }
}

function stripTrailers({ base, isReply }: BaseSubject): BaseSubject {
  let end = base.length;
  for (;;) {
    if (base.charAt(end - 1) === " ") end--;
    else if (end >= 5 && base.slice(end - 5, end).toLowerCase() === "(fwd)") {
      end -= 5;
      isReply = true;
    } else return { base: base.slice(0, end), isReply };
  }
}

function stripLeaders({ base, isReply }: BaseSubject): BaseSubject {
  for (;;) {
    if (base.startsWith(" ")) {
      base = base.slice(1);
      continue;
    }
    const leader = REPLY.exec(base)?.[0] ?? "";
    if (leader !== "") {
      base = base.slice(leader.length);
      isReply = true;
      continue;
    }
    const blob = BLOB.exec(base)?.[0] ?? "";
    // A blob that is all there is stays: it is the base.
    if (blob === "" || blob.length === base.length) return { base, isReply };
    base = base.slice(blob.length);
  }
}
