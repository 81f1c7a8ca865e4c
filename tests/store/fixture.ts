import assert from "node:assert/strict";
import type { AccountId, Bytes, MailboxId, ModSeq, Uid } from "../../src/base/mod.ts";
import { concatBytes, encodeLatin1, RangeSet } from "../../src/base/mod.ts";
import type {
  AccountStore,
  ChangeCursor,
  ContentColumn,
  Mailbox,
  MessageRow,
  NewMessage,
  Predicate,
  StagedMessage,
  Store,
  StoreErrorCode,
} from "../../src/store/mod.ts";
import { StoreError } from "../../src/store/mod.ts";
import type { OpenedStore } from "./conformance.ts";

export const ALL = RangeSet.range(1, 0xffff_ffff);

export interface Fixture {
  store: Store;
  readonly accountId: AccountId;
  /** Two handles on the same account. */
  a: AccountStore;
  b: AccountStore;
  /** Closes and opens the store again, when the engine can. */
  reopen(): Promise<void>;
}

/** Opens a store with one account, runs a test, and asks the store whether it is consistent. */
export async function withFixture(
  open: () => Promise<OpenedStore>,
  run: (fixture: Fixture) => Promise<void>,
): Promise<void> {
  const opened = await open();
  try {
    await opened.store.directory.addDomain("example.org");
    const { id } = await opened.store.directory.addAccount("ann@example.org", "{}");
    const fixture: Fixture = {
      store: opened.store,
      accountId: id,
      a: await opened.store.openAccount(id),
      b: await opened.store.openAccount(id),
      reopen: async () => {
        if (!opened.reopen) return;
        fixture.store = await opened.reopen();
        fixture.a = await fixture.store.openAccount(id);
        fixture.b = await fixture.store.openAccount(id);
      },
    };
    await run(fixture);
    if (await fixture.store.directory.getAccount(id)) {
      assert.deepEqual(await breaches(fixture.b), [], "check is silent");
    }
  } finally {
    await opened.dispose();
  }
}

export async function breaches(account: AccountStore): Promise<string[]> {
  return await Array.fromAsync(account.check());
}

export function bytesOf(text: string): Bytes {
  return encodeLatin1(text);
}

/** A small message; `size` pads it to exactly so many octets. */
export function mail(subject = "hello", size?: number): Bytes {
  const text = `From: ann@example.org\r\nSubject: ${subject}\r\n\r\nbody of ${subject}\r\n`;
  return bytesOf(size === undefined ? text : text.padEnd(size, "x"));
}

export async function stage(account: AccountStore, bytes: Bytes = mail()): Promise<StagedMessage> {
  const into = account.stageMessage();
  await into.write(bytes);
  return await into.finish();
}

export interface MailOptions {
  bytes?: Bytes;
  flags?: number;
  keywords?: readonly string[];
  seconds?: number;
  zoneMinutes?: number;
}

export async function newMessage(
  account: AccountStore,
  options: MailOptions = {},
): Promise<NewMessage> {
  return {
    staged: await stage(account, options.bytes),
    flags: options.flags ?? 0,
    keywords: options.keywords ?? [],
    internalDate: {
      seconds: options.seconds ?? 1_700_000_000,
      zoneMinutes: options.zoneMinutes ?? 60,
    },
  };
}

/** Appends messages in one step and gives the first UID. */
export async function put(
  account: AccountStore,
  mailbox: string,
  ...options: MailOptions[]
): Promise<number> {
  const messages: NewMessage[] = [];
  for (const each of options.length > 0 ? options : [{}]) {
    messages.push(await newMessage(account, each));
  }
  const { uids } = await account.append(mailbox, messages);
  return uids.first ?? 0;
}

export async function box(account: AccountStore, name: string): Promise<Mailbox> {
  const found = await account.findMailbox(name);
  assert.ok(found, `mailbox ${name} exists`);
  return found;
}

export async function names(account: AccountStore): Promise<string[]> {
  return (await account.listMailboxes()).map((mailbox) => mailbox.name);
}

export async function rows(
  account: AccountStore,
  mailbox: MailboxId,
  uids: RangeSet = ALL,
  columns: readonly ContentColumn[] = [],
  options?: { changedSince?: number },
): Promise<MessageRow[]> {
  return (await Array.fromAsync(account.fetchMessages(mailbox, uids, columns, options))).flat();
}

export async function liveRows(account: AccountStore, mailbox: MailboxId): Promise<MessageRow[]> {
  return (await rows(account, mailbox)).filter((row) => !row.expunged);
}

export async function liveUids(account: AccountStore, mailbox: MailboxId): Promise<string> {
  return RangeSet.from((await liveRows(account, mailbox)).map((row) => row.uid)).toString();
}

export async function raw(
  account: AccountStore,
  mailbox: MailboxId,
  uid: number,
  start = 0,
  end = Number.MAX_SAFE_INTEGER,
): Promise<Bytes> {
  return concatBytes(
    await Array.fromAsync(account.readRaw(mailbox, uid as Uid, start, end)),
  );
}

export async function found(
  account: AccountStore,
  mailbox: MailboxId,
  predicate: Predicate,
): Promise<string> {
  return (await account.search(mailbox, predicate)).uids.toString();
}

export async function refuses(code: StoreErrorCode, work: Promise<unknown>): Promise<void> {
  const error = await work.then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof StoreError, `a StoreError "${code}", not ${error}`);
  assert.equal(error.code, code);
}

/** What a session knows of a mailbox, kept up to date from the change log alone. */
export class Viewer {
  readonly recent = new RangeSet();
  readonly flags = new Map<number, string>();
  uids = new RangeSet();
  isGone = false;
  pages = 0;
  #cursor: ChangeCursor;
  #highestUid = 0;

  private constructor(
    public account: AccountStore,
    readonly mailbox: Mailbox,
    readonly claimRecent: boolean,
    cursor: ChangeCursor,
  ) {
    this.#cursor = cursor;
  }

  static async select(
    account: AccountStore,
    name: string,
    claimRecent = false,
  ): Promise<Viewer> {
    const selected = await account.selectMailbox(name, { claimRecent });
    const viewer = new Viewer(account, selected.mailbox, claimRecent, selected.cursor);
    viewer.uids = selected.uids.clone();
    viewer.#highestUid = selected.uids.last ?? 0;
    for (const uid of selected.recent) viewer.recent.add(uid);
    for await (const page of account.fetchMessages(selected.mailbox.id, selected.uids)) {
      for (const row of page) viewer.flags.set(row.uid, flagText(row));
    }
    return viewer;
  }

  /** Reads the log to its end. */
  async catchUp(): Promise<void> {
    for (let more = true; more;) {
      const changes = await this.account.messageChanges({
        mailbox: this.mailbox.id,
        since: this.#cursor,
        afterUid: this.#highestUid,
        claimRecent: this.claimRecent,
      });
      this.pages++;
      assert.ok(this.pages < 1000, "the log comes to an end");
      if (!changes.mailbox) {
        this.isGone = true;
        return;
      }
      const size = changes.appended.length + changes.changed.length + changes.expunged.rangeCount;
      assert.ok(size <= 2000, `a page has about 1,000 rows, not ${size}`);
      let before = this.#highestUid;
      for (const row of changes.appended) {
        assert.ok(row.uid > before, "appended messages ascend beyond what was known");
        before = row.uid;
        this.uids.add(row.uid);
        this.flags.set(row.uid, flagText(row));
      }
      for (const row of changes.changed) {
        assert.ok(row.uid <= this.#highestUid, "changed messages are known ones");
        this.flags.set(row.uid, flagText(row));
      }
      for (const uid of changes.expunged) {
        assert.ok(uid <= this.#highestUid, "expunged messages are not beyond what was known");
        this.uids.delete(uid);
        this.flags.delete(uid);
        this.recent.delete(uid);
      }
      for (const uid of changes.recent) this.recent.add(uid);
      this.#highestUid = before;
      this.#cursor = changes.cursor;
      more = changes.more;
    }
  }

  /** The view as text, to compare. */
  text(): string {
    return [...this.flags].sort(([a], [b]) => a - b)
      .map(([uid, flags]) => `${uid}:${flags}`).join(" ");
  }

  /** Asserts that the view is the mailbox as it is now. */
  async assertCurrent(): Promise<void> {
    const live = await liveRows(this.account, this.mailbox.id);
    assert.equal(this.text(), live.map((row) => `${row.uid}:${flagText(row)}`).join(" "));
    assert.equal(this.uids.toString(), RangeSet.from(live.map((row) => row.uid)).toString());
  }
}

function flagText(row: { modSeq: ModSeq; flags: number; keywords: string }): string {
  return `${row.flags}/${row.keywords.split(" ").sort().join(",")}@${row.modSeq}`;
}
