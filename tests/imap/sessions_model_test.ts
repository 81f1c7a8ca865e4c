import assert from "node:assert/strict";
import { ClientModel, sortedFlags } from "../session/client_model.ts";
import { type CommandText, literal, type Result, type TestClient } from "../support/client.ts";
import { type TestServer, withServer } from "../support/server.ts";

/** Steps of each mix; more for a long run. */
const STEPS = Number(Deno.env.get("POSTERN_MODEL_STEPS") ?? 160);
const SEED = Number(Deno.env.get("POSTERN_MODEL_SEED") ?? Date.now() % 1_000_000);

/** What each of three sessions enables. */
const MIXES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "three of IMAP4rev1": [[], [], []],
  "one each of IMAP4rev1, CONDSTORE and QRESYNC": [[], ["CONDSTORE"], ["QRESYNC"]],
  "IMAP4rev2, IMAP4rev1 and both revisions' QRESYNC": [
    ["IMAP4rev2"],
    [],
    ["QRESYNC", "IMAP4rev2"],
  ],
  "UIDONLY, IMAP4rev1 and QRESYNC with UIDONLY": [["UIDONLY"], [], ["QRESYNC", "UIDONLY"]],
};

class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  /** 0 to `n` - 1. */
  below(n: number): number {
    this.#state = Math.imul(this.#state ^ (this.#state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0;
    const mixed = Math.imul(this.#state ^ (this.#state >>> 12), 0x297a2d39);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % n;
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
  some<T>(items: readonly T[]): T[] {
    return items.filter(() => this.below(3) === 0).slice(0, 4);
  }
}

const FLAGS = ["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "\\Deleted", "alpha", "Beta", "$x"];

/** One session with a client that knows only what it was told. */
class Peer {
  model = new ClientModel();
  /** Where the client could resynchronise from: the highest mod-sequence that it may rely on. */
  highestModSeq = 0;
  /** UIDs that were \Recent here, over all times that the mailbox was selected. */
  readonly recent = new Set<number>();
  #uidValidity = 0;

  constructor(readonly client: TestClient, readonly enabled: readonly string[]) {}

  get uidOnly(): boolean {
    return this.enabled.includes("UIDONLY");
  }
  get qresync(): boolean {
    return this.enabled.includes("QRESYNC");
  }
  get claimsRecent(): boolean {
    return !this.enabled.includes("IMAP4rev2");
  }

  /** Runs a command and believes its responses. OK or NO; BAD is a mistake of the server's. */
  async run(command: CommandText): Promise<Result> {
    const result = await this.client.cmd(command);
    assert.notEqual(result.status, "BAD", `${JSON.stringify(command)}: ${result.text}`);
    this.take(result);
    return result;
  }

  take(result: Pick<Result, "code" | "untagged">): void {
    let seen = this.highestModSeq;
    for (const line of result.untagged) {
      this.model.take(line);
      seen = Math.max(seen, Number(/\bMODSEQ \((\d+)\)/.exec(line)?.[1] ?? 0));
      const told = /^OK \[HIGHESTMODSEQ (\d+)\]/.exec(line)?.[1];
      if (told !== undefined) seen = Number(told);
    }
    const tagged = /^HIGHESTMODSEQ (\d+)$/.exec(result.code ?? "")?.[1];
    this.highestModSeq = Math.max(seen, Number(tagged ?? 0));
    for (const uid of this.model.recent) this.recent.add(uid);
  }

  async select(): Promise<void> {
    this.model = new ClientModel();
    this.highestModSeq = 0;
    const { untagged } = await this.run("SELECT INBOX");
    this.#uidValidity = Number(/UIDVALIDITY (\d+)/.exec(untagged.join("\n"))![1]);
    await this.fetchUnknown();
  }

  /** Leaves the mailbox and comes back by QRESYNC with what is known. */
  async resynchronise(): Promise<void> {
    await this.fetchUnknown();
    await this.run("UNSELECT");
    const old = this.model.messages.filter(({ uid }) => uid !== undefined);
    const known = old.map(({ uid }) => uid).join(",");
    const since = this.highestModSeq;
    if (known === "" || since === 0) return await this.select();
    const { untagged } = await this.client.ok(
      `SELECT INBOX (QRESYNC (${this.#uidValidity} ${since} ${known}))`,
    );
    this.model = new ClientModel();
    // What the client keeps: its messages without those that have vanished.
    const gone = new ClientModel();
    gone.messages = old;
    const hasVanished = (line: string) => line.startsWith("VANISHED");
    for (const line of untagged.filter(hasVanished)) gone.take(line);
    this.model.messages = gone.messages;
    this.highestModSeq = 0;
    this.take({ code: undefined, untagged: untagged.filter((line) => !hasVanished(line)) });
    await this.fetchUnknown();
  }

  /** Asks for the UIDs and flags of messages that were only counted. */
  async fetchUnknown(): Promise<void> {
    const { messages } = this.model;
    const isUnknown = ({ uid, flags }: (typeof messages)[number]) =>
      uid === undefined || flags === undefined;
    if (!messages.some(isUnknown)) return;
    if (!this.uidOnly) {
      const numbers = messages.flatMap((message, i) => isUnknown(message) ? [i + 1] : []);
      await this.run(`FETCH ${numbers.join(",")} FLAGS`);
      return;
    }
    const known = messages.map(({ uid }) => uid ?? 0);
    const { untagged } = await this.client.ok(`UID FETCH ${Math.max(...known) + 1}:* FLAGS`);
    for (const line of untagged) {
      const uid = Number(/^(\d+) UIDFETCH/.exec(line)?.[1] ?? 0);
      const slot = this.model.messages.find((message) => message.uid === undefined);
      const isNew = uid > 0 && !this.model.messages.some((message) => message.uid === uid);
      if (isNew && slot) slot.uid = uid;
    }
    this.take({ code: undefined, untagged });
  }
}

/** A run of random commands in three sessions. */
class Play {
  readonly random: Random;
  readonly peers: Peer[] = [];
  #text = 0;
  #uidNext = 0;

  constructor(readonly server: TestServer, seed: number) {
    this.random = new Random(seed);
  }

  async start(mix: readonly (readonly string[])[]): Promise<void> {
    const first = await this.server.login();
    await first.ok("CREATE Other");
    for (let i = 0; i < 3; i++) await first.append("INBOX", `Subject: ${i}\r\n\r\n`);
    for (const enabled of mix) {
      const client = await this.server.login();
      if (enabled.length > 0) await client.ok(`ENABLE ${enabled.join(" ")}`);
      const peer = new Peer(client, enabled);
      this.peers.push(peer);
      await peer.select();
    }
  }

  /** One step: one to three sessions at the same time. */
  async step(): Promise<void> {
    const active = this.peers.filter(() => this.random.below(2) === 0);
    if (active.length === 0) active.push(this.random.pick(this.peers));
    await Promise.all(active.map((peer) => this.act(peer)));
  }

  async act(peer: Peer): Promise<void> {
    const { random } = this;
    switch (random.below(16)) {
      case 0:
      case 1:
      case 2:
        return await this.append(peer);
      case 3:
      case 4:
      case 5:
        return await this.store(peer);
      case 6: {
        const { set, uid } = this.someOf(peer);
        if (set !== "") await peer.run(`${uid}STORE ${set} +FLAGS (\\Deleted)`);
        return void await peer.run("EXPUNGE");
      }
      case 7: {
        const { set } = this.someOf(peer, true);
        if (set !== "") await peer.run(`UID EXPUNGE ${set}`);
        return;
      }
      case 8:
      case 9: {
        const { set, uid } = this.someOf(peer);
        const name = random.pick(["COPY", "MOVE"]);
        if (set !== "") await peer.run(`${uid}${name} ${set} ${random.pick(["Other", "INBOX"])}`);
        return;
      }
      case 10: {
        const { set, uid } = this.someOf(peer);
        const items = random.pick([
          "FLAGS",
          "BODY[]",
          "(FLAGS INTERNALDATE)",
          "(BODY[HEADER] FLAGS)",
        ]);
        if (set !== "") await peer.run(`${uid}FETCH ${set} ${items}`);
        return;
      }
      case 11:
        return void await peer.run(peer.uidOnly ? "UID SEARCH SEEN" : "SEARCH DELETED");
      case 12:
        return await this.idle(peer);
      case 13:
        await peer.fetchUnknown();
        return peer.qresync ? await peer.resynchronise() : await peer.select();
      case 14: {
        const { untagged } = await peer.run("STATUS INBOX (UIDNEXT)");
        const told = untagged.map((line) => /^STATUS INBOX \(UIDNEXT (\d+)/.exec(line)?.[1]);
        const uidNext = Number(told.find((text) => text !== undefined));
        return peer.model.noteUidNext(uidNext);
      }
      default:
        await peer.run("NOOP");
        return await peer.fetchUnknown();
    }
  }

  async append(peer: Peer): Promise<void> {
    const { random } = this;
    const flags = random.some(FLAGS).join(" ");
    const message = () => literal(`Subject: ${this.#text++}\r\n\r\nx\r\n`, { nonSync: true });
    const parts = [`APPEND INBOX (${flags}) `, message()];
    if (random.below(3) === 0) parts.push(" ", message());
    const { code } = await peer.run(parts);
    const uid = Number(/^APPENDUID \d+ (\d+)/.exec(code ?? "")?.[1]);
    assert.ok(uid > 0);
    peer.model.noteUidNext(uid + 1);
  }

  async store(peer: Peer): Promise<void> {
    const { random } = this;
    const { set, uid, members } = this.someOf(peer);
    if (set === "") return;
    const sign = random.pick(["+", "-", ""]);
    const flags = random.some(FLAGS);
    const silent = random.below(2) === 0;
    // The client takes its own change for granted, until it is told otherwise.
    if (silent) {
      for (const message of members) {
        if (message.flags === undefined) continue;
        const before = message.flags === "" ? [] : message.flags.split(" ");
        const given = flags.map((flag) => flag.toLowerCase());
        const without = before.filter((flag) => !given.includes(flag));
        const after = { "+": [...without, ...given], "-": without, "": given }[sign]!;
        message.flags = sortedFlags(after);
      }
    }
    await peer.run(
      `${uid}STORE ${set} ${sign}FLAGS${silent ? ".SILENT" : ""} (${flags.join(" ")})`,
    );
  }

  /** A session waits in IDLE while a further one acts; the other peers may be busy. */
  async idle(peer: Peer): Promise<void> {
    const idle = await peer.client.idle();
    const helper = await this.server.login("INBOX");
    await helper.ok("STORE * +FLAGS (idle)").catch(() => undefined);
    await helper.append("INBOX", "Subject: idle\r\n\r\n");
    helper.close();
    peer.take(await idle.done());
  }

  /** Some messages as the client knows them: by number or by UID. */
  someOf(peer: Peer, byUid = peer.uidOnly || this.random.below(2) === 0) {
    const { messages } = peer.model;
    const members = this.random.some(messages.filter(({ uid }) => !byUid || uid !== undefined));
    const names = members.map((message) => byUid ? message.uid : messages.indexOf(message) + 1);
    return { set: names.join(","), uid: byUid ? "UID " : "", members };
  }

  /** Everybody looks, and everybody's picture must be that of a session that comes anew. */
  async compare(): Promise<void> {
    for (const peer of this.peers) {
      await peer.run("NOOP");
      await peer.fetchUnknown();
    }
    const fresh = await this.server.login();
    const examined = await fresh.ok("EXAMINE INBOX");
    const uidNext = Number(/UIDNEXT (\d+)/.exec(examined.untagged.join("\n"))![1]);
    assert.ok(uidNext >= this.#uidNext);
    this.#uidNext = uidNext;
    const truth = new ClientModel();
    for (const line of examined.untagged) truth.take(line);
    if (truth.messages.length > 0) {
      for (const line of (await fresh.ok("FETCH 1:* FLAGS")).untagged) truth.take(line);
    }
    fresh.close();
    const plain = (model: ClientModel) =>
      model.messages.map(({ uid, flags }) => `${uid}: ${flags}`);
    for (const [index, peer] of this.peers.entries()) {
      assert.deepEqual(plain(peer.model), plain(truth), `session ${index}`);
    }
    const claiming = this.peers.filter((peer) => peer.claimsRecent);
    for (const { uid } of truth.messages) {
      const holders = claiming.filter((peer) => peer.recent.has(uid!)).length;
      assert.ok(holders <= 1, `UID ${uid} is \\Recent in ${holders} sessions`);
    }
  }
}

for (const [name, mix] of Object.entries(MIXES)) {
  Deno.test(`clients that believe every response agree with the server: ${name}`, async () => {
    await withServer(async (server) => {
      const play = new Play(server, SEED);
      try {
        await play.start(mix);
        for (let step = 1; step <= STEPS; step++) {
          await play.step();
          if (step % 8 === 0) await play.compare();
        }
        await play.compare();
      } catch (error) {
        throw new Error(`with POSTERN_MODEL_SEED=${SEED}: ${error}`, { cause: error });
      }
    });
  });
}
