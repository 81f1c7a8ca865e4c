import { DELIMITER } from "../store/mod.ts";
import { no } from "./imap_error.ts";
import { MAX_PATTERN_STEPS } from "./limits.ts";

// Units of a compiled pattern beside UTF-16 code units, which are 0 and above.
const ANY = -1;
const ANY_IN_LEVEL = -2;
const END = -3;

const SLASH = DELIMITER.charCodeAt(0);
const INBOX = "INBOX";
/** Added to a code unit of a name that a pattern may also give in lower case. */
const CASELESS = 0x1_0000;
const TO_LOWER = 0x20;

/** Where in the patterns the matching of a name can be, after certain characters. */
interface State {
  /** Positions in the units, ascending; none: the name does not match. */
  readonly positions: readonly number[];
  /** Whether a name may end here. */
  readonly accepts: boolean;
  /** Whether the name matches whatever follows. */
  readonly acceptsRest: boolean;
  /** By code unit of a name, with CASELESS where it is one of INBOX. */
  readonly next: Map<number, State>;
}

/**
 * The canonical patterns of one LIST or LSUB: `*` matches anything, `%` anything within a level,
 * and the letters of a first level INBOX match in any case (RFC 9051 6.3.9). All patterns together
 * are one automaton whose states are made when a name first needs them, so that a name costs one
 * look-up per character, however many wildcards and patterns there are. Making states is bounded
 * by MAX_PATTERN_STEPS; beyond it `matches` throws NO [LIMIT].
 */
export class MailboxPatterns {
  readonly #units: number[] = [];
  readonly #states = new Map<string, State>();
  readonly #start: State;
  #steps = 0;

  /**
   * `reference` stands before each pattern as it is: a wildcard in it is a character, so that every
   * name that LIST gives can be a reference (RFC 9051 7.3.1). Empty patterns match nothing.
   */
  constructor(reference: string, patterns: Iterable<string>) {
    const starts: number[] = [];
    for (const pattern of patterns) {
      if (pattern === "") continue;
      starts.push(this.#units.length);
      for (let i = 0; i < reference.length; i++) this.#units.push(reference.charCodeAt(i));
      this.#addPattern(pattern);
      this.#units.push(END);
    }
    this.#start = this.#state(starts);
  }

  matches(name: string): boolean {
    const isInbox = name === INBOX || name.startsWith(INBOX + DELIMITER);
    let state = this.#start;
    for (let i = 0; i < name.length; i++) {
      if (state.acceptsRest) return true;
      if (state.positions.length === 0) return false;
      const unit = name.charCodeAt(i) + (isInbox && i < INBOX.length ? CASELESS : 0);
      state = state.next.get(unit) ?? this.#step(state, unit);
    }
    return state.accepts;
  }

  /** A run of wildcards matches what its widest does, and is one unit. */
  #addPattern(pattern: string): void {
    for (const part of pattern.match(/[*%]+|[^*%]+/g) ?? []) {
      if (part.startsWith("*") || part.startsWith("%")) {
        this.#units.push(part.includes("*") ? ANY : ANY_IN_LEVEL);
      } else {
        for (let i = 0; i < part.length; i++) this.#units.push(part.charCodeAt(i));
      }
    }
  }

  #step(state: State, unit: number): State {
    this.#steps += state.positions.length + 1;
    if (this.#steps > MAX_PATTERN_STEPS) throw no("These patterns are too costly", "LIMIT");
    const isCaseless = unit >= CASELESS;
    const code = isCaseless ? unit - CASELESS : unit;
    const reached: number[] = [];
    for (const position of state.positions) {
      const wanted = this.#units[position];
      if (wanted === ANY || (wanted === ANY_IN_LEVEL && code !== SLASH)) reached.push(position);
      else if (wanted === code || (isCaseless && wanted === code + TO_LOWER)) {
        reached.push(position + 1);
      }
    }
    const next = this.#state(reached);
    state.next.set(unit, next);
    return next;
  }

  /** The one state for `reached` and what follows when a wildcard matches nothing. */
  #state(reached: readonly number[]): State {
    const all = new Set<number>();
    for (const position of reached) {
      all.add(position);
      if (this.#isWildcard(position)) all.add(position + 1);
    }
    const positions = [...all].sort((a, b) => a - b);
    const key = positions.join();
    const known = this.#states.get(key);
    if (known) return known;
    const state: State = {
      positions,
      accepts: positions.some((position) => this.#units[position] === END),
      acceptsRest: positions.some((position) =>
        this.#units[position] === ANY && this.#units[position + 1] === END
      ),
      next: new Map(),
    };
    this.#states.set(key, state);
    return state;
  }

  #isWildcard(position: number): boolean {
    const unit = this.#units[position];
    return unit === ANY || unit === ANY_IN_LEVEL;
  }
}
