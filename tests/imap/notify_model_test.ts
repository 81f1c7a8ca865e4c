import assert from "node:assert/strict";
import fc from "fast-check";
import { RangeSet } from "../../src/base/mod.ts";
import { type AccountStore, StoreError, SystemFlag } from "../../src/store/mod.ts";
import { stage } from "../store/fixture.ts";
import { literal, type TestClient } from "../support/client.ts";
import { withServer } from "../support/server.ts";

const NAMES = ["INBOX", "a", "a/b", "a/b/c", "d", "d/e", "Sent"];
const RUNS = 60;

/** What the writers may do at the store, and the watching client at its connection. */
const WRITES = [
  "append",
  "flags",
  "expunge",
  "copy",
  "move",
  "create",
  "delete",
  "rename",
  "subscribe",
  "unsubscribe",
  "annotate",
] as const;
const WATCHES = ["select", "unselect", "noop", "check", "idle", "ownAppend", "ownStore"] as const;

interface Step {
  readonly kind: typeof WRITES[number] | typeof WATCHES[number];
  readonly x: number;
  readonly y: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...WRITES) },
    { weight: 1, arbitrary: fc.constantFrom(...WATCHES) },
  ),
  x: fc.nat(1000),
  y: fc.nat(1000),
});

function pick<T>(from: readonly T[], n: number): T {
  return from[n % from.length]!;
}

async function write(store: AccountStore, { kind, x, y }: Step): Promise<void> {
  const name = pick(NAMES, x);
  const other = pick(NAMES, y);
  const mailbox = await store.findMailbox(name);
  const within = async () => {
    const { uids } = await store.selectMailbox(name, { claimRecent: false });
    return uids.slice(y % 3, y % 3 + 2);
  };
  switch (kind) {
    case "append": {
      const staged = await stage(store, new TextEncoder().encode("Subject: x\r\n\r\n"));
      const internalDate = { seconds: 0, zoneMinutes: 0 };
      const flags = y % 2 === 0 ? 0 : SystemFlag.seen;
      await store.append(name, [{ staged, flags, keywords: [], internalDate }])
        .catch(async (error: unknown) => {
          await staged.discard();
          throw error;
        });
      return;
    }
    case "flags": {
      const flags = pick([SystemFlag.seen, SystemFlag.flagged], y);
      const mode = pick(["add", "remove"] as const, x + y);
      if (mailbox) {
        await store.changeFlags(mailbox.id, await within(), { mode, flags, keywords: [] });
      }
      return;
    }
    case "expunge":
      if (mailbox) await store.expunge(mailbox.id, await within(), { onlyDeleted: false });
      return;
    case "copy":
    case "move":
      if (mailbox) await store[kind](mailbox.id, await within(), other);
      return;
    case "create":
      return void await store.createMailbox(name);
    case "delete":
      return await store.deleteMailbox(name);
    case "rename":
      return await store.renameMailbox(name, other);
    case "subscribe":
    case "unsubscribe":
      return await store.setSubscribed(name, kind === "subscribe");
    case "annotate": {
      const value = y % 4 === 0 ? undefined : new TextEncoder().encode(`${y}`);
      const entry = pick(["/private/a", "/shared/b"], y);
      return await store.setAnnotations(x % 5 === 0 ? undefined : name, [
        { entry, value, isBinary: false },
      ]);
    }
  }
}

interface Counts {
  messages: number;
  unseen: number;
}

/** What a client that only listens believes. */
class Picture {
  readonly mailboxes = new Map<string, Counts | undefined>();
  readonly subscribed = new Set<string>();
  readonly values = new Map<string, string>();
  readonly dirty = new Set<string>();
  selected:
    | { name: string; messages: { uid?: string; flags?: string }[]; isGone: boolean }
    | undefined;

  hear(line: string): void {
    const list = /^LIST \(([^)]*)\) "\/" (\S+)(?: \("OLDNAME" \((\S+)\)\))?$/.exec(line);
    if (list) return this.#list(list[1]!.split(" "), list[2]!, list[3]);
    const status = /^STATUS (\S+) \((.*)\)$/.exec(line);
    if (status) return this.#status(status[1]!, status[2]!);
    const metadata = /^METADATA (\S+) ([^(].*)$/.exec(line);
    if (metadata) {
      for (const entry of metadata[2]!.split(" ")) this.dirty.add(`${metadata[1]} ${entry}`);
      return;
    }
    const message = /^(\d+) (EXISTS|EXPUNGE|FETCH)(?: \(UID (\d+) FLAGS \(([^)]*)\)\))?$/.exec(
      line,
    );
    if (message) this.#message(Number(message[1]), message[2]!, message[3], message[4]);
    assert.ok(!/NOTIFICATIONOVERFLOW|^BYE/.test(line), line);
  }

  #list(attributes: readonly string[], name: string, oldName: string | undefined): void {
    if (oldName !== undefined) this.#rename(oldName, name);
    if (attributes.includes("\\NonExistent")) {
      this.mailboxes.delete(name);
      this.#forgetValues(name);
      if (this.selected?.name === name) this.selected.isGone = true;
    } else if (!this.mailboxes.has(name)) this.mailboxes.set(name, undefined);
    if (attributes.includes("\\Subscribed")) this.subscribed.add(name);
    else this.subscribed.delete(name);
  }

  #rename(from: string, to: string): void {
    const moved = (name: string) =>
      name === from || name.startsWith(`${from}/`) ? to + name.slice(from.length) : name;
    for (const [name, counts] of [...this.mailboxes]) {
      if (moved(name) === name) continue;
      this.mailboxes.delete(name);
      this.mailboxes.set(moved(name), counts);
    }
    for (const [key, value] of [...this.values]) {
      const [name, entry] = key.split(" ") as [string, string];
      if (moved(name) === name) continue;
      this.values.delete(key);
      this.values.set(`${moved(name)} ${entry}`, value);
    }
    for (const key of [...this.dirty]) {
      const [name, entry] = key.split(" ") as [string, string];
      this.dirty.delete(key);
      this.dirty.add(`${moved(name)} ${entry}`);
    }
    if (this.selected) this.selected.name = moved(this.selected.name);
  }

  #forgetValues(name: string): void {
    for (const key of [...this.values.keys()]) {
      if (key.startsWith(`${name} `)) this.values.delete(key);
    }
  }

  #status(name: string, items: string): void {
    const number = (item: string) => {
      const value = new RegExp(`\\b${item} (\\d+)`).exec(items)?.[1];
      return value === undefined ? undefined : Number(value);
    };
    assert.notEqual(name, this.selected?.isGone ? "" : this.selected?.name, "of the selected one");
    const before = this.mailboxes.get(name);
    this.mailboxes.set(name, {
      messages: number("MESSAGES") ?? before?.messages ?? -1,
      unseen: number("UNSEEN") ?? -1,
    });
  }

  #message(n: number, kind: string, uid: string | undefined, flags: string | undefined): void {
    assert.ok(this.selected);
    const { messages } = this.selected;
    if (kind === "EXISTS") {
      assert.ok(n >= messages.length);
      while (messages.length < n) messages.push({});
      return;
    }
    assert.ok(n <= messages.length, `${n} ${kind} of ${messages.length}`);
    if (kind === "EXPUNGE") return void messages.splice(n - 1, 1);
    const message = messages[n - 1]!;
    assert.ok(message.uid === undefined || message.uid === uid, "a number keeps its UID");
    messages[n - 1] = { uid: uid!, flags: flags! };
  }

  /** What was selected is one of the others from here on, with the counts that were told. */
  leave(): void {
    if (this.selected && !this.selected.isGone) {
      const { name, messages } = this.selected;
      const unseen = messages.filter(({ flags }) => !flags?.includes("\\Seen")).length;
      this.mailboxes.set(name, { messages: messages.length, unseen });
    }
    this.selected = undefined;
  }
}

/** The client that watches: what it sends, and its picture. */
class Watcher {
  readonly picture = new Picture();

  constructor(readonly client: TestClient) {}

  async ok(command: Parameters<TestClient["ok"]>[0]): Promise<void> {
    for (const line of (await this.client.ok(command)).untagged) this.picture.hear(line);
  }

  async begin(): Promise<void> {
    await this.ok(
      "NOTIFY SET STATUS (SELECTED (MessageNew MessageExpunge FlagChange)) (PERSONAL (MessageNew " +
        "MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange " +
        "ServerMetadataChange))",
    );
    await this.ok('LIST (SUBSCRIBED) "" * RETURN (SUBSCRIBED)');
    await this.ok('LIST "" * RETURN (SUBSCRIBED)');
  }

  async do({ kind, x }: Step): Promise<void> {
    const { picture } = this;
    const name = pick(NAMES, x);
    switch (kind) {
      case "select": {
        const tag = this.client.begin();
        const { untagged, status } = await this.client.finish(tag, `SELECT ${name}`);
        // Up to CLOSED, or FLAGS without it, the responses are of what was selected before.
        let begin = untagged.findIndex((line) => line.startsWith("OK [CLOSED]")) + 1;
        if (begin === 0) begin = untagged.findIndex((line) => line.startsWith("FLAGS "));
        if (begin < 0) begin = untagged.length;
        for (const line of untagged.slice(0, begin)) picture.hear(line);
        picture.leave();
        if (status === "OK") picture.selected = { name, messages: [], isGone: false };
        for (const line of untagged.slice(begin)) picture.hear(line);
        if (status === "OK" && picture.selected!.messages.length > 0) {
          const fetched = await this.client.cmd("UID FETCH 1:* (FLAGS)");
          for (const line of fetched.untagged) picture.hear(line);
        }
        return;
      }
      case "unselect": {
        if (!picture.selected) return;
        for (const line of (await this.client.ok("UNSELECT")).untagged) picture.hear(line);
        return picture.leave();
      }
      case "idle": {
        const idle = await this.client.idle();
        for (const line of (await idle.done()).untagged) picture.hear(line);
        return;
      }
      case "ownAppend": {
        const { status } = await this.client.cmd([`APPEND ${name} `, literal("Subject: x\r\n\r\n")])
          .then((result) => {
            for (const line of result.untagged) picture.hear(line);
            return result;
          });
        // The client knows of its own doings, and asks for what it wants to know of them.
        if (status !== "OK") return;
        if (picture.selected?.name !== name || picture.selected.isGone) {
          const { untagged } = await this.client.cmd(`STATUS ${name} (MESSAGES UNSEEN)`);
          for (const line of untagged) picture.hear(line);
        } else {
          const { untagged } = await this.client.cmd("UID FETCH 1:* (FLAGS)");
          for (const line of untagged) picture.hear(line);
        }
        return;
      }
      case "ownStore": {
        if (!picture.selected || picture.selected.isGone) return;
        const result = await this.client.cmd("UID STORE 1:* +FLAGS (\\Answered)");
        for (const line of result.untagged) picture.hear(line);
        return;
      }
      case "noop":
        return await this.ok("NOOP");
    }
  }

  async check(store: AccountStore): Promise<void> {
    await this.ok("NOOP");
    const { picture } = this;
    for (const key of picture.dirty) {
      const [name, entry] = key.split(" ");
      const { untagged } = await this.client.cmd(`GETMETADATA ${name} ${entry}`);
      const value = /"(\d+)"\)$/.exec(untagged.join())?.[1];
      if (value === undefined) picture.values.delete(`${name} ${entry}`);
      else picture.values.set(`${name} ${entry}`, value);
    }
    picture.dirty.clear();

    const mailboxes = await store.listMailboxes();
    assert.deepEqual(
      [...picture.mailboxes.keys()].sort(),
      mailboxes.map(({ name }) => name).sort(),
      "mailboxes",
    );
    const subscribed = mailboxes.filter((mailbox) => mailbox.subscribed).map(({ name }) => name);
    subscribed.push(...await store.listMissingSubscriptions());
    assert.deepEqual([...picture.subscribed].sort(), subscribed.sort(), "subscriptions");
    const values: string[] = [];
    for (const name of [undefined, ...mailboxes.map((mailbox) => mailbox.name)]) {
      for (const { entry, value } of await store.listAnnotations(name)) {
        values.push(`${name ?? '""'} ${entry} ${new TextDecoder().decode(value)}`);
      }
    }
    const believed = [...picture.values].map(([key, value]) => `${key} ${value}`);
    assert.deepEqual(believed.sort(), values.sort(), "metadata");
    for (const { name, counts } of mailboxes) {
      if (name === picture.selected?.name && !picture.selected.isGone) continue;
      const told = picture.mailboxes.get(name);
      assert.deepEqual(told, { messages: counts.messages, unseen: counts.unseen }, name);
    }
    if (!picture.selected || picture.selected.isGone) return;
    const mailbox = mailboxes.find(({ name }) => name === picture.selected?.name);
    assert.ok(mailbox);
    const truth: string[] = [];
    for await (const page of store.fetchMessages(mailbox.id, RangeSet.range(1, 0xffff_ffff))) {
      for (const { uid, flags, expunged } of page) {
        if (!expunged) truth.push(`${uid} ${flags & (SystemFlag.seen | SystemFlag.flagged)}`);
      }
    }
    const bits = (flags = "") =>
      (flags.includes("\\Seen") ? SystemFlag.seen : 0) |
      (flags.includes("\\Flagged") ? SystemFlag.flagged : 0);
    assert.deepEqual(
      picture.selected.messages.map(({ uid, flags }) => `${uid} ${bits(flags)}`),
      truth,
      "selected",
    );
  }
}

Deno.test("whatever two writers do, the picture of a client that listens is the truth", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      await withServer(async (server) => {
        const watcher = new Watcher(await server.login());
        const writers = [await server.mail(), await server.mail()] as const;
        await watcher.begin();
        let pending: Promise<void>[] = [];
        for (const [i, step] of steps.entries()) {
          if ((WRITES as readonly string[]).includes(step.kind)) {
            pending.push(
              write(pick(writers, i), step).catch((error: unknown) => {
                if (!(error instanceof StoreError)) throw error;
              }),
            );
            continue;
          }
          // Sometimes while the writers are at it, sometimes after.
          if (step.y % 2 === 0) await Promise.all(pending.splice(0));
          if (step.kind !== "check") await watcher.do(step);
          else {
            await Promise.all(pending.splice(0));
            await watcher.check(writers[0]);
          }
        }
        await Promise.all(pending);
        pending = [];
        await watcher.check(writers[0]);
      });
    }),
    { numRuns: RUNS },
  );
});
