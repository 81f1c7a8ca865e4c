import { type Bytes, concatBytes, decodeLatin1, EMPTY_BYTES } from "../base/mod.ts";
import { matchDelimiter } from "./boundaries.ts";
import { isFieldStart } from "./header.ts";
import {
  MAX_DEPTH,
  MAX_HEADER_BYTES,
  MAX_PARTS,
  MAX_PENDING_LINE,
  MAX_TOTAL_HEADER_BYTES,
} from "./limits.ts";
import type { MimePart, PartDescription } from "./mime_part.ts";
import { clampParts, emptyPart, isMessage, type Part, settleType } from "./part_draft.ts";

/** What the scanner asks and tells while it walks through a message. */
export interface ScanListener {
  /** Reads a part's raw header; `isMessage` when it is the header of a message. */
  describe(header: string, defaultType: string, isMessage: boolean): PartDescription;
  /** A leaf's body begins. Gives whether its bytes are wanted. */
  beginLeaf(part: MimePart, parents: readonly MimePart[]): boolean;
  /** Bytes of the leaf's body; the line end before the next boundary comes too. */
  leafData(bytes: Bytes): void;
  endLeaf(part: MimePart): void;
}

/**
 * Finds the MIME parts of a message (RFC 2046) that comes in pieces of any size. Keeps an
 * unfinished line of at most MAX_PENDING_LINE octets, the header it is in, and the part tree.
 */
export class MimeScanner {
  readonly #listener: ScanListener;
  /** The open multiparts and embedded messages, outermost first. */
  readonly #frames: Part[] = [];
  /** Of each frame; undefined for an embedded message, and for a multipart that was closed. */
  readonly #boundaries: (string | undefined)[] = [];
  #root: Part | undefined;
  #parts = 0;
  #headerBudget = MAX_TOTAL_HEADER_BYTES;

  /** Text of the header that is being read; undefined in a body. */
  #header: string | undefined = "";
  #headerStart = 0;
  #leaf: Part | undefined;
  #leafWanted = false;

  /** Octets consumed, and the piece of an unfinished line behind them. */
  #offset = 0;
  #pending: Bytes = EMPTY_BYTES;
  /** The next octet continues a line too long to be a delimiter. */
  #inLine = false;
  #afterCr = false;
  /** Octets of the line end just before the current line. */
  #lineEnd = 0;
  /** Line ends seen, counted while `#counters` parts want to know. */
  #newlines = 0;
  #counters = 0;

  constructor(listener: ScanListener) {
    this.#listener = listener;
  }

  write(chunk: Bytes): void {
    this.#scan(this.#pending.length === 0 ? chunk : concatBytes([this.#pending, chunk]), false);
  }

  /** Ends the message. Gives its root part and its size in octets. */
  end(): { root: MimePart; size: number } {
    this.#scan(this.#pending, true);
    this.#lineEnd = 0;
    this.#closeDownTo(-1);
    if (this.#root === undefined) throw new Error("a message without root part");
    clampParts(this.#root);
    return { root: this.#root, size: this.#offset };
  }

  #scan(bytes: Bytes, isLast: boolean): void {
    this.#pending = EMPTY_BYTES;
    const text = decodeLatin1(bytes);
    let at = 0;
    while (at < text.length) {
      const next = this.#inLine || this.#header !== undefined
        ? this.#scanLine(bytes, text, at, isLast)
        : this.#scanBody(bytes, text, at, isLast);
      if (next === at) {
        // A copy: the caller may use its buffer again.
        this.#pending = bytes.slice(at);
        return;
      }
      at = next;
    }
  }

  /** Takes one line of a header, or the rest of a long line. Gives `at` when it needs more. */
  #scanLine(bytes: Bytes, text: string, at: number, isLast: boolean): number {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline + 1;
    if (this.#inLine) {
      this.#consume(bytes, text, at, end);
      this.#inLine = newline < 0;
      return end;
    }
    if (newline < 0 && !isLast && end - at < MAX_PENDING_LINE) return at;
    const first = text.charCodeAt(at);
    if (first === 45 && text.charCodeAt(at + 1) === 45 && this.#delimit(bytes, text, at, end)) {
      return end;
    }
    const isEmpty = first === 10 || (first === 13 && end - at === 2);
    if (isEmpty) {
      this.#consume(bytes, text, at, end);
      this.#endHeader(this.#offset);
    } else if (this.#offset === this.#headerStart && !beginsHeader(text.slice(at, end))) {
      // No header at all: what comes is the body.
      this.#endHeader(this.#offset);
      return this.#header === undefined
        ? this.#scanBody(bytes, text, at, isLast)
        : this.#scanLine(bytes, text, at, isLast);
    } else {
      this.#consume(bytes, text, at, end);
      this.#inLine = newline < 0;
    }
    return end;
  }

  /** Takes as much of a body as ends before the next line that begins with "--". */
  #scanBody(bytes: Bytes, text: string, at: number, isLast: boolean): number {
    const end = text.length;
    if (this.#boundaries.every((boundary) => boundary === undefined)) {
      this.#consume(bytes, text, at, end);
      return end;
    }
    if (text.charCodeAt(at) === 45 && (at + 1 === end || text.charCodeAt(at + 1) === 45)) {
      const newline = text.indexOf("\n", at);
      const lineEnd = newline < 0 ? end : newline + 1;
      if (newline < 0 && !isLast && end - at < MAX_PENDING_LINE) return at;
      if (this.#delimit(bytes, text, at, lineEnd)) return lineEnd;
      this.#consume(bytes, text, at, lineEnd);
      this.#inLine = newline < 0;
      return lineEnd;
    }
    const candidate = text.indexOf("\n--", at);
    if (candidate >= 0) {
      this.#consume(bytes, text, at, candidate + 1);
      return candidate + 1;
    }
    // The last line may yet turn out to begin with "--".
    const last = text.charCodeAt(end - 1);
    const keep = last === 45 && end - 2 >= at && text.charCodeAt(end - 2) === 10 ? 1 : 0;
    this.#consume(bytes, text, at, end - keep);
    this.#inLine = keep === 0 && last !== 10;
    return end - keep;
  }

  /** Handles the line if it is a delimiter. */
  #delimit(bytes: Bytes, text: string, at: number, end: number): boolean {
    if (end - at >= MAX_PENDING_LINE) return false;
    const line = text.slice(at, end);
    const delimiter = matchDelimiter(line, this.#boundaries);
    if (delimiter === undefined) return false;
    // The parts that there are room for are used up: the rest stays in the last one.
    if (!delimiter.isClose && this.#parts >= MAX_PARTS) return false;
    this.#closeDownTo(delimiter.index);
    this.#consume(bytes, text, at, end);
    if (delimiter.isClose) this.#boundaries[delimiter.index] = undefined;
    else this.#beginHeader();
    return true;
  }

  #beginHeader(): void {
    this.#header = "";
    this.#headerStart = this.#offset;
  }

  /** Ends the header being read: its part begins, with its body at `bodyStart`. */
  #endHeader(bodyStart: number): void {
    const header = this.#header ?? "";
    this.#header = undefined;
    this.#headerBudget -= header.length;
    const parent = this.#frames.at(-1);
    const inMultipart = parent?.type === "multipart";
    const defaultType = inMultipart && parent.subtype === "digest"
      ? "message/rfc822"
      : "text/plain";
    const described = this.#listener.describe(header, defaultType, !inMultipart);
    const part: Part = {
      ...described,
      headerStart: this.#headerStart,
      bodyStart,
      bodyEnd: bodyStart,
      mediaType: "",
      size: 0,
      lines: -this.#newlines,
      children: [],
      message: undefined,
    };
    this.#parts++;
    if (parent === undefined) this.#root = part;
    const mayNest = this.#frames.length < MAX_DEPTH && this.#parts < MAX_PARTS;
    const boundary = settleType(part, mayNest);
    if (part.type === "text" || isMessage(part)) this.#counters++;
    if (inMultipart) parent.children.push(part);
    else if (parent !== undefined) parent.message = part;
    if (part.type === "multipart") this.#open(part, boundary);
    else if (isMessage(part)) {
      this.#open(part, undefined);
      this.#beginHeader();
    } else {
      this.#leaf = part;
      this.#leafWanted = this.#listener.beginLeaf(part, this.#frames);
    }
  }

  #open(part: Part, boundary: string | undefined): void {
    this.#frames.push(part);
    this.#boundaries.push(boundary);
  }

  /** Ends every part inside the frame at `index` (-1: all parts) at the current line. */
  #closeDownTo(index: number): void {
    while (this.#header !== undefined) this.#endHeader(this.#offset);
    const leaf = this.#leaf;
    this.#leaf = undefined;
    if (leaf !== undefined) {
      this.#endPart(leaf);
      this.#listener.endLeaf(leaf);
    }
    while (this.#frames.length - 1 > index) {
      const part = this.#frames.pop();
      this.#boundaries.pop();
      if (part === undefined) break;
      this.#endPart(part);
      if (part.type === "multipart" && part.children.length === 0) {
        part.children.push(emptyPart(part.bodyEnd));
      }
    }
  }

  #endPart(part: Part): void {
    part.bodyEnd = Math.max(part.bodyStart, this.#offset - this.#lineEnd);
    part.size = part.bodyEnd - part.bodyStart;
    if (part.type !== "text" && !isMessage(part)) {
      part.lines = 0;
      return;
    }
    this.#counters--;
    const isCut = part.bodyEnd < this.#offset;
    part.lines = Math.max(0, part.lines + this.#newlines - (isCut ? 1 : 0));
  }

  /** Moves past `text` from `from` to `to`, which is content of whatever is open. */
  #consume(bytes: Bytes, text: string, from: number, to: number): void {
    if (from === to) return;
    if (this.#header !== undefined) {
      const room = Math.min(MAX_HEADER_BYTES, this.#headerBudget) - this.#header.length;
      if (room > 0) this.#header += text.slice(from, Math.min(to, from + room));
    }
    if (this.#counters > 0) {
      for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) {
        this.#newlines++;
      }
    }
    if (this.#leaf !== undefined && this.#leafWanted) {
      this.#listener.leafData(bytes.subarray(from, to));
    }
    const last = text.charCodeAt(to - 1);
    if (last === 10) {
      const afterCr = to - 2 >= from ? text.charCodeAt(to - 2) === 13 : this.#afterCr;
      this.#lineEnd = afterCr ? 2 : 1;
    } else this.#lineEnd = 0;
    this.#afterCr = last === 13;
    this.#offset += to - from;
  }
}

/** Whether a message whose first line this is has a header; an mbox "From " line may precede it. */
function beginsHeader(line: string): boolean {
  return isFieldStart(line) || /^>?From /.test(line);
}
