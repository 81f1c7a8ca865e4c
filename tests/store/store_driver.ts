import { type AccountId, decodeUtf8, encodeUtf8, RangeSet } from "../../src/base/mod.ts";
import type { MailboxId, ModSeq, Uid } from "../../src/base/mod.ts";
import type { AccountStore, Mailbox, NewMessage, Store } from "../../src/store/mod.ts";
import { StoreError } from "../../src/store/mod.ts";
import { ALL, rows, stage, Viewer } from "./fixture.ts";
import type { Operation, RandomMessage } from "./random_operations.ts";

/**
 * Does the generator's operations on a store and tells everything that can be observed as plain
 * data, in which stores that agree are equal: numbers that a store may choose are made relative.
 */
export class StoreDriver {
  #store: Store;
  #account: AccountStore;
  readonly #id: AccountId;
  readonly #reopen: () => Promise<Store>;
  readonly #boxes: MailboxId[] = [];
  readonly #views: Viewer[] = [];
  readonly #emailIds = new Map<string, number>();
  readonly #threadIds = new Map<string, number>();
  readonly #objectIds = new Map<number, string>();
  /** Mod-sequence of each mailbox when its messages were last told. */
  readonly #told = new Map<number, number>();
  #uidValidityBase = 0;
  #events: ModSeq;

  private constructor(
    store: Store,
    id: AccountId,
    account: AccountStore,
    reopen: () => Promise<Store>,
    events: ModSeq,
  ) {
    this.#store = store;
    this.#id = id;
    this.#account = account;
    this.#reopen = reopen;
    this.#events = events;
  }

  static async open(
    store: Store,
    address: string,
    reopen: () => Promise<Store>,
  ): Promise<StoreDriver> {
    const { id } = await store.directory.addAccount(address, "");
    const account = await store.openAccount(id);
    const events = await account.mailboxEvents(0 as ModSeq);
    if (events === "resync") throw new Error("a new account has its history");
    const driver = new StoreDriver(store, id, account, reopen, events.through);
    for (const mailbox of await account.listMailboxes()) {
      driver.#uidValidityBase = mailbox.uidValidity;
      driver.#boxes.push(mailbox.id);
    }
    return driver;
  }

  get account(): AccountStore {
    return this.#account;
  }

  get store(): Store {
    return this.#store;
  }

  /** Does the operation and gives its outcome. */
  async run(operation: Operation): Promise<unknown> {
    try {
      return await this.#run(operation);
    } catch (error) {
      if (error instanceof StoreError) return { refused: error.code };
      throw error;
    }
  }

  /** All that the store shows; messages only of mailboxes that changed, unless `isFull`. */
  async state(isFull = false): Promise<unknown> {
    const account = this.#account;
    const mailboxes = await account.listMailboxes();
    const messages: Record<string, unknown> = {};
    for (const mailbox of mailboxes) {
      const seen = this.#objectIds.get(mailbox.id) ?? mailbox.objectId;
      if (seen !== mailbox.objectId) throw new Error("an object id changed");
      this.#objectIds.set(mailbox.id, seen);
      if (!this.#boxes.includes(mailbox.id)) this.#boxes.push(mailbox.id);
      if (!isFull && this.#told.get(mailbox.id) === mailbox.modSeq) continue;
      this.#told.set(mailbox.id, mailbox.modSeq);
      messages[mailbox.name] = await this.#messages(mailbox);
    }
    const events = await account.mailboxEvents(this.#events);
    if (events !== "resync") this.#events = events.through;
    return {
      mailboxes: mailboxes.map((mailbox) => this.#mailbox(mailbox)),
      messages,
      subscriptions: await account.listMissingSubscriptions(),
      quota: await account.quota(),
      notes: notes(await account.listAnnotations(undefined)),
      events: events === "resync"
        ? events
        : events.events.map((event) => JSON.stringify(event, order)),
    };
  }

  async #messages(mailbox: Mailbox): Promise<unknown> {
    const account = this.#account;
    const selected = await account.selectMailbox(mailbox.name, { claimRecent: false });
    const list = await rows(account, mailbox.id, ALL, ["header", "preview", "raw", "envelope"]);
    return {
      uids: selected.uids.toString(),
      firstUnseen: selected.firstUnseen,
      recent: selected.recent.toString(),
      rows: list.map((row) => ({
        ...row,
        keywords: row.keywords.split(" ").sort().join(" "),
        emailId: ordinal(this.#emailIds, row.emailId),
        threadId: ordinal(this.#threadIds, row.threadId),
        header: text(row.header),
        raw: text(row.raw),
        envelope: text(row.envelope),
      })),
      expunged: String(await account.expungedSince(mailbox.id, 0, ALL)),
      expungedLately: String(
        await account.expungedSince(mailbox.id, Math.max(0, mailbox.modSeq - 3), ALL),
      ),
      notes: notes(await account.listAnnotations(mailbox.name)),
    };
  }

  async #run(operation: Operation): Promise<unknown> {
    const account = this.#account;
    switch (operation.do) {
      case "create": {
        const made = await account.createMailbox(operation.name, { specialUse: operation.uses });
        return made.map((mailbox) => this.#mailbox(mailbox));
      }
      case "delete":
        return await account.deleteMailbox(operation.name);
      case "rename":
        return await account.renameMailbox(operation.name, operation.to);
      case "subscribe":
        return await account.setSubscribed(operation.name, operation.on);
      case "append": {
        const messages: NewMessage[] = [];
        for (const message of operation.messages) messages.push(await this.#stage(message));
        const { mailbox, uids, modSeq } = await account.append(operation.name, messages, {
          create: operation.create,
        });
        return { mailbox: this.#mailbox(mailbox), uids: uids.toString(), modSeq };
      }
      case "flags": {
        const { mode, flags, keywords } = operation;
        const highest = Math.max(...(await account.listMailboxes()).map((it) => it.modSeq));
        const { modSeq, rows, modified } = await account.changeFlags(
          this.#box(operation.box),
          RangeSet.from(operation.uids),
          operation.unchangedSince === undefined ? { mode, flags, keywords } : {
            mode,
            flags,
            keywords,
            unchangedSince: Math.max(0, highest - operation.unchangedSince) as ModSeq,
          },
        );
        return { modSeq, rows, modified: modified.toString() };
      }
      case "expunge": {
        const { uids, modSeq } = await account.expunge(
          this.#box(operation.box),
          RangeSet.from(operation.uids),
          { onlyDeleted: operation.onlyDeleted },
        );
        return { uids: uids.toString(), modSeq };
      }
      case "expire":
        return await account.expire(operation.rule, operation.limit);
      case "copy":
      case "move": {
        const { destination, from, to, modSeq } = await account[operation.do](
          this.#box(operation.box),
          RangeSet.from(operation.uids),
          operation.name,
        );
        return {
          destination: this.#mailbox(destination),
          from: from.toString(),
          to: to.toString(),
          modSeq,
        };
      }
      case "replace": {
        const { mailbox, uids, modSeq } = await account.replace(
          this.#box(operation.box),
          operation.uid as Uid,
          operation.name,
          await this.#stage(operation.message),
        );
        return { mailbox: this.#mailbox(mailbox), uids: uids.toString(), modSeq };
      }
      case "annotate":
        return await account.setAnnotations(operation.name, operation.notes);
      case "limit":
        return await this.#store.directory.setAccountQuota(this.#id, operation.bytes);
      case "select": {
        const view = await Viewer.select(account, operation.name, operation.claimRecent);
        this.#views.push(view);
        return [view.text(), view.recent.toString()];
      }
      case "look": {
        const view = this.#views[operation.view % Math.max(1, this.#views.length)];
        if (!view) return undefined;
        await view.catchUp();
        if (!view.isGone) await view.assertCurrent();
        return [view.isGone, view.text(), view.recent.toString()];
      }
      case "search": {
        const { uids, modSeq } = await account.search(
          this.#box(operation.box),
          operation.predicate,
          operation.only ? { only: operation.only } : {},
        );
        return { uids: uids.toString(), modSeq };
      }
      case "reopen":
        this.#store = await this.#reopen();
        this.#account = await this.#store.openAccount(this.#id);
        for (const view of this.#views) view.account = this.#account;
        this.#told.clear();
        return undefined;
      default:
        return operation satisfies never;
    }
  }

  #box(index: number): MailboxId {
    return this.#boxes[index % this.#boxes.length] ?? 0 as MailboxId;
  }

  async #stage(message: RandomMessage): Promise<NewMessage> {
    const bytes = encodeUtf8(
      `Date: Wed, 15 Nov 2023 10:00:00 +0000\r\nSubject: ${message.subject}\r\n` +
        `Content-Type: text/plain; charset=utf-8\r\n\r\n${message.body}\r\n`,
    );
    return {
      staged: await stage(this.#account, bytes),
      flags: message.flags,
      keywords: message.keywords,
      internalDate: { seconds: message.seconds, zoneMinutes: message.zoneMinutes },
    };
  }

  #mailbox({ objectId: _, ...mailbox }: Mailbox): unknown {
    return {
      ...mailbox,
      uidValidity: mailbox.uidValidity - this.#uidValidityBase,
      specialUse: [...mailbox.specialUse].sort(),
      keywords: [...mailbox.keywords].sort(),
    };
  }
}

function ordinal(seen: Map<string, number>, id: string): number {
  const known = seen.get(id) ?? seen.size;
  seen.set(id, known);
  return known;
}

function notes(annotations: readonly { entry: string; value: unknown; isBinary: boolean }[]) {
  return annotations.map(({ entry, value, isBinary }) => `${entry} ${value} ${isBinary}`).sort();
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && decodeUtf8(bytes);
}

function order(_key: string, value: unknown): unknown {
  if (Array.isArray(value)) return [...value].sort();
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
}
