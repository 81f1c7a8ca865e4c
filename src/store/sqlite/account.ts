import type { AccountId, Bytes, MailboxId, ModSeq, RangeSet, Uid } from "../../base/mod.ts";
import type {
  AccountStore,
  Annotation,
  AppendResult,
  ChangeCursor,
  ContentColumn,
  CopyResult,
  ExpiryResult,
  ExpiryRule,
  ExpungeResult,
  FlagChange,
  FlagResult,
  Mailbox,
  MailboxEvent,
  MessageChanges,
  MessageRow,
  MessageStage,
  NewMessage,
  OrderRow,
  Quota,
  SearchOptions,
  SearchResult,
  SelectedMailbox,
  SpecialUse,
} from "../account_store.ts";
import { IngestStage } from "../ingest.ts";
import type { Predicate } from "../predicate.ts";
import type { AccountOptions } from "../store.ts";
import type { AccountFile, AccountHost } from "./account_file.ts";
import { findAnnotations, listAnnotations, setAnnotations } from "./annotations.ts";
import { append, replace } from "./append.ts";
import { currentModSeq, expungedSince, mailboxEvents, messageChanges } from "./changes.ts";
import { checkAccount } from "./check.ts";
import { expireMessages } from "./expire.ts";
import { expungeMessages } from "./expunge.ts";
import { changeFlags } from "./flags.ts";
import { createMailbox, deleteMailbox, renameMailbox, setSubscribed } from "./mailboxes.ts";
import { mailboxByName, selectMailboxes } from "./mailbox_record.ts";
import { fetchMessages, readRaw } from "./messages.ts";
import { fetchOrder } from "./order.ts";
import { repairAccount } from "./repair.ts";
import { searchMessages } from "./search.ts";
import { selectMailbox } from "./select.ts";
import { SqliteParkedMessage, SqliteStagedMessage, SqliteStageSink } from "./staging.ts";
import type { Transaction } from "./transaction.ts";
import { transfer } from "./transfer.ts";

/** A handle on one account's mail: says which operation reads and which one writes. */
export class SqliteAccountStore implements AccountStore {
  readonly #file: AccountFile;
  readonly #host: AccountHost;
  readonly #onOwnChange: AccountOptions["onOwnChange"];

  constructor(file: AccountFile, host: AccountHost, { onOwnChange }: AccountOptions = {}) {
    this.#file = file;
    this.#host = host;
    this.#onOwnChange = onOwnChange;
  }

  get id(): AccountId {
    return this.#file.id;
  }

  async listMailboxes({ changedSince = 0 }: { changedSince?: number } = {}): Promise<Mailbox[]> {
    return this.#file.read((db) =>
      selectMailboxes(db, this.#file, "WHERE modseq > ? ORDER BY name", changedSince)
    );
  }

  async findMailbox(name: string): Promise<Mailbox | undefined> {
    return this.#file.read((db) => mailboxByName(db, this.#file, name));
  }

  async listMissingSubscriptions(): Promise<string[]> {
    return this.#file.read((db) =>
      db.all<[string]>(
        `SELECT name FROM subscription
         WHERE NOT EXISTS (SELECT 1 FROM mailbox WHERE mailbox.name = subscription.name)
         ORDER BY name`,
      ).map(([name]) => name)
    );
  }

  createMailbox(
    name: string,
    options: { specialUse?: readonly SpecialUse[] } = {},
  ): Promise<Mailbox[]> {
    return this.#write((it) => createMailbox(it, name, options.specialUse ?? []));
  }

  deleteMailbox(name: string): Promise<void> {
    return this.#write((it) => deleteMailbox(it, name));
  }

  renameMailbox(from: string, to: string): Promise<void> {
    return this.#write((it) => renameMailbox(it, from, to));
  }

  setSubscribed(name: string, subscribed: boolean): Promise<void> {
    return this.#write((it) => setSubscribed(it, name, subscribed));
  }

  async selectMailbox(name: string, options: { claimRecent: boolean }): Promise<SelectedMailbox> {
    return this.#file.read((db) => selectMailbox(db, this.#file, name, options.claimRecent));
  }

  async messageChanges(
    query: { mailbox: MailboxId; since: ChangeCursor; afterUid: number; claimRecent: boolean },
  ): Promise<MessageChanges> {
    return this.#file.read((db) => messageChanges(db, this.#file, query));
  }

  async latestModSeq(): Promise<ModSeq> {
    return this.#file.read(currentModSeq);
  }

  async mailboxEvents(
    since: ModSeq,
  ): Promise<{ events: MailboxEvent[]; through: ModSeq } | "resync"> {
    return this.#file.read((db) => mailboxEvents(db, since));
  }

  async expungedSince(
    mailbox: MailboxId,
    since: number,
    within: RangeSet,
  ): Promise<RangeSet | "resync"> {
    return this.#file.read((db) => expungedSince(db, mailbox, since, within));
  }

  fetchMessages(
    mailbox: MailboxId,
    uids: RangeSet,
    columns: readonly ContentColumn[] = [],
    options: { changedSince?: number } = {},
  ): AsyncIterable<MessageRow[]> {
    return fetchMessages(this.#file, mailbox, uids, columns, options.changedSince ?? 0);
  }

  readRaw(mailbox: MailboxId, uid: Uid, start: number, end: number): AsyncIterable<Bytes> {
    return readRaw(this.#file, mailbox, uid, start, end);
  }

  fetchOrder(mailbox: MailboxId, uids: RangeSet): AsyncIterable<OrderRow[]> {
    return fetchOrder(this.#file, mailbox, uids);
  }

  search(
    mailbox: MailboxId,
    predicate: Predicate,
    options: SearchOptions = {},
  ): Promise<SearchResult> {
    return searchMessages(this.#file, mailbox, predicate, options);
  }

  stageMessage(): MessageStage {
    const now = () => Math.floor(this.#host.now() / 1000);
    return new IngestStage(new SqliteStageSink(this.#file, now));
  }

  async append(
    mailbox: string,
    messages: readonly NewMessage[],
    options: { create?: boolean } = {},
  ): Promise<AppendResult> {
    const result = await this.#write((it) => append(it, mailbox, messages, options));
    markUsed(messages);
    return result;
  }

  async replace(
    mailbox: MailboxId,
    uid: Uid,
    destination: string,
    message: NewMessage,
  ): Promise<AppendResult> {
    const result = await this.#write((it) => replace(it, mailbox, uid, destination, message));
    markUsed([message]);
    return result;
  }

  changeFlags(mailbox: MailboxId, uids: RangeSet, change: FlagChange): Promise<FlagResult> {
    return this.#write((it) => changeFlags(it, mailbox, uids, change));
  }

  expunge(
    mailbox: MailboxId,
    uids: RangeSet,
    options: { onlyDeleted: boolean },
  ): Promise<ExpungeResult> {
    return this.#write((it) => expungeMessages(it, mailbox, uids, options));
  }

  expire(rule: ExpiryRule, limit: number): Promise<ExpiryResult> {
    return this.#write((it) => expireMessages(it, rule, limit));
  }

  copy(mailbox: MailboxId, uids: RangeSet, destination: string): Promise<CopyResult> {
    return this.#write((it) => transfer(it, mailbox, uids, destination, false));
  }

  move(mailbox: MailboxId, uids: RangeSet, destination: string): Promise<CopyResult> {
    return this.#write((it) => transfer(it, mailbox, uids, destination, true));
  }

  async quota(): Promise<Quota> {
    const limitBytes = this.#host.limitBytes(this.#file.id);
    return this.#file.read((db) => {
      const [usedMessages, usedBytes, deletedBytes, usedMailboxes] = db.get<
        [number, number, number, number]
      >("SELECT messages, size, deleted_size, (SELECT count(*) FROM mailbox) FROM account") ??
        [0, 0, 0, 0];
      return { usedBytes, usedMessages, usedMailboxes, limitBytes, deletedBytes };
    });
  }

  async listAnnotations(mailbox: string | undefined): Promise<Annotation[]> {
    return this.#file.read((db) => listAnnotations(db, this.#file, mailbox));
  }

  async findAnnotations(
    entries: readonly string[],
  ): Promise<ReadonlyMap<MailboxId, readonly Annotation[]>> {
    return this.#file.read((db) => findAnnotations(db, entries));
  }

  setAnnotations(mailbox: string | undefined, annotations: readonly Annotation[]): Promise<void> {
    return this.#write((it) => setAnnotations(it, mailbox, annotations));
  }

  check(): AsyncIterable<string> {
    return checkAccount(this.#file);
  }

  repair(): AsyncIterable<string> {
    return repairAccount(this.#file, Math.floor(this.#host.now() / 1000));
  }

  /** Runs `work` in the next commit and, once it is durable, tells that it was this handle's. */
  async #write<T>(work: (transaction: Transaction) => T): Promise<T> {
    const { result, modSeq } = await this.#file.write((transaction) => ({
      result: work(transaction),
      modSeq: transaction.takenModSeq,
    }));
    if (modSeq !== undefined) this.#onOwnChange?.(modSeq);
    return result;
  }
}

/** After the commit: until then a stage may be given again, or discarded. */
function markUsed(messages: readonly NewMessage[]): void {
  for (const { staged } of messages) {
    if (staged instanceof SqliteStagedMessage || staged instanceof SqliteParkedMessage) {
      staged.isUsed = true;
    }
  }
}
