import assert from "node:assert/strict";
import fc from "fast-check";
import type { TestClient } from "../support/client.ts";
import { lines } from "../support/messages.ts";
import { withServer } from "../support/server.ts";

/** Searches that are followed: what is asked, whether the result has an order of its own. */
const SEARCHES = [
  { byUid: true, sort: "", keys: "FLAGGED" },
  { byUid: false, sort: "", keys: "OR UNSEEN DELETED" },
  { byUid: true, sort: "", keys: "UID 3:* UNSEEN" },
  { byUid: true, sort: "(SUBJECT) UTF-8 ", keys: "UNDELETED" },
  { byUid: false, sort: "(REVERSE SIZE SUBJECT) UTF-8 ", keys: "OR FLAGGED SEEN" },
];

/** A result as a client keeps it by what it is told (RFC 5267 4.3). */
class Followed {
  tag = "";
  results: number[] = [];

  constructor(readonly search: typeof SEARCHES[number]) {}

  command(options: string): string {
    const { byUid, sort, keys } = this.search;
    const verb = `${byUid ? "UID " : ""}${sort ? "SORT" : "SEARCH"}`;
    return `${verb} RETURN (${options}) ${sort}${keys}`;
  }

  async begin(c: TestClient): Promise<void> {
    this.tag = c.begin();
    const { untagged } = await c.finish(this.tag, this.command("ALL UPDATE"));
    this.results = allOf(untagged, this.tag);
  }

  take(line: string): void {
    const expunge = /^(\d+) EXPUNGE$/.exec(line);
    if (expunge && !this.search.byUid) {
      const gone = Number(expunge[1]);
      assert.ok(!this.results.includes(gone), `${gone} was expunged before it was removed`);
      this.results = this.results.map((number) => number > gone ? number - 1 : number);
    }
    if (!line.startsWith(`ESEARCH (TAG "${this.tag}")`)) return;
    for (const [, kind, list] of line.matchAll(/(ADDTO|REMOVEFROM) \(([^)]*)\)/g)) {
      const words = (list ?? "").split(" ");
      for (let i = 0; i < words.length; i += 2) {
        const position = Number(words[i]);
        const set = numbersOf(words[i + 1] ?? "");
        if (kind === "ADDTO") this.#add(position, set);
        else this.#remove(position, set);
      }
    }
  }

  #add(position: number, set: number[]): void {
    assert.equal(position === 0, this.search.sort === "");
    for (const number of set) assert.ok(!this.results.includes(number), `${number} is there`);
    this.results.splice(position === 0 ? this.results.length : position - 1, 0, ...set);
    if (position === 0) this.results.sort((a, b) => a - b);
  }

  #remove(position: number, set: number[]): void {
    if (position > 0) {
      assert.deepEqual(this.results.splice(position - 1, set.length), set);
      return;
    }
    for (const number of set) assert.ok(this.results.includes(number), `${number} is not there`);
    this.results = this.results.filter((number) => !set.includes(number));
  }
}

function numbersOf(set: string): number[] {
  return set.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split(":").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

function allOf(untagged: readonly string[], tag: string): number[] {
  const line = untagged.find((it) => it.startsWith(`ESEARCH (TAG "${tag}")`)) ?? "";
  const set = / ALL (\S+)/.exec(line)?.[1];
  return set === undefined ? [] : numbersOf(set);
}

type Step =
  | { readonly kind: "append"; readonly subject: string; readonly flags: string; size: number }
  | { readonly kind: "store"; readonly uid: number; readonly change: string }
  | { readonly kind: "expunge" | "fetch" | "noop" }
  | { readonly kind: "move"; readonly uid: number };
/** Who does it: the client that follows, or one of two others. */
type Turn = readonly [who: 0 | 1 | 2, step: Step];

const flag = fc.constantFrom("\\Seen", "\\Flagged", "\\Deleted");
const uid = fc.integer({ min: 1, max: 14 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      subject: fc.constantFrom("a", "b", "c", "Re: b", "\u00c4", "z"),
      flags: fc.constantFrom("", "\\Seen", "\\Flagged", "\\Flagged \\Seen"),
      size: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("store" as const),
      uid,
      change: fc.tuple(fc.constantFrom("+", "-"), flag).map(([sign, it]) =>
        `${sign}FLAGS.SILENT (${it})`
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("expunge" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("move" as const), uid }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("fetch" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("noop" as const) }) },
);
const turns: fc.Arbitrary<Turn[]> = fc.array(
  fc.tuple(fc.constantFrom(0 as const, 1 as const, 2 as const), step),
  { minLength: 5, maxLength: 25 },
);

async function take(c: TestClient, step: Step): Promise<readonly string[]> {
  switch (step.kind) {
    case "append": {
      const text = lines(`Subject: ${step.subject}`, "", "x".repeat(step.size * 10));
      return (await c.cmd([`APPEND box (${step.flags}) `, {
        literal: new TextEncoder().encode(text),
      }]))
        .untagged;
    }
    case "store":
      return (await c.cmd(`UID STORE ${step.uid} ${step.change}`)).untagged;
    case "move":
      return (await c.cmd(`UID MOVE ${step.uid} away`)).untagged;
    case "expunge":
      return (await c.cmd("EXPUNGE")).untagged;
    case "fetch":
      // Sequence numbers: no EXPUNGE may be told.
      return (await c.cmd("FETCH 1:* FLAGS")).untagged;
    case "noop":
      return (await c.cmd("NOOP")).untagged;
  }
}

Deno.test("a client that follows ADDTO and REMOVEFROM has what a fresh search gives", async () => {
  await withServer(async (server) => {
    await fc.assert(
      fc.asyncProperty(turns, async (turns) => {
        const admin = await server.login();
        await admin.cmd("DELETE box");
        await admin.cmd("CREATE away");
        await admin.ok("CREATE box");
        for (const subject of ["b", "a"]) await admin.append("box", lines(`Subject: ${subject}`));
        const clients = [
          await server.login("box"),
          await server.login("box"),
          await server.login("box"),
        ] as const;
        const [c] = clients;
        const followed = SEARCHES.map((search) => new Followed(search));
        const follow = (untagged: readonly string[]) => {
          for (const line of untagged) for (const it of followed) it.take(line);
        };
        for (const it of followed) await it.begin(c);
        for (const [who, step] of turns) {
          const untagged = await take(clients[who], step);
          if (who !== 0) continue;
          follow(untagged);
          if (step.kind !== "noop") continue;
          await compare(c, followed);
        }
        follow((await c.ok("NOOP")).untagged);
        await compare(c, followed);
        for (const client of [...clients, admin]) await client.logout();
      }),
      { numRuns: 40 },
    );
  });
});

async function compare(c: TestClient, followed: readonly Followed[]): Promise<void> {
  for (const it of followed) {
    const tag = c.begin();
    const { untagged } = await c.finish(tag, it.command("ALL"));
    assert.deepEqual(it.results, allOf(untagged, tag), it.command("UPDATE"));
  }
}
