import type { PartTree } from "./mime_part.ts";

/** A section specification (RFC 9051 6.4.5.1); the names of HEADER.FIELDS are the caller's. */
export interface Section {
  /** Part numbers, from 1; none for the message itself. */
  readonly part: readonly number[];
  /** MIME needs a part number. HEADER also stands for HEADER.FIELDS and HEADER.FIELDS.NOT. */
  readonly text?: "HEADER" | "TEXT" | "MIME";
}

/** Octets `start` to `end` (exclusive) of the raw message. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Where a section lies in the raw message; undefined when the message has no such part, which FETCH
 * answers with NIL. For HEADER.FIELDS take the range of HEADER and then `headerFields`.
 *
 * A message that is no multipart has one part, 1: its body, whose MIME header is that of the
 * message. HEADER and TEXT of a part are of the message embedded in it.
 */
export function resolveSection(root: PartTree, section: Section): ByteRange | undefined {
  const { part: path, text } = section;
  if (path.length === 0) {
    if (text === undefined) return { start: root.headerStart, end: root.bodyEnd };
    return text === "MIME" ? undefined : messageRange(root, text);
  }
  const part = findPart(root, path);
  if (part === undefined) return undefined;
  if (text === undefined) return { start: part.bodyStart, end: part.bodyEnd };
  if (text === "MIME") return { start: part.headerStart, end: part.bodyStart };
  return part.message && messageRange(part.message, text);
}

/** The part with these numbers, of at least one; undefined when there is none. */
export function findPart(root: PartTree, path: readonly number[]): PartTree | undefined {
  let part = root;
  // Whether `part` stands for a whole message, whose parts are numbered next.
  let isMessage = true;
  for (const number of path) {
    if (!isMessage && part.message !== undefined) {
      part = part.message;
      isMessage = true;
    }
    if (part.children.length > 0) {
      const child = part.children[number - 1];
      if (child === undefined) return undefined;
      part = child;
    } else if (!isMessage || number !== 1) return undefined;
    isMessage = false;
  }
  return part;
}

function messageRange(message: PartTree, text: "HEADER" | "TEXT"): ByteRange {
  return text === "HEADER"
    ? { start: message.headerStart, end: message.bodyStart }
    : { start: message.bodyStart, end: message.bodyEnd };
}
