import { MAX_BOUNDARY_LENGTH } from "./limits.ts";
import type { MimePart } from "./mime_part.ts";
import { parameterText } from "./parameters.ts";
import { splitType } from "./part_header.ts";
import { trimRawEnd } from "./raw_text.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
/** A part while the scanner is at work on it. */
export type Part = Mutable<Omit<MimePart, "children" | "message">> & {
  children: Part[];
  message: Part | undefined;
};

export function isMessage(part: Part): boolean {
  return part.type === "message" && (part.subtype === "rfc822" || part.subtype === "global");
}

/**
 * Makes the part one that can be walked into, or a leaf; only a leaf when `mayNest` is false. Gives
 * a multipart's boundary.
 */
export function settleType(part: Part, mayNest: boolean): string | undefined {
  const nests = part.type === "multipart" || isMessage(part);
  if (nests && !mayNest) Object.assign(part, splitType("application/octet-stream"));
  let boundary: string | undefined;
  if (part.type === "multipart") {
    const plain = part.parameters.find(({ name }) => name === "boundary")?.value;
    boundary = trimRawEnd(plain ?? parameterText(part.parameters, "boundary") ?? "");
    const isUsable = boundary !== "" && boundary.length <= MAX_BOUNDARY_LENGTH;
    // RFC 2045 5.2 has a Content-Type that is not valid taken as plain text.
    if (!isUsable) Object.assign(part, splitType("text/plain"));
  }
  part.mediaType = `${part.type}/${part.subtype}`;
  return boundary;
}

/**
 * Keeps every part inside its parent: the line end before a boundary may be the empty line that
 * ended the header of a part deep inside, and then that part has a header without empty line.
 */
export function clampParts(parent: Part): void {
  const inner = parent.message === undefined ? parent.children : [parent.message];
  for (const part of inner) {
    if (part.bodyEnd > parent.bodyEnd) {
      part.headerStart = Math.min(part.headerStart, parent.bodyEnd);
      part.bodyStart = Math.min(part.bodyStart, parent.bodyEnd);
      part.bodyEnd = parent.bodyEnd;
      part.size = part.bodyEnd - part.bodyStart;
    }
    clampParts(part);
  }
}

/** Stands for the content of a multipart without parts, which the grammar has no word for. */
export function emptyPart(offset: number): Part {
  return {
    ...splitType("text/plain"),
    headerStart: offset,
    bodyStart: offset,
    bodyEnd: offset,
    mediaType: "text/plain",
    encoding: "7bit",
    size: 0,
    lines: 0,
    contentId: undefined,
    description: undefined,
    md5: undefined,
    disposition: undefined,
    languages: [],
    location: undefined,
    envelope: "",
    children: [],
    message: undefined,
  };
}
