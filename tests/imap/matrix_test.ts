import assert from "node:assert/strict";
import { RangeSet } from "../../src/base/mod.ts";
import { SystemFlag } from "../../src/store/mod.ts";
import { ClientModel, sortedFlags } from "../session/client_model.ts";
import { type CommandText, literal, type Result, type TestClient } from "../support/client.ts";
import { lines } from "../support/messages.ts";
import { type TestServer, withServer } from "../support/server.ts";

/** What a client turned on. Most of a server's bugs live between two of these. */
interface Mode {
  readonly rev2: boolean;
  readonly modSeqs: "none" | "CONDSTORE" | "QRESYNC";
  readonly uidOnly: boolean;
  readonly compress: boolean;
  /** Which form of a command it uses. */
  readonly by: "seq" | "uid";
}

const MODES: readonly Mode[] = [false, true].flatMap((rev2) =>
  (["none", "CONDSTORE", "QRESYNC"] as const).flatMap((modSeqs) => [
    { rev2, modSeqs, compress: false, uidOnly: false, by: "seq" as const },
    { rev2, modSeqs, compress: true, uidOnly: false, by: "uid" as const },
    { rev2, modSeqs, compress: false, uidOnly: true, by: "uid" as const },
    { rev2, modSeqs, compress: true, uidOnly: true, by: "uid" as const },
  ])
);

function nameOf({ rev2, modSeqs, uidOnly, compress, by }: Mode): string {
  const on = [
    rev2 ? "IMAP4rev2" : "IMAP4rev1",
    modSeqs === "none" ? [] : modSeqs,
    uidOnly ? "UIDONLY" : [],
    compress ? "COMPRESS" : [],
  ].flat();
  return `${on.join(", ")}, commands by ${by === "seq" ? "number" : "UID"}`;
}

const message = (subject: string) => lines(`Subject: ${subject}`, "", `text of ${subject}`);

/** A client in a mode, with what it knows of its mailbox, that holds the server to the mode. */
class Actor {
  model = new ClientModel();
  box = "";
  uidValidity = 0;
  highestModSeq = 0;

  private constructor(
    readonly c: TestClient,
    readonly mode: Mode,
    readonly server: TestServer,
  ) {}

  static async login(server: TestServer, mode: Mode): Promise<Actor> {
    const c = await server.login();
    const names = [
      mode.rev2 ? "IMAP4rev2" : [],
      mode.modSeqs === "none" ? [] : mode.modSeqs,
      mode.uidOnly ? "UIDONLY" : [],
    ].flat();
    if (mode.compress) await c.compress();
    if (names.length > 0) await c.ok(`ENABLE ${names.join(" ")}`);
    return new Actor(c, mode, server);
  }

  get uids(): number[] {
    return this.model.messages.map(({ uid }) => uid ?? 0);
  }

  /** FETCH items for flags, as this client would ask for them. */
  get flags(): string {
    return this.mode.modSeqs === "none" ? "FLAGS" : "FLAGS MODSEQ";
  }

  /** A message set for these UIDs in the form of the mode. */
  set(...uids: number[]): string {
    const numbers = this.mode.by === "uid" ? uids : uids.map((uid) => this.uids.indexOf(uid) + 1);
    return RangeSet.from(numbers.sort((a, b) => a - b)).toString();
  }

  /** Runs a command with its form in front. */
  async run(command: CommandText, isHeld = false): Promise<Result> {
    const prefix = this.mode.by === "uid" ? "UID " : "";
    const [first, ...rest] = typeof command === "string" ? [command] : command;
    return await this.ok([`${prefix}${first as string}`, ...rest], isHeld && prefix === "");
  }

  /** A command that must succeed; `isHeld`: nothing may be told to be gone (RFC 9051 7.5.1). */
  async ok(command: CommandText, isHeld = false): Promise<Result> {
    const result = await this.c.ok(command);
    for (const line of result.untagged) {
      if (isHeld) assert.doesNotMatch(line, /^(\d+ EXPUNGE|VANISHED \d)/);
      this.take(line);
    }
    return result;
  }

  take(line: string): void {
    const { rev2, modSeqs, uidOnly } = this.mode;
    const vanishes = modSeqs === "QRESYNC" || uidOnly;
    if (vanishes) assert.doesNotMatch(line, /^\d+ EXPUNGE/);
    else assert.doesNotMatch(line, /^VANISHED/);
    if (uidOnly) assert.doesNotMatch(line, /^\d+ FETCH|^OK \[UNSEEN/);
    else assert.doesNotMatch(line, /UIDFETCH/);
    if (rev2) assert.doesNotMatch(line, /RECENT|^SEARCH/i);
    if (/FLAGS \(/.test(line) && /^\d+ (UID)?FETCH/.test(line) && modSeqs !== "none") {
      assert.match(line, /MODSEQ \(\d+\)/, "flags are told with their mod-sequence");
    }
    if (modSeqs === "none") assert.doesNotMatch(line, /MODSEQ \(/);
    const highest = Number(/^OK \[HIGHESTMODSEQ (\d+)\]/.exec(line)?.[1] ?? 0);
    if (highest > 0) {
      assert.ok(highest >= this.highestModSeq, "HIGHESTMODSEQ fell");
      this.highestModSeq = highest;
    }
    this.uidValidity = Number(/^OK \[UIDVALIDITY (\d+)\]/.exec(line)?.[1] ?? this.uidValidity);
    this.model.take(line);
  }

  async select(box: string, verb = "SELECT"): Promise<void> {
    this.model = new ClientModel();
    if (box !== this.box) this.highestModSeq = 0;
    this.box = box;
    await this.ok(`${verb} ${box}`);
    await this.learn();
  }

  /** Selects the mailbox again and hears what changed since `modSeq` (RFC 7162 3.2.5). */
  async resume(uidValidity: number, modSeq: number): Promise<void> {
    const { untagged } = await this.c.ok(`SELECT ${this.box} (QRESYNC (${uidValidity} ${modSeq}))`);
    // EXISTS is the number without those that vanished earlier: they go first (RFC 7162 3.2.10.1).
    const isEarlier = (line: string) => line.startsWith("VANISHED (EARLIER)");
    const firstFetch = untagged.findIndex((line) => line.includes("FETCH ("));
    assert.ok(firstFetch < 0 || untagged.findLastIndex(isEarlier) < firstFetch);
    for (const line of untagged.filter(isEarlier)) this.model.take(line);
    for (const line of untagged.filter((line) => !isEarlier(line))) this.take(line);
  }

  /** Asks for what it does not know. */
  async learn(): Promise<void> {
    // Under UIDONLY only the UIDs say which message a response is about.
    if (this.mode.uidOnly) {
      const uids = await this.search("ALL");
      assert.equal(uids.length, this.model.messages.length);
      this.model.messages.forEach((known, i) => {
        assert.ok(known.uid === undefined || known.uid === uids[i]);
        known.uid = uids[i];
      });
    }
    await this.ok(`UID FETCH 1:* (UID ${this.flags})`);
  }

  /** Hears what changed; then it must know what the store has. */
  async verify(): Promise<void> {
    await this.ok("NOOP");
    if (this.model.messages.some(({ uid, flags }) => !uid || flags === undefined)) {
      await this.learn();
    }
    const known = this.model.messages.map(({ uid, flags }) => [uid, flags]);
    assert.deepEqual(known, await stored(this.server, this.box));
  }

  /** UIDs that a search gives, in whichever response the mode has. */
  async search(keys: string): Promise<number[]> {
    const { untagged } = await this.run(`SEARCH ${keys}`, true);
    const line = untagged.find((it) => /^E?SEARCH/.test(it)) ?? "";
    assert.match(line, this.mode.rev2 ? /^ESEARCH/ : /^SEARCH/);
    const set = this.mode.rev2
      ? / ALL (\S+)/.exec(line)?.[1] ?? ""
      : line.slice("SEARCH ".length).replaceAll(" ", ",");
    return this.named(set);
  }

  /** The UIDs that a set of a response names. */
  named(set: string): number[] {
    const numbers = set === "" ? [] : set.split(",").flatMap((range) => {
      const [first = 0, last = first] = range.split(":").map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
    return this.mode.by === "uid" ? numbers : numbers.map((number) => this.uids[number - 1] ?? 0);
  }
}

const NAMES = new Map([
  [SystemFlag.seen, "\\Seen"],
  [SystemFlag.answered, "\\Answered"],
  [SystemFlag.flagged, "\\Flagged"],
  [SystemFlag.deleted, "\\Deleted"],
  [SystemFlag.draft, "\\Draft"],
] as [number, string][]);

/** UIDs and flags of all messages, from the store itself. */
async function stored(server: TestServer, box: string): Promise<[number, string][]> {
  const mail = await server.mail();
  const mailbox = await mail.findMailbox(box);
  assert.ok(mailbox);
  const rows: [number, string][] = [];
  for await (const page of mail.fetchMessages(mailbox.id, RangeSet.range(1, 0xffff_ffff))) {
    for (const { uid, flags, keywords, expunged } of page) {
      if (expunged) continue;
      const system = [...NAMES].filter(([bit]) => flags & bit).map(([, name]) => name);
      rows.push([uid, sortedFlags([...system, ...keywords.split(" ").filter(Boolean)])]);
    }
  }
  return rows;
}

/** Two clients in a mode and one that is plain IMAP4rev1, all in one mailbox of five messages. */
interface Scene {
  readonly a: Actor;
  readonly b: Actor;
  readonly other: TestClient;
}

type Script = (scene: Scene) => Promise<void>;

const SCRIPTS: Readonly<Record<string, Script>> = {
  async append({ a, b }) {
    const { code } = await a.ok([`APPEND ${a.box} (\\Flagged Kw) `, literal(message("new"))]);
    assert.match(code ?? "", /^APPENDUID \d+ 6$/);
    await a.ok([
      `APPEND ${a.box} `,
      literal(message("x")),
      " CATENATE (URL ;UID=1)",
    ]);
    await b.verify();
  },

  async fetch({ a, b }) {
    const { untagged } = await a.run(`FETCH ${a.set(2, 3)} (BODY.PEEK[TEXT] RFC822.SIZE)`, true);
    assert.equal(untagged.filter((line) => line.includes("BODY[TEXT]")).length, 2);
    await a.verify();
    const seen = await a.run(`FETCH ${a.set(2, 4)} BODY[TEXT]`, true);
    assert.equal(seen.untagged.filter((line) => line.includes("\\Seen")).length, 2);
    await b.verify();
  },

  async store({ a, b, other }) {
    await a.run(`STORE ${a.set(1, 2)} FLAGS (\\Seen $Forwarded NewWord)`, true);
    await other.ok("UID STORE 1 +FLAGS (\\Answered Another)");
    await a.run(`STORE ${a.set(2, 3)} +FLAGS.SILENT (\\Draft)`, true);
    await b.run(`STORE ${b.set(1, 2, 3)} -FLAGS (\\Seen)`, true);
  },

  async "conditional store"({ a, b, other }) {
    if (a.mode.modSeqs === "none") return;
    const before = Math.max(...a.model.messages.map(({ modSeq }) => modSeq));
    await other.ok("UID STORE 3 +FLAGS (\\Flagged)");
    const set = a.set(2, 3);
    const { code } = await a.run(`STORE ${set} (UNCHANGEDSINCE ${before}) +FLAGS (\\Seen)`, true);
    assert.deepEqual(a.named((code ?? "").replace("MODIFIED ", "")), [3]);
    await b.run(`FETCH ${b.set(1, 2, 3)} FLAGS (CHANGEDSINCE ${before})`, true);
  },

  async search({ a, other }) {
    await other.ok("UID STORE 2,4 +FLAGS (\\Flagged)");
    await a.verify();
    assert.deepEqual(await a.search("FLAGGED"), [2, 4]);
    assert.deepEqual(await a.search("UID 3:* UNFLAGGED"), [3, 5]);
    assert.deepEqual(await a.search("SUBJECT nothing"), []);
    await a.run("SEARCH RETURN (SAVE) FLAGGED", true);
    await a.run("STORE $ +FLAGS (\\Answered)", true);
    assert.deepEqual(await a.search("ANSWERED"), [2, 4]);
  },

  async "sort, thread and pages"({ a }) {
    const sorted = await a.run("SORT RETURN (ALL) (REVERSE SUBJECT) UTF-8 ALL", true);
    const all = / ALL (\S+)/.exec(sorted.untagged.join())?.[1] ?? "";
    assert.deepEqual(a.named(all), [5, 4, 3, 2, 1]);
    const page = await a.run("SEARCH RETURN (PARTIAL -1:-2) ALL", true);
    const part = / PARTIAL \(-1:-2 (\S+)\)/.exec(page.untagged.join())?.[1] ?? "";
    assert.deepEqual(a.named(part), [4, 5]);
    const { untagged } = await a.run("THREAD REFERENCES UTF-8 ALL", true);
    assert.equal(untagged.filter((line) => line.startsWith("THREAD (")).length, 1);
  },

  async copy({ a, b }) {
    await a.run(`COPY ${a.set(1, 3)} ${a.box}`);
    const { code } = await b.run(`COPY ${b.set(2, 5)} Elsewhere`);
    assert.match(code ?? "", /^COPYUID \d+ 2,5 \d+:\d+$/);
    await b.verify();
    assert.equal(b.model.messages.length, 7);
  },

  async move({ a, b, other }) {
    const { untagged } = await a.run(`MOVE ${a.set(2, 3)} Elsewhere`);
    const told = untagged.findIndex((line) => /^OK \[COPYUID/.test(line));
    const gone = untagged.findIndex((line) => /EXPUNGE$|^VANISHED/.test(line));
    assert.ok(told >= 0 && told < gone, "COPYUID before the messages are gone");
    await other.ok("UID MOVE 5 Elsewhere");
    await b.verify();
    assert.deepEqual(b.uids, [1, 4]);
  },

  async expunge({ a, b }) {
    await a.run(`STORE ${a.set(1, 2, 4)} +FLAGS (\\Deleted)`, true);
    const { code } = await a.ok("UID EXPUNGE 2:3");
    await b.verify();
    await b.ok("EXPUNGE");
    assert.deepEqual(b.uids, [3, 5]);
    const says = a.mode.modSeqs === "QRESYNC" ? /^HIGHESTMODSEQ \d+$/ : /^$/;
    assert.match(code ?? "", says);
  },

  async "an expunge that must wait"({ a, other }) {
    await other.ok("UID STORE 2,4 +FLAGS (\\Deleted)");
    await other.ok("EXPUNGE");
    await a.run(`FETCH ${a.set(1, 3)} (${a.flags})`, true);
    await a.run(`STORE ${a.set(5)} +FLAGS (\\Seen)`, true);
    await a.search("ALL");
    await a.verify();
    assert.deepEqual(a.uids, [1, 3, 5]);
  },

  async idle({ a, b, other }) {
    const idle = await b.c.idle();
    await other.append(a.box, message("news"));
    await a.run(`STORE ${a.set(3)} +FLAGS (\\Flagged Word)`, true);
    await a.run(`STORE ${a.set(1)} +FLAGS (\\Deleted)`, true);
    await a.ok("EXPUNGE");
    for (let line = ""; !/EXPUNGE$|^VANISHED/.test(line);) b.take(line = await idle.next());
    for (const line of (await idle.done()).untagged) b.take(line);
  },

  async replace({ a, b }) {
    await a.run([`REPLACE ${a.set(2)} ${a.box} (\\Seen) `, literal(message("better"))]);
    await b.verify();
    assert.deepEqual(b.uids, [1, 3, 4, 5, 6]);
  },

  async "a followed search"({ a, other }) {
    const tag = a.c.begin();
    const verb = a.mode.by === "uid" ? "UID SEARCH" : "SEARCH";
    await a.c.finish(tag, `${verb} RETURN (UPDATE COUNT) FLAGGED`);
    await other.ok("UID STORE 2,4 +FLAGS (\\Flagged)");
    const { untagged } = await a.ok("NOOP");
    const added = / ADDTO \(0 (\S+)\)/.exec(untagged.join("\n"))?.[1] ?? "";
    assert.deepEqual(a.named(added), [2, 4]);
    await other.ok("UID STORE 2 +FLAGS (\\Deleted)");
    await other.ok("EXPUNGE");
    const gone = await a.c.ok("NOOP");
    const at = gone.untagged.findIndex((line) => line.includes("REMOVEFROM"));
    assert.ok(at >= 0 && at < gone.untagged.findIndex((it) => /EXPUNGE$|^VANISHED/.test(it)));
    for (const line of gone.untagged) a.take(line);
  },

  async "select again"({ a, b, other }) {
    const { box, uidValidity } = a;
    await a.ok("NOOP");
    const modSeq = Math.max(a.highestModSeq, ...a.model.messages.map((it) => it.modSeq));
    await a.ok("UNSELECT");
    await other.ok("UID STORE 1,3 +FLAGS (\\Deleted)");
    await other.ok("UID EXPUNGE 3");
    await other.append(box, message("later"));
    if (a.mode.modSeqs === "QRESYNC") {
      // From what it knew: the server tells the rest.
      await a.resume(uidValidity, modSeq);
      await a.verify();
    } else {
      await a.select(box);
    }
    assert.deepEqual(a.uids, [1, 2, 4, 5, 6]);
    await b.select(box, "EXAMINE");
    await a.ok("CLOSE");
    await b.verify();
    assert.deepEqual(b.uids, [2, 4, 5, 6]);
    await a.select(box);
  },
};

for (const mode of MODES) {
  Deno.test(`the same conversations under ${nameOf(mode)}`, async () => {
    await withServer(async (server) => {
      const other = await server.login();
      await other.ok("CREATE Elsewhere");
      const a = await Actor.login(server, mode);
      const b = await Actor.login(server, mode);
      for (const [i, [name, script]] of Object.entries(SCRIPTS).entries()) {
        const box = `Box${i}`;
        await other.ok(`CREATE ${box}`);
        for (const subject of ["a", "b", "c", "d", "e"]) await other.append(box, message(subject));
        await other.ok(`SELECT ${box}`);
        try {
          await a.select(box);
          await b.select(box);
          await script({ a, b, other });
          await a.verify();
          await b.verify();
        } catch (error) {
          throw new Error(`in "${name}"`, { cause: error });
        }
      }
    });
  });
}
