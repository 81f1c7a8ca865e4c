import { type Bytes, decodeLatin1, EMPTY_BYTES } from "../base/mod.ts";
import { MAX_LINE_BYTES, MAX_TAG_LENGTH } from "./limits.ts";

/** Announcement of a literal at the end of a line (RFC 9051 4.3, RFC 7888, RFC 3516 4.4). */
export interface LiteralHeader {
  /** Octets to come: 0 to 2^53 - 1. */
  readonly size: number;
  /** `{n}`: the client waits for a continuation request before it sends. */
  readonly isSynchronizing: boolean;
  /** `~{n}`: may hold NUL. */
  readonly isBinary: boolean;
}

/** A literal in its place in a command. */
export interface Literal extends LiteralHeader {
  /** Its octets, when they were held in memory. */
  readonly bytes: Bytes;
  /** What the receiver of a streamed literal left here. */
  readonly streamed: unknown;
}

/** Text between literals, one character for each octet, without line ends. */
export type FramePart = string | Literal;

/**
 * One whole command: text, then literal and text in turn. Of one that must be refused only the
 * beginning is kept, so that what a client sends after it costs no memory.
 */
export interface Frame {
  readonly parts: FramePart[];
  /** Its text went over the limit: the command must be refused. */
  tooLong: boolean;
  /** Set once a non-synchronizing literal was skipped: the command must be refused. */
  skipped: boolean;
}

/**
 * What comes out of the framer. At "literal" it stands still until `holdLiteral`, `streamLiteral`,
 * `skipLiteral` or `abandonCommand` is called.
 */
export type FrameEvent =
  | { readonly kind: "command"; readonly frame: Frame }
  | { readonly kind: "literal"; readonly frame: Frame; readonly literal: LiteralHeader };

const LF = 0x0a;
const CR = 0x0d;

/**
 * Cuts a client's bytes into whole commands without understanding them, so that a syntax error
 * never makes the server take the inside of a literal for a command. Holds one command at a time
 * and waits without copying: give it bytes with `push`, take events with `next`.
 */
export class Framer {
  #input: Bytes = EMPTY_BYTES;
  /** Unused bytes lie from `#offset` to `#end`. */
  #offset = 0;
  #end = 0;
  /** Whether `#input` is this object's own, with room behind `#end`. */
  #spare = false;
  /** Where the search for LF may go on, so that a slow line is scanned once. */
  #scanned = 0;
  #frame: Frame | undefined;
  #textBytes = 0;
  /** Octets of the present line that were dropped because it is too long; its end is kept. */
  #cut = false;
  /** The beginning of the line that was cut: it may hold the tag to answer to. */
  #head = "";
  #state: "line" | "verdict" | "hold" | "stream" | "skip" = "line";
  #literal: LiteralHeader | undefined;
  #remaining = 0;
  #held: Bytes = EMPTY_BYTES;

  /** Adds bytes from the client. The array belongs to the framer from now on. */
  push(chunk: Bytes): void {
    const kept = this.pending;
    if (kept === 0) {
      this.#input = chunk;
      this.#offset = this.#scanned = 0;
      this.#end = chunk.length;
      this.#spare = false;
      return;
    }
    if (!this.#spare || this.#end + chunk.length > this.#input.length) {
      // Twice the room, so that a line that comes octet by octet is not copied for each of them.
      const grown = new Uint8Array(2 * (kept + chunk.length));
      grown.set(this.#input.subarray(this.#offset, this.#end));
      this.#input = grown;
      this.#spare = true;
      this.#scanned = Math.max(0, this.#scanned - this.#offset);
      this.#offset = 0;
      this.#end = kept;
    }
    this.#input.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Octets pushed and not yet used. */
  get pending(): number {
    return this.#end - this.#offset;
  }

  /** Whether a command has begun and is not complete. */
  get isInCommand(): boolean {
    return this.#frame !== undefined || this.pending > 0;
  }

  /** Takes all unused bytes out: what follows belongs to a new layer (STARTTLS, COMPRESS). */
  takeRest(): Bytes {
    const rest = this.#input.subarray(this.#offset, this.#end);
    this.#release();
    return rest;
  }

  /** The next event, or undefined when more bytes are needed. */
  next(): FrameEvent | undefined {
    for (;;) {
      switch (this.#state) {
        case "verdict":
        case "stream":
          return undefined;
        case "hold":
          if (!this.#fillHeld()) return undefined;
          this.#endLiteral(this.#held);
          break;
        case "skip":
          if (!this.#skip()) return undefined;
          this.#endLiteral(EMPTY_BYTES);
          break;
        case "line": {
          const line = this.#takeLine(MAX_LINE_BYTES - this.#textBytes);
          if (line === undefined) return undefined;
          const event = this.#endLine(line);
          if (event) return event;
        }
      }
    }
  }

  /**
   * One raw line without its line end, for answers to a continuation request; undefined when it is
   * not there yet, "too-long" when it went over `limit` octets (it is dropped up to its end).
   */
  nextLine(limit: number): string | "too-long" | undefined {
    const line = this.#takeLine(limit);
    if (line === undefined) return undefined;
    const wasCut = this.#cut;
    this.#cut = false;
    return wasCut ? "too-long" : line;
  }

  /** Keeps the literal's octets in memory. The caller has checked its size. */
  holdLiteral(): void {
    this.#held = new Uint8Array(this.#literal!.size);
    this.#begin("hold");
  }

  /** Passes the literal's octets on through `takeLiteralBytes`, up to `endStreamedLiteral`. */
  streamLiteral(): void {
    this.#begin("stream");
  }

  /** Reads over a literal that is refused but already under way. */
  skipLiteral(): void {
    this.#frame!.skipped = true;
    this.#begin("skip");
  }

  /** Ends a command whose synchronizing literal is refused: the client will not send the rest. */
  abandonCommand(): void {
    this.#reset();
  }

  /**
   * Octets of a streamed literal that are here, at most `limit`; empty when more must come;
   * undefined when all were taken.
   */
  takeLiteralBytes(limit: number): Bytes | undefined {
    if (this.#remaining === 0) return undefined;
    const length = Math.min(limit, this.#remaining, this.pending);
    const bytes = this.#input.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    this.#remaining -= length;
    return bytes;
  }

  /** Puts `streamed` in the place of a literal of which all octets were taken. */
  endStreamedLiteral(streamed: unknown): void {
    this.#endLiteral(EMPTY_BYTES, streamed);
  }

  #begin(state: "hold" | "stream" | "skip"): void {
    this.#state = state;
    this.#remaining = this.#literal!.size;
  }

  #fillHeld(): boolean {
    const length = Math.min(this.#remaining, this.pending);
    const at = this.#held.length - this.#remaining;
    this.#held.set(this.#input.subarray(this.#offset, this.#offset + length), at);
    this.#offset += length;
    this.#remaining -= length;
    return this.#remaining === 0;
  }

  #skip(): boolean {
    const length = Math.min(this.#remaining, this.pending);
    this.#offset += length;
    this.#remaining -= length;
    return this.#remaining === 0;
  }

  #endLiteral(bytes: Bytes, streamed?: unknown): void {
    this.#keep({ ...this.#literal!, bytes, streamed });
    this.#literal = undefined;
    this.#held = EMPTY_BYTES;
    this.#state = "line";
    this.#scanned = this.#offset;
  }

  /** Up to the next LF; when longer than `limit`, the end of it, with `#cut` set. */
  #takeLine(limit: number): string | undefined {
    if (this.pending === 0) {
      // A connection may now be idle for hours: it keeps no buffer meanwhile.
      this.#release();
      return undefined;
    }
    const input = this.#spare ? this.#input.subarray(0, this.#end) : this.#input;
    const end = input.indexOf(LF, Math.max(this.#scanned, this.#offset));
    if (end < 0) {
      this.#scanned = this.#end;
      // A CR that still belongs to the line end does not count.
      if (this.pending > limit + 1) this.#cutTo(this.#end);
      return undefined;
    }
    const stop = end > this.#offset && input[end - 1] === CR ? end - 1 : end;
    if (stop - this.#offset > limit) this.#cutTo(stop);
    const start = this.#offset;
    this.#offset = this.#scanned = end + 1;
    return decodeLatin1(input.subarray(start, stop));
  }

  /** Drops the middle of a line: its end, up to `stop`, tells whether a literal follows. */
  #cutTo(stop: number): void {
    if (!this.#cut) {
      this.#head = decodeLatin1(this.#input.subarray(this.#offset, this.#offset + HEAD_BYTES));
    }
    this.#cut = true;
    this.#offset = Math.max(this.#offset, stop - LITERAL_HEADER_BYTES);
  }

  #release(): void {
    this.#input = EMPTY_BYTES;
    this.#offset = this.#end = this.#scanned = 0;
    this.#spare = false;
  }

  #endLine(line: string): FrameEvent | undefined {
    const frame = this.#frame ??= { parts: [], tooLong: false, skipped: false };
    this.#textBytes += line.length;
    const literal = line.endsWith("}") ? parseLiteralHeader(line) : undefined;
    const text = literal ? line.slice(0, literal.start) : line;
    this.#keep(this.#cut ? this.#head : text);
    frame.tooLong ||= this.#cut;
    this.#cut = false;
    if (literal) {
      this.#literal = literal.header;
      this.#state = "verdict";
      return { kind: "literal", frame, literal: literal.header };
    }
    this.#reset();
    return { kind: "command", frame };
  }

  #keep(part: FramePart): void {
    const { parts, tooLong, skipped } = this.#frame!;
    if (!tooLong && !skipped) parts.push(part);
  }

  #reset(): void {
    this.#frame = undefined;
    this.#literal = undefined;
    this.#textBytes = 0;
    this.#state = "line";
  }
}

/** Longest literal header: `~{9007199254740991+}` and CR, with some room. */
const LITERAL_HEADER_BYTES = 24;

/** Room for the longest tag and the longest name of a command. */
const HEAD_BYTES = MAX_TAG_LENGTH + 56;

function parseLiteralHeader(line: string): { start: number; header: LiteralHeader } | undefined {
  const match = /(~?)\{(\d{1,16})(\+?)\}$/.exec(line);
  if (!match) return undefined;
  const size = Number(match[2]);
  if (!Number.isSafeInteger(size)) return undefined;
  return {
    start: match.index,
    header: { size, isSynchronizing: match[3] === "", isBinary: match[1] === "~" },
  };
}
