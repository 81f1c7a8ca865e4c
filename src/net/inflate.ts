/**
 * Inflation of raw deflate (RFC 1951), synchronous and in memory that fits what was inflated: the
 * runtime's own takes 46 KiB for each connection that is idle, and needs a thread for each line.
 * Between two blocks, which is where a client that flushes leaves off, nothing is kept but what may
 * still be referred to: at most 32 KiB, and no more than has come out.
 */
import { type Bytes, concatBytes, EMPTY_BYTES } from "../base/mod.ts";

/** How far back a match may reach (RFC 1951 2). */
const WINDOW_BYTES = 32 * 1024;
/** The longest match. */
const MAX_MATCH = 258;
const END_OF_BLOCK = 256;
/** Blocks that one `read` begins: a header of 60 octets may make tables of 64 Ki entries. */
const BLOCKS_PER_READ = 8;

/** The input is not deflate. */
export class InflateError extends Error {
  override readonly name = "InflateError";
}

/** Codes by the bits that come next, as many as the longest code has: symbol * 16 + length, or 0. */
interface CodeTable {
  readonly entries: Uint16Array;
  readonly bits: number;
}

type Block =
  | { readonly kind: "stored"; remaining: number }
  | { readonly kind: "coded"; readonly literals: CodeTable; readonly distances: CodeTable };

/** One raw deflate stream. Feed it, and read until there is no output. */
export class Inflate {
  #input: Bytes = EMPTY_BYTES;
  /** Bits of the first octet of `#input` that were used. */
  #usedBits = 0;
  /** What came out last. */
  #window: Bytes = EMPTY_BYTES;
  /** Undefined between two blocks. */
  #block: Block | undefined;
  #isLastBlock = false;
  #mayHaveOutput = false;

  /** Whether the stream has come to its own end; what follows is ignored. */
  get isEnded(): boolean {
    return this.#isLastBlock && this.#block === undefined;
  }

  /** Whether `read` may give something without more input. */
  get mayHaveOutput(): boolean {
    return this.#mayHaveOutput;
  }

  feed(bytes: Bytes): void {
    if (bytes.length === 0 || this.isEnded) return;
    this.#input = concatBytes(this.#input.length === 0 ? [bytes] : [this.#input, bytes]);
    this.#mayHaveOutput = true;
  }

  /**
   * The next output, at most `limit` octets, which must be no less than 258, and of at most so many
   * blocks that it takes a few milliseconds. Throws InflateError.
   */
  read(limit: number): Bytes {
    const output = new Output(this.#window, limit, 4 * this.#input.length);
    const input = new BitReader(this.#input, this.#usedBits);
    this.#mayHaveOutput = this.#inflate(input, output);
    const rest = this.isEnded ? EMPTY_BYTES : input.rest();
    // What is left of a block's header must not keep the piece that it came in.
    this.#input = this.#mayHaveOutput ? rest : rest.slice();
    this.#usedBits = input.usedBits;
    if (output.length > 0) this.#window = output.window();
    return output.bytes();
  }

  /** Goes on until there is no input, false, or it was enough, true. */
  #inflate(input: BitReader, output: Output): boolean {
    let blocks = 0;
    try {
      while (!this.isEnded) {
        if (output.room < MAX_MATCH || blocks > BLOCKS_PER_READ) return true;
        input.save();
        if (this.#block === undefined) {
          blocks++;
          const isLast = input.take(1) === 1;
          this.#block = readBlockHeader(input);
          this.#isLastBlock = isLast;
        } else if (this.#block.kind === "coded") {
          if (inflateCodes(input, this.#block, output)) this.#block = undefined;
        } else if (this.#block.remaining === 0) {
          this.#block = undefined;
        } else {
          const bytes = input.takeBytes(Math.min(this.#block.remaining, output.room));
          output.append(bytes);
          this.#block.remaining -= bytes.length;
        }
      }
    } catch (error) {
      if (error !== STARVED) throw error;
      input.restore();
    }
    return false;
  }
}

/** Thrown when the input ends too early; the reader then goes back to where it last saved. */
const STARVED = new InflateError("the input is not complete");

/** Bits from the least significant on (RFC 1951 3.1.1). */
class BitReader {
  /** Up to 24 bits that were read and not used. */
  #hold = 0;
  #held = 0;
  #next = 0;
  #savedHold = 0;
  #savedHeld = 0;
  #savedNext = 0;

  constructor(private readonly input: Bytes, usedBits: number) {
    if (usedBits > 0) this.take(usedBits);
  }

  save(): void {
    this.#savedHold = this.#hold;
    this.#savedHeld = this.#held;
    this.#savedNext = this.#next;
  }

  restore(): void {
    this.#hold = this.#savedHold;
    this.#held = this.#savedHeld;
    this.#next = this.#savedNext;
  }

  /** The next `count` bits, at most 16. */
  take(count: number): number {
    if (this.#held < count) {
      this.#fill();
      if (this.#held < count) throw STARVED;
    }
    return this.#use(count);
  }

  /** The next symbol of a code. */
  symbol({ entries, bits }: CodeTable): number {
    if (this.#held < bits) this.#fill();
    // Bits that are not there yet are zero.
    const entry = entries[this.#hold & (1 << bits) - 1]!;
    const length = entry & 15;
    if (length > this.#held || (entry === 0 && this.#held < bits)) throw STARVED;
    if (entry === 0) throw new InflateError("there is no such code");
    this.#use(length);
    return entry >> 4;
  }

  /** Drops what is left of the present octet. */
  alignToByte(): void {
    this.#use(this.#held & 7);
  }

  /** Octets that are here, at most `limit`, at least one; only at the beginning of an octet. */
  takeBytes(limit: number): Bytes {
    this.#next -= this.#held >> 3;
    this.#hold = this.#held = 0;
    const bytes = this.input.subarray(this.#next, this.#next + limit);
    if (bytes.length === 0) throw STARVED;
    this.#next += bytes.length;
    return bytes;
  }

  /** What was not used, from an octet on of which `usedBits` were. */
  rest(): Bytes {
    return this.input.subarray(this.#next - Math.ceil(this.#held / 8));
  }

  get usedBits(): number {
    return -this.#held & 7;
  }

  #use(count: number): number {
    const value = this.#hold & (1 << count) - 1;
    this.#hold >>>= count;
    this.#held -= count;
    return value;
  }

  #fill(): void {
    while (this.#held <= 16 && this.#next < this.input.length) {
      this.#hold |= this.input[this.#next++]! << this.#held;
      this.#held += 8;
    }
  }
}

/** Output behind what came out before it. */
class Output {
  #buffer: Uint8Array<ArrayBuffer>;
  readonly #start: number;
  #end: number;
  readonly #limit: number;

  constructor(window: Bytes, limit: number, guess: number) {
    this.#start = this.#end = window.length;
    this.#limit = window.length + limit;
    this.#buffer = new Uint8Array(window.length + Math.min(limit, guess + MAX_MATCH));
    this.#buffer.set(window);
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /** How much more may come. */
  get room(): number {
    return this.#limit - this.#end;
  }

  push(byte: number): void {
    if (this.#end === this.#buffer.length) this.#grow(1);
    this.#buffer[this.#end++] = byte;
  }

  append(bytes: Bytes): void {
    if (this.#end + bytes.length > this.#buffer.length) this.#grow(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Repeats what lies `distance` back; it may reach into what it makes. */
  repeat(distance: number, length: number): void {
    if (distance > this.#end) throw new InflateError("a match begins before the stream");
    if (this.#end + length > this.#buffer.length) this.#grow(length);
    const buffer = this.#buffer;
    for (let from = this.#end - distance; length > 0; length--) {
      buffer[this.#end++] = buffer[from++]!;
    }
  }

  bytes(): Bytes {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** What matches may refer to later. */
  window(): Bytes {
    return this.#buffer.slice(Math.max(0, this.#end - WINDOW_BYTES), this.#end);
  }

  #grow(count: number): void {
    const size = Math.min(this.#limit, Math.max(2 * this.#buffer.length, this.#end + count));
    const grown = new Uint8Array(size);
    grown.set(this.#buffer);
    this.#buffer = grown;
  }
}

/** Inflates codes up to the end of the block, true, or of the room, false. */
function inflateCodes(
  input: BitReader,
  { literals, distances }: Block & { kind: "coded" },
  output: Output,
): boolean {
  while (output.room >= MAX_MATCH) {
    input.save();
    const symbol = input.symbol(literals);
    if (symbol < END_OF_BLOCK) {
      output.push(symbol);
      continue;
    }
    if (symbol === END_OF_BLOCK) return true;
    const [base, extra] = lengthOf(symbol);
    const length = base + input.take(extra);
    const distanceSymbol = input.symbol(distances);
    if (distanceSymbol > 29) throw new InflateError("there is no such distance");
    // RFC 1951 3.2.5: two symbols for each number of extra bits.
    const distanceExtra = Math.max(0, (distanceSymbol >> 1) - 1);
    const distanceBase = distanceSymbol < 2
      ? distanceSymbol + 1
      : (2 + (distanceSymbol & 1) << distanceExtra) + 1;
    output.repeat(distanceBase + input.take(distanceExtra), length);
  }
  return false;
}

/** Smallest length of a symbol, and how many bits follow (RFC 1951 3.2.5): four for each number. */
function lengthOf(symbol: number): readonly [base: number, extra: number] {
  if (symbol > 285) throw new InflateError("there is no such length");
  if (symbol === 285) return [MAX_MATCH, 0];
  const index = symbol - 257;
  if (index < 8) return [3 + index, 0];
  const extra = (index >> 2) - 1;
  return [3 + (4 + (index & 3) << extra), extra];
}

/** RFC 1951 3.2.3. */
function readBlockHeader(input: BitReader): Block {
  switch (input.take(2)) {
    case 0: {
      input.alignToByte();
      const remaining = input.take(16);
      if (input.take(16) !== (~remaining & 0xffff)) throw new InflateError("lengths contradict");
      return { kind: "stored", remaining };
    }
    case 1:
      return fixedCodes ??= makeFixedCodes();
    case 2:
      return readCodes(input);
    default:
      throw new InflateError("there is no such kind of block");
  }
}

/** RFC 1951 3.2.6. Made once, when first needed. */
let fixedCodes: Block | undefined;

function makeFixedCodes(): Block {
  const lengths = new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(
    8,
    280,
  );
  return {
    kind: "coded",
    literals: makeTable(lengths),
    distances: makeTable(new Uint8Array(32).fill(5)),
  };
}

/** In which order the lengths of the code for lengths come. */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** RFC 1951 3.2.7. */
function readCodes(input: BitReader): Block {
  const literalCount = 257 + input.take(5);
  const distanceCount = 1 + input.take(5);
  const lengthCount = 4 + input.take(4);
  if (literalCount > 286 || distanceCount > 30) throw new InflateError("too many codes");
  const lengthLengths = new Uint8Array(19);
  for (const symbol of LENGTH_ORDER.slice(0, lengthCount)) lengthLengths[symbol] = input.take(3);
  const lengthTable = makeTable(lengthLengths);
  const lengths = new Uint8Array(literalCount + distanceCount);
  for (let at = 0; at < lengths.length;) {
    const symbol = input.symbol(lengthTable);
    if (symbol < 16) {
      lengths[at++] = symbol;
      continue;
    }
    if (symbol === 16 && at === 0) throw new InflateError("no length to repeat");
    const value = symbol === 16 ? lengths[at - 1]! : 0;
    const count = symbol === 16
      ? 3 + input.take(2)
      : symbol === 17
      ? 3 + input.take(3)
      : 11 + input.take(7);
    if (at + count > lengths.length) throw new InflateError("too many lengths");
    lengths.fill(value, at, at += count);
  }
  if (lengths[END_OF_BLOCK] === 0) throw new InflateError("the block has no end");
  return {
    kind: "coded",
    literals: makeTable(lengths.subarray(0, literalCount)),
    distances: makeTable(lengths.subarray(literalCount)),
  };
}

/**
 * The table of a canonical code (RFC 1951 3.2.2). Only a code of at most one symbol may leave bit
 * patterns unused.
 */
function makeTable(lengths: Uint8Array): CodeTable {
  const bits = Math.max(1, ...lengths);
  const entries = new Uint16Array(1 << bits);
  const size = 1 << bits;
  let code = 0;
  let used = 0;
  for (let length = 1; length <= bits; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      if (code >= 1 << length) throw new InflateError("more codes than there is room for");
      for (let at = reversed(code, length); at < size; at += 1 << length) {
        entries[at] = symbol << 4 | length;
      }
      code++;
      used++;
    }
    code <<= 1;
  }
  if (code < 2 * size && !(used === 0 || (used === 1 && bits === 1))) {
    throw new InflateError("a code leaves room unused");
  }
  return { entries, bits };
}

function reversed(code: number, length: number): number {
  let result = 0;
  for (let i = 0; i < length; i++) result |= (code >> i & 1) << length - 1 - i;
  return result;
}
