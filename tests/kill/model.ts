/**
 * What mailboxes of which one connection is the only user must hold: each command has the one state
 * that it leads to, so that after a crash the mailboxes must be as they were before a command or as
 * they are after it, and nothing between.
 */
import { Buffer } from "node:buffer";
import { RangeSet } from "../../src/base/mod.ts";

export interface Message {
  /** Says what the message's bytes are; see `bytesOf`. */
  readonly key: string;
  /** Sorted, separated by one space. */
  readonly flags: string;
}

export interface Box {
  readonly uidNext: number;
  readonly messages: ReadonlyMap<number, Message>;
  /** Values of METADATA entries. */
  readonly notes: ReadonlyMap<string, string>;
}

export type Boxes = ReadonlyMap<string, Box>;

/** Names of entries that are set. */
export const ENTRIES = ["/private/comment", "/shared/comment", "/private/vendor/kill/x"] as const;

export const EMPTY: Box = { uidNext: 1, messages: new Map(), notes: new Map() };

/** One command, what it must answer, and the state after it. */
export interface Step {
  /** Without tag and line end; literals are non-synchronizing, so that commands may be pipelined. */
  readonly command: Uint8Array;
  /** The response code, with UIDVALIDITY left out as "V"; undefined: none is looked for. */
  readonly code: string | undefined;
  readonly after: Boxes;
}

export type Random = () => number;

/** Numbers from 0 up to 1 that repeat with the seed (mulberry32). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The message of a key: most are small, some are larger than a chunk of the store. */
export function bytesOf(key: string): Buffer {
  let seed = 7;
  for (const character of key) seed = Math.imul(seed, 31) + character.charCodeAt(0);
  const random = randomOf(seed);
  const which = random();
  const lines = which < 0.05 ? 5000 + random() * 4000 : which < 0.2 ? 700 : random() * 40;
  let text =
    `From: kill@example.org\r\nSubject: ${key}\r\nMessage-ID: <${key}@kill.example>\r\n\r\n`;
  for (let line = 0; line < lines; line++) {
    // A dot first, now and then, for LMTP.
    text += `${line % 9 === 4 ? "." : ""}${line} ${
      Math.floor(random() * 2 ** 48).toString(36).repeat(6)
    }\r\n`;
  }
  return Buffer.from(text, "latin1");
}

const SYSTEM_FLAGS = ["\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen"];
const KEYWORDS = ["$Forwarded", "k1", "k2"];

/** Makes commands for two mailboxes, of which one is selected. */
export class StepMaker {
  readonly #random: Random;
  readonly #name: string;
  #count = 0;

  constructor(name: string, random: Random) {
    this.#name = name;
    this.#random = random;
  }

  next(boxes: Boxes, selected: string, other: string): Step {
    const here = boxes.get(selected) ?? EMPTY;
    const uids = this.#some([...here.messages.keys()]);
    const isFull = here.messages.size > 40;
    const choice = this.#random();
    if (uids.size === 0 || (choice < 0.35 && !isFull)) {
      return this.#append(boxes, this.#random() < 0.5 ? selected : other);
    }
    if (choice < 0.5) return this.#store(boxes, selected, uids);
    if (choice < 0.6) return this.#transfer(boxes, selected, other, uids, "MOVE");
    if (choice < 0.7 && !isFull) return this.#transfer(boxes, selected, other, uids, "COPY");
    if (choice < 0.8) return this.#annotate(boxes, this.#random() < 0.5 ? selected : other);
    if (choice < 0.87) return this.#replace(boxes, selected, other, uids.first ?? 0);
    return this.#expunge(boxes, selected, uids);
  }

  #append(boxes: Boxes, name: string): Step {
    const box = boxes.get(name) ?? EMPTY;
    const messages = this.#random() < 0.5 ? [this.#message()] : Array.from(
      { length: 2 + Math.floor(this.#random() * 4) },
      () => this.#message(),
    );
    const parts: Uint8Array[] = [Buffer.from(`APPEND ${name}`)];
    for (const message of messages) parts.push(...literalOf(message));
    return {
      command: Buffer.concat(parts),
      code: `APPENDUID V ${RangeSet.range(box.uidNext, box.uidNext + messages.length - 1)}`,
      after: new Map(boxes).set(name, add(box, messages)),
    };
  }

  #replace(boxes: Boxes, selected: string, other: string, uid: number): Step {
    const target = this.#random() < 0.5 ? selected : other;
    const message = this.#message();
    const after = new Map(boxes).set(
      selected,
      remove(boxes.get(selected) ?? EMPTY, RangeSet.of(uid)),
    );
    const box = after.get(target) ?? EMPTY;
    after.set(target, add(box, [message]));
    return {
      command: Buffer.concat([
        Buffer.from(`UID REPLACE ${uid} ${target}`),
        ...literalOf(message),
      ]),
      code: `APPENDUID V ${box.uidNext}`,
      after,
    };
  }

  #store(boxes: Boxes, selected: string, uids: RangeSet): Step {
    const box = boxes.get(selected) ?? EMPTY;
    const flags = this.#flags();
    const mode = this.#random();
    const sign = mode < 0.5 ? "+" : mode < 0.75 ? "-" : "";
    const messages = new Map(box.messages);
    for (const [uid, message] of box.messages) {
      if (!uids.has(uid)) continue;
      const now = new Set(sign === "" ? [] : message.flags.split(" ").filter(Boolean));
      for (const flag of flags) sign === "-" ? now.delete(flag) : now.add(flag);
      messages.set(uid, { ...message, flags: joined([...now]) });
    }
    return {
      command: Buffer.from(`UID STORE ${uids} ${sign}FLAGS (${flags.join(" ")})`),
      code: undefined,
      after: new Map(boxes).set(selected, { ...box, messages }),
    };
  }

  #transfer(
    boxes: Boxes,
    selected: string,
    other: string,
    uids: RangeSet,
    what: "COPY" | "MOVE",
  ): Step {
    const from = boxes.get(selected) ?? EMPTY;
    const to = boxes.get(other) ?? EMPTY;
    const messages = [...from.messages].filter(([uid]) => uids.has(uid)).map(([, it]) => it);
    const after = new Map(boxes).set(other, add(to, messages));
    if (what === "MOVE") after.set(selected, remove(from, uids));
    return {
      command: Buffer.from(`UID ${what} ${uids} ${other}`),
      code: `COPYUID V ${uids} ${RangeSet.range(to.uidNext, to.uidNext + messages.length - 1)}`,
      after,
    };
  }

  #expunge(boxes: Boxes, selected: string, uids: RangeSet): Step {
    const box = boxes.get(selected) ?? EMPTY;
    const isAll = this.#random() < 0.4;
    const gone = [...box.messages].filter(([uid, { flags }]) =>
      flags.includes("\\Deleted") && (isAll || uids.has(uid))
    ).map(([uid]) => uid);
    return {
      command: Buffer.from(isAll ? "EXPUNGE" : `UID EXPUNGE ${uids}`),
      code: undefined,
      after: new Map(boxes).set(selected, remove(box, RangeSet.from(gone))),
    };
  }

  #annotate(boxes: Boxes, name: string): Step {
    const box = boxes.get(name) ?? EMPTY;
    const notes = new Map(box.notes);
    const pairs = ENTRIES.filter(() => this.#random() < 0.6).map((entry) => {
      if (this.#random() < 0.3) {
        notes.delete(entry);
        return `${entry} NIL`;
      }
      const value = `${this.#name}-${++this.#count}`;
      notes.set(entry, value);
      return `${entry} "${value}"`;
    });
    if (pairs.length === 0) return this.#append(boxes, name);
    return {
      command: Buffer.from(`SETMETADATA ${name} (${pairs.join(" ")})`),
      code: undefined,
      after: new Map(boxes).set(name, { ...box, notes }),
    };
  }

  #message(): Message {
    return {
      key: `${this.#name}-${++this.#count}`,
      flags: this.#random() < 0.5 ? "" : joined(this.#flags()),
    };
  }

  #flags(): string[] {
    const flags = [...SYSTEM_FLAGS, ...KEYWORDS].filter(() => this.#random() < 0.3);
    return flags.length === 0 ? ["\\Deleted"] : flags;
  }

  #some(uids: readonly number[]): RangeSet {
    const share = this.#random() < 0.3 ? 0.9 : 0.2;
    return RangeSet.from(uids.filter(() => this.#random() < share).sort((a, b) => a - b));
  }
}

function literalOf({ key, flags }: Message): Uint8Array[] {
  const bytes = bytesOf(key);
  return [Buffer.from(` (${flags}) {${bytes.length}+}\r\n`), bytes];
}

function joined(flags: readonly string[]): string {
  return [...flags].sort().join(" ");
}

function add(box: Box, added: readonly Message[]): Box {
  const messages = new Map(box.messages);
  added.forEach((message, i) => messages.set(box.uidNext + i, message));
  return { ...box, messages, uidNext: box.uidNext + added.length };
}

function remove(box: Box, uids: RangeSet): Box {
  return { ...box, messages: new Map([...box.messages].filter(([uid]) => !uids.has(uid))) };
}

/** The state as text, equal for equal states. */
export function textOf(boxes: Boxes): string {
  return [...boxes].sort(([a], [b]) => a < b ? -1 : 1).map(([name, box]) =>
    [
      `${name}: next ${box.uidNext}`,
      ...[...box.messages].sort(([a], [b]) => a - b)
        .map(([uid, { key, flags }]) => `  ${uid} ${key} ${flags}`),
      ...[...box.notes].sort(([a], [b]) => a < b ? -1 : 1)
        .map(([entry, value]) => `  ${entry} ${value}`),
    ].join("\n")
  ).join("\n");
}
