import assert from "node:assert/strict";

/** What a client remembers of one message; undefined where it was told nothing. */
export interface KnownMessage {
  uid: number | undefined;
  /** Sorted, without \Recent; undefined until it was told. */
  flags: string | undefined;
  modSeq: number;
}

/**
 * What a client makes of the untagged responses of its selected mailbox, and nothing else. Takes
 * every response as it comes, and fails where one breaks a law: a number that it does not know, a
 * keyword that was not announced, a mailbox that shrinks by EXISTS, a mod-sequence that falls.
 */
export class ClientModel {
  messages: KnownMessage[] = [];
  recent = new Set<number>();
  readonly #keywords = new Set<string>();
  #uidNext = 0;

  /** `line`: without "* ". Responses that say nothing of messages are passed over. */
  take(line: string): void {
    const number = /^(\d+) (EXISTS|RECENT|EXPUNGE|FETCH|UIDFETCH)(?: \((.*)\))?$/s.exec(line);
    if (number) return this.#takeNumber(Number(number[1]), number[2]!, number[3] ?? "");
    const [, earlier, set] = /^VANISHED (\(EARLIER\) )?([\d:,]+)$/.exec(line) ?? [];
    if (set !== undefined) return this.#takeVanished(set, earlier !== undefined);
    const flags = /^FLAGS \((.*)\)$/.exec(line)?.[1];
    for (const flag of flags?.split(" ") ?? []) this.#keywords.add(flag.toLowerCase());
    const uidNext = /^OK \[UIDNEXT (\d+)\]/.exec(line)?.[1];
    if (uidNext !== undefined) this.noteUidNext(Number(uidNext));
  }

  /** UIDNEXT, from wherever it was told, never falls. */
  noteUidNext(uidNext: number): void {
    assert.ok(uidNext >= this.#uidNext, `UIDNEXT fell from ${this.#uidNext} to ${uidNext}`);
    this.#uidNext = uidNext;
  }

  #takeNumber(number: number, kind: string, data: string): void {
    switch (kind) {
      case "EXISTS":
        assert.ok(number >= this.messages.length, `EXISTS ${number} of ${this.messages.length}`);
        while (this.messages.length < number) {
          this.messages.push({ uid: undefined, flags: undefined, modSeq: 0 });
        }
        return;
      case "EXPUNGE":
        assert.ok(number >= 1 && number <= this.messages.length, `EXPUNGE ${number}`);
        this.messages.splice(number - 1, 1);
        return;
      case "FETCH": {
        const message = this.messages[number - 1];
        assert.ok(message, `FETCH ${number} of ${this.messages.length}`);
        return this.#takeData(message, data);
      }
      case "UIDFETCH": {
        const message = this.messages.find(({ uid }) => uid === number);
        if (message) return this.#takeData(message, data);
        // One of those that were only counted until now, and will be asked for.
        assert.ok(this.#placeOf(number) >= 0, `UIDFETCH ${number} is not known`);
      }
    }
  }

  #takeData(message: KnownMessage, data: string): void {
    const uid = /\bUID (\d+)/.exec(data)?.[1];
    if (uid !== undefined) {
      assert.ok(message.uid === undefined || message.uid === Number(uid), `UID ${uid} moved`);
      message.uid = Number(uid);
    }
    const flags = /\bFLAGS \(([^)]*)\)/.exec(data)?.[1];
    if (flags !== undefined) {
      const all = flags === "" ? [] : flags.split(" ");
      for (const flag of all) {
        assert.ok(
          flag === "\\Recent" || this.#keywords.has(flag.toLowerCase()),
          `${flag} was not announced`,
        );
      }
      message.flags = sortedFlags(all.filter((flag) => flag !== "\\Recent"));
      if (all.includes("\\Recent") && message.uid !== undefined) this.recent.add(message.uid);
    }
    const modSeq = Number(/\bMODSEQ \((\d+)\)/.exec(data)?.[1] ?? 0);
    if (modSeq > 0) {
      assert.ok(modSeq >= message.modSeq, `MODSEQ fell from ${message.modSeq} to ${modSeq}`);
      message.modSeq = modSeq;
    }
  }

  #takeVanished(set: string, earlier: boolean): void {
    for (const range of set.split(",")) {
      const [first, last = first] = range.split(":").map(Number) as [number, number?];
      for (let uid = first; uid <= last; uid++) {
        const at = this.messages.findIndex((message) => message.uid === uid);
        if (at < 0 && earlier) continue;
        const gone = at < 0 ? this.#placeOf(uid) : at;
        assert.ok(gone >= 0, `VANISHED ${uid} is not known`);
        this.messages.splice(gone, 1);
      }
    }
  }

  /** Where a UID may stand that was only counted until now: UIDs ascend. */
  #placeOf(uid: number): number {
    return this.messages.findIndex((message, place) =>
      message.uid === undefined &&
      this.messages.every((other, at) =>
        other.uid === undefined || (at < place) === (other.uid < uid)
      )
    );
  }
}

/** Flags in one order and case, as text. */
export function sortedFlags(flags: readonly string[]): string {
  return flags.map((flag) => flag.toLowerCase()).sort().join(" ");
}
