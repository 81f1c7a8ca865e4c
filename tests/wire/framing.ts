import { Buffer } from "node:buffer";
import { decodeLatin1, encodeLatin1 } from "../../src/base/mod.ts";
import {
  type FramePart,
  Framer,
  type LiteralHeader,
  type SequenceSet,
} from "../../src/wire/mod.ts";

/** What is done with a literal. */
export type Verdict = "hold" | "stream" | "skip" | "abandon";

/** A frame as plain data, for comparison: literals as `{header: octets}`. */
export interface PlainFrame {
  readonly parts: readonly (string | readonly [header: string, octets: string])[];
  readonly tooLong: boolean;
  readonly skipped: boolean;
}

/** Feeds bytes to a framer, deals with literals as `verdict` says, and collects whole commands. */
export class Feeder {
  readonly framer = new Framer();
  readonly frames: PlainFrame[] = [];
  /** Most octets that the framer held and had not used after a push was dealt with. */
  mostPending = 0;
  #streamed: string[] | undefined;

  constructor(private readonly verdict: (literal: LiteralHeader) => Verdict = () => "hold") {}

  /** Pushes `input` in the pieces given by `cut`, which gives the length of the next piece. */
  feed(input: string | Uint8Array, cut: () => number = () => Infinity): this {
    const bytes = typeof input === "string" ? encodeLatin1(input) : input;
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + Math.max(1, cut()));
      // A copy, since the framer may keep what it is given.
      this.framer.push(bytes.slice(at, end));
      this.#drain();
      this.mostPending = Math.max(this.mostPending, this.framer.pending);
      at = end;
    }
    return this;
  }

  #drain(): void {
    const { framer } = this;
    for (;;) {
      if (this.#streamed) {
        const bytes = framer.takeLiteralBytes(7);
        if (bytes === undefined) {
          const whole = this.#streamed.join("");
          this.#streamed = undefined;
          framer.endStreamedLiteral(whole);
        } else if (bytes.length === 0) return;
        else this.#streamed.push(decodeLatin1(bytes));
        continue;
      }
      const event = framer.next();
      if (!event) return;
      if (event.kind === "command") {
        const { parts, tooLong, skipped } = event.frame;
        this.frames.push({ parts: parts.map(plainPart), tooLong, skipped });
        continue;
      }
      switch (this.verdict(event.literal)) {
        case "hold":
          framer.holdLiteral();
          break;
        case "stream":
          framer.streamLiteral();
          this.#streamed = [];
          break;
        case "skip":
          framer.skipLiteral();
          break;
        case "abandon":
          framer.abandonCommand();
      }
    }
  }
}

function plainPart(part: FramePart): PlainFrame["parts"][number] {
  if (typeof part === "string") return part;
  const { size, isBinary, isSynchronizing } = part;
  const header = `${isBinary ? "~" : ""}{${size}${isSynchronizing ? "" : "+"}}`;
  return [header, typeof part.streamed === "string" ? part.streamed : decodeLatin1(part.bytes)];
}

/** Commands in `input`, taken in one piece, every literal held. */
export function framesOf(
  input: string | Uint8Array,
  verdict: (literal: LiteralHeader) => Verdict = () => "hold",
): PlainFrame[] {
  return new Feeder(verdict).feed(input).frames;
}

/** A frame for a reader: texts and literals in turn. */
export function frameOf(
  ...parts: readonly (string | Uint8Array)[]
): { parts: FramePart[] } {
  return {
    parts: parts.map((part) =>
      typeof part === "string" ? part : {
        size: part.length,
        isSynchronizing: true,
        isBinary: false,
        bytes: part,
        streamed: undefined,
      }
    ),
  };
}

/** Text of which each character is an octet of the UTF-8 of `text`. */
export function octets(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The set in its wire form. */
export function writeSequenceSet(set: SequenceSet): string {
  if (set === "$") return set;
  return set.map(({ first, last }) => first === last ? `${first}` : `${first}:${last}`).join(",");
}
