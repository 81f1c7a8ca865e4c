import { encodeLatin1 } from "../../src/base/mod.ts";

/** Numbers that follow from a seed alone. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0 to `n` - 1 (mulberry32). */
  below(n: number): number {
    this.#state = this.#state + 0x6d2b79f5 | 0;
    let t = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) % n;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

/** Longest input that mutation makes. */
const MAX_INPUT_BYTES = 64 * 1024;

/**
 * An input from the corpus, changed here and there: octets, whole tokens, pieces of other inputs,
 * pieces twice or many times, or cut short; `mostChanges` of them at most. Now and then one of noise, now and then one unchanged.
 */
export function mutate(
  random: Random,
  corpus: readonly Uint8Array[],
  tokens: readonly Uint8Array[],
  mostChanges = 5,
): Uint8Array {
  let bytes = corpus.length === 0 || random.below(50) === 0 ? noise(random) : random.pick(corpus);
  for (let rounds = random.below(mostChanges + 1); rounds > 0; rounds--) {
    const at = random.below(bytes.length + 1);
    const length = Math.min(random.below(random.below(10) === 0 ? 2000 : 12), bytes.length - at);
    const piece = bytes.subarray(at, at + length);
    const before = bytes.subarray(0, at);
    switch (random.below(8)) {
      case 0:
        bytes = join(before, noise(random), bytes.subarray(at + length));
        break;
      case 1:
        bytes = join(before, bytes.subarray(at + length));
        break;
      case 2:
      case 3:
        bytes = join(before, tokens.length > 0 ? random.pick(tokens) : piece, bytes.subarray(at));
        break;
      case 4:
        bytes = join(before, ...Array(2 + random.below(60)).fill(piece), bytes.subarray(at));
        break;
      case 5: {
        const other = corpus.length > 0 ? random.pick(corpus) : piece;
        bytes = join(before, other.subarray(random.below(other.length + 1)));
        break;
      }
      case 6:
        bytes = before;
        break;
      case 7: {
        bytes = bytes.slice();
        if (bytes.length > 0) bytes[at % bytes.length]! ^= 1 << random.below(8);
      }
    }
    if (bytes.length > MAX_INPUT_BYTES) bytes = bytes.subarray(0, MAX_INPUT_BYTES);
  }
  return bytes;
}

/** Tokens of text, one octet for each character. */
export function tokensOf(...texts: readonly string[]): Uint8Array[] {
  return texts.map(encodeLatin1);
}

function noise(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.below(20) }, () => random.below(256));
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
